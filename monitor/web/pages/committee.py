"""The committee's page: its week, its reports, what waits for it, what it agreed and asked."""

from __future__ import annotations

from functools import partial
from typing import Any

from aiohttp import web

from monitor.facts import ReplyRow
from monitor.judge.terms import terms_of
from monitor.model import GOVERNMENT
from monitor.store import committee as table
from monitor.store import reports
from monitor.web import agreed, auth, replying, working
from monitor.web.api.handlers import picture_of
from monitor.web.committee import corrections, weeks_of
from monitor.web.pages.replies import link_to
from monitor.web.pages.reports import report_link
from monitor.web.pages.work import named_by
from monitor.web.site import HOLDER, SITE, bare_page, page
from monitor.web.telling import Telling
from monitor.web.undelivered import told, undelivered

LISTED_MAX = 100
WORK_SHOWN, REPORTS_SHOWN = 30, 26


async def committee(request: web.Request) -> web.Response:
    site = request.app[SITE]
    if site.live.picture is None:
        return await bare_page(request, "waiting.html", status=503)
    terms = terms_of(picture_of(request).catalogue)
    weeks = replying.weeks(picture_of(request).catalogue, now_ms=site.live.now_ms)
    announced = await working.listed(request)
    waiting = [each for each in announced if each.waits]
    troubles = await undelivered(request)
    values: dict[str, Any] = {
        "weeks": await weeks_of(site.store, terms, now_ms=site.live.now_ms),
        "corrections": await corrections(request, waiting),
        "waiting": len(waiting),
        "reports": await reports.newest(site.store, scope=GOVERNMENT, limit=REPORTS_SHOWN),
        "actions": await table.actions(site.store, limit=LISTED_MAX),
        "inquiries": await table.inquiries(site.store, limit=LISTED_MAX),
        "announced": announced[:WORK_SHOWN],
        "replies": [(each, await _replied(request, each.label)) for each in weeks],
        "today": agreed.today(request),
        "text_max": agreed.TEXT_MAX,
        "name_max": agreed.NAME_MAX,
        "due_max": agreed.today(request) + agreed.AHEAD_MAX,
        "may_write": agreed.may_write(request),
        "may_rule": _may_rule(request),
    }

    def fill(telling: Telling) -> dict[str, Any]:
        def link(line: reports.ReportLine, **query: str) -> str:
            return report_link(telling, line, **query)

        owners = telling.picture.catalogue.entities_by_subject
        lines = [told(telling, each) for each in troubles]
        replied = partial(replying.lines_of, catalogue=telling.picture.catalogue, page=telling.speaker)
        replies = [(stretch, link_to(stretch.label), replied(rows)) for stretch, rows in values["replies"]]
        more = {"report_link": link, "named": named_by(telling), "owners": owners, "undelivered": lines}
        return values | more | {"replies": replies}

    return await page(request, "committee.html", fill=fill)


async def _replied(request: web.Request, label: str) -> list[ReplyRow]:
    """What entities answered about a week, of which this person may read, and which stands."""
    rows = await replying.readable(request, label, GOVERNMENT)
    return [each for each in rows if each.withdrawn_ms is None]


def _may_rule(request: web.Request) -> bool:
    holder = request.get(HOLDER)
    return holder is not None and holder.role in working.MAY_RULE


async def agree(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder = agreed.writer(request)
    what, who = agreed.text_of(sent, "what"), agreed.text_of(sent, "who", most=agreed.NAME_MAX)
    due = agreed.due_of(request, sent)
    await table.agree(request.app[SITE].store, what=what, who=who, due=due, by=holder.name)
    return _to("/committee#actions")


async def finish(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder, number, store = agreed.writer(request), agreed.number_of(request), request.app[SITE].store
    result = agreed.text_of(sent, "result", least=0)
    done = await table.finish(store, number, by=holder.name, result=result)
    agreed.settled(done, await table.action(store, number))
    return _to("/committee#actions")


async def ask(request: web.Request) -> web.Response:
    """File an inquiry; from a meeting one goes back to it, where the figure was."""
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder = agreed.writer(request)
    asked = await agreed.question_of(request, sent)
    number = await table.ask(request.app[SITE].store, asked, by=holder.name)
    if "meeting" not in sent:
        return _to("/committee#inquiries")
    where = f"label={asked.label}&version={asked.version}&" if asked.label else ""
    where += f"scope={agreed.text_of(sent, 'scope')}&" if asked.scope != GOVERNMENT else ""
    return _to(f"/committee/meeting?{where}asked={number}" + (f"#{asked.code}" if asked.code else ""))


async def reply(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    holder, number, store = agreed.writer(request), agreed.number_of(request), request.app[SITE].store
    answer = agreed.text_of(sent, "answer")
    done = await table.reply(store, number, by=holder.name, answer=answer)
    agreed.settled(done, await table.inquiry(store, number))
    return _to("/committee#inquiries")


def _to(where: str) -> web.Response:
    return web.Response(status=303, headers={"Location": where})
