"""What a person fills in to open an incident by hand, from a form or as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.config.decode import suggestion
from monitor.judge.answers import subjects_of
from monitor.judge.by_hand import NotNow, Report
from monitor.model import GOVERNMENT, Catalogue, Severity, Verdict
from monitor.web.problems import Refused

TITLE_MAX = 200
BACK_MAX_MS = 7 * 86_400_000
AHEAD_MS = 60_000  # what clocks may differ by
VERDICTS = (Verdict.DOWN, Verdict.DEGRADED)


def report_of(sent: Mapping[str, object], catalogue: Catalogue, *, by: str, now_ms: int) -> Report:
    """The report. `since`: RFC 3339, or without an offset in the catalogue's zone; now when absent.

    Raises Refused (400), saying which field and what is right.
    """
    return Report(
        subject=_subject(_text(sent, "subject"), catalogue),
        title=_title(_text(sent, "title")),
        verdict=Verdict(_one_of(sent, "verdict", [each.value for each in VERDICTS])),
        severity=Severity(_one_of(sent, "severity", [each.value for each in Severity])),
        since_ms=_since_ms(_text(sent, "since"), catalogue, now_ms),
        by=by,
    )


def reportable(catalogue: Catalogue) -> dict[str, str]:
    """Every name a report may be about, and its path: systems, services and the government."""
    return {
        name: path
        for name, path in subjects_of(catalogue).items()
        if path == GOVERNMENT or (path.startswith(("system:", "service:")) and "/" not in path)
    }


@contextmanager
def fitting() -> Iterator[None]:
    """Raises Refused (409) for what does not fit the incident as it is."""
    try:
        yield
    except NotNow as error:
        raise Refused(409, "Not now", str(error)) from None


def _text(sent: Mapping[str, object], key: str) -> str:
    value = sent.get(key, "")
    if not isinstance(value, str) or "\0" in value:
        raise Refused(400, "Bad report", f"`{key}` must be a text")
    return value.strip()


def _subject(text: str, catalogue: Catalogue) -> str:
    known = reportable(catalogue)
    if text not in known:
        near = suggestion(text, known)
        raise Refused(400, "Bad report", f"`subject` names no system or service: {text!r}{near}")
    return known[text]


def _title(text: str) -> str:
    if not 0 < len(text) <= TITLE_MAX:
        raise Refused(400, "Bad report", f"`title` has from 1 to {TITLE_MAX} characters")
    return " ".join(text.split())


def _one_of(sent: Mapping[str, object], key: str, allowed: list[str]) -> str:
    text = _text(sent, key)
    if text not in allowed:
        raise Refused(400, "Bad report", f"`{key}` must be one of {', '.join(allowed)}")
    return text


def _since_ms(text: str, catalogue: Catalogue, now_ms: int) -> int:
    if not text:
        return now_ms
    try:
        at = datetime.fromisoformat(text)
        since_ms = int((at if at.tzinfo else at.replace(tzinfo=ZoneInfo(catalogue.zone))).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise Refused(400, "Bad report", "`since` must be an instant such as 2026-11-25T19:40") from None
    if not now_ms - BACK_MAX_MS <= since_ms <= now_ms + AHEAD_MS:
        raise Refused(400, "Bad report", "`since` must lie within the last seven days")
    return min(since_ms, now_ms)
