"""The API of what entities answer about a period: listed, added, withdrawn."""

from __future__ import annotations

from aiohttp import web

from monitor.facts import ReplyRow
from monitor.report.replying import Unfit
from monitor.store import replies as table
from monitor.web import replying
from monitor.web.api.by_hand import sent_json
from monitor.web.api.forms import Json
from monitor.web.api.handlers import picture_of
from monitor.web.problems import Refused, json_response
from monitor.web.site import SITE
from monitor.web.times import rfc3339

EXAMPLE = '{"about": "F10", "en": "A router failed"}'


async def listed(request: web.Request) -> web.Response:
    """Withdrawn ones too; of a period that is not published, what the token may answer for."""
    asked = replying.asked(request)
    rows = await replying.readable(request, asked.stretch.label, asked.scope)
    return json_response({"items": [reply(each) for each in rows]})


async def send(request: web.Request) -> web.Response:
    asked = replying.asked(request)
    if asked.entity is None:
        raise Refused(400, "Whose reply?", "`entity` names the entity that answers")
    replying.replier(request, asked.entity.slug)
    try:
        number = await replying.keep(request, asked, await sent_json(request, EXAMPLE))
    except Unfit as error:
        raise Refused(400, "Bad reply", str(error), more={"part": error.part}) from None
    found = await table.one(request.app[SITE].store, number)
    assert found is not None, "it was kept just now"
    return json_response(reply(found), status=201)


async def withdraw(request: web.Request) -> web.Response:
    picture_of(request)
    return json_response(reply(await replying.withdrawn(request)))


def reply(each: ReplyRow) -> Json:
    """A reply as the API gives it."""
    outage = {"subject": each.subject, "began": rfc3339(each.began_ms), "incident": each.incident or None}
    return {
        "number": each.number,
        "entity": each.entity,
        "label": each.label,
        "code": each.code or None,
        "outage": outage if each.subject else None,
        "ar": each.ar or None,
        "en": each.en or None,
        "said_at": rfc3339(each.said_ms),
        "said_by": each.by,
        "on_behalf": each.on_behalf,
        "withdrawn_at": rfc3339(each.withdrawn_ms),
        "withdrawn_by": each.withdrawn_by,
    }
