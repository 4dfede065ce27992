"""What an HTTP check asks, follows, accepts and shows."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import msgspec
import pytest

from probes import http
from probes.ask import ask
from probes.assertions import Header, Json, Text
from probes.contract import Answer, Failed, Outcome, Reason
from probes.http_settings import Basic, SecretHeader
from tests.probes.servers import OK, NameServer, answering, head_of, moved, page, resolving, serving

TOKEN = "s3cr3t-t0ken"
JSON = b'{"status": "UP", "queue": [{"length": 7}], "ready": true, "none": null, "a name": "x", "v": "1.5"}'


async def asked(url: str, *, objective_ms: float | None = None, **settings: Any) -> Answer:
    return await ask(http.Settings(url=url, **settings), within_s=2, objective_ms=objective_ms)


async def page_asked(wire: bytes, **settings: Any) -> Answer:
    async with serving(answering(wire)) as port:
        return await asked(f"http://127.0.0.1:{port}/", **settings)


def headers_of(head: bytes) -> dict[str, str]:
    lines = head.decode().split("\r\n")[1:]
    return {name: value for name, _, value in (line.partition(": ") for line in lines) if name}


async def test_a_healthy_page_is_up_with_its_phases_status_and_size() -> None:
    answer = await page_asked(OK)
    assert (answer.outcome, answer.reason, answer.status, answer.size_bytes) == (
        Outcome.UP,
        Reason.OK,
        200,
        2,
    )
    assert list(answer.phases_ms) == ["connect", "first_byte", "transfer"]


async def test_the_first_byte_is_the_servers_own_delay() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        await asyncio.sleep(0.1)
        writer.write(OK[:10])
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.write(OK[10:])

    async with serving(slow) as port:
        answer = await asked(f"http://127.0.0.1:{port}/")
    assert answer.phases_ms["first_byte"] == pytest.approx(100, abs=25)
    assert answer.phases_ms["transfer"] == pytest.approx(50, abs=25)


async def test_the_request_says_what_was_configured() -> None:
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await head_of(reader) + await reader.readexactly(6))
        writer.write(OK)

    async with serving(handler) as port:
        await asked(
            f"http://127.0.0.1:{port}/a%20b?c=d#e",
            method="POST",
            body="سلا",
            headers={"user-agent": "me", "X-One": "1"},
        )
    head, body = seen[0].split(b"\r\n\r\n")
    assert head.startswith(b"POST /a%20b?c=d HTTP/1.1\r\n")
    assert body.decode() == "سلا"
    expected = {"Host": f"127.0.0.1:{port}", "User-Agent": "me", "X-One": "1", "Content-Length": "6"}
    assert expected.items() <= headers_of(head).items()


@pytest.mark.parametrize(
    ("accept", "status", "outcome"),
    [
        (("200-299",), "204 No Content", Outcome.UP),
        (("200-299",), "404 Not Found", Outcome.DOWN),
        ((404, "500-503"), "404 Not Found", Outcome.UP),
        ((404, "500-503"), "200 OK", Outcome.DOWN),
        (("302",), "302 Found", Outcome.UP),
    ],
)
async def test_only_accepted_statuses_are_up(
    accept: tuple[int | str, ...], status: str, outcome: Outcome
) -> None:
    answer = await page_asked(page(b"", "Location: /elsewhere", status=status), accept=accept)
    assert answer.outcome is outcome
    assert answer.status == int(status[:3])


async def test_a_head_request_waits_for_no_body() -> None:
    answer = await page_asked(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", method="HEAD")
    assert answer.outcome is Outcome.UP


async def test_what_comes_before_the_answer_is_passed_over() -> None:
    answer = await page_asked(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)
    assert (answer.outcome, answer.status) == (Outcome.UP, 200)


HOLDING: dict[str, dict[str, Any]] = {
    "texts": {"text_present": ("UP",), "text_absent": ("maintenance",)},
    "a header contains": {"assert_headers": (Header(name="content-type", op="contains", value="json"),)},
    "a header as a number": {
        "assert_headers": (Header(name="X-Age", op="<", value=60), Header(name="X-Age", op="==", value=30))
    },
    "a header is there or not": {
        "assert_headers": (Header(name="X-Gone", value=False), Header(name="X-Age"))
    },
    "JSON text": {"assert_json": (Json(path="$.status", op="==", value="UP"),)},
    "JSON in a list": {"assert_json": (Json(path="$.queue[0].length", op="<=", value=7),)},
    "JSON true is not 1": {
        "assert_json": (Json(path="$.ready", op="!=", value=1), Json(path="$.ready", op="==", value=True))
    },
    "JSON null is there": {
        "assert_json": (Json(path="$.none"), Json(path="$.none", op="=="), Json(path="$.no", value=False))
    },
    "JSON matches": {"assert_json": (Json(path="$['a name']", op="matches", value="^x$"),)},
    "JSON text as a number": {"assert_json": (Json(path="$.v", op=">", value=1.25),)},
    "JSON differs": {
        "assert_json": (Json(path="$.queue", op="!=", value=3), Json(path="$.missing", op="!=", value="x"))
    },
}


@pytest.mark.parametrize("what", HOLDING)
async def test_what_holds_is_up(what: str) -> None:
    wire = page(JSON, "Content-Type: application/json", "X-Age: 30")
    answer = await page_asked(wire, **HOLDING[what])
    assert (answer.outcome, answer.failed) == (Outcome.UP, ())


FAILING = [
    ({"text_present": ("hello",)}, Failed(what="text present", expected="hello", found="not in the body")),
    ({"text_absent": ("UP",)}, Failed(what="text absent", expected="UP", found="in the body")),
    (
        {"assert_headers": (Header(name="X-Age", op="<", value=10),)},
        Failed(what="header X-Age", expected="< 10", found="30"),
    ),
    (
        {"assert_headers": (Header(name="X-Gone"),)},
        Failed(what="header X-Gone", expected="present", found="nothing"),
    ),
    (
        {"assert_json": (Json(path="$.queue[0].length", op="<", value=7),)},
        Failed(what="$.queue[0].length", expected="< 7", found="7"),
    ),
    (
        {"assert_json": (Json(path="$.queue[1].length", op=">=", value=0),)},
        Failed(what="$.queue[1].length", expected=">= 0", found="nothing"),
    ),
    (
        {"assert_json": (Json(path="$.ready", op="==", value=1),)},
        Failed(what="$.ready", expected="== 1", found="True"),
    ),
]


@pytest.mark.parametrize(
    ("settings", "failed"), FAILING, ids=lambda value: value.what if isinstance(value, Failed) else ""
)
async def test_what_does_not_hold_is_down_with_what_was_found(
    settings: dict[str, Any], failed: Failed
) -> None:
    answer = await page_asked(page(JSON, "X-Age: 30"), **settings)
    assert (answer.outcome, answer.reason, answer.failed) == (Outcome.DOWN, Reason.ASSERTION, (failed,))


async def test_a_soft_assertion_degrades_and_a_hard_one_beside_it_decides() -> None:
    soft = {"text_present": (Text(text="absent", soft=True),)}
    alone = await page_asked(OK, **soft)
    beside = await page_asked(OK, **soft, text_absent=("hi",))
    assert (alone.outcome, alone.reason, alone.failed[0].hard) == (Outcome.DEGRADED, Reason.ASSERTION, False)
    assert (beside.outcome, len(beside.failed)) == (Outcome.DOWN, 2)


async def test_a_page_where_json_was_expected_fails_the_assertion() -> None:
    answer = await page_asked(page(b"<html>Maintenance</html>"), assert_json=(Json(path="$.status"),))
    assert (answer.outcome, answer.failed[0].found) == (Outcome.DOWN, "a body that is not JSON")


async def test_json_nested_without_end_is_not_json() -> None:
    answer = await page_asked(page(b"[" * 500_000), assert_json=(Json(path="$.status"),))
    assert (answer.outcome, answer.reason) == (Outcome.DOWN, Reason.ASSERTION)


async def test_what_was_found_is_cut_to_80_characters() -> None:
    answer = await page_asked(
        page(b'{"a": "' + b"x" * 500 + b'"}'), assert_json=(Json(path="$.a", op="==", value=1),)
    )
    assert len(answer.failed[0].found) == 80


async def test_up_but_over_the_objective_is_degraded() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await head_of(reader)
        await asyncio.sleep(0.1)
        writer.write(OK)

    async with serving(slow) as port:
        over = await asked(f"http://127.0.0.1:{port}/", objective_ms=50)
        under = await asked(f"http://127.0.0.1:{port}/", objective_ms=1500)
    assert (over.outcome, over.reason, under.outcome) == (Outcome.DEGRADED, Reason.SLOW, Outcome.UP)


async def test_redirects_are_followed_and_their_cookies_kept() -> None:
    seen: list[bytes] = []
    async with serving(answering(OK, seen=seen)) as end:
        wire = moved(f"http://127.0.0.1:{end}/in", "Set-Cookie: a=1; Path=/", "Set-Cookie: b=2; Path=/other")
        async with serving(answering(wire, seen=seen)) as start:
            answer = await asked(f"http://127.0.0.1:{start}/")
    assert (answer.outcome, answer.status) == (Outcome.UP, 200)
    assert seen[1].startswith(b"GET /in HTTP/1.1")
    assert headers_of(seen[1])["Cookie"] == "a=1"


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        ("303 See Other", "PUT", "GET"),
        ("302 Found", "POST", "GET"),
        ("307 Temporary Redirect", "POST", "POST"),
    ],
)
async def test_a_redirect_keeps_or_changes_the_method_as_browsers_do(
    status: str, method: str, then: str
) -> None:
    seen: list[bytes] = []
    async with serving(answering(OK, seen=seen)) as end:
        wire = moved(f"http://127.0.0.1:{end}/", status=status)
        async with serving(answering(wire)) as start:
            await asked(f"http://127.0.0.1:{start}/", method=method)
    assert seen[0].split()[0].decode() == then


REFUSED = {
    "https://127.0.0.1.test/x?k=1": "redirected to 127.0.0.1.test, which is not in other_hosts",
    "//elsewhere.example/": "redirected to elsewhere.example, which is not in other_hosts",
    "ftp://127.0.0.1/": "redirected to ftp, which is no web address",
    "http://[::1": "redirected to something that is no address",
    "http://127.0.0.1:99999/": "redirected to something that is no address",
}


@pytest.mark.parametrize("location", REFUSED)
async def test_a_redirect_that_may_not_be_followed_is_down(location: str) -> None:
    answer = await page_asked(moved(location))
    assert (answer.outcome, answer.reason, answer.sentence) == (
        Outcome.DOWN,
        Reason.REDIRECT,
        REFUSED[location],
    )


async def test_without_redirects_the_first_answer_is_judged() -> None:
    answer = await page_asked(moved("/x"), redirects=0)
    assert (answer.outcome, answer.reason, answer.status) == (Outcome.DOWN, Reason.STATUS, 302)


SIGNED_IN: dict[str, Any] = {
    "bearer": "env:TOKEN",
    "secret_headers": (SecretHeader(name="X-Key", value="env:TOKEN"),),
    "headers": {"Cookie": "session=1", "X-Plain": "1"},
}


@pytest.mark.parametrize("other_hosts", [("localhost",), ("*.localhost", "LOCALHOST")])
async def test_credentials_are_dropped_on_another_host(
    monkeypatch: pytest.MonkeyPatch, other_hosts: tuple[str, ...]
) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)
    seen: list[bytes] = []
    async with serving(answering(OK, seen=seen)) as other:
        wire = moved(f"http://localhost:{other}/")
        async with serving(answering(wire, seen=seen)) as own:
            answer = await asked(f"http://127.0.0.1:{own}/", other_hosts=other_hosts, **SIGNED_IN)
    first, second = headers_of(seen[0]), headers_of(seen[1])
    assert answer.outcome is Outcome.UP
    assert (first["Authorization"], first["X-Key"], first["Cookie"]) == (
        f"Bearer {TOKEN}",
        TOKEN,
        "session=1",
    )
    assert second.keys() & {"Authorization", "X-Key", "Cookie"} == set()
    assert second["X-Plain"] == "1"


async def test_credentials_stay_on_the_same_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)
    seen: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await head_of(reader))
        writer.write(moved("/next") if len(seen) == 1 else OK)

    async with serving(handler) as port:
        await asked(f"http://127.0.0.1:{port}/", **SIGNED_IN)
    assert headers_of(seen[1])["X-Key"] == TOKEN


async def test_a_user_name_and_password_are_sent_as_basic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)
    seen: list[bytes] = []
    async with serving(answering(OK, seen=seen)) as port:
        await asked(f"http://127.0.0.1:{port}/", basic=Basic(user="watch", password="env:TOKEN"))
    token = base64.b64encode(f"watch:{TOKEN}".encode()).decode()
    assert headers_of(seen[0])["Authorization"] == f"Basic {token}"


async def test_secrets_are_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", TOKEN)
    echoed = base64.b64encode(f"watch:{TOKEN}".encode())
    body = b'{"you": "sent ' + TOKEN.encode() + b" and " + echoed + b'"}'
    settings: dict[str, Any] = {
        "basic": Basic(user="watch", password="env:TOKEN"),
        "assert_json": (Json(path="$.you", op="==", value="nothing"),),
        "assert_headers": (Header(name="X-Echo", op="==", value="nothing"),),
    }
    answer = await page_asked(page(body, f"X-Echo: {TOKEN}"), **settings)
    elsewhere = await page_asked(moved(f"http://{TOKEN}.example/"), **settings)
    shown = repr(answer) + repr(elsewhere) + repr(http.Settings(url="http://h/", **settings))
    assert (answer.failed[1].found, answer.failed[0].found) == ("sent *** and ***", "***")
    assert TOKEN not in shown
    assert echoed.decode() not in shown


async def test_credentials_in_the_address_are_used_and_never_shown() -> None:
    seen: list[bytes] = []
    async with serving(answering(OK, page(b"", status="500 No"), seen=seen)) as port:
        settings = http.Settings(url=f"http://watch:{TOKEN}@127.0.0.1:{port}/p?key={TOKEN}")
        answer = await ask(settings, within_s=2)
    token = base64.b64encode(f"watch:{TOKEN}".encode()).decode()
    assert headers_of(seen[0])["Authorization"] == f"Basic {token}"
    assert http.target(settings) == f"http://127.0.0.1:{port}/p?…"
    assert TOKEN not in repr(settings) + repr(answer)


@pytest.mark.parametrize("reference", ["env:TOKEN", "file:/nowhere/token"])
async def test_a_secret_that_is_not_there_is_our_fault(reference: str) -> None:
    answer = await page_asked(OK, bearer=reference)
    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, Reason.SECRET)


async def test_a_secret_with_a_line_break_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", f"{TOKEN}\r\nX-Smuggled: 1")
    answer = await page_asked(OK, bearer="env:TOKEN")
    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, Reason.SECRET)
    assert TOKEN not in answer.sentence


async def test_a_name_is_resolved_by_the_configured_server() -> None:
    server = NameServer({("portal.test", "A"): ["127.0.0.1"]})
    async with serving(answering(OK)) as port, resolving(server) as resolver:
        answer = await asked(f"http://portal.test:{port}/", resolver=resolver)
    assert answer.outcome is Outcome.UP
    assert list(answer.phases_ms) == ["dns", "connect", "first_byte", "transfer"]


@pytest.mark.parametrize(
    ("server", "reason", "finished"),
    [
        (NameServer(), Reason.DNS_NXDOMAIN, {}),
        (NameServer(code=2), Reason.DNS_SERVFAIL, {}),  # type: ignore[arg-type]  # SERVFAIL
        (NameServer(code=5), Reason.DNS, {}),  # type: ignore[arg-type]  # REFUSED
        (NameServer({("portal.test", "TXT"): ["x"]}), Reason.DNS, {}),
        (NameServer(mute=True), Reason.DNS_TIMEOUT, {}),
    ],
    ids=["NXDOMAIN", "SERVFAIL", "REFUSED", "no address", "mute"],
)
async def test_a_name_that_cannot_be_resolved_is_down_for_its_own_reason(
    server: NameServer, reason: Reason, finished: dict[str, float]
) -> None:
    async with resolving(server) as resolver:
        settings = http.Settings(url="http://portal.test/", resolver=resolver)
        answer = await asyncio.wait_for(ask(settings, within_s=0.5), 1)
    assert (answer.outcome, answer.reason, answer.phases_ms) == (Outcome.DOWN, reason, finished)


async def test_one_address_family_is_asked_at_a_time() -> None:
    server = NameServer({("portal.test", "A"): ["127.0.0.1"], ("portal.test", "AAAA"): ["::1"]})
    async with serving(answering(OK)) as port, resolving(server) as resolver:
        first = await asked(f"http://portal.test:{port}/", resolver=resolver)
        only6 = await asked(f"http://portal.test:{port}/", resolver=resolver, address_family=6)
    assert (first.outcome, only6.outcome) == (Outcome.UP, Outcome.DOWN)
    assert server.asked == ["portal.test. IN A", "portal.test. IN AAAA"]


def test_settings_survive_the_wire_and_ignore_what_a_newer_version_added() -> None:
    settings = http.Settings(
        url="http://h/", text_present=("a", Text(text="b", soft=True)), accept=(200, "300-399")
    )
    wire = msgspec.json.decode(msgspec.json.encode(settings))
    assert msgspec.convert(wire | {"from_the_future": 1}, http.Settings) == settings


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "ftp://h/"},
        {"accept": ["2xx"]},
        {"bearer": "plain"},
        {"assert_json": [{"path": "$.."}]},
        {"headers": {"a": "b\r\nc"}},
    ],
    ids=["scheme", "status", "plain secret", "path", "line break"],
)
def test_settings_that_cannot_be_asked_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"kind": "http", "url": "http://h/"} | wrong, http.Settings)
