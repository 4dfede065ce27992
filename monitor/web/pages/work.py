"""Work on the pages: what is announced, announcing with a preview, and what may be done with each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from monitor.judge import work_desk
from monitor.judge.exclusions import Exclusion, Filing
from monitor.judge.work import OCCURRENCES_MAX, Phase, Repeat
from monitor.web import auth, working
from monitor.web.announcing import TEXT_MAX, Misfiled, announcement_of, instant_of, text_of
from monitor.web.api.handlers import picture_of
from monitor.web.reporting import fitting
from monitor.web.site import HOLDER, SITE, page
from monitor.web.telling import Telling
from monitor.web.working import Shown

OPEN = frozenset({Phase.ANNOUNCED, Phase.IN_PROGRESS, Phase.EXTENDED})


async def work(request: web.Request) -> web.Response:
    """What goes on, is to come, and is over."""
    found = await working.listed(request)
    ahead = sorted((one for one in found if one.phase in OPEN), key=lambda one: one.exclusion.from_ms)
    over = [one for one in found if one.phase not in OPEN]

    def fill(telling: Telling) -> dict[str, Any]:
        waiting = [one for one in found if one.waits]
        return {"ahead": ahead, "over": over, "waiting": waiting, "named": named_by(telling)}

    return await page(request, "work.html", fill=fill)


async def one(request: web.Request) -> web.Response:
    found = await working.found_of(request)
    picture_of(request)
    others = await working.attribution(request, found)
    holder = request.get(HOLDER)

    def fill(telling: Telling) -> dict[str, Any]:
        return {
            "shown": found,
            "others": others,
            "named": named_by(telling),
            "may_act": working.may_act(holder, found),
            "may_rule": holder is not None and holder.role in working.MAY_RULE,
            "text_max": TEXT_MAX,
        }

    return await page(request, "work_one.html", fill=fill)


async def form(request: web.Request) -> web.Response:
    """The form; `?subject=` (a path) is chosen beforehand."""
    given = {"subjects": [request.query["subject"]] if "subject" in request.query else []}
    return await _form(request, given, None)


async def send(request: web.Request) -> web.Response:
    """First the preview, with everything that was filled in; announced when that is sent on.

    What does not fit is told at its field, and everything that was filled in stays.
    """
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder, site = working.coordinator(request), request.app[SITE]
    picture_of(request)
    given: dict[str, object] = {key: sent.get(key) for key in sent if key != "subjects"}
    given["subjects"] = sent.getall("subjects", [])
    assert site.live.around is not None, "there is a picture"
    try:
        filed = announcement_of(given, site.live.around, holder, now_ms=site.live.now_ms)
    except Misfiled as wrong:
        return await _form(request, given, None, wrong)
    if given.get("step") != "send":
        return await _form(request, given, await working.preview(request, filed))
    numbers = await work_desk.announce(site.store, filed)
    return _to(numbers[0])


async def _form(
    request: web.Request,
    given: Mapping[str, Any],
    seen: working.Preview | None,
    wrong: Misfiled | None = None,
) -> web.Response:
    holder = request.get(HOLDER)

    def fill(telling: Telling) -> dict[str, Any]:
        return {
            "given": given,
            "seen": seen,
            "wrong": wrong,
            "filings": list(Filing),
            "repeats": list(Repeat),
            "times_max": OCCURRENCES_MAX,
            "text_max": TEXT_MAX,
            "named": named_by(telling),
            "may_announce": holder is not None and holder.role in working.MAY_ANNOUNCE,
        }

    return await page(request, "work_new.html", status=wrong.status if wrong else 200, fill=fill)


async def act(request: web.Request) -> web.Response:
    """Extend, finish, go back or cancel, as the address says."""
    sent = await request.post()
    auth.check_csrf(request, sent)
    found, site = await working.found_of(request), request.app[SITE]
    holder, number = working.acting(request, found), found.exclusion.id
    who: dict[str, Any] = {"by": holder.name, "now_ms": site.live.now_ms}
    with fitting():
        match request.match_info["act"]:
            case "extend":
                to_ms = instant_of(sent, "to", picture_of(request).catalogue)
                number = await work_desk.extend(site.store, number, to_ms=to_ms, **who)
            case "finish":
                await work_desk.finish(site.store, number, **who)
            case "roll-back":
                await work_desk.finish(site.store, number, rolled_back=True, **who)
            case "cancel":
                await work_desk.cancel(site.store, number, **who)
    return _to(number)


async def rule(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder, found, site = working.committee(request), await working.found_of(request), request.app[SITE]
    why = text_of(sent, "why", least=1)
    judge = work_desk.approve if sent.get("ruling") == "approve" else work_desk.reject
    with fitting():
        await judge(
            site.store, found.exclusion.id, by=holder.name, why=why, notice_ms=working.notice_ms(request)
        )
    return _to(found.exclusion.id)


def named_by(telling: Telling) -> Any:
    """The systems and services that an exclusion is about, as (address, name, whose)."""
    catalogue = telling.picture.catalogue

    def named(about: Shown | Exclusion) -> list[tuple[str, Any, Any]]:
        exclusion = about.exclusion if isinstance(about, Shown) else about
        keys = dict.fromkeys(path.split("/", 1)[0] for path in exclusion.subjects)
        found: list[tuple[str, Any, Any]] = []
        for key in keys:
            if system := catalogue.systems_by_subject.get(key):
                found.append((f"/systems/{system.slug}", telling.system(system), ""))
            elif service := catalogue.services_by_subject.get(key):
                name = telling.speaker.name(service.name, service.slug)
                owner = catalogue.entities_by_slug.get(service.entity)
                whose = telling.speaker.name(owner.name, owner.slug) if owner else ""
                found.append((f"/services/{service.slug}", name, whose))
        return found

    return named


def _to(number: int) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/planned-work/{number}"})
