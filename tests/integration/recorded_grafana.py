"""A Grafana made of what a real Grafana 9.3.2 was recorded to answer (tests/fixtures/grafana-9.3.2-api.json).

It keeps what is put into it, because a push looks at what it did; bodies and statuses of every answer are the
recorded ones, with the uid and title that were asked for in them.
"""

from __future__ import annotations

import asyncio
import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

Json = dict[str, Any]
RECORDED: list[Json] = json.loads(
    (Path(__file__).parents[1] / "fixtures" / "grafana-9.3.2-api.json").read_text(encoding="utf-8")
)
ADMIN, EDITOR, VIEWER = "glsa_ADMIN", "glsa_EDITOR", "glsa_VIEWER"


def recorded(method: str, path: str, status: int, *, note: str | None = None) -> Json:
    """The recorded answer to that. Raises when none, or several that differ, were recorded."""
    found = [
        each
        for each in RECORDED
        if (each["method"], each["path"], each["status"]) == (method, path, status)
        and (note is None or each["note"] == note)
    ]
    assert found, (method, path, status, note)
    return copy.deepcopy(found[0])


class Grafana:
    """What is in it, and every request it got; `fail_after`: it ends the connection after so many writes."""

    def __init__(self) -> None:
        self.folders: dict[str, str] = {}
        self.sources: dict[str, Json] = {}
        self.dashboards: dict[str, tuple[Json, str]] = {}  # and the folder's uid
        self.requests: list[tuple[str, str]] = []
        self.writes_left: int | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [each for each in self.requests if each[0] != "GET"]

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._door], client_max_size=2**24)
        app.add_routes(
            [
                web.get("/api/folders/{uid}", self._folder),
                web.post("/api/folders", self._create_folder),
                web.put("/api/folders/{uid}", self._rename_folder),
                web.get("/api/datasources/uid/{uid}", self._source),
                web.post("/api/datasources", self._create_source),
                web.put("/api/datasources/uid/{uid}", self._change_source),
                web.get("/api/dashboards/uid/{uid}", self._dashboard),
                web.post("/api/dashboards/db", self._put_dashboard),
            ]
        )
        return app

    @web.middleware
    async def _door(self, request: web.Request, handler: Any) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.requests.append((request.method, request.path))
        if token not in (ADMIN, EDITOR, VIEWER):
            return _answer(recorded("GET", "/api/org", 401, note="bad token"))
        if request.method != "GET":
            refused = self._may_not(token, request.path)
            if refused is not None:
                return _answer(refused)
            if self.writes_left is not None:
                self.writes_left -= 1
                if self.writes_left < 0:
                    assert request.transport is not None
                    request.transport.abort()
                    raise web.HTTPServiceUnavailable
        answer: web.StreamResponse = await handler(request)
        return answer

    def _may_not(self, token: str, path: str) -> Json | None:
        reserved = token == EDITOR and path.startswith("/api/datasources")
        return recorded("POST", path, 403) if token == VIEWER or reserved else None

    async def _folder(self, request: web.Request) -> web.Response:
        uid = request.match_info["uid"]
        if uid not in self.folders:
            return _answer(recorded("GET", "/api/folders/continuity", 404))
        return _answer(recorded("GET", "/api/folders/continuity", 200), uid=uid, title=self.folders[uid])

    async def _create_folder(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["uid"] in self.folders:
            return _answer(recorded("POST", "/api/folders", 412))
        if asked["title"] in self.folders.values():
            return _answer(recorded("POST", "/api/folders", 409))
        self.folders[asked["uid"]] = asked["title"]
        return _answer(recorded("POST", "/api/folders", 200), **asked)

    async def _rename_folder(self, request: web.Request) -> web.Response:
        asked, uid = await request.json(), request.match_info["uid"]
        if not asked.get("overwrite"):
            return _answer(recorded("PUT", "/api/folders/continuity", 412))
        self.folders[uid] = asked["title"]
        return _answer(recorded("PUT", "/api/folders/continuity", 200), uid=uid, title=asked["title"])

    async def _source(self, request: web.Request) -> web.Response:
        found = self.sources.get(request.match_info["uid"])
        path = "/api/datasources/uid/continuity-prometheus"
        if found is None:
            return _answer(recorded("GET", path, 404))
        secret = dict.fromkeys(found.get("secureJsonData", {}), True)
        said = {name: value for name, value in found.items() if name != "secureJsonData"}
        return _answer(recorded("GET", path, 200), **said, secureJsonFields=secret)

    async def _create_source(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked["name"] in (each["name"] for each in self.sources.values()):
            return _answer(recorded("POST", "/api/datasources", 409))
        self.sources[asked["uid"]] = asked
        return _answer(recorded("POST", "/api/datasources", 200))

    async def _change_source(self, request: web.Request) -> web.Response:
        self.sources[request.match_info["uid"]] = await request.json()
        return _answer(recorded("PUT", "/api/datasources/uid/continuity-prometheus", 200))

    async def _dashboard(self, request: web.Request) -> web.Response:
        found = self.dashboards.get(request.match_info["uid"])
        if found is None:
            return _answer(recorded("GET", "/api/dashboards/uid/not-there", 404))
        answer = recorded("GET", "/api/dashboards/uid/continuity-government", 200)
        answer["response"]["dashboard"] = found[0]
        answer["response"]["meta"]["folderUid"] = found[1]
        return _answer(answer)

    async def _put_dashboard(self, request: web.Request) -> web.Response:
        asked = await request.json()
        board, folder = asked["dashboard"], asked["folderUid"]
        refused = self._refuses(board, folder, overwrite=asked.get("overwrite", False))
        if refused is not None:
            return _answer(refused)
        version = self.dashboards.get(board["uid"], ({"version": 0}, ""))[0]["version"] + 1
        self.dashboards[board["uid"]] = board | {"id": 4, "version": version}, folder
        done = recorded("POST", "/api/dashboards/db", 200, note="overwrite")
        return _answer(done, uid=board["uid"], version=version)

    def _refuses(self, board: Json, folder: str, *, overwrite: bool) -> Json | None:
        """What was recorded for a missing folder, a long uid, a name that is taken, a stale version."""
        path = "/api/dashboards/db"
        if folder not in self.folders:
            return recorded("POST", path, 400, note="folder missing")
        if len(board["uid"]) > 40:
            return recorded("POST", path, 400, note="uid over 40 characters")
        here = {each["title"]: uid for uid, (each, where) in self.dashboards.items() if where == folder}
        if here.get(board["title"], board["uid"]) != board["uid"]:
            return recorded("POST", path, 412, note="same title in the folder, no uid")
        if board["uid"] in self.dashboards and not overwrite:
            return recorded("POST", path, 412, note="exists, no overwrite, stale version")
        return None


def _answer(said: Json, **changed: Any) -> web.Response:
    body = said["response"]
    return web.json_response(body | changed if changed else body, status=said["status"])


@contextmanager
def serving() -> Iterator[Grafana]:
    """On a free loopback port, in a thread of its own, while a real command runs against it."""
    grafana, loop, ready = Grafana(), asyncio.new_event_loop(), threading.Event()
    runner = web.AppRunner(grafana.app(), access_log=None, shutdown_timeout=1.0)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        grafana.port = runner.addresses[0][1]
        ready.set()

    def run() -> None:
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner.cleanup())
        loop.close()

    thread = threading.Thread(target=run, name="grafana")
    thread.start()
    try:
        assert ready.wait(10)
        yield grafana
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
