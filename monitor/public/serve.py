"""The role `public`: answers from one version of the folder, held in memory; no database, no Kafka.

A request never touches the disk, so no path can lead out of the folder. When the version grows old, the pages
say so themselves, without a script.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from aiohttp import web
from multidict import CIMultiDict

from monitor.language import LANGUAGES
from monitor.lifetime import Stop
from monitor.log import Log
from monitor.public import folder as folders
from monitor.public import search
from monitor.public.folder import Loaded
from monitor.public.metrics import ServeMetrics
from monitor.public.pages import bare

log = Log(__name__)
LOOK_S = 1.0
OLD_MS = 5 * 60_000
QUERY_MAX = 200
SEARCHES_MAX = 256
FRESH, OLD = b'data-age="fresh"', b'data-age="old"'
METHODS = frozenset({"GET", "HEAD"})
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".xml": "application/atom+xml; charset=utf-8",
    ".svg": "image/svg+xml",
}
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Server": "continuity",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
HOLD = {"Cache-Control": "public, max-age=15"}


class Form(NamedTuple):
    """One file in one encoding, with the headers it is sent with."""

    body: bytes
    etag: str
    headers: CIMultiDict[str]


class Held:
    """A version in memory. A file is made ready when it is first asked for, plain or packed."""

    def __init__(self, loaded: Loaded, *, old: bool) -> None:
        self.name, self.as_of_ms, self.old = loaded.name, loaded.as_of_ms, old
        self._files = loaded.files
        self._ready: dict[tuple[str, bool], Form | None] = {}
        self._searches: dict[tuple[str, str], Form] = {}

    def form(self, path: str, *, packed: bool) -> Form | None:
        """The file, packed where the reader takes it; None when there is none."""
        if path not in self._files:
            return None  # and not remembered: anybody may ask for anything
        kept = self._ready.get((path, packed))
        if kept is None:
            kept = self._ready[path, packed] = self._made(path, packed=packed)
        return kept

    def _made(self, path: str, *, packed: bool) -> Form | None:
        kind = TYPES.get(Path(path).suffix)
        if kind is None:
            return None
        if self.old and kind == TYPES[".html"]:
            return _form(self._files[path].replace(FRESH, OLD, 1), kind)  # seldom: not worth packing anew
        small = self._files.get(f"{path}.gz") if packed else None
        return _form(self._files[path], kind) if small is None else _form(small, kind, packed=True)

    def searched(self, path: str, asked: str) -> Form | None:
        """The list of services narrowed to a question."""
        form = self.form(path, packed=False)
        if form is None:
            return None
        kept = self._searches.get((path, asked))
        if kept is None:
            if len(self._searches) >= SEARCHES_MAX:
                self._searches.clear()
            body = search.found(form.body.decode(), asked).encode()
            kept = self._searches[path, asked] = _form(body, TYPES[".html"])
        return kept


def _form(body: bytes, kind: str, *, packed: bool = False) -> Form:
    etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
    headers = CIMultiDict({**SECURITY, **HOLD, "Content-Type": kind, "ETag": etag, "Vary": "Accept-Encoding"})
    if kind == TYPES[".json"]:
        headers["Access-Control-Allow-Origin"] = "*"
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Form(body, etag, headers)


def _wall_ms() -> int:
    return int(time.time() * 1000)


class Server:
    """Answers requests from the version it holds, and looks for newer ones."""

    def __init__(
        self,
        folder: Path,
        metrics: ServeMetrics,
        *,
        now_ms: Callable[[], int] = _wall_ms,
    ) -> None:
        self._folder, self._metrics, self._now_ms = folder, metrics, now_ms
        self._soon = _form(bare("soon", LANGUAGES), TYPES[".html"])
        self._lost = _form(bare("lost", LANGUAGES), TYPES[".html"])
        self.held: Held | None = None

    async def run(self, stop: Stop) -> None:
        """Look for a newer version every second until `stop`."""
        while not stop.requested:
            await self.look()
            await stop.pause(LOOK_S)

    async def look(self) -> None:
        """Take the current version when it is another one, or has grown old."""
        name = await asyncio.to_thread(folders.current, self._folder)
        held = self.held
        if name is None or (held and held.name == name and held.old == self._is_old(held.as_of_ms)):
            return
        try:
            self.held = await asyncio.to_thread(self._load, name)
        except (
            OSError,
            ValueError,
        ) as error:  # replaced meanwhile, or not whole: the next look finds the next
            log.warning("public.not_loaded", version=name, why=f"{type(error).__name__}: {error}")
            return
        self._metrics.as_of_s.set((self.held.as_of_ms or 0) / 1000)

    def _load(self, name: str) -> Held:
        loaded = folders.load(self._folder, name)
        return Held(loaded, old=self._is_old(loaded.as_of_ms))

    def _is_old(self, as_of_ms: int | None) -> bool:
        return as_of_ms is None or self._now_ms() - as_of_ms > OLD_MS

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request."""
        if request.method not in METHODS:
            return self._said(405, b"", {**SECURITY, "Allow": "GET, HEAD"})
        held = self.held
        if held is None:
            return self._send(503, self._soon, {"Retry-After": "10"})
        path = request.path.removeprefix("/")
        if path in LANGUAGES:
            return self._said(301, b"", {**SECURITY, "Location": f"/{path}/"})
        if not path or path.endswith("/"):
            path += "index.html"
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        asked = request.query.get("q", "")[:QUERY_MAX].strip() if path.endswith("services.html") else ""
        form = held.searched(path, asked) if asked else held.form(path, packed=packed)
        if form is None:
            return self._send(404, held.form("404.html", packed=packed) or self._lost)
        if form.etag in request.headers.get("If-None-Match", ""):
            return self._said(304, b"", form.headers)
        return self._send(200, form)

    def _send(self, status: int, form: Form, more: dict[str, str] | None = None) -> web.Response:
        headers = form.headers if more is None else CIMultiDict({**form.headers, **more})
        return self._said(status, form.body, headers)

    def _said(self, status: int, body: bytes, headers: CIMultiDict[str] | dict[str, str]) -> web.Response:
        self._metrics.status[str(status)].inc()
        return web.Response(status=status, body=body, headers=CIMultiDict(headers))  # it will add to them


async def public_role(
    server: Server,
    *,
    host: str,
    port: int,
    stop: Stop,
    listening: Callable[[int], None] = lambda port: None,
) -> None:
    """Serve until `stop`; `listening` hears the port that was taken. Raises OSError when it is taken."""
    await server.look()
    runner = web.ServerRunner(web.Server(server.answer, access_log=None), shutdown_timeout=2.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, backlog=1024)
        await site.start()
        listening(runner.addresses[0][1])
        log.info("public.serving", host=host, port=runner.addresses[0][1])
        await server.run(stop)
    finally:
        await runner.cleanup()
