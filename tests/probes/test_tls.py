"""Every refused certificate has its own reason and its dates; few days left degrade, fewer are down."""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from pathlib import Path
from typing import Any

import pytest

from probes import certificates, http, tls
from probes.ask import ask
from probes.contract import Answer, Outcome, Reason
from tests.probes.servers import OK, Authority, answering, closed_port, moved, never, page, serving

DAY_MS = 86_400_000
GOOD = ["127.0.0.1", "localhost"]


def days_left(answer: Answer) -> float | None:
    if answer.certificate_expires_ms is None:
        return None
    return (answer.certificate_expires_ms - time.time() * 1000) / DAY_MS


async def both(context: ssl.SSLContext, **settings: Any) -> tuple[Answer, Answer]:
    """The same server asked by the two kinds that speak TLS."""
    async with serving(answering(OK), tls=context) as port:
        by_tls = tls.Settings(host="127.0.0.1", port=port, **settings)
        by_http = http.Settings(url=f"https://127.0.0.1:{port}/", **settings)
        return await ask(by_tls, within_s=2), await ask(by_http, within_s=2)


async def test_a_good_certificate_is_up_with_its_end_and_the_handshake_timed(authority: Authority) -> None:
    by_tls, by_http = await both(authority.server("good", names=GOOD), ca=authority.ca)
    assert (by_tls.outcome, list(by_tls.phases_ms)) == (Outcome.UP, ["connect", "tls"])
    assert (by_http.outcome, list(by_http.phases_ms)) == (
        Outcome.UP,
        ["connect", "tls", "first_byte", "transfer"],
    )
    assert [days_left(by_tls), days_left(by_http)] == pytest.approx([20, 20], abs=0.1)


