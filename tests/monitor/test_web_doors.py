"""Who may come in: tokens, one-time links, sessions, CSRF, limits, and what a browser may do with a page."""

from __future__ import annotations

import re
from contextlib import ExitStack

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from monitor.errors import UsageError
from monitor.store import tokens
from monitor.store.listen import Bell
from monitor.store.pool import Store, open_store
from monitor.store.tokens import Role
from monitor.web.app import build_app
from monitor.web.guard import Lives, Writes, refuse_open_door
from monitor.web.problems import Refused
from monitor.web.state import Live
from monitor.web.traffic import Traffic
from tests.serving import serving

Client = TestClient[web.Request, web.Application]


def client(store: Store, *, open_reads: bool = True, writes: Writes | None = None) -> Client:
    live = Live(store, Bell())
    app = build_app(live, Traffic(store, live), store, open_reads=open_reads, writes=writes)
    return TestClient(TestServer(app), cookie_jar=aiohttp.CookieJar(unsafe=True))


async def csrf(browser: Client, path: str) -> str:
    """The hidden field of the form at `path`."""
    async with browser.get(path) as answer:
        found = re.search(r'name="csrf" value="([^"]+)"', await answer.text())
    assert found
    return found[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.9.9.9"])
def test_a_loopback_address_is_open_without_a_token(host: str) -> None:
    assert refuse_open_door(host, has_token=False) is None


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "monitor.example"])
def test_another_address_without_a_token_is_refused_with_the_remedy(host: str) -> None:
    said = refuse_open_door(host, has_token=False)
    assert said is not None
    assert "continuity token create NAME --role viewer" in said
    assert refuse_open_door(host, has_token=True) is None


async def test_the_role_does_not_start_with_an_open_door(database: str) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        async with serving(database, host="0.0.0.0"):
            raise AssertionError("it served")
    assert caught.group_contains(UsageError, match="can be reached from other machines")


async def test_a_token_is_shown_once_and_stored_hashed(database: str) -> None:
    async with open_store(database) as store:
        secret = await tokens.create_token(store, "desk", role=Role.OPERATOR, entities=["e01"])
        found = await tokens.holder_of_token(store, secret)
        async with store.connection() as connection:
            stored = [tuple(row) for row in await connection.fetch("select * from token")]
    assert found == ("desk", Role.OPERATOR, ("e01",))
    assert secret not in repr(stored)


async def test_a_name_is_one_person_for_ever(database: str) -> None:
    async with open_store(database) as store:
        await tokens.create_token(store, "desk", role=Role.VIEWER)
        await tokens.revoke_token(store, "desk")
        with pytest.raises(UsageError, match="exists or existed"):
            await tokens.create_token(store, "desk", role=Role.VIEWER)


async def test_a_revoked_token_opens_nothing_and_ends_its_sessions(database: str) -> None:
    async with open_store(database) as store:
        secret = await tokens.create_token(store, "desk", role=Role.VIEWER)
        session = await tokens.open_session(store, secret)
        assert session is not None
        before = await tokens.holder_of_session(store, session)
        await tokens.revoke_token(store, "desk")
        after = (
            await tokens.holder_of_token(store, secret),
            await tokens.holder_of_session(store, session),
            await tokens.open_session(store, secret),
        )
    assert (before is not None, after) == (True, (None, None, None))


async def test_every_write_leaves_its_line_in_the_audit(database: str) -> None:
    async with open_store(database) as store:
        secret = await tokens.create_token(store, "desk", role=Role.VIEWER)
        session = await tokens.open_session(store, secret)
        assert session is not None
        await tokens.close_session(store, session)
        await tokens.revoke_token(store, "desk")
        async with store.connection() as connection:
            rows = await connection.fetch("select actor, action, object from audit order by id")
    assert [tuple(row) for row in rows] == [
        ("cli", "token.create", "desk"),
        ("desk", "session.open", "desk"),
        ("desk", "session.close", "desk"),
        ("cli", "token.revoke", "desk"),
    ]


