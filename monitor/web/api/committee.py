"""The API of what the committee agreed and asked: listed, added, settled."""

from __future__ import annotations

from aiohttp import web

from monitor.store import committee as table
from monitor.store.committee import Action, Inquiry
from monitor.web import agreed
from monitor.web.api.by_hand import sent_json
from monitor.web.api.forms import Json
from monitor.web.api.handlers import limit_of, one_of
from monitor.web.api.openapi_committee import LISTED_MAX
from monitor.web.problems import json_response
from monitor.web.site import SITE
from monitor.web.times import rfc3339

ACTION = '{"what": "Move the renewal of certificates to working hours", "who": "Amal", "due": "2026-12-04"}'
INQUIRY = '{"question": "Why did the app stay down?", "owner": "Ministry of Interior", "due": "2026-12-04"}'


async def actions(request: web.Request) -> web.Response:
    state = one_of(request, "state", ["open", "done"])
    done = None if state is None else state == "done"
    found = await table.actions(request.app[SITE].store, done=done, limit=limit_of(request, LISTED_MAX))
    return json_response({"items": [action(each) for each in found]})


async def agree(request: web.Request) -> web.Response:
    holder, store = agreed.writer(request), request.app[SITE].store
    sent = await sent_json(request, ACTION)
    what, who = agreed.text_of(sent, "what"), agreed.text_of(sent, "who", most=agreed.NAME_MAX)
    due = agreed.due_of(request, sent)
    number = await table.agree(store, what=what, who=who, due=due, by=holder.name)
    return await _action(request, number, status=201)


async def finish(request: web.Request) -> web.Response:
    holder, number = agreed.writer(request), agreed.number_of(request)
    result = agreed.text_of(await sent_json(request, '{"result": "Done on Sunday"}'), "result", least=0)
    done = await table.finish(request.app[SITE].store, number, by=holder.name, result=result)
    return await _action(request, number, done=done)


async def inquiries(request: web.Request) -> web.Response:
    state = one_of(request, "state", ["open", "answered"])
    answered = None if state is None else state == "answered"
    limit = limit_of(request, LISTED_MAX)
    found = await table.inquiries(request.app[SITE].store, answered=answered, limit=limit)
    return json_response({"items": [inquiry(each) for each in found]})


async def ask(request: web.Request) -> web.Response:
    holder, store = agreed.writer(request), request.app[SITE].store
    asked = await agreed.question_of(request, await sent_json(request, INQUIRY))
    return await _inquiry(request, await table.ask(store, asked, by=holder.name), status=201)


async def reply(request: web.Request) -> web.Response:
    holder, number = agreed.writer(request), agreed.number_of(request)
    answer = agreed.text_of(await sent_json(request, '{"answer": "A cable was cut"}'), "answer")
    done = await table.reply(request.app[SITE].store, number, by=holder.name, answer=answer)
    return await _inquiry(request, number, done=done)


async def _action(request: web.Request, number: int, *, done: bool = True, status: int = 200) -> web.Response:
    found = await table.action(request.app[SITE].store, number)
    agreed.settled(done, found)
    assert found is not None, "it is refused otherwise"
    return json_response(action(found), status=status)


async def _inquiry(
    request: web.Request, number: int, *, done: bool = True, status: int = 200
) -> web.Response:
    found = await table.inquiry(request.app[SITE].store, number)
    agreed.settled(done, found)
    assert found is not None, "it is refused otherwise"
    return json_response(inquiry(found), status=status)


def action(each: Action) -> Json:
    """An action as the API gives it."""
    return {
        "number": each.number,
        "what": each.what,
        "who": each.who,
        "due": each.due.isoformat(),
        "agreed_at": rfc3339(each.agreed_ms),
        "agreed_by": each.agreed_by,
        "done_at": rfc3339(each.done_ms),
        "done_by": each.done_by,
        "result": each.result or None,
    }


def inquiry(each: Inquiry) -> Json:
    """An inquiry as the API gives it."""
    return {
        "number": each.number,
        "question": each.question,
        "owner": each.owner,
        "due": each.due.isoformat(),
        "scope": each.scope,
        "label": each.label or None,
        "version": each.version,
        "code": each.code or None,
        "asked_at": rfc3339(each.asked_ms),
        "asked_by": each.asked_by,
        "answered_at": rfc3339(each.answered_ms),
        "answered_by": each.answered_by,
        "answer": each.answer or None,
        "seconds_to_answer": None if each.answered_ms is None else (each.answered_ms - each.asked_ms) // 1000,
    }
