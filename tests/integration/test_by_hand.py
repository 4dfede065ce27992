"""What people do to incidents beside the leader that keeps them: neither overwrites the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli import continuity
from monitor.judge import desk
from monitor.judge.by_hand import NotNow, Report
from monitor.judge.incidents import Ruling, State
from monitor.model import GOVERNMENT, IncidentRules, Severity, Verdict
from monitor.store.pool import Store, open_store
from tests.integration.leader import WEB, began, fetch, incidents, notices, year
from tests.world import World


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


def report(subject: str = "system:payments", severity: Severity = Severity.CRITICAL) -> Report:
    return Report(subject, "Receipts are not printed", Verdict.DEGRADED, severity, 1_790_000_000_000, "Ann")


def now_ms(world: World) -> int:
    return round(world.now.timestamp() * 1000)


async def test_numbers_go_on_whoever_opens(store: Store) -> None:
    world, leader = await began(store)
    await desk.open_incident(store, report(), now_ms=now_ms(world))
    await world.channel_falls(WEB)
    await leader.look()
    await desk.open_incident(store, report("system:documents"), now_ms=now_ms(world))
    assert [row[:2] for row in await incidents(store)] == [
        (f"INC-{year(world)}-0001", "system:payments"),
        (f"INC-{year(world)}-0002", "service:s0001"),
        (f"INC-{year(world)}-0003", "system:documents"),
    ]


async def test_it_is_told_at_once_audited_and_stays_open_until_a_person_closes_it(store: Store) -> None:
    world, leader = await began(store, IncidentRules(hold_s=0, steady_s=0))
    made = await desk.open_incident(store, report(), now_ms=now_ms(world))
    for _ in range(3):
        await leader.look()
    assert await notices(store) == [(made.number, "first", "critical")]
    await desk.close_incident(store, made.number, by="Bob", now_ms=now_ms(world))
    await leader.look()
    assert await incidents(store) == [(made.number, "system:payments", "closed", "critical")]
    assert await notices(store) == [
        (made.number, "first", "critical"),
        (made.number, "resolved", "critical"),
    ]
    assert await fetch(store, "select actor, action from audit order by id") == [
        ("Ann", "incident.opened"),
        ("Bob", "incident.closed"),
    ]


async def test_of_a_subject_only_one_is_open(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls(WEB)
    await leader.look()
    with pytest.raises(NotNow, match=r"INC-\d{4}-0001 is open for it"):
        await desk.open_incident(store, report("service:s0001"), now_ms=now_ms(world))
    assert len(await incidents(store)) == 1


async def test_what_the_monitor_comes_to_see_joins_what_a_person_opened(store: Store) -> None:
    world, leader = await began(store)
    made = await desk.open_incident(store, report(severity=Severity.INFO), now_ms=now_ms(world))
    await world.system_falls("payments")
    await leader.look()
    [(number, sign, opened_by)] = await fetch(store, "select number, sign, opened_by from incident")
    assert (number, sign, opened_by) == (made.number, "unavailable", "Ann")
    with pytest.raises(NotNow, match="is seen to fail now"):
        await desk.close_incident(store, made.number, by="Bob", now_ms=now_ms(world))


async def test_a_ruling_stays_while_the_leader_goes_on_with_the_incident(store: Store) -> None:
    world, leader = await began(store)
    for slug in ("s0000", "s0005", "s0010", "s0015"):
        await world.channel_falls(f"service:{slug}/web", ago_s=60)
    await leader.look()
    [(number, suspected)] = await fetch(store, "select number, suspected from incident")
    await desk.rule(store, str(number), Ruling.CONFIRMED, by="Ann", now_ms=now_ms(world))
    await world.channel_falls("service:s0001/web")
    await leader.look()
    await leader.look()
    assert suspected
    assert await fetch(store, "select subject, ruling from incident order by number") == [
        ("system:identity", "confirmed"),
        ("service:s0001", None),
    ]


async def test_a_leader_that_read_before_a_person_wrote_stores_nothing_of_that_look(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls(WEB)
    leader.lease.before = lambda: desk.open_incident(store, report(), now_ms=now_ms(world))
    await leader.look()
    assert [row[1] for row in await incidents(store)] == ["system:payments"]
    await leader.look()
    assert [row[1] for row in await incidents(store)] == ["system:payments", "service:s0001"]


async def test_a_summary_waits_for_the_end(store: Store) -> None:
    world, _ = await began(store)
    made = await desk.open_incident(store, report(GOVERNMENT), now_ms=now_ms(world))
    with pytest.raises(NotNow, match="a summary is written when it is closed"):
        await desk.summarise(store, made.number, by="Ann", text="A cable was cut.")
    await desk.close_incident(store, made.number, by="Ann", now_ms=now_ms(world))
    await desk.summarise(store, made.number, by="Ann", text="A cable was cut.")
    query = "select kind, author, text from incident_note order by id desc limit 1"
    assert await fetch(store, query) == [("summary", "Ann", "A cable was cut.")]


async def test_the_monitors_own_is_not_closed_by_hand(store: Store) -> None:
    world, leader = await began(store)
    await world.channel_falls(WEB)
    await leader.look()
    number = f"INC-{year(world)}-0001"
    with pytest.raises(NotNow, match="closes it when it has been well"):
        await desk.close_incident(store, number, by="Ann", now_ms=now_ms(world))
    assert (await incidents(store))[0][2] == State.FAILING


async def test_the_command_opens_notes_closes_and_hands_over(
    store: Store, database: str, tmp_path: Path
) -> None:
    world, _ = await began(store)
    (tmp_path / "monitor.yaml").write_text(f"postgres: {{dsn: '{database}'}}\nservices: []\n")

    async def typed(*words: str) -> str:
        command = [*words, "--config", str(tmp_path)]
        result = await asyncio.to_thread(CliRunner().invoke, continuity, command)
        return f"{result.exit_code} {result.output}"

    number = f"INC-{year(world)}-0001"
    opened = await typed("incident", "open", "payments", "No receipts", "--by", "Ann")
    listed = await typed("incident", "list")
    noted = await typed("incident", "note", number, "Called the provider", "--by", "Ann")
    closed = await typed("incident", "close", number, "--summary", "A full disk", "--by", "Bob")
    again = await typed("incident", "close", number, "--by", "Bob")
    shift = await typed("shift", "--hand-over", "All is well", "--by", "Bob")
    assert opened.startswith(f"0 {number} warning failing system:payments since ")
    assert listed.startswith(f"0 {number} warning failing system:payments since ")
    assert "note Ann: Called the provider" in noted
    assert "closed Bob:" in closed
    assert "summary Bob: A full disk" in closed
    assert again.startswith("2 ")
    assert f"{number} is closed" in again
    assert "opened 1, closed 1, still open 0" in shift
    assert "Bob at" in shift
