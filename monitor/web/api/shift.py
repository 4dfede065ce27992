"""The API of a shift, and signing its hand-over note."""

from __future__ import annotations

from aiohttp import web

from monitor.errors import UsageError
from monitor.judge.outlook import Outlook
from monitor.judge.picture import Picture
from monitor.store import shift as table
from monitor.store.pool import Store
from monitor.web.api import forms
from monitor.web.api.by_hand import sent_json
from monitor.web.api.handlers import picture_of
from monitor.web.handled import note_of, operator
from monitor.web.problems import Refused, json_response
from monitor.web.shift import Shift, beginning, shift_of
from monitor.web.site import SITE
from monitor.web.times import rfc3339

EXAMPLE = '{"text": "The provider calls back at 06:00", "since": "19:00"}'


async def told(request: web.Request) -> web.Response:
    return json_response(await _told(request, request.query.get("since", "")))


async def sign(request: web.Request) -> web.Response:
    holder, site = operator(request), request.app[SITE]
    sent = await sent_json(request, EXAMPLE)
    text, since = note_of(sent.get("text")), sent.get("since", "")
    zone, now_ms = picture_of(request).catalogue.zone, site.live.now_ms
    since_ms = await beginning(site.store, since, zone=zone, now_ms=now_ms)
    await table.hand_over(site.store, since_ms=since_ms, author=holder.name, text=text)
    return json_response(await _told(request, rfc3339(since_ms)), status=201)


async def _told(request: web.Request, since: str) -> forms.Json:
    site, picture = request.app[SITE], picture_of(request)
    return await _form(site.store, picture, since, now_ms=site.live.now_ms)


async def shift_named(store: Store, since: str, *, text: str | None = None, by: str = "") -> forms.Json:
    """The same for a person at a command line, who may sign a note. Raises UsageError, StoreUnavailable."""
    outlook = Outlook(store)
    if not await outlook.refresh():
        raise UsageError("no catalogue was published here yet; `continuity run derive` does that")
    picture, now_ms = outlook.picture, outlook.now_ms
    try:
        if text is not None:
            since_ms = await beginning(store, since, zone=picture.catalogue.zone, now_ms=now_ms)
            await table.hand_over(store, since_ms=since_ms, author=by, text=note_of(text))
            since = rfc3339(since_ms)
        return await _form(store, picture, since, now_ms=now_ms)
    except Refused as refused:
        raise UsageError(refused.detail) from None


async def _form(store: Store, picture: Picture, since: str, *, now_ms: int) -> forms.Json:
    since_ms = await beginning(store, since, zone=picture.catalogue.zone, now_ms=now_ms)
    return form(picture, await shift_of(store, picture, since_ms=since_ms, now_ms=now_ms))


def form(picture: Picture, shift: Shift) -> forms.Json:
    """A shift as the API gives it."""
    return {
        **forms.as_of(picture),
        "since": rfc3339(shift.since_ms),
        "until": rfc3339(shift.now_ms),
        "zone": picture.catalogue.zone,
        "opened": shift.opened,
        "open": [forms.incident_line(one) for one in shift.still_open],
        "closed": [forms.incident_line(one) for one in shift.closed],
        "work": [
            {
                "id": row.id,
                "subjects": row.subjects,
                "from": rfc3339(row.from_ms),
                "to": rfc3339(row.to_ms),
                "why": row.why,
                "announced_by": row.announced_by,
            }
            for row in shift.work
        ],
        "unknown": [{"subject": one.subject, **forms.shown(one.shown)} for one in shift.unknown],
        "not_delivered": [
            {
                "incident": one.incident or None,
                "receiver": one.receiver,
                "state": one.state,
                "tries": one.tries,
                "said": one.said,
                "made_at": rfc3339(one.made_ms),
            }
            for one in shift.undelivered
        ],
        "hand_overs": [
            {
                "since": rfc3339(one.since_ms),
                "at": rfc3339(one.at_ms),
                "author": one.author,
                "text": one.text,
            }
            for one in shift.hand_overs
        ],
    }
