"""The API of what the public is told of an incident: what was added, adding to it."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from monitor.store import public as table
from monitor.web.api.by_hand import sent_json
from monitor.web.api.handlers import picture_of
from monitor.web.api.incidents import found_of
from monitor.web.handled import operator
from monitor.web.problems import Refused, json_response
from monitor.web.publicly import publicly, say, word_of
from monitor.web.site import SITE
from monitor.web.times import rfc3339

EXAMPLE = '{"ar": "…", "en": "…", "next_update": "2026-11-16T14:45:00+04:00"}'


async def listed(request: web.Request) -> web.Response:
    return json_response(await _told(request))


async def send(request: web.Request) -> web.Response:
    """Published at once, under the fixed sentences."""
    holder, found = operator(request), await found_of(request)
    sent, now_ms = await sent_json(request, EXAMPLE), request.app[SITE].live.now_ms
    said = word_of(sent, picture_of(request), next_ms=_instant_of(sent.get("next_update")), now_ms=now_ms)
    await say(request, found.incident.number, said, actor=holder.name)
    return json_response(await _told(request), status=201)


def _instant_of(text: str | None) -> int | None:
    """Raises Refused (400)."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise Refused(400, "Bad message", "`next_update` must be RFC 3339 with its offset, as in " + EXAMPLE)
    return int(at.timestamp() * 1000)


async def _told(request: web.Request) -> dict[str, object]:
    site, found = request.app[SITE], await found_of(request)
    said = await table.said_of(site.store, found.incident.number)
    told = publicly(found.incident, said, picture_of(request), now_ms=site.live.now_ms)
    return {
        "incident": found.incident.number,
        "published_at": _time(told.published_ms),
        "next_update": _time(told.promised_ms),
        "update_missed": told.missed,
        "items": [
            {
                "ar": one.ar,
                "en": one.en,
                "next_update": _time(one.next_update_ms),
                "said_at": _time(one.said_ms),
                "said_by": one.said_by,
            }
            for one in told.said
        ],
    }


def _time(ms: int | None) -> str | None:
    return None if ms is None else rfc3339(ms)
