"""What a target of the sample fleet says, and how long it takes: built from the check that will judge it."""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Iterator

import msgspec

from monitor.model import Check
from probes.assertions import STEP, Json, holds
from probes.http_settings import Settings, accepted

USUAL_MS = (15.0, 90.0)  # the medians of quick and of ordinary systems
SHARE_OF_OBJECTIVE_MOST = 0.6  # a system that is well stays this far under its objective
TAIL = 0.35  # sigma of the log-normal
DAY_S = 86400.0


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP answer, ready to be sent."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def usual_ms(check: Check) -> float:
    """The median of this check's answers: its name decides, every eighth system is a slow one."""
    seed = zlib.crc32(check.key.encode())
    quick, ordinary = USUAL_MS
    median = quick + (ordinary - quick) * (seed % 1000) / 1000
    return median * (3.0 if seed % 8 == 0 else 1.0)


def busy(now: float) -> float:
    """How busy the hour is: 1 at night, 1.6 at eleven in the morning, four hours east of Greenwich."""
    hour = ((now + 4 * 3600) % DAY_S) / 3600
    return 1.0 + 0.6 * max(0.0, math.sin((hour - 5) / 12 * math.pi))


def delay_ms(check: Check, now: float, chance: random.Random) -> float:
    """How long a well target takes: log-normal around its median, with the shape of the day."""
    took_ms = usual_ms(check) * busy(now) * math.exp(chance.gauss(0, TAIL))
    return min(took_ms, SHARE_OF_OBJECTIVE_MOST * (check.objective_ms or check.within_ms / 3))


def slow_ms(check: Check) -> float:
    """Answers, but clearly over its objective and well inside its deadline."""
    return min(2.5 * (check.objective_ms or check.within_ms / 4), 0.7 * check.within_ms)


def well(check: Check, settings: Settings) -> Reply:
    """An answer that every assertion of the check is content with."""
    good = accepted(settings.accept)
    status = 200 if 200 in good else min(good)
    headers = [(wanted.name, _text(_example(wanted.op, wanted.value))) for wanted in settings.assert_headers]
    if settings.assert_json:
        kind, body = "application/json", msgspec.json.encode(document(settings.assert_json))
    else:
        kind, body = "text/html; charset=utf-8", _page(check, settings)
    return Reply(status=status, headers=(("Content-Type", kind), *headers), body=body)


def wrong_page() -> Reply:
    """What a gateway says when what is behind it is gone, with a status that claims all is well."""
    page = "<!doctype html><title>Sample</title><h1>An unexpected error occurred</h1><p>Try again later.</p>"
    return Reply(headers=(("Content-Type", "text/html; charset=utf-8"),), body=page.encode())


def broken() -> Reply:
    """What a service says whose back end is gone."""
    return Reply(status=503, headers=(("Content-Type", "text/plain"),), body=b"sample fault: out of order\n")


def missing() -> Reply:
    return Reply(status=404, headers=(("Content-Type", "text/plain"),), body=b"no such sample address\n")


def document(wanted: tuple[Json, ...]) -> object:
    """A JSON document in which every assertion holds."""
    root: object = {}
    for assertion in wanted:
        if not (assertion.op == "exists" and assertion.value is False):
            root = _placed(root, _steps(assertion.path), _example(assertion.op, assertion.value))
    return root


def _steps(path: str) -> list[str | int]:
    return [int(m[2]) if m[2] is not None else (m[1] or m[3] or "") for m in STEP.finditer(path)]


def _placed(place: object, steps: list[str | int], value: object) -> object:
    """`place` with `value` at `steps`, making the objects and lists on the way."""
    if not steps:
        return value
    step, *rest = steps
    if isinstance(step, int):
        items = list(place) if isinstance(place, list) else []
        items += [{} for _ in range(step + 1 - len(items))]
        items[step] = _placed(items[step], rest, value)
        return items
    fields = dict(place) if isinstance(place, dict) else {}
    return fields | {step: _placed(fields.get(step), rest, value)}


def _example(op: str, value: object) -> object:
    """Something that compares to `value` as `op` says."""
    for candidate in _candidates(value):
        if holds(candidate, op, value):  # type: ignore[arg-type]  # both come from an assertion
            return candidate
    raise ValueError(f"the sample fleet knows no value that is {op} {value!r}; give it one in answers.py")


def _candidates(value: object) -> Iterator[object]:
    yield value
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from (max(0, value - 1), value + 1, value * 0.5, value - 1)
    yield from ("ok", "sample", "0", "1", 1, 0, True, [value])


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _page(check: Check, settings: Settings) -> bytes:
    texts = [text if isinstance(text, str) else text.text for text in settings.text_present]
    lines = "".join(f"<p>{text}</p>" for text in texts)
    page = f"<!doctype html><meta charset=utf-8><title>Sample data</title><p>{check.subject}</p>{lines}"
    return page.encode()
