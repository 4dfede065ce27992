"""Every ending is an answer: the target's failures are down, ours are unknown."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import pytest

from probes import catalogue, dns, http, icmp, tcp, tls
from probes.__main__ import main
from probes.ask import PROBES, ask, ask_once
from probes.catalogue import Ask, from_url
from probes.contract import Answer, Outcome, Reason, Trace
from tests.probes.servers import OK, answering, closed_port, never, serving


@contextmanager
def no_descriptors_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_bug_in_a_probe_is_unknown_not_down(monkeypatch: pytest.MonkeyPatch) -> None:
    async def buggy(settings: tcp.Settings, trace: Trace) -> Answer:
        with trace.phase("connect"):
            pass
        raise ZeroDivisionError("token=s3cr3t")

    monkeypatch.setitem(PROBES, tcp.Settings, buggy)
    answer = await ask(tcp.Settings(host="127.0.0.1", port=1), within_s=1)
    assert (answer.outcome, answer.reason, list(answer.phases_ms)) == (
        Outcome.UNKNOWN,
        Reason.FAULT,
        ["connect"],
    )
    assert answer.sentence == "a bug in this probe: ZeroDivisionError"


@pytest.mark.parametrize("kind", ["http", "tcp", "tls"])
async def test_running_out_of_descriptors_is_our_fault(kind: str) -> None:
    async with serving(answering(OK)) as port:
        settings = from_url(f"{kind}://127.0.0.1:{port}")
        with no_descriptors_left():
            answer = await ask(settings, within_s=1)
    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, Reason.FAULT), answer.sentence


async def test_a_deadline_leaves_no_connection_behind() -> None:
    async with serving(never) as port:
        answer = await ask_once(from_url(f"http://127.0.0.1:{port}/"), within_s=0.1)
    assert answer.reason is Reason.TIMEOUT


ADDRESSES: dict[str, tuple[Ask, str]] = {
    "https://u:p@h.example/p?q=1": (
        http.Settings(url="https://u:p@h.example/p?q=1"),
        "https://h.example/p?…",
    ),
    "tls://h.example": (tls.Settings(host="h.example"), "h.example:443"),
    "tcp://h.example:25": (tcp.Settings(host="h.example", port=25), "h.example:25"),
    "dns://h.example": (dns.Settings(name="h.example"), "A h.example"),
    "icmp://h.example": (icmp.Settings(host="h.example"), "h.example"),
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_names_its_kind_and_shows_no_credentials(address: str) -> None:
    settings, shown = ADDRESSES[address]
    assert from_url(address) == settings
    assert catalogue.target(settings) == shown
    assert catalogue.kind(settings) == {"https": "http"}.get(address.split(":")[0], address.split(":")[0])


@pytest.mark.parametrize("address", ["gopher://h/", "tcp://h", "h.example", ""])
def test_an_address_that_cannot_be_asked_says_what_can(address: str) -> None:
    with pytest.raises(ValueError, match="use http://"):
        from_url(address)


def test_the_settings_of_every_kind_survive_the_wire() -> None:
    every = [settings for settings, _ in ADDRESSES.values()]
    assert msgspec.json.decode(msgspec.json.encode(every), type=list[Ask]) == every
    assert {catalogue.kind(settings) for settings in every} == set(catalogue.KINDS)


@pytest.mark.parametrize(
    ("arguments", "code", "outcome"),
    [
        (['{"kind": "tcp", "host": "127.0.0.1", "port": %d}'], 1, Outcome.DOWN),
        (["tcp://127.0.0.1:%d"], 1, Outcome.DOWN),
        (["gopher://127.0.0.1:%d"], 2, None),
        ([], 2, None),
    ],
)
def test_asking_once_from_a_shell(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, outcome: Outcome | None
) -> None:
    port = closed_port()
    assert main([argument % port for argument in arguments]) == code
    captured = capsys.readouterr()
    if outcome is None:
        assert (captured.out, "usage" in captured.err) == ("", True)
    else:
        assert msgspec.json.decode(captured.out, type=Answer).reason is Reason.CONNECT_REFUSED


def test_the_probes_know_nothing_of_the_monitor() -> None:
    """The room stands alone: no kind pulls in Kafka, PostgreSQL or the monitor."""
    code = "import probes.ask, sys; print({'monitor', 'aiokafka', 'asyncpg'} & set(sys.modules))"
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20
    )
    assert output.stdout.strip() == "set()"
