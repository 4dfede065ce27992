"""The intervals behind a figure in words, in few lines: of whom, why, when, for how long. Pure."""

from __future__ import annotations

from typing import NamedTuple

from monitor.judge.seconds import State
from monitor.report.document import Document, Interval, Part
from monitor.report.evidence import Told, adds_up, behind, spent_ms, stretches, told
from monitor.report.figures import FIGURES
from monitor.report.kept import LEFT_OUT
from monitor.report.voice import Voice

NAMED = 3  # services of a line by their names, more by their number


class Line(NamedTuple):
    """Stretches that overlap or touch; `spent` of all services together."""

    who: str
    why: str
    span: str
    spent: str


class Lines(NamedTuple):
    """What a figure was counted from: the first lines, and what is said below them."""

    title: str
    lines: tuple[Line, ...]
    notes: tuple[str, ...]


def lines(document: Document, part: Part, code: str, voice: Voice, *, most: int) -> Lines | None:
    """At most so many lines; None where a figure is not counted from intervals."""
    kept = FIGURES[code].kept
    if kept is None or part.kind == "week":
        return None
    title = voice.plain(f"kept.{kept.key}")
    if document.intervals is None:
        return Lines(title, (), (voice.plain("interval.not_kept"),))
    found = behind(document, part, code)
    every = told(found, longest=kept.longest)
    shown = tuple(_line(each, voice) for each in every[:most])
    notes = [voice.plain("interval.sum", spent=_spent(spent_ms(found), voice)) if found else None]
    if not found:
        notes.append(voice.plain("interval.none"))
    if rest := every[most:]:
        spent = _spent(sum(each.spent_ms for each in rest), voice)
        notes.append(voice.plain("interval.more", n=len(rest), spent=spent))
    if kept is LEFT_OUT and (shut_ms := part.all_counted.out_of_hours_ms):
        notes.append(voice.plain("interval.closed", spent=_spent(shut_ms, voice)))
    if not adds_up(part, stretches(document, part)):
        notes.append(voice.plain("interval.differ"))
    return Lines(title, shown, tuple(each for each in notes if each))


def _line(each: Told, voice: Voice) -> Line:
    said = why(each.interval, voice)
    return Line(_who(each, voice), said, _span(each, voice), _spent(each.spent_ms, voice))


def _who(each: Told, voice: Voice) -> str:
    """The shared system that was the cause, and the services: by name when they are few."""
    services = each.services
    names = (voice.name_alone(voice.subject(service)) for service in services)
    few = len(services) <= NAMED
    who: str = voice.listed(names) if few else voice.plain("outages.services", n=len(services))
    if not each.interval.cause:
        return who
    return f"{voice.plain('outages.of_system', name=cause(each.interval, voice))} · {who}"


def cause(interval: Interval, voice: Voice) -> str:
    """The name of the shared system; empty where there was none."""
    called = interval.name.get(voice.language) if interval.name else ""
    return called or interval.cause.partition(":")[2]


def why(interval: Interval, voice: Voice) -> str:
    """What it was, or for which announcement it is left out and what it was all the same."""
    if interval.was is None:
        return _state(interval.state, interval.reason, voice)
    was = _state(interval.was, interval.reason, voice)
    if not interval.work:
        return voice.plain("interval.left_out", was=was)
    work = voice.listed(voice.number(number) for number in interval.work)
    return voice.plain("interval.left_out_by", work=work, was=was)


def _state(state: State, reason: str, voice: Voice) -> str:
    match state:
        case State.DOWN:
            return voice.why(reason)
        case State.UNKNOWN:
            return voice.unmeasured(reason)
        case _:
            return voice.plain(f"interval.{state.value}")


def _span(each: Told, voice: Voice) -> str:
    return voice.listed([voice.times(each.began, each.ended), *edges(each, voice)])


def edges(each: Told | Interval, voice: Voice) -> list[str]:
    """That it was so before already, and afterwards still; nothing where it was not."""
    said = (each.before, voice.plain("interval.before")), (each.after, voice.plain("interval.after"))
    return [text for is_so, text in said if is_so]


def _spent(ms: int, voice: Voice) -> str:
    """Whole seconds, cut."""
    return voice.span(ms // 1000)
