"""Incidents for a person at a command line, without a web process; said as the API says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from monitor.errors import UsageError
from monitor.judge import desk
from monitor.judge.by_hand import NotNow
from monitor.store import incidents as table
from monitor.store.pool import Store
from monitor.web.api import forms
from monitor.web.api.named import in_force
from monitor.web.handled import all_shown, note_of, shown
from monitor.web.problems import Refused
from monitor.web.reporting import report_of


async def listed(store: Store, *, closed: bool, limit: int) -> list[forms.Json]:
    """Open ones, the gravest first; or those closed last."""
    kept = await (table.closed_ones(store, limit=limit) if closed else table.open_ones(store))
    return [forms.incident_line(each) for each in all_shown(kept)[:limit]]


async def one(store: Store, number: str) -> forms.Json:
    """An incident with its timeline. Raises UsageError when there is none of that number."""
    kept = await table.one(store, number)
    if kept is None:
        raise UsageError(f"no incident {number!r}; `continuity incident list --closed` names the last ones")
    lines = await table.timeline(store, number)
    return {**forms.incident_line(shown(kept)), "timeline": [forms.timeline_line(line) for line in lines]}


async def opened(store: Store, sent: dict[str, str], *, by: str, now_ms: int) -> forms.Json:
    """A new one by hand; `sent` as the API takes it. Raises UsageError for what is wrong with it."""
    with _said_to_a_person():
        report = report_of(sent, (await in_force(store)).catalogue, by=by, now_ms=now_ms)
        made = await desk.open_incident(store, report, now_ms=now_ms)
    return await one(store, made.number)


async def noted(store: Store, number: str, text: str, *, by: str) -> forms.Json:
    """With one more note. Raises UsageError."""
    await one(store, number)
    with _said_to_a_person():
        await table.write_note(store, number, actor=by, text=note_of(text))
    return await one(store, number)


async def closed(store: Store, number: str, *, by: str, now_ms: int, summary: str | None) -> forms.Json:
    """Closed by hand, with its summary where there is one. Raises UsageError."""
    await one(store, number)
    with _said_to_a_person():
        text = None if summary is None else note_of(summary)
        await desk.close_incident(store, number, by=by, now_ms=now_ms)
        if text is not None:
            await desk.summarise(store, number, by=by, text=text)
    return await one(store, number)


@contextmanager
def _said_to_a_person() -> Iterator[None]:
    try:
        yield
    except NotNow as error:
        raise UsageError(str(error)) from None
    except Refused as refused:
        raise UsageError(refused.detail) from None
