"""Ports, name servers and echoes: what each kind calls up, and a reason for each way to fail."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import dns.rcode
import pytest

from probes import dns as dns_kind
from probes import http, icmp, tcp, tls
from probes.ask import ask
from probes.contract import Answer, Failed, Outcome, Reason, Trace
from tests.probes.servers import NameServer, closed_port, never, resetting, resolving, serving


async def tcp_asked(port: int, **settings: Any) -> Answer:
    return await ask(tcp.Settings(host="127.0.0.1", port=port, **settings), within_s=0.5)


async def greeting(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    for piece in (b"22", b"0 ma", b"il.example ESMTP\r\n"):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)


async def echoing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"+" + await reader.readline())


async def test_an_open_port_is_up() -> None:
    async with serving(never) as port:
        answer = await tcp_asked(port)
    assert (answer.outcome, list(answer.phases_ms)) == (Outcome.UP, ["connect"])


async def test_an_expected_banner_is_up_however_it_arrives() -> None:
    async with serving(greeting) as port:
        answer = await tcp_asked(port, banner="220 mail")
    assert (answer.outcome, list(answer.phases_ms)) == (Outcome.UP, ["connect", "first_byte"])


async def test_something_can_be_said_first() -> None:
    async with serving(echoing) as port:
        answer = await tcp_asked(port, send="PING\r\n", banner="+PING")
    assert answer.outcome is Outcome.UP


async def test_another_banner_is_down_with_what_was_found() -> None:
    async with serving(greeting) as port:
        answer = await tcp_asked(port, banner="SSH-2.0")
    assert (answer.outcome, answer.reason) == (Outcome.DOWN, Reason.ASSERTION)
    assert answer.failed == (Failed(what="banner", expected="SSH-2.0", found="22"),)


async def test_a_port_that_fails_says_how() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        return

    async with serving(hang_up) as first, serving(never) as second, serving(resetting()) as third:
        answers = [
            await tcp_asked(closed_port()),
            await tcp_asked(first, banner="220 "),
            await tcp_asked(second, banner="220 "),
            await tcp_asked(third, send="x\r\n\r\n", banner="220 "),
        ]
    reasons = [Reason.CONNECT_REFUSED, Reason.CLOSED, Reason.TIMEOUT, Reason.CONNECT_RESET]
    assert [answer.reason for answer in answers] == reasons
    assert [list(answer.phases_ms) for answer in answers] == [[], ["connect"], ["connect"], ["connect"]]


async def dns_asked(server: NameServer, **settings: Any) -> Answer:
    async with resolving(server) as resolver:
        asked = dns_kind.Settings(**({"name": "portal.test", "resolver": resolver} | settings))
        began = time.perf_counter()
        answer = await ask(asked, within_s=0.5)
        assert time.perf_counter() - began < 1
        return answer


RECORDS = {
    ("portal.test", "A"): ["192.0.2.1", "192.0.2.2"],
    ("portal.test", "MX"): ["10 Mail.Test."],
    ("portal.test", "TXT"): ['"v=spf1 -all"'],
}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"expected": ("192.0.2.2",), "answers_min": 2},
        {"record": "MX", "expected": ("10 mail.test",)},
        {"record": "TXT", "expected": ("v=spf1 -all",)},
        {"record": "AAAA", "answers_min": 0},
    ],
    ids=["any", "one of two", "a mail host", "a text", "none wanted"],
)
async def test_the_expected_records_are_up(settings: dict[str, Any]) -> None:
    answer = await dns_asked(NameServer(RECORDS), **settings)
    assert (answer.outcome, list(answer.phases_ms)) == (Outcome.UP, ["dns"])


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({"expected": ("192.0.2.9",)}, "192.0.2.9"), ({"answers_min": 3}, "3 or more records")],
    ids=["a value is missing", "too few"],
)
async def test_other_records_are_down_with_what_was_found(settings: dict[str, Any], expected: str) -> None:
    answer = await dns_asked(NameServer(RECORDS), **settings)
    failed = Failed(what="A portal.test", expected=expected, found="192.0.2.1, 192.0.2.2")
    assert (answer.outcome, answer.reason, answer.failed) == (Outcome.DOWN, Reason.ASSERTION, (failed,))


@pytest.mark.parametrize(
    ("server", "reason"),
    [
        (NameServer(), Reason.DNS_NXDOMAIN),
        (NameServer(code=dns.rcode.SERVFAIL), Reason.DNS_SERVFAIL),
        (NameServer(code=dns.rcode.REFUSED), Reason.DNS),
        (NameServer(mute=True), Reason.DNS_TIMEOUT),
    ],
    ids=["NXDOMAIN", "SERVFAIL", "REFUSED", "mute"],
)
async def test_a_failing_name_server_is_down_for_its_own_reason(server: NameServer, reason: Reason) -> None:
    answer = await dns_asked(server)
    assert (answer.outcome, answer.reason) == (Outcome.DOWN, reason)


async def test_a_mute_name_server_has_no_duration() -> None:
    """T24: a time-out is no latency."""
    answer = await dns_asked(NameServer(mute=True))
    assert answer.phases_ms == {}
    assert answer.sentence == "no answer within 0.5 s, resolving the name"


async def test_a_name_server_can_be_asked_over_tcp() -> None:
    server = NameServer(RECORDS)
    async with serving(server.over_tcp) as port:
        settings = dns_kind.Settings(name="portal.test", resolver=f"127.0.0.1:{port}", tcp=True)
        answer = await ask(settings, within_s=2)
    refused = await ask(
        dns_kind.Settings(name="portal.test", resolver=f"127.0.0.1:{closed_port()}", tcp=True), within_s=2
    )
    assert (answer.outcome, server.asked) == (Outcome.UP, ["portal.test. IN A over TCP"])
    assert refused.reason is Reason.CONNECT_REFUSED


async def test_an_answer_cut_short_over_udp_is_fetched_over_tcp() -> None:
    server = NameServer(RECORDS, truncates=True)
    async with serving(server.over_tcp) as port, resolving(server, port=port) as resolver:
        settings = dns_kind.Settings(name="portal.test", resolver=resolver, answers_min=2)
        answer = await ask(settings, within_s=5)
    assert (answer.outcome, answer.failed) == (Outcome.UP, ())
    assert server.asked == ["portal.test. IN A", "portal.test. IN A over TCP"]


async def test_a_name_whose_answer_is_cut_short_over_udp_is_looked_up_over_tcp() -> None:
    server = NameServer({("portal.test", "A"): ["127.0.0.1"]}, truncates=True)
    async with (
        serving(never) as target,
        serving(server.over_tcp) as port,
        resolving(server, port=port) as resolver,
    ):
        settings = tcp.Settings(host="portal.test", port=target, resolver=resolver)
        answer = await ask(settings, within_s=5)
    assert (answer.outcome, list(answer.phases_ms)) == (Outcome.UP, ["dns", "connect"])
    assert server.asked == ["portal.test. IN A", "portal.test. IN A over TCP"]


async def test_an_open_port_of_an_ipv6_address_is_up() -> None:
    async with serving(never, host="::1") as port:
        answer = await ask(tcp.Settings(host="::1", port=port, address_family=6), within_s=5)
    assert (answer.outcome, list(answer.phases_ms)) == (Outcome.UP, ["connect"])


@pytest.mark.parametrize(
    "settings",
    [
        http.Settings(url="http://255.255.255.255/"),
        http.Settings(url="https://255.255.255.255/"),
        tcp.Settings(host="255.255.255.255", port=80),
        tls.Settings(host="255.255.255.255"),
    ],
    ids=["http", "https", "tcp", "tls"],
)
async def test_a_target_to_which_no_route_leads_is_unreachable(settings: Any) -> None:
    answer = await ask(settings, within_s=5)  # no connection leads to everybody: no packet leaves for it
    assert (answer.outcome, answer.reason) == (Outcome.DOWN, Reason.CONNECT_UNREACHABLE)
    assert (answer.sentence, answer.phases_ms) == ("no route leads to the address", {})


async def test_a_resolver_that_is_no_address_is_our_fault() -> None:
    answer = await ask(dns_kind.Settings(name="portal.test", resolver="dns.example:53"), within_s=1)
    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, Reason.FAULT)


async def test_a_host_that_echoes_is_up_with_its_round_trip() -> None:
    answer = await ask(icmp.Settings(host="127.0.0.1", count=2, pause_ms=1), within_s=2)
    if answer.reason is Reason.FAULT:
        pytest.skip("this machine may not send echoes: " + answer.sentence)
    assert (answer.outcome, list(answer.phases_ms)) == (Outcome.UP, ["rtt"])
    assert 0 < answer.phases_ms["rtt"] < 500


@pytest.mark.parametrize(
    ("took_ms", "lost_max", "outcome", "reason"),
    [
        ([], 3, Outcome.DOWN, Reason.UNREACHABLE),
        ([4.0], 1, Outcome.DEGRADED, Reason.ASSERTION),
        ([4.0], 2, Outcome.UP, Reason.OK),
        ([1.0, 2.0, 3.0], 0, Outcome.UP, Reason.OK),
    ],
)
def test_lost_echoes_are_tolerated_up_to_a_limit(
    took_ms: list[float], lost_max: int, outcome: Outcome, reason: Reason
) -> None:
    answer = icmp.judge(icmp.Settings(host="h", lost_max=lost_max), took_ms, Trace())
    assert (answer.outcome, answer.reason) == (outcome, reason)
    assert answer.phases_ms == ({"rtt": sum(took_ms) / len(took_ms)} if took_ms else {})
