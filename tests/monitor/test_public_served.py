"""The public folder on disk, and the role that serves it: never half, and honest when it is old."""

from __future__ import annotations

import asyncio
import gzip
import threading
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from prometheus_client import CollectorRegistry

from monitor.errors import UsageError
from monitor.lifetime import Stop
from monitor.model import Verdict
from monitor.public import folder as folders
from monitor.public.metrics import ServeMetrics
from monitor.public.pages import AS_OF, Files, Pages
from monitor.public.serve import OLD_MS, Server, public_role
from tests.monitor.public_scene import WEB, given
from tests.serving import until


def version(number: int, *, files: int = 30, as_of_ms: int | None = 0) -> Files:
    """Files that all say the same number."""
    made = {f"ar/services/s{i}.html": b'<html data-age="fresh">%d' % number for i in range(files)}
    made["index.html"] = b'<html data-age="fresh">%d' % number
    made[AS_OF] = msgspec.json.encode({"schema": 1, "as_of_ms": as_of_ms})
    return made


# -- on disk -------------------------------------------------------------------------------------------------


def test_readers_never_see_a_part_of_two_versions(tmp_path: Path) -> None:
    """Readers load versions whole while a writer replaces them as fast as it can."""
    folders.write(tmp_path, version(0))
    done, mixed, seen = threading.Event(), [], set()

    def read() -> None:
        while not done.is_set():
            name = folders.current(tmp_path)
            assert name is not None
            try:
                loaded = folders.load(tmp_path, name)
            except FileNotFoundError:
                continue  # it was replaced more than once meanwhile
            said = {body for path, body in loaded.files.items() if path.endswith(".html")}
            seen.add(len(loaded.files))
            if len(said) != 1:
                mixed.append(said)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 60):
        folders.write(tmp_path, version(number))
    done.set()
    for reader in readers:
        reader.join()
    assert (mixed, seen) == ([], {2 * 32})


def test_a_reader_through_the_link_finds_every_file_at_every_moment(tmp_path: Path) -> None:
    folders.write(tmp_path, version(0))
    done, missing = threading.Event(), []

    def read() -> None:
        while not done.is_set():
            try:
                (tmp_path / "current" / "index.html").read_bytes()
            except FileNotFoundError as error:
                missing.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(1, 60):
        folders.write(tmp_path, version(number, files=3))
    done.set()
    reader.join()
    assert missing == []


def test_few_versions_are_kept_and_what_a_dead_writer_left_is_removed(tmp_path: Path) -> None:
    old = tmp_path / "versions" / f".{time.time_ns() - int(3600 * 1e9):020d}-1"
    young = tmp_path / "versions" / f".{time.time_ns():020d}-2"
    for half in (old, young):
        half.mkdir(parents=True)
    names = [folders.write(tmp_path, version(number, files=1)) for number in range(5)]
    left = {path.name for path in (tmp_path / "versions").iterdir()}
    assert left == {*names[-3:], young.name}


def test_every_text_has_a_packed_copy_that_says_the_same(tmp_path: Path) -> None:
    files = Pages().files(given())
    folders.write(tmp_path, files)
    for path, body in files.items():
        assert gzip.decompress((tmp_path / "current" / f"{path}.gz").read_bytes()) == body


def test_a_version_that_cannot_be_written_leaves_the_current_one(tmp_path: Path) -> None:
    kept = folders.write(tmp_path, version(1, files=1))
    with pytest.raises((FileExistsError, NotADirectoryError)):
        folders.write(tmp_path, {**version(2, files=1), "index.html/below": b""})
    assert folders.current(tmp_path) == kept
    assert list((tmp_path / "versions").glob(".*")) == []


def test_a_folder_of_somebody_else_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(UsageError, match="holds something else"):
        folders.check_target(tmp_path)
    folders.write(tmp_path / "ours", version(1, files=1))
    folders.check_target(tmp_path / "ours")
    folders.check_target(tmp_path / "new")


# -- served --------------------------------------------------------------------------------------------------


Answer = tuple[int, bytes, Mapping[str, str]]


class Public:
    """A running role and a client of it."""

    def __init__(self, url: str, http: aiohttp.ClientSession, server: Server) -> None:
        self.url, self.http, self.server = url, http, server

    async def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        options: dict[str, Any] = {"headers": headers, "allow_redirects": False}
        async with self.http.request(method, self.url + path, **options) as answer:
            return answer.status, await answer.read(), answer.headers