REFUSED: dict[str, tuple[dict[str, Any], Reason, float]] = {
    "expired": ({"names": GOOD, "days": (-9, -2)}, Reason.TLS_EXPIRED, -2),
    "self-signed": ({"names": GOOD, "own": True}, Reason.TLS_SELF_SIGNED, 20),
    "of another host": ({"names": ["other.example"]}, Reason.TLS_WRONG_HOST, 20),
    "not valid yet": ({"names": GOOD, "days": (3, 20)}, Reason.TLS, 20),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_a_refused_certificate_is_down_for_its_own_reason(authority: Authority, kind: str) -> None:
    settings, reason, days = REFUSED[kind]
    answers = await both(authority.server(kind, **settings), ca=authority.ca)
    for answer in answers:
        assert (answer.outcome, answer.reason, list(answer.phases_ms)) == (Outcome.DOWN, reason, ["connect"])
        assert days_left(answer) == pytest.approx(days, abs=0.1)


async def test_an_authority_we_do_not_know_is_untrusted(authority: Authority) -> None:
    answers = await both(authority.server("unknown authority", names=GOOD))
    assert [answer.reason for answer in answers] == [Reason.TLS_UNTRUSTED] * 2


async def test_a_deadline_does_not_hide_a_certificate_already_refused(authority: Authority) -> None:
    """The second look, for the dates, may hang; the reason is known by then."""
    context = authority.server("refused then mute", names=["other.example"])
    connections = 0

    async def first_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        if connections == 1:
            await writer.start_tls(context)
        await asyncio.Event().wait()

    async with serving(first_only) as port:
        settings = tls.Settings(host="127.0.0.1", port=port, ca=authority.ca)
        answer = await ask(settings, within_s=0.5)
    assert (answer.outcome, answer.reason, days_left(answer)) == (Outcome.DOWN, Reason.TLS_WRONG_HOST, None)


async def test_without_verification_any_certificate_will_do(authority: Authority) -> None:
    answers = await both(authority.server("any", names=["x.example"], own=True), verify=False)
    assert [answer.outcome for answer in answers] == [Outcome.UP] * 2
    assert days_left(answers[0]) == pytest.approx(20, abs=0.1)


async def test_the_server_name_can_differ_from_the_host(authority: Authority) -> None:
    context = authority.server("named", names=["portal.example"])
    answers = await both(context, ca=authority.ca, server_name="portal.example")
    assert [answer.outcome for answer in answers] == [Outcome.UP] * 2


@pytest.mark.parametrize(
    ("soft", "hard", "outcome"),
    [(14, 7, Outcome.UP), (30, 7, Outcome.DEGRADED), (30, 21, Outcome.DOWN), (None, None, Outcome.UP)],
)
async def test_few_days_left_degrade_and_fewer_are_down(
    authority: Authority, soft: int | None, hard: int | None, outcome: Outcome
) -> None:
    context = authority.server("twenty days", names=GOOD)
    answers = await both(context, ca=authority.ca, certificate_days_soft=soft, certificate_days_hard=hard)
    assert [answer.outcome for answer in answers] == [outcome] * 2
    expected = Reason.OK if outcome is Outcome.UP else Reason.CERTIFICATE_EXPIRING
    assert {answer.reason for answer in answers} == {expected}
    dates = {time.strftime("%Y-%m-%d", time.gmtime((a.certificate_expires_ms or 0) / 1000)) for a in answers}
    assert all(dates == {one.found.split()[-3]} for answer in answers for one in answer.failed)


async def test_a_client_certificate_is_shown_when_asked_for(authority: Authority) -> None:
    context = authority.server("wants client", names=GOOD, wants_client=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # which refuses within the handshake
    client = authority.issue("client", names=["prober.example"], days=(-1, 5))
    _, without = await both(context, ca=authority.ca)
    _, shown = await both(context, ca=authority.ca, client_certificate=client)
    assert (without.outcome, without.reason) == (Outcome.DOWN, Reason.TLS)
    assert shown.outcome is Outcome.UP


async def test_a_file_that_is_not_here_is_our_fault(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    context = authority.server("fine", names=GOOD)
    missing = await both(context, ca=str(tmp_path / "missing.pem"))
    empty = await both(context, ca=str(tmp_path / "empty.pem"))
    outcomes = [(answer.outcome, answer.reason) for answer in (*missing, *empty)]
    assert outcomes == [(Outcome.UNKNOWN, Reason.FAULT)] * 4


async def test_a_mute_handshake_ends_at_the_deadline_in_its_phase() -> None:
    """T24: the handshake that never ended has no figure."""
    async with serving(never) as port:
        answer = await ask(tls.Settings(host="127.0.0.1", port=port), within_s=0.3)
    assert (answer.reason, list(answer.phases_ms)) == (Reason.TIMEOUT, ["connect"])
    assert answer.sentence == "no answer within 0.3 s, in the TLS handshake"


async def test_a_port_that_speaks_no_tls_or_hangs_up_or_refuses_says_so() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(OK)

    async with serving(hang_up) as first, serving(plain) as second:
        ports = (first, second, closed_port())
        answers = [await ask(tls.Settings(host="127.0.0.1", port=port), within_s=2) for port in ports]
    assert [answer.reason for answer in answers] == [Reason.TLS, Reason.TLS, Reason.CONNECT_REFUSED]


async def test_a_redirect_from_https_to_http_is_refused(authority: Authority) -> None:
    async with serving(answering(OK)) as plain:
        wire = moved(f"http://127.0.0.1:{plain}/")
        async with serving(answering(wire), tls=authority.server("leading down", names=GOOD)) as port:
            settings = http.Settings(url=f"https://127.0.0.1:{port}/", ca=authority.ca)
            answer = await ask(settings, within_s=2)
    assert (answer.outcome, answer.reason) == (Outcome.DOWN, Reason.REDIRECT)


async def test_a_truncated_body_over_tls_is_down(authority: Authority) -> None:
    context = authority.server("cut", names=GOOD)
    async with serving(answering(page(b"x" * 100)[:-50]), tls=context) as port:
        settings = http.Settings(url=f"https://127.0.0.1:{port}/", ca=authority.ca)
        answer = await ask(settings, within_s=2)
    assert (answer.outcome, answer.reason) == (Outcome.DOWN, Reason.TRUNCATED)


def test_a_context_is_made_once_and_again_when_its_file_changed(authority: Authority, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(Path(authority.ca).read_bytes())
    trust = certificates.Trust(ca=str(ca))
    first, same = certificates.context(trust), certificates.context(trust)
    ca.write_bytes(Path(authority.ca).read_bytes() * 2)
    os.utime(ca, (1, 1))
    assert first is same
    assert certificates.context(trust) is not first
