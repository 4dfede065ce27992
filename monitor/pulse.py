"""What every role serves on a port of its own: /metrics, /healthz, /readyz; and how late its loop runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from monitor.lifetime import Stop
from monitor.log import Log
from monitor.metrics import Pulse

log = Log(__name__)
TICK_S = 0.5
WINDOW = 20  # ticks over which the worst delay is shown


@asynccontextmanager
async def serve_pulse(
    registry: CollectorRegistry, *, host: str, port: int, waiting_for: Callable[[], str | None]
) -> AsyncIterator[int]:
    """Serve until the block ends; yields the port that was taken (`port` 0 means any).

    `waiting_for` names what is missing for this role to be ready, or None. Raises OSError when the port is
    taken by somebody else.
    """

    async def metrics(request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": content_type})

    async def healthy(_: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def ready(_: web.Request) -> web.Response:
        missing = waiting_for()
        status = {"status": "ready"} if missing is None else {"status": "waiting", "for": missing}
        return web.json_response(status, status=200 if missing is None else 503)

    app = web.Application()
    app.add_routes([web.get("/metrics", metrics), web.get("/healthz", healthy), web.get("/readyz", ready)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        taken: int = runner.addresses[0][1]
        log.info("pulse.serving", host=host, port=taken)
        yield taken
    finally:
        await runner.cleanup()


async def watch_the_loop(pulse: Pulse, stop: Stop) -> None:
    """Show the worst delay of the event loop over the last 10 s, in seconds."""
    loop, recent = asyncio.get_running_loop(), [0.0] * WINDOW
    tick = 0
    while not stop.requested:
        began = loop.time()
        await stop.pause(TICK_S)
        recent[tick % WINDOW] = max(0.0, loop.time() - began - TICK_S)
        tick += 1
        pulse.loop_lag_s.set(max(recent))
