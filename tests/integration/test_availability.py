"""One figure everywhere, to the last digit: page, API, command, metric, Grafana's view; and its evidence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
from click.testing import CliRunner

from monitor.cli import continuity
from monitor.judge.periods import Kind
from monitor.judge.terms import terms_of
from monitor.model import Policy
from monitor.store.pool import Store, open_store
from monitor.store.times import moment
from tests.ledger import DAY_MS, HOUR_MS, Ledger, catalogue, ms
from tests.serving import serving, until

Json = dict[str, Any]
TODAY = "2025-11-25"
NOW_MS = ms(f"{TODAY}T12:00+04:00")
BEGIN_MS = NOW_MS - 40 * DAY_MS
EVIDENCE = msgspec.json.encode(
    [
        {"check": "service:a/web/main", "vantage": "dubai", "due_ms": NOW_MS - 2 * HOUR_MS, "attempt": 0,
         "reason": "timeout", "sentence": "no answer within 10 s"}
    ]
).decode()  # fmt: skip


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    """Service a was down for an hour and for some milliseconds more; b is up; c was hardly measured."""
    made = Ledger(store)
    await made.begin(BEGIN_MS)
    fell, rose = NOW_MS - 2 * HOUR_MS, NOW_MS - HOUR_MS + 7
    await made.says("service:a", (BEGIN_MS, "up"), (fell, "down"), (rose, "up"))
    await made.says("service:a/web", (BEGIN_MS, "up"))
    await made.says("service:a/web", (fell, "down"), layer="measured", evidence=EVIDENCE)
    await made.says("service:a/web", (fell, "down"), (rose, "up"))
    await made.says("service:b", (BEGIN_MS, "up"))
    await made.says("service:c", (BEGIN_MS, "unknown"), (NOW_MS - HOUR_MS, "up"))
    await made.judged(NOW_MS)
    await made.account()
    return made


def settings(tmp_path: Path, database: str) -> list[str]:
    (tmp_path / "monitor.yaml").write_text(f"postgres: {{dsn: '{database}'}}\nservices: []\n")
    return ["--config", str(tmp_path)]


def command(tmp_path: Path, database: str, *words: str) -> str:
    result = CliRunner().invoke(continuity, ["availability", *words, *settings(tmp_path, database)])
    assert result.exit_code == 0, result.output
    return result.output


async def view(database: str, subject: str, period: str) -> asyncpg.Record:
    connection = await asyncpg.connect(database)
    try:
        return await connection.fetchrow(
            "select * from grafana.availability where subject = $1 and period = $2 and start = $3",
            subject, period, moment(terms_of(catalogue()).period(Kind(period), NOW_MS).start_ms),
        )  # fmt: skip
    finally:
        await connection.close()


@pytest.mark.parametrize("period", ["day", "7d", "28d", "month"])
async def test_t10_page_api_command_metric_and_view_print_the_same_digits(
    ledger: Ledger, database: str, tmp_path: Path, period: str
) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        await until(lambda: bool(served.live.figures.rows))
        api = await served.json(f"/api/v1/availability?subject=service:a&period={period}&from={TODAY}")
        page = await served.text("/services/a")
        metrics = await served.text("/metrics/state")
    printed = str(api["availability_percent"])
    [shown] = re.findall(rf'data-figure="service:a/{period}">([\d.]+)', page)
    [exported] = re.findall(rf'continuity_availability_ratio{{service="a",window="{period}"}} (\S+)', metrics)
    seen = await view(database, "service:a", period)
    told = await asyncio.to_thread(command, tmp_path, database, "a", "--period", period, "--start", TODAY)
    [said] = re.findall(r"^availability +([\d.]+) %", told, re.MULTILINE)
    assert re.fullmatch(r"\d+\.\d\d", printed)
    assert (shown, said, str(seen["availability"])) == (printed, printed, printed)
    assert float(exported) == api["availability"] == float(f"{float(printed) / 100:.4f}")


@pytest.mark.parametrize("subject", ["service:a", "entity:e1", "government", "service:c"])
async def test_a_period_and_the_range_of_its_edges_are_the_same_figure(
    ledger: Ledger, database: str, subject: str
) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        for period in ("day", "week", "28d", "quarter"):
            stored = await served.json(f"/api/v1/availability?subject={subject}&period={period}&from={TODAY}")
            ranged = await served.json(
                f"/api/v1/availability?subject={subject}&from={stored['from']}&to={stored['to']}"
            )
            assert ranged | {"period": period} == stored


async def test_a_range_may_begin_and_end_at_any_millisecond(ledger: Ledger, database: str) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        from monitor.web.times import rfc3339

        start, end = rfc3339(NOW_MS - 30 * DAY_MS - 123), rfc3339(NOW_MS - HOUR_MS - 1000)
        found = await served.json(f"/api/v1/availability?subject=service:a&from={start}&to={end}")
    assert found["seconds"] == {
        "up": (29 * 24 + 22) * 3600 + 0.123, "degraded": 0, "unknown": 0, "down": 3599.0, "maintenance": 0,
        "out_of_hours": 0,
    }  # fmt: skip


async def test_another_zone_has_other_days(ledger: Ledger, database: str) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        here = await served.json("/api/v1/availability?subject=government&period=week&from=2025-11-18")
        there = await served.json(
            "/api/v1/availability?subject=government&period=week&from=2025-11-18&zone=America/New_York"
        )
    assert (here["from"], there["from"], there["zone"]) == (
        "2025-11-16T20:00:00.000Z",
        "2025-11-17T05:00:00.000Z",
        "America/New_York",
    )


async def test_where_too_little_was_measured_there_is_no_figure(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        await until(lambda: bool(served.live.figures.rows))
        api = await served.json(f"/api/v1/availability?subject=service:c&period=28d&from={TODAY}")
        page = await served.text("/services/c")
        metrics = await served.text("/metrics/state")
    assert (api["says"], api["availability_percent"], api["availability"]) == (
        "insufficient_data",
        None,
        None,
    )
    assert "Insufficient data" in page
    assert 'continuity_availability_ratio{service="c",window="28d"}' not in metrics
    assert 'continuity_coverage_ratio{service="c",window="28d"} 0.00' in metrics


async def test_evidence_has_the_intervals_and_the_attempts_that_confirmed_them(
    ledger: Ledger, database: str
) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        found = await served.json(f"/api/v1/availability/evidence?subject=service:a&period=7d&from={TODAY}")
    intervals: list[Json] = found["intervals"]  # type: ignore[assignment]
    assert [(each["state"], each["reason"]) for each in intervals] == [
        ("up", "ok"), ("down", "timeout"), ("up", "ok"),
    ]  # fmt: skip
    assert [attempt["sentence"] for attempt in intervals[1]["attempts"]] == ["no answer within 10 s"]


async def test_the_evidence_of_a_sum_is_its_services_the_worst_first(ledger: Ledger, database: str) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        found = await served.json(f"/api/v1/availability/evidence?subject=government&period=7d&from={TODAY}")
    services: list[Json] = found["services"]  # type: ignore[assignment]
    assert [each["subject"] for each in services] == ["service:a", "service:b", "service:c"]
    assert sum(each["seconds"]["down"] for each in services) == found["seconds"]["down"]  # type: ignore[index]


async def test_evidence_says_which_exclusions_are_applied_and_why_not(ledger: Ledger, database: str) -> None:
    fell = NOW_MS - 2 * HOUR_MS
    await ledger.excludes(["service:a"], fell, fell + HOUR_MS, announced_ms=fell - HOUR_MS)
    await ledger.excludes(["service:a"], fell, fell + HOUR_MS, announced_ms=fell - 3 * DAY_MS)
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        found = await served.json(f"/api/v1/availability/evidence?subject=service:a&period=7d&from={TODAY}")
    announced: list[Json] = found["exclusions"]  # type: ignore[assignment]
    assert [(each["standing"], each["applied"]) for each in announced] == [
        ("short_notice", False), ("noticed", True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "status", "detail"),
    [
        ("", 400, "give `subject`: a service, channel, system, entity, or `government`"),
        ("?subject=nobody&period=day", 404, "nothing is called 'nobody' in the catalogue"),
        ("?subject=a", 400, "give `period`, or `from` and `to`"),
        (
            "?subject=a&period=fortnight", 400,
            "`period` must be one of day, week, month, quarter, year, 7d, 28d",
        ),
        (
            "?subject=a&period=day&from=soon", 400,
            "`from` must be a date such as 2026-11-15, or an instant such as 2026-11-15T08:00:00Z",
        ),
        (
            "?subject=a&from=2026-11-16&to=2026-11-15", 400,
            "`from` must be before `to`, by at most three years",
        ),
        ("?subject=a&period=day&zone=Mars/Base", 400, "`zone` must be a time zone such as Asia/Dubai"),
        ("?subject=a&period=day&zone=../../etc", 400, "`zone` must be a time zone such as Asia/Dubai"),
        ("?subject=a&period=day&to=2026-11-15", 400, "give `period` with `from`, or `from` and `to`"),
    ],
)  # fmt: skip
async def test_what_cannot_be_answered_is_a_problem_that_says_what_would_be_right(
    ledger: Ledger, database: str, query: str, status: int, detail: str
) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        for path in ("availability", "availability/evidence"):
            async with served.http.get(f"{served.url}/api/v1/{path}{query}") as answer:
                problem = await answer.json(content_type="application/problem+json")
            assert (answer.status, problem["detail"]) == (status, detail)


async def test_the_evidence_page_opens_from_the_panel_in_both_languages(
    ledger: Ledger, database: str
) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        await until(lambda: bool(served.live.figures.rows))
        for path in ("/services/a", "/entities/e1", "/"):
            page = await served.text(path)
            [link, *_] = re.findall(r'href="(/availability\?[^"]+period=7d[^"]*)"', page)
            for language, word in (("en", "Availability"), ("ar", "نسبة التوافر")):
                assert word in await served.text(f"{link.replace('&amp;', '&')}&lang={language}")


async def test_the_command_names_what_is_near_a_wrong_name(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    def ask(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(continuity, ["availability", *words, *settings(tmp_path, database)])
        return result.exit_code, result.output

    code, output = await asyncio.to_thread(ask, "identiti")
    assert (code, "did you mean" in output and "identity" in output) == (2, True)


def test_policy_of_figures_can_be_said_in_the_configuration(tmp_path: Path) -> None:
    from monitor.config.load import load

    (tmp_path / "monitor.yaml").write_text(
        "policy: {degraded_counts: false, decimals: 3, notice_s: 3600}\n"
        "services: [{slug: a, url: 'http://127.0.0.1:1/'}]\n"
    )
    found = load(tmp_path, environ={}).catalogue.policy
    assert found == Policy(degraded_counts=False, decimals=3, notice_s=3600)


async def test_the_command_says_the_same_as_the_api_in_json(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        api = await served.json("/api/v1/availability?subject=entity:e1&from=2025-11-01&to=2025-11-20")
    words = ("e1", "--from", "2025-11-01", "--to", "2025-11-20", "--json")
    said = await asyncio.to_thread(command, tmp_path, database, *words)
    assert msgspec.json.decode(said) == api


async def test_without_the_days_of_accounting_the_figure_is_looked_up_all_the_same(
    ledger: Ledger, database: str
) -> None:
    """A stretch nobody stored, and one that was: the same function, the same figure."""
    url = "/api/v1/availability?subject=government&period=quarter&from=2025-11-25"
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        stored = await served.json(url)
        async with served.store.connection() as connection:
            await connection.execute("truncate figure, figure_clock")
        assert await served.json(url) == stored


async def test_the_services_of_a_sum_over_a_long_time_are_not_listed(ledger: Ledger, database: str) -> None:
    async with serving(database, catalogue(), fresh=False, keep_alive=False) as served:
        url = f"availability/evidence?subject=government&from=2025-01-01&to={TODAY}"
        found = await served.json(f"/api/v1/{url}")
        assert (found["services"], found["more"]) == ([], True)
        page = await served.text("/availability?subject=government&from=2025-01-01&to=2025-11-25")
        assert "Choose a shorter period" in page


async def test_grafanas_role_reads_the_views_and_nothing_else(database: str) -> None:
    """The migration made the role and gave it what it may read; a role is the whole server's, and stays."""
    reader = await asyncpg.connect(database)
    try:
        await reader.execute("set role grafana")
        assert await reader.fetch("select * from grafana.availability") == []
        assert await reader.fetch("select * from grafana.exclusion, grafana.service") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch("select * from figure")
    finally:
        await reader.close()
