"""The list of incidents, and one incident: what happened, what it takes, what still works, whom to call."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitor.store import deliveries, public
from monitor.store import incidents as table
from monitor.store.late import found_later
from monitor.web import auth, handled
from monitor.web.api.handlers import picture_of
from monitor.web.api.incidents import found_of
from monitor.web.cost import cost_of
from monitor.web.handled import MAY_HANDLE, NOTE_MAX, Wanted
from monitor.web.pages.by_hand import to
from monitor.web.publicly import missed_numbers, publicly
from monitor.web.site import HOLDER, SITE, page
from monitor.web.telling import Telling

CLOSED_SHOWN = 50
CLOSED_READ = 1000  # of which those asked for are shown
LATER_MS = 7 * 86_400_000
STATES = ("open", "closed")


async def incidents(request: web.Request) -> web.Response:
    """`?state=`, `?entity=`, `?system=`: only those; what cannot be is as if not asked."""
    store, now_ms = request.app[SITE].store, request.app[SITE].live.now_ms
    state, entity, system = (request.query.get(key, "") for key in ("state", "entity", "system"))
    wanted = Wanted(state if state in STATES else "", entity, system)
    opened = handled.all_shown(await table.open_ones(store))
    closed = handled.all_shown(
        await table.closed_ones(store, limit=CLOSED_READ if wanted.narrow else CLOSED_SHOWN)
    )
    later = await found_later(store, from_ms=now_ms - LATER_MS)

    picture = request.app[SITE].live.picture
    missed = await missed_numbers(request, [one.incident for one in opened], picture) if picture else set()

    def fill(telling: Telling) -> dict[str, Any]:
        catalogue = telling.picture.catalogue

        def narrowed(all_: list[handled.Shown]) -> list[handled.Shown]:
            return [one for one in all_ if wanted.lets(catalogue, one.incident)][:CLOSED_SHOWN]

        return {
            "wanted": wanted,
            "opened": narrowed(opened),
            "closed": narrowed(closed),
            "later": [] if wanted.narrow else later,
            "about": _about(telling),
            "missed": missed,
        }

    return await page(request, "incidents.html", fill=fill)


async def incident(request: web.Request) -> web.Response:
    site, found = request.app[SITE], await found_of(request)
    lines = await table.timeline(site.store, found.incident.number)
    sent = (await deliveries.log(site.store, incident=found.incident.number))[::-1]
    cost = await cost_of(site, picture_of(request), found.incident)
    said = await public.said_of(site.store, found.incident.number)
    holder = request.get(HOLDER)

    def fill(telling: Telling) -> dict[str, Any]:
        sheet = handled.call_sheet(telling.picture, found.incident)
        taken = handled.taken(telling.picture, found.incident)
        return {
            "shown": found,
            "lines": lines,
            "sent": sent,
            "cost": cost,
            "about": _about(telling),
            "gone": [each for each in taken if each.service.available is False],
            "others": [each for each in taken if each.service.available is not False],
            "sheet": sheet,
            "call_text": handled.call_text(telling, found, sheet),
            "unstable": found.incident.unstable(telling.now_ms),
            "behind": handled.behind(telling.picture, found.incident),
            "may_handle": holder is not None and holder.role in MAY_HANDLE,
            "note_max": NOTE_MAX,
            "publicly": publicly(found.incident, said, telling.picture, now_ms=telling.now_ms),
        }

    return await page(request, "incident.html", fill=fill)


async def acknowledge(request: web.Request) -> web.Response:
    auth.check_csrf(request, await request.post())
    holder, found = handled.operator(request), await found_of(request)
    await table.acknowledge(request.app[SITE].store, found.incident.number, actor=holder.name)
    return to(found.incident.number)


async def note(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder, found = handled.operator(request), await found_of(request)
    text = handled.note_of(sent.get("text"))
    await table.write_note(request.app[SITE].store, found.incident.number, actor=holder.name, text=text)
    return to(found.incident.number)


def _about(telling: Telling) -> Any:
    """What an incident is about, for the list and the page."""
    return lambda shown: handled.behind(telling.picture, shown.incident)
