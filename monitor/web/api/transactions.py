"""POST /api/v1/transactions: one event, an array or NDJSON; answered once Kafka has acknowledged."""

from __future__ import annotations

import asyncio

from aiohttp import web

from monitor.store.tokens import Holder, Role
from monitor.web import auth
from monitor.web.api.handlers import picture_of
from monitor.web.bodies import Items, items_of, read_body
from monitor.web.gateway import Checked, Gateway
from monitor.web.problems import Refused, json_response
from monitor.web.site import HOLDER, SITE

PATH = "/api/v1/transactions"
LARGE_BYTES = 512 * 1024
MAY_SEND = frozenset({Role.SENDER, Role.OPERATOR})


async def send(request: web.Request) -> web.Response:
    """202 with how many were accepted and which were not; nothing accepted is 422."""
    gateway, holder = _gateway(request), _sender(request)
    catalogue = picture_of(request).catalogue
    held = 0

    def hold(size: int) -> None:
        nonlocal held
        gateway.hold(size)
        held += size

    try:
        try:
            items = await _items(await read_body(request, hold), request.content_type)
            checked = await gateway.check(items, catalogue, holder.entities)
        except Refused as refused:
            if refused.status != 429:
                gateway.metrics.failures.labels("unreadable").inc()
            raise
        if not checked.events:
            raise Refused(422, "Nothing accepted", _first(checked), more=_failed(checked))
        await gateway.send(checked.events)
    finally:
        gateway.let_go(held)
    return json_response({"accepted": len(checked.events), **_failed(checked)}, status=202)


async def _items(body: bytes, media: str) -> Items:
    """A large body is taken apart beside the loop: 100,000 lines would hold it for too long."""
    if len(body) > LARGE_BYTES:
        return await asyncio.to_thread(items_of, body, media)
    return items_of(body, media)


def _gateway(request: web.Request) -> Gateway:
    gateway = request.app[SITE].gateway
    if gateway is None:
        raise Refused(404, "Not found", "this listener takes no transactions")
    return gateway


def _sender(request: web.Request) -> Holder:
    """Who sends. Raises Refused: 401 without a token, 403 for one that may not send."""
    how, what = "send `Authorization: Bearer …`", "send; a token of `sender` may"
    return auth.allowed(request, request.get(HOLDER), MAY_SEND, how=how, what=what)


def _failed(checked: Checked) -> dict[str, object]:
    return {"refused": checked.refused, "failed": [one._asdict() for one in checked.failed]}


def _first(checked: Checked) -> str:
    line, why = checked.failed[0]
    return f"line {line}: {why}" + (f" (and {checked.refused - 1} more)" if checked.refused > 1 else "")
