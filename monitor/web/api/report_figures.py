"""The API's answer to how one figure of a published report was counted."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitor.language import LANGUAGES
from monitor.report.counting import counted_rows
from monitor.report.document import Part, Reply, Value
from monitor.report.evidence import Stretch, adds_up, behind, spent_ms, stretches
from monitor.report.figures import FIGURES
from monitor.report.lines import why
from monitor.report.replies import of_figure
from monitor.report.voice import Voice
from monitor.store.times import millis
from monitor.web.api.handlers import limit_of, one_of
from monitor.web.api.openapi_figures import INTERVALS_MAX
from monitor.web.figures import Asked, figure_asked
from monitor.web.problems import json_response
from monitor.web.times import rfc3339

Json = dict[str, Any]


async def counted(request: web.Request) -> web.Response:
    """Its digits, what they were divided from, its intervals, the same without exclusions, its coverage."""
    asked, limit = await figure_asked(request), limit_of(request, INTERVALS_MAX)
    language = one_of(request, "lang", [*LANGUAGES]) or "en"
    return json_response(_told(asked, Voice(language, asked.document), limit))


def _told(asked: Asked, voice: Voice, limit: int) -> Json:
    document, part, figure = asked.document, asked.part, FIGURES[asked.code]
    [row] = counted_rows(document, voice, [asked.code], part=part, most=0)
    words = {fact.key: str(fact.text) for fact in row.facts}
    return {
        "scope": document.about.scope,
        "label": document.about.label,
        "version": document.about.version,
        "sha256": asked.sha256,
        "as_of": rfc3339(millis(document.about.as_of)),
        "sample": document.about.sample,
        "subject": part.subject,
        "name": voice.called(part),
        "code": figure.code,
        "key": figure.key,
        "unit": figure.unit.value,
        "called": str(row.name),
        "written": str(row.written),
        "meaning": str(row.says),
        "over": words["over"],
        "value": _value(row.value),
        "divided": words.get("share"),
        "earlier": _value(part.earlier) if asked.code == "F04" and part.earlier else None,
        "without_exclusions": _other(asked, "left_out"),
        "with_exclusions": _other(asked, "counted"),
        "coverage": _value(_coverage(asked)) if "coverage" in words else None,
        "intervals": _intervals(asked, voice, limit) if figure.kept else None,
        "replies": [_reply(each) for each in of_figure(document, asked.code, part)],
    }


def _reply(each: Reply) -> Json:
    """As it was frozen."""
    return {
        "number": each.number,
        "entity": each.entity,
        "ar": each.text.ar or None,
        "en": each.text.en or None,
        "said_at": rfc3339(millis(each.at)),
        "said_by": each.by,
        "on_behalf": each.on_behalf,
    }


def _value(value: Value) -> Json:
    """As it was frozen."""
    return {
        "says": value.says.value,
        "text": value.text,
        "part": value.part,
        "whole": value.whole,
        "low": value.low,
        "high": value.high,
    }


def _other(asked: Asked, way: str) -> Json | None:
    """The figure with exclusions dealt with the other way, where it is said and was kept."""
    if FIGURES[asked.code].exclusions != way or asked.document.intervals is None:
        return None
    return _value(asked.part.otherwise.get(asked.code, asked.part.figures[asked.code]))


def _coverage(asked: Asked) -> Value:
    part: Part = asked.part
    usual = part.figures["F06"]
    return part.otherwise.get("F06", usual) if FIGURES[asked.code].exclusions == "counted" else usual


def _intervals(asked: Asked, voice: Voice, limit: int) -> Json:
    """The oldest first; `kept` is false of a report that was frozen before they were."""
    document, part, kept = asked.document, asked.part, FIGURES[asked.code].kept
    assert kept is not None
    found = behind(document, part, asked.code)
    is_kept = document.intervals is not None
    return {
        "are": str(voice.plain(f"kept.{kept.key}")),
        "kept": is_kept,
        "adds_up": is_kept and adds_up(part, stretches(document, part)),
        "count": len(found),
        "seconds": spent_ms(found) / 1000,
        "items": [_interval(each, voice) for each in found[:limit]],
    }


def _interval(each: Stretch, voice: Voice) -> Json:
    interval = each.interval
    return {
        "state": interval.state.value,
        "without_exclusions": (interval.was or interval.state).value,
        "from": rfc3339(millis(each.began)),
        "to": rfc3339(millis(each.ended)),
        "before": each.before,
        "after": each.after,
        "reason": interval.reason or None,
        "why": str(why(interval, voice)),
        "cause": interval.cause or None,
        "announcements": [*interval.work],
        "services": [*each.services],
        "seconds_each": each.each_ms / 1000,
        "seconds": each.spent_ms / 1000,
    }
