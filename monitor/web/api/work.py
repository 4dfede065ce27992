"""The API of exclusions: announcing with a preview, extending, finishing, and what the committee rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from monitor.judge import work_desk
from monitor.judge.exclusions import Filing
from monitor.judge.reading import exclusion_of
from monitor.judge.work import Phase
from monitor.store import exclusions as table
from monitor.web import working
from monitor.web.announcing import announcement_of, instant_of, text_of
from monitor.web.api.forms import Json, as_of, name
from monitor.web.api.handlers import limit_of, one_of, picture_of
from monitor.web.api.openapi_work import LISTED_MAX
from monitor.web.problems import Refused, json_response
from monitor.web.reporting import fitting
from monitor.web.site import SITE
from monitor.web.times import rfc3339
from monitor.web.working import Preview, Shown

EXAMPLE = (
    '{"subjects": ["identity"], "from": "2026-12-04T22:00", "to": "2026-12-05T01:00", "why": "New servers"}'
)


async def listed(request: web.Request) -> web.Response:
    """Those that begin last; with `state` those alone, with `waiting=true` those the committee must see."""
    state = one_of(request, "state", [each.value for each in Phase])
    waiting = one_of(request, "waiting", ["true", "false"])
    limit = limit_of(request, LISTED_MAX)
    found = [
        line(each)
        for each in await working.listed(request)
        if state in (None, each.phase.value) and waiting in (None, str(each.waits).lower())
    ]
    return json_response({**as_of(picture_of(request)), "items": found[:limit]})


async def one(request: web.Request) -> web.Response:
    """One of them, with the downtime of others that is attributed to it."""
    picture, found = picture_of(request), await working.found_of(request)
    others = [
        {
            "service": each.service,
            "entity": each.entity or None,
            "down": each.down_ms / 1000,
            "owner": each.owner,
        }
        for each in await working.attribution(request, found)
    ]
    return json_response({**as_of(picture), **line(found), "downtime_of_others": others})


async def announce(request: web.Request) -> web.Response:
    """Announce it; with `"preview": true` only say what it takes."""
    holder, site = working.coordinator(request), request.app[SITE]
    picture = picture_of(request)
    sent = await _sent(request, EXAMPLE)
    around = site.live.around
    assert around is not None, "there is a picture"
    filed = announcement_of(sent, around, holder, now_ms=site.live.now_ms)
    seen = taken(await working.preview(request, filed))
    if sent.get("preview") is True:
        return json_response({**as_of(picture), "numbers": [], **seen})
    numbers = await work_desk.announce(site.store, filed)
    place = f"/api/v1/exclusions/{numbers[0]}"
    body = {**as_of(picture), "numbers": numbers, **seen}
    return json_response(body, status=201, headers={"Location": place})


async def extend(request: web.Request) -> web.Response:
    found, site = await working.found_of(request), request.app[SITE]
    holder = working.acting(request, found)
    sent = await _sent(request, '{"to": "2026-12-05T03:00"}')
    to_ms = instant_of(sent, "to", picture_of(request).catalogue)
    with fitting():
        made = await work_desk.extend(
            site.store, found.exclusion.id, to_ms=to_ms, by=holder.name, now_ms=site.live.now_ms
        )
    return await _told(request, made, status=201)


async def finish(request: web.Request) -> web.Response:
    found, site = await working.found_of(request), request.app[SITE]
    holder = working.acting(request, found)
    back = request.path.endswith("/roll-back")
    with fitting():
        await work_desk.finish(
            site.store, found.exclusion.id, by=holder.name, now_ms=site.live.now_ms, rolled_back=back
        )
    return await _told(request, found.exclusion.id)


async def cancel(request: web.Request) -> web.Response:
    found, site = await working.found_of(request), request.app[SITE]
    holder = working.acting(request, found)
    with fitting():
        await work_desk.cancel(site.store, found.exclusion.id, by=holder.name, now_ms=site.live.now_ms)
    return await _told(request, found.exclusion.id)


async def rule(request: web.Request) -> web.Response:
    """Approve or reject, as the address says; a reason is part of it."""
    holder, found, site = working.committee(request), await working.found_of(request), request.app[SITE]
    why = text_of(await _sent(request, '{"why": "Announced as soon as it was known"}'), "why", least=1)
    act = work_desk.approve if request.path.endswith("/approve") else work_desk.reject
    with fitting():
        await act(
            site.store, found.exclusion.id, by=holder.name, why=why, notice_ms=working.notice_ms(request)
        )
    return await _told(request, found.exclusion.id)


async def _told(request: web.Request, number: int, *, status: int = 200) -> web.Response:
    row = await table.one(request.app[SITE].store, number)
    assert row is not None, "nothing of it is ever deleted"
    [found] = await working.shown_of(request, [exclusion_of(row)])
    return json_response({**as_of(picture_of(request)), **line(found)}, status=status)


async def _sent(request: web.Request, example: str) -> Mapping[str, Any]:
    """Raises Refused (400), with an example of what is right."""
    try:
        return msgspec.json.decode(await request.read(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Refused(400, "Bad request", f"send JSON such as {example}") from None


def line(shown: Shown) -> Json:
    """An exclusion as the API gives it."""
    one, details = shown.exclusion, shown.details
    return {
        "number": one.id,
        "filing": one.filing.value,
        "state": shown.phase.value,
        "standing": shown.standing.value,
        "applied": shown.applied,
        "waiting": shown.waits,
        "asked_if_over": shown.asks,
        "subjects": list(one.subjects),
        "from": rfc3339(one.from_ms),
        "to": rfc3339(one.to_ms),
        "why": one.why,
        "still_works": name(details.still),
        "public_text": name(details.public),
        "phone": details.phone or None,
        "roll_back": rfc3339(details.roll_back_ms),
        "system": details.system or None if one.filing is Filing.FAULT else None,
        "entities": list(details.entities),
        "announced_at": rfc3339(one.announced_at_ms),
        "announced_by": one.announced_by,
        "extends": one.extends,
        "series": one.series,
        "finished_at": rfc3339(one.finished_at_ms),
        "ruled_at": rfc3339(one.approved_at_ms or one.rejected_at_ms),
        "ruled_by": one.approved_by or one.rejected_by,
        "ruling_why": one.ruling_why or None,
    }


def taken(seen: Preview) -> Json:
    """What an announcement takes, as the API gives it."""
    return {
        "channels": list(seen.reach.channels),
        "services": list(seen.reach.services),
        "services_without_remote": list(seen.reach.last),
        "entities": list(seen.reach.entities),
        "expected_transactions": None if seen.expected is None else round(seen.expected, 1),
        "overlaps": [one.id for one in seen.overlaps],
        "quietest_from": rfc3339(seen.quietest[0]) if seen.quietest else None,
        "quietest_to": rfc3339(seen.quietest[1]) if seen.quietest else None,
        "short_notice": seen.late,
    }
