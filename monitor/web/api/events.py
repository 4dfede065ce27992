"""Server-sent events: what changed, and a heartbeat with the as-of, to a bounded number of listeners."""

from __future__ import annotations

import asyncio

from aiohttp import web

from monitor.web.site import SITE

WRITE_WITHIN_S = 10.0


async def events(request: web.Request) -> web.StreamResponse:
    """`hello`, then `changes` and `heartbeat` until the client or we go. A slow client is dropped."""
    site = request.app[SITE]
    with site.lives.one(request.remote or ""), site.live.listening() as client:
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
            }
        )
        await response.prepare(request)
        client.tell(site.live.event("hello").encoded())
        while not client.dropped and not site.live.closing.is_set():
            event = await client.next_event(within_s=3 * site.live.heartbeat_s)
            if event is None:
                break
            try:
                async with asyncio.timeout(WRITE_WITHIN_S):
                    await response.write(event)
            except (TimeoutError, ConnectionError):
                break
        return response
