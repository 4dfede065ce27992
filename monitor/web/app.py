"""The web application: routes, the middlewares every request passes, and the role that serves it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import quote

from aiohttp import web

from monitor.errors import StoreUnavailable, UsageError
from monitor.judge.objectives import Completions
from monitor.lifetime import Stop
from monitor.log import Log
from monitor.store import tokens
from monitor.store.pool import Store
from monitor.store.tokens import Holder
from monitor.web import auth, guard
from monitor.web.api import (
    availability,
    counted,
    events,
    handlers,
    objectives,
    report_figures,
    transactions,
)
from monitor.web.api import by_hand as api_by_hand
from monitor.web.api import committee as api_committee
from monitor.web.api import drafts as api_drafts
from monitor.web.api import incidents as api_incidents
from monitor.web.api import public as api_public
from monitor.web.api import replies as api_replies
from monitor.web.api import reports as api_reports
from monitor.web.api import shift as api_shift
from monitor.web.api import work as api_work
from monitor.web.gateway import Gateway
from monitor.web.pages import (
    acknowledge,
    by_hand,
    committee,
    drafts,
    entity,
    incidents,
    meeting,
    overview,
    public,
    replies,
    service,
    shift,
    sign_in,
    system,
    systems,
    work,
)
from monitor.web.pages import availability as availability_page
from monitor.web.pages import figures as figure_page
from monitor.web.pages import objectives as objectives_page
from monitor.web.pages import reports as reports_page
from monitor.web.problems import Refused, json_response, problem
from monitor.web.site import HOLDER, SITE, STATIC, Site, add_headers, bare_page
from monitor.web.state import Live
from monitor.web.traffic import Traffic

log = Log(__name__)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SILENCE_S = 15.0
BODY_MAX_BYTES = 64 * 1024
OPEN_PATHS = ("/static/", "/acknowledge/", "/sign-in", "/sign-out", "/healthz", "/readyz")


def build_app(
    state: Live,
    traffic: Traffic,
    store: Store,
    *,
    open_reads: bool,
    silence_s: float = SILENCE_S,
    writes: guard.Writes | None = None,
    lives: guard.Lives | None = None,
    gateway: Gateway | None = None,
    extra_routes: Sequence[tuple[str, Handler]] = (),
) -> web.Application:
    """Pages, API and what others mount (`extra_routes`: path and GET handler).

    `open_reads`: reading needs no token, because only this machine reaches the listener.
    """
    app = web.Application(middlewares=[_answer_errors, _know_who], client_max_size=BODY_MAX_BYTES)
    app[SITE] = Site(
        store=store,
        live=state,
        traffic=traffic,
        silence_s=silence_s,
        open_reads=open_reads,
        writes=writes or guard.Writes(),
        lives=lives or guard.Lives(),
        completions=Completions(store),
        gateway=gateway,
    )
    app.on_response_prepare.append(add_headers)
    app.add_routes([*_pages(), *api_routes(), web.static("/static", STATIC)])
    app.add_routes([web.get("/healthz", _healthy), web.get("/readyz", _ready)])
    app.add_routes([web.get(path, handler) for path, handler in extra_routes])
    return app


def _pages() -> list[web.RouteDef]:
    return [
        web.get("/", overview.overview),
        web.get("/entities/{slug}", entity.entity),
        web.get("/services/{slug}", service.service),
        web.get("/availability", availability_page.availability),
        web.get("/objectives", objectives_page.objectives),
        web.get("/incidents", incidents.incidents),
        web.get("/incidents/new", by_hand.form),
        web.post("/incidents/new", by_hand.send),
        web.get("/incidents/{number}", incidents.incident),
        web.post("/incidents/{number}/close", by_hand.close),
        web.post("/incidents/{number}/cause", by_hand.rule),
        web.post("/incidents/{number}/summary", by_hand.summarise),
        web.post("/incidents/{number}/acknowledge", incidents.acknowledge),
        web.post("/incidents/{number}/notes", incidents.note),
        web.get("/shift", shift.shift),
        web.post("/shift/hand-over", shift.sign),
        web.get("/reports", reports_page.reports),
        web.get("/reports/{label}", reports_page.report),
        web.get("/reports/{label}/draft", drafts.draft),
        web.get("/reports/{label}/draft/files/{form}", drafts.file),
        web.post("/reports/{label}/draft/sign-off", drafts.send),
        web.get("/reports/{label}/replies", replies.replies),
        web.post("/reports/{label}/replies", replies.send),
        web.post("/reports/{label}/replies/{number}/withdraw", replies.withdraw),
        web.get("/reports/{label}/figures/{code}", figure_page.figure),
        web.get("/reports/{label}/files/{form}", reports_page.file),
        web.get("/committee", committee.committee),
        web.get("/committee/meeting", meeting.meeting),
        web.post("/committee/actions", committee.agree),
        web.post("/committee/actions/{number}/done", committee.finish),
        web.post("/committee/inquiries", committee.ask),
        web.post("/committee/inquiries/{number}/answer", committee.reply),
        web.post("/incidents/{number}/public", public.send),
        web.get("/acknowledge/{token}", acknowledge.look),
        web.post("/acknowledge/{token}", acknowledge.press),
        web.get("/planned-work", work.work),
        web.get("/planned-work/new", work.form),
        web.post("/planned-work/new", work.send),
        web.get("/planned-work/{number}", work.one),
        web.post("/planned-work/{number}/ruling", work.rule),
        web.post("/planned-work/{number}/{act:extend|finish|roll-back|cancel}", work.act),
        web.get("/systems", systems.systems),
        web.get("/systems/{slug}", system.system),
        web.get("/sign-in", sign_in.form),
        web.post("/sign-in", sign_in.send_token),
        web.get("/sign-in/{code}", sign_in.link),
        web.post("/sign-in/{code}", sign_in.use_link),
        web.post("/sign-out", sign_in.sign_out),
    ]


def api_routes() -> list[web.RouteDef]:
    """Every route of the API; openapi.py describes each."""
    return [
        web.get("/api/v1/continuity", handlers.continuity),
        web.get("/api/v1/entities", handlers.entities),
        web.get("/api/v1/services", handlers.services),
        web.get("/api/v1/services/{slug}", handlers.service),
        web.get("/api/v1/systems", handlers.systems),
        web.get("/api/v1/systems/{slug}", handlers.system),
        web.get("/api/v1/transactions", counted.transactions),
        web.get("/api/v1/objectives", objectives.objectives),
        web.get("/api/v1/availability", availability.availability),
        web.get("/api/v1/availability/evidence", availability.availability_evidence),
        web.get("/api/v1/incidents", api_incidents.listed),
        web.post("/api/v1/incidents", api_by_hand.opening),
        web.get("/api/v1/incidents/{number}", api_incidents.one),
        web.post("/api/v1/incidents/{number}/close", api_by_hand.closing),
        web.post("/api/v1/incidents/{number}/cause", api_by_hand.cause),
        web.post("/api/v1/incidents/{number}/summary", api_by_hand.summary),
        web.post("/api/v1/incidents/{number}/acknowledge", api_incidents.acknowledge),
        web.post("/api/v1/incidents/{number}/notes", api_incidents.note),
        web.get("/api/v1/shift", api_shift.told),
        web.post("/api/v1/shift/hand-over", api_shift.sign),
        web.get("/api/v1/reports", api_reports.listed),
        web.get("/api/v1/reports/schema.json", api_reports.schema),
        web.get("/api/v1/reports/drafts", api_drafts.listed),
        web.get("/api/v1/reports/{label}", api_reports.one),
        web.get("/api/v1/reports/{label}/versions", api_reports.versions),
        web.get("/api/v1/reports/{label}/figures/{code}", report_figures.counted),
        web.get("/api/v1/reports/{label}/draft", api_drafts.one),
        web.get("/api/v1/reports/{label}/draft/files/{form}", api_drafts.file),
        web.post("/api/v1/reports/{label}/sign-off", api_drafts.sign_off),
        web.get("/api/v1/reports/{label}/replies", api_replies.listed),
        web.post("/api/v1/reports/{label}/replies", api_replies.send),
        web.post("/api/v1/reports/{label}/replies/{number}/withdraw", api_replies.withdraw),
        web.get("/api/v1/reports/{label}/files/{form}", api_reports.file),
        web.get("/api/v1/committee/actions", api_committee.actions),
        web.post("/api/v1/committee/actions", api_committee.agree),
        web.post("/api/v1/committee/actions/{number}/done", api_committee.finish),
        web.get("/api/v1/committee/inquiries", api_committee.inquiries),
        web.post("/api/v1/committee/inquiries", api_committee.ask),
        web.post("/api/v1/committee/inquiries/{number}/answer", api_committee.reply),
        web.get("/api/v1/incidents/{number}/public", api_public.listed),
        web.post("/api/v1/incidents/{number}/public", api_public.send),
        web.get("/api/v1/exclusions", api_work.listed),
        web.post("/api/v1/exclusions", api_work.announce),
        web.get("/api/v1/exclusions/{number}", api_work.one),
        web.post("/api/v1/exclusions/{number}/extend", api_work.extend),
        web.post("/api/v1/exclusions/{number}/finish", api_work.finish),
        web.post("/api/v1/exclusions/{number}/roll-back", api_work.finish),
        web.post("/api/v1/exclusions/{number}/cancel", api_work.cancel),
        web.post("/api/v1/exclusions/{number}/approve", api_work.rule),
        web.post("/api/v1/exclusions/{number}/reject", api_work.rule),
        web.get("/api/v1/observations", handlers.observations),
        web.get("/api/v1/changes", handlers.changes),
        web.get("/api/v1/events", events.events),
        web.post(transactions.PATH, transactions.send),
        web.get("/api/v1/openapi.json", handlers.openapi),
    ]


async def _healthy(_: web.Request) -> web.Response:
    return json_response({"status": "alive"})


async def _ready(request: web.Request) -> web.Response:
    if request.app[SITE].live.picture is None:
        return json_response({"status": "waiting", "for": "the first catalogue"}, status=503)
    return json_response({"status": "ready"})


@web.middleware
async def _answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Expected faults become answers; a bug becomes aiohttp's 500 and a line in the log."""
    try:
        return await handler(request)
    except Refused as refused:
        return await _refuse(request, refused)
    except StoreUnavailable as error:
        log.warning("web.store_away", path=request.path, why=str(error))
        away = Refused(503, "Database away", "PostgreSQL does not answer", headers={"Retry-After": "5"})
        return await _refuse(request, away, kind="away")
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {key: value for key, value in error.headers.items() if key == "Allow"}
        return await _refuse(request, Refused(error.status, error.reason or "", headers=headers))


