"""What entities answer about a period on a page of its own: read, written, withdrawn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from aiohttp import web

from monitor.report.figures import said_of
from monitor.report.replying import REPLIES_MAX, TEXT_MAX, Unfit
from monitor.report.voice import words
from monitor.store import reports as published
from monitor.web import auth, replying
from monitor.web.replying import Asked
from monitor.web.site import HOLDER, SITE, bare_page, page
from monitor.web.telling import Telling


async def replies(request: web.Request) -> web.Response:
    """Of everybody who may be read; of one entity with a form for who speaks for it."""
    if request.app[SITE].live.picture is None:
        return await bare_page(request, "waiting.html", status=503)
    return await _page(request, _own(request, replying.asked(request)))


def _own(request: web.Request, asked: Asked) -> Asked:
    """Who speaks for one entity alone need not say which."""
    mine = replying.repliers_entities(request)
    return asked._replace(entity=mine[0]) if asked.entity is None and len(mine) == 1 else asked


async def send(request: web.Request) -> web.Response:
    """What does not fit is told, and everything that was written stays in its field."""
    sent = await request.post()
    auth.check_csrf(request, sent)
    asked = replying.asked(request)
    if asked.entity is None:
        return await _page(request, asked, sent, Unfit("entity", "choose an entity"))
    try:
        number = await replying.keep(request, asked, sent)
    except Unfit as error:
        return await _page(request, asked, sent, error)
    return _back(request, number)


async def withdraw(request: web.Request) -> web.Response:
    auth.check_csrf(request, await request.post())
    return _back(request, (await replying.withdrawn(request)).number)


def _back(request: web.Request, number: int) -> web.Response:
    slug = request.query.get("entity", "")
    where = link_to(request.match_info["label"], slug)
    return web.Response(status=303, headers={"Location": f"{where}#reply-{number}"})


def link_to(label: str, entity: str = "") -> str:
    """The page of what an entity, or everybody, answered about a period."""
    return f"/reports/{quote(label)}/replies" + (f"?{urlencode({'entity': entity})}" if entity else "")


async def _page(
    request: web.Request, asked: Asked, given: Mapping[str, object] | None = None, wrong: Unfit | None = None
) -> web.Response:
    site, label = request.app[SITE], asked.stretch.label
    holder, entity = request.get(HOLDER), asked.entity
    may = entity is not None and replying.may_reply(holder, entity.slug)
    values: dict[str, Any] = {
        "asked": asked,
        "mine": replying.repliers_entities(request),
        "may_reply": may,
        "given": given or {},
        "wrong": wrong,
        "text_max": TEXT_MAX,
        "replies_max": REPLIES_MAX,
        "here_link": link_to(label, entity.slug if entity else ""),
        "sign_in_link": f"/sign-in?next={quote(request.path_qs, safe='/')}",
    }
    rows = await replying.readable(request, label, asked.scope)
    choices = await replying.outages(request, asked) if may else []
    report = await published.versions(site.store, scope=asked.scope, label=label)

    def fill(telling: Telling) -> dict[str, Any]:
        lines = replying.lines_of(rows, telling.picture.catalogue, telling.speaker)
        said = words(telling.speaker.language)
        return values | {
            "lines": lines,
            "published": bool(report),
            "figures": [(each.code, said[f"{each.code}.name"]) for each in said_of("total")],
            "outages": replying.named(choices, telling.picture.catalogue, telling.speaker),
            "may_withdraw": lambda line: replying.may_withdraw(holder, line, telling.picture.catalogue),
        }

    return await page(request, "replies.html", status=400 if wrong else 200, fill=fill)