@asynccontextmanager
async def serving(folder: Path, now_ms: int | None = None) -> AsyncIterator[Public]:
    stop, taken = Stop(), list[int]()
    clock = {} if now_ms is None else {"now_ms": lambda: now_ms}
    server = Server(folder, ServeMetrics(CollectorRegistry()), **clock)
    async with asyncio.TaskGroup() as group, aiohttp.ClientSession() as http:
        group.create_task(public_role(server, host="127.0.0.1", port=0, stop=stop, listening=taken.append))
        await until(lambda: bool(taken))
        try:
            yield Public(f"http://127.0.0.1:{taken[0]}", http, server)
        finally:
            stop.request()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as of the hour of the scene."""
    folders.write(tmp_path, Pages().files(given((WEB, Verdict.DOWN, 600.0))))
    return tmp_path


NOW_MS = given().now_ms


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/ar/", "text/html; charset=utf-8"),
        ("/en/services/passport.html", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/status.json", "application/json"),
        ("/en/feed.xml", "application/atom+xml; charset=utf-8"),
    ],
)
async def test_files_are_served_packed_with_their_kind_and_a_tag(folder: Path, path: str, kind: str) -> None:
    async with serving(folder, NOW_MS) as public:
        status, body, headers = await public.get(path)
        again, nothing, _ = await public.get(path, **{"If-None-Match": headers["ETag"]})
    assert (status, headers["Content-Type"], headers["Content-Encoding"]) == (200, kind, "gzip")
    assert (len(body) > 0, again, nothing) == (True, 304, b"")


async def test_a_reader_who_cannot_unpack_gets_it_plain_under_another_tag(folder: Path) -> None:
    async with serving(folder, NOW_MS) as public:
        _, body, plain = await public.get("/", **{"Accept-Encoding": "identity"})
        _, unpacked, packed = await public.get("/")
    assert (body, "Content-Encoding" in plain) == (unpacked, False)
    assert plain["ETag"] != packed["ETag"]
    assert plain["Vary"] == "Accept-Encoding"


async def test_every_answer_keeps_browsers_from_loading_anything_else(folder: Path) -> None:
    async with serving(folder, NOW_MS) as public:
        for path in ("/", "/nothing", "/status.json"):
            _, _, headers = await public.get(path)
            assert "default-src 'none'" in headers["Content-Security-Policy"]
            assert (headers["X-Content-Type-Options"], headers["Server"]) == ("nosniff", "continuity")


async def test_each_answer_carries_the_hour_of_now(folder: Path) -> None:
    async with serving(folder, NOW_MS) as public:
        _, _, first = await public.get("/")
        await asyncio.sleep(1.1)
        _, _, second = await public.get("/")
    assert first["Date"] != second["Date"]


async def test_a_head_has_the_headers_without_the_body(folder: Path) -> None:
    async with serving(folder, NOW_MS) as public:
        _, body, got = await public.get("/")
        status, nothing, head = await public.get("/", "HEAD")
    assert (status, nothing, head["ETag"]) == (200, b"", got["ETag"])
    assert int(head["Content-Length"]) == int(got["Content-Length"]) > 0
    assert body


async def test_what_is_not_there_is_said_in_both_languages(folder: Path) -> None:
    async with serving(folder, NOW_MS) as public:
        status, body, _ = await public.get("/ar/services/none.html")
    text = body.decode()
    assert (status, "الصفحة غير موجودة" in text, "Page not found" in text) == (404, True, True)


@pytest.mark.parametrize(
    "path", ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/ar/..%2f..%2f..%2fversions", "/versions/"]
)
async def test_no_path_leads_out_of_the_folder(folder: Path, path: str) -> None:
    async with serving(folder, NOW_MS) as public:
        status, _, _ = await public.get(path)
    assert status == 404


async def test_only_reading_is_answered(folder: Path) -> None:
    async with serving(folder, NOW_MS) as public:
        status, _, headers = await public.get("/", "POST")
        moved, _, there = await public.get("/ar")
    assert (status, headers["Allow"], moved, there["Location"]) == (405, "GET, HEAD", 301, "/ar/")


async def test_before_the_first_version_it_says_so(tmp_path: Path) -> None:
    async with serving(tmp_path, NOW_MS) as public:
        status, body, headers = await public.get("/")
        folders.write(tmp_path, Pages().files(given()))
        await until(lambda: public.server.held is not None)
        later, _, _ = await public.get("/")
    assert (status, headers["Retry-After"], later) == (503, "10", 200)
    assert "لم تُنشر المعلومات بعد" in body.decode()


async def test_a_new_version_is_served_without_a_restart(folder: Path) -> None:
    async with serving(folder, NOW_MS) as public:
        _, before, _ = await public.get("/")
        folders.write(folder, Pages().files(given()))
        held = public.server.held
        await until(lambda: public.server.held is not held)
        _, after, _ = await public.get("/")
    assert before != after


async def test_t47_a_folder_that_is_no_longer_written_says_so_without_a_script(folder: Path) -> None:
    clock = [NOW_MS]
    server = Server(folder, ServeMetrics(CollectorRegistry()), now_ms=lambda: clock[0])
    await server.look()
    fresh = page_of(server)
    clock[0] += OLD_MS + 1
    await server.look()
    assert (b'data-age="fresh"' in fresh, b'data-age="old"' in page_of(server)) == (True, True)
    assert b"\xd9\x84\xd9\x85 \xd8\xaa\xd9\x8f\xd8\xad" in page_of(server)  # «لم تُحدَّث …» stands in the page


def page_of(server: Server) -> bytes:
    assert server.held is not None
    form = server.held.form("ar/index.html", packed=False)
    assert form is not None
    return form.body


async def test_t47_a_frozen_folder_is_old_from_the_first_request_on(folder: Path) -> None:
    async with serving(folder, NOW_MS + OLD_MS + 1) as public:
        for path in ("/", "/ar/services/passport.html", "/en/services.html?q=passport"):
            _, body, _ = await public.get(path)
            assert b'data-age="old"' in body, path


async def test_data_of_which_nobody_knows_the_hour_is_old(tmp_path: Path) -> None:
    folders.write(tmp_path, version(1, files=1, as_of_ms=None))
    async with serving(tmp_path) as public:
        _, body, _ = await public.get("/")
    assert body.startswith(b'<html data-age="old"')


async def test_a_search_is_answered_by_the_server_where_no_script_runs(folder: Path) -> None:
    async with serving(folder, NOW_MS) as public:
        _, hit, _ = await public.get("/ar/services.html?q=%D8%AC%D9%88%D8%A7%D8%B2")
        _, miss, _ = await public.get("/ar/services.html?q=zzz")
        status, _, _ = await public.get(f"/ar/services.html?q={'x' * 4000}")
    assert ("services/passport.html" in hit.decode(), "services/passport.html" in miss.decode()) == (
        True,
        False,
    )
    assert status == 200