async def test_a_sign_in_link_works_once_and_only_by_its_button(database: str) -> None:
    async with open_store(database) as store, client(store) as browser:
        code = await tokens.create_sign_in(store, "owner", Role.COMMITTEE)
        field = await csrf(browser, f"/sign-in/{code}")
        async with browser.post(f"/sign-in/{code}", data={"csrf": field}, allow_redirects=False) as first:
            cookie = first.headers.getall("Set-Cookie")[0]
        async with browser.post(f"/sign-in/{code}", data={"csrf": field}, allow_redirects=False) as second:
            pass
    assert (first.status, first.headers["Location"], second.status) == (303, "/", 403)
    assert cookie.startswith("continuity_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


async def test_a_link_past_its_time_signs_nobody_in(database: str) -> None:
    async with open_store(database) as store:
        code = await tokens.create_sign_in(store, "owner", Role.COMMITTEE, lasts_s=-1)
        assert await tokens.use_sign_in(store, code) is None


async def test_a_token_entered_once_opens_a_session_and_signing_out_ends_it(database: str) -> None:
    async with open_store(database) as store, client(store) as browser:
        secret = await tokens.create_token(store, "desk", role=Role.VIEWER)
        form = {"csrf": await csrf(browser, "/sign-in"), "token": secret, "next": "/systems"}
        async with browser.post("/sign-in", data=form, allow_redirects=False) as answer:
            target = answer.headers["Location"]
        async with browser.get("/sign-in") as page:
            signed_in = ">desk</bdi>" in await page.text()
        async with browser.post("/sign-out", data={"csrf": form["csrf"]}, allow_redirects=False):
            pass
        async with browser.get("/sign-in") as page:
            still = ">desk</bdi>" in await page.text()
    assert (target, signed_in, still) == ("/systems", True, False)


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb: c"]
)
async def test_signing_in_leads_only_to_a_page_of_ours(database: str, target: str) -> None:
    async with open_store(database) as store, client(store) as browser:
        secret = await tokens.create_token(store, "desk", role=Role.VIEWER)
        form = {"csrf": await csrf(browser, "/sign-in"), "token": secret, "next": target}
        async with browser.post("/sign-in", data=form, allow_redirects=False) as answer:
            assert answer.headers["Location"] == "/"


async def test_a_form_from_elsewhere_is_refused(database: str) -> None:
    async with open_store(database) as store, client(store) as browser:
        field = await csrf(browser, "/sign-in")
        refused = []
        for data, headers in [
            ({"token": "x"}, {}),
            ({"token": "x", "csrf": "guess"}, {}),
            ({"token": "x", "csrf": field}, {"Origin": "https://evil.example"}),
        ]:
            async with browser.post("/sign-in", data=data, headers=headers) as answer:
                refused.append(answer.status)
    assert refused == [403, 403, 403]


async def test_an_unknown_bearer_token_is_refused_even_where_reading_is_open(database: str) -> None:
    headers = {"Authorization": "Bearer ct_nothing"}
    async with (
        open_store(database) as store,
        client(store) as browser,
        browser.get("/api/v1/services", headers=headers) as answer,
    ):
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="continuity"')


async def test_where_reading_is_not_open_pages_ask_to_sign_in_and_the_api_for_a_token(database: str) -> None:
    async with open_store(database) as store, client(store, open_reads=False) as browser:
        secret = await tokens.create_token(store, "desk", role=Role.VIEWER)
        told = {}
        for path in ("/", "/api/v1/openapi.json", "/healthz", "/sign-in", "/static/style.css"):
            async with browser.get(path, allow_redirects=False) as answer:
                told[path] = (answer.status, answer.headers.get("Location"))
        async with browser.get(
            "/api/v1/openapi.json", headers={"Authorization": f"Bearer {secret}"}
        ) as answer:
            told["with a token"] = (answer.status, None)
    assert told == {
        "/": (303, "/sign-in?next=/"),
        "/api/v1/openapi.json": (401, None),
        "/healthz": (200, None),
        "/sign-in": (200, None),
        "/static/style.css": (200, None),
        "with a token": (200, None),
    }


async def test_another_sites_name_does_not_lead_to_a_listener_that_is_open(database: str) -> None:
    async with (
        open_store(database) as store,
        client(store) as browser,
        browser.get("/api/v1/openapi.json", headers={"Host": "evil.example"}) as answer,
    ):
        assert answer.status == 421


async def test_writes_over_the_limit_wait(database: str) -> None:
    async with open_store(database) as store, client(store, writes=Writes(a_minute=2)) as browser:
        answers = []
        for _ in range(3):
            async with browser.post("/sign-in", data={}) as answer:
                answers.append((answer.status, "Retry-After" in answer.headers))
    assert answers == [(403, False), (403, False), (429, True)]


def test_live_connections_are_bounded_in_all_and_each() -> None:
    lives, refused = Lives(most=3, most_each=2), []
    with ExitStack() as places:
        for address in ("a", "a", "a", "b", "c"):
            try:
                places.enter_context(lives.one(address))
            except Refused as error:
                refused.append((address, error.status, error.headers))
    with lives.one("a"), lives.one("a"):
        pass  # places that were given back can be taken again
    assert refused == [("a", 429, {"Retry-After": "10"}), ("c", 503, {"Retry-After": "10"})]


@pytest.mark.parametrize("path", ["/sign-in", "/api/v1/openapi.json", "/static/live.js", "/nothing"])
async def test_every_answer_tells_the_browser_what_it_may_do(database: str, path: str) -> None:
    async with open_store(database) as store, client(store) as browser, browser.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert (answer.headers["X-Content-Type-Options"], answer.headers["Referrer-Policy"]) == (
        "nosniff",
        "same-origin",
    )


async def test_before_the_first_catalogue_a_page_waits_and_readiness_says_so(database: str) -> None:
    async with open_store(database) as store, client(store) as browser:
        told = {}
        for path in ("/", "/readyz", "/api/v1/continuity"):
            async with browser.get(path) as answer:
                told[path] = answer.status
    assert told == {"/": 503, "/readyz": 503, "/api/v1/continuity": 503}