async def _refuse(request: web.Request, refused: Refused, *, kind: str = "other") -> web.Response:
    if request.path.startswith(("/api/", "/metrics")):
        return problem(refused, path=request.path)
    response = await bare_page(
        request,
        "refused.html",
        status=refused.status,
        code=refused.status,
        kind="not_found" if refused.status == 404 else kind,
        title=refused.title,
        detail=refused.detail,
    )
    response.headers.update(refused.headers)
    return response


@web.middleware
async def _know_who(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Who asks, whether they may, and how often they write."""
    site = request.app[SITE]
    if site.open_reads:
        guard.check_host(request)
    if request.method not in ("GET", "HEAD") and request.path != transactions.PATH:
        site.writes.take(request.remote or "")
    if not request.path.startswith(("/static/", "/healthz", "/readyz")):
        who = await _holder(request, site)
        if who is not None:
            request[HOLDER] = who
        elif not site.open_reads and not request.path.startswith(OPEN_PATHS):
            return _ask_to_sign_in(request)
    return await handler(request)


async def _holder(request: web.Request, site: Site) -> Holder | None:
    """Senders of transactions are bounded by what waits for Kafka; those without a token by other limits."""
    secret = auth.bearer(request)
    if site.gateway is None or secret is None or request.path != transactions.PATH:
        return await auth.holder(request, site.store)
    found = await site.gateway.holder(secret)
    if found is None:
        site.writes.take(request.remote or "")
        raise auth.unknown_token()
    return found


def _ask_to_sign_in(request: web.Request) -> web.Response:
    if request.path.startswith(("/api/", "/metrics")):
        raise Refused(401, "Who are you?", "send `Authorization: Bearer …`", headers=auth.BEARER)
    target = quote(request.path_qs, safe="/")
    return web.Response(status=303, headers={"Location": f"/sign-in?next={target}"})


async def web_role(
    state: Live,
    traffic: Traffic,
    store: Store,
    *,
    host: str,
    port: int,
    stop: Stop,
    gateway: Gateway | None = None,
    extra_routes: Sequence[tuple[str, Handler]] = (),
    silence_s: float = SILENCE_S,
    listening: Callable[[int], None] = lambda port: None,
) -> None:
    """Follow the changes and serve until `stop`; `listening` hears the port that was taken.

    Raises UsageError when others could reach `host` and there is no token, OSError when the port is taken.
    """
    if not guard.is_loopback(host):
        remedy = guard.refuse_open_door(host, await tokens.has_token(store))
        if remedy is not None:
            raise UsageError(remedy)
    app = build_app(
        state,
        traffic,
        store,
        open_reads=guard.is_loopback(host),
        silence_s=silence_s,
        gateway=gateway,
        extra_routes=extra_routes,
    )
    # a body is inflated by who reads it, within its own limits
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0, auto_decompress=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        listening(runner.addresses[0][1])
        log.info("web.serving", host=host, port=runner.addresses[0][1])
        async with asyncio.TaskGroup() as group:
            group.create_task(state.run(stop), name="live")
            group.create_task(traffic.run(stop), name="traffic")
    finally:
        state.close()
        await runner.cleanup()
