"""What people see of transactions: API, metrics and pages say the same, and only what is known."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

import pytest

from monitor.store.counts import HOUR_MS, MINUTE_MS, Added
from monitor.web.times import rfc3339
from tests.serving import Served, serving, until
from tests.world import government

Json = dict[str, Any]
WEB, APP, CENTRE = (f"service:s0001/{kind}" for kind in ("web", "app", "service_centre"))


async def seen(served: Served) -> None:
    """The snapshot holds what was written before this call."""
    await served.traffic.look_back()


async def asked(served: Served, **query: object) -> Json:
    named = {key.rstrip("_"): str(value) for key, value in query.items()}
    return await served.json(f"/api/v1/transactions?{urlencode(named)}")


async def test_points_hold_each_end_and_what_is_usual_and_sum_up_to_the_total(database: str) -> None:
    async with serving(database) as served:
        world, hour = served.world, served.world.minute(0) // HOUR_MS * HOUR_MS - 3 * HOUR_MS
        await world.counted(
            Added(WEB, "completed", hour, 50), Added(WEB, "failed", hour + MINUTE_MS, 2),
            Added(APP, "abandoned", hour + 59 * MINUTE_MS, 3), Added(APP, "completed", hour + HOUR_MS, 40),
        )  # fmt: skip
        await world.usual(WEB, an_hour=60)
        await world.usual(APP, an_hour=40)
        await seen(served)
        told = await asked(
            served, service="s0001", from_=rfc3339(hour), to=rfc3339(hour + 2 * HOUR_MS), step="1h"
        )
    first, second = told["points"]
    assert [(p["completed"], p["failed"], p["abandoned"], p["complete"]) for p in (first, second)] == [
        (50, 2, 3, True),
        (40, 0, 0, True),
    ]
    assert first["expected"] == 90.0
    assert first["low"] < 90 < first["high"]
    assert told["total"] == {"completed": 90, "failed": 2, "abandoned": 3, "all": 95}
    assert (told["completion"]["percent"], told["complete"]) == ("94.7", True)


async def test_nothing_is_usual_while_a_busy_channel_has_no_pattern(database: str) -> None:
    """The line would hold its transactions, and the band would not."""
    async with serving(database) as served:
        at = served.world.minute(3600)
        await served.world.counted(Added(WEB, "completed", at, 50), Added(APP, "completed", at, 50))
        await served.world.usual(WEB, an_hour=60)
        await seen(served)
        told, metrics = await asked(served, service="s0001"), await served.text("/metrics/state")
    assert {point["expected"] for point in told["points"]} == {None}
    assert 'expected{service="s0001"}' not in metrics


@pytest.mark.parametrize("step", ["1m", "5m", "1h", "1d"])
async def test_every_step_sums_up_to_the_same(database: str, step: str) -> None:
    async with serving(database) as served:
        rows = [Added(WEB, "completed", served.world.minute(60.0 * n), n) for n in range(1, 300, 7)]
        await served.world.counted(*rows)
        now = served.world.minute(0)
        told = await asked(
            served, service="s0001", step=step, from_=rfc3339(now - 6 * HOUR_MS), to=rfc3339(now + MINUTE_MS)
        )
    assert sum(point["completed"] or 0 for point in told["points"]) == told["total"]["completed"]
    assert told["total"]["completed"] == sum(row.events for row in rows)


async def test_t2_before_anything_was_counted_and_after_the_counters_clock_there_is_null(
    database: str,
) -> None:
    async with serving(database) as served:
        hour = served.world.minute(0) // HOUR_MS * HOUR_MS - 4 * HOUR_MS
        await served.world.counted(Added(WEB, "completed", hour, 5))
        async with served.store.transaction() as connection:
            await connection.execute(
                "update stream_offset set judged_until = to_timestamp($1) where topic like '%transactions'",
                (hour + 2 * HOUR_MS) / 1000,
            )
        await seen(served)
        told = await asked(
            served, service="s0001", from_=rfc3339(hour - HOUR_MS), to=rfc3339(hour + 3 * HOUR_MS)
        )
        never = await asked(served, service="s0002")
    assert [(point["completed"], point["complete"]) for point in told["points"]] == [
        (None, True),
        (5, True),
        (0, True),
        (None, False),
    ]
    assert (told["as_of"], told["complete"]) == (rfc3339(hour + 2 * HOUR_MS), False)
    assert {point["completed"] for point in never["points"]} == {None}
    assert (never["completion"]["ratio"], never["uptake"]["ratio"]) == (None, None)


async def test_uptake_needs_every_channel_counted_and_names_those_without_data(database: str) -> None:
    async with serving(database) as served:
        at = served.world.minute(3 * 3600)
        await served.world.counted(Added(WEB, "completed", at, 60), Added(APP, "completed", at, 20))
        await seen(served)
        partly = await asked(served, service="s0001")
        await served.world.counted(Added(CENTRE, "completed", at, 20))
        await seen(served)
        whole = await asked(served, service="s0001")
    assert (partly["uptake"]["percent"], partly["channels_without_data"]) == (None, [CENTRE])
    assert (whole["uptake"]["percent"], whole["channels_without_data"]) == ("80.0", [])


async def test_shares_stand_beside_those_of_the_period_before(database: str) -> None:
    async with serving(database) as served:
        now, day = served.world.minute(0), 24 * HOUR_MS
        rows = [
            Added(channel, outcome, at, count)
            for at, counts in ((now - HOUR_MS, (70, 10, 20)), (now - day - HOUR_MS, (40, 20, 40)))
            for (channel, outcome), count in zip(
                ((WEB, "completed"), (APP, "failed"), (CENTRE, "completed")), counts, strict=True
            )
        ]
        await served.world.counted(*rows)
        await seen(served)
        told = await asked(served, service="s0001", from_=rfc3339(now - day), to=rfc3339(now))
    assert (told["uptake"]["percent"], told["uptake"]["before"]["percent"], told["uptake"]["points"]) == (
        "80.0",
        "60.0",
        20.0,
    )
    assert (told["completion"]["percent"], told["completion"]["points"]) == ("90.0", 10.0)


async def test_an_entity_and_the_government_are_sums_of_their_services(database: str) -> None:
    async with serving(database) as served:
        at = served.world.minute(3 * 3600)
        await served.world.counted(
            *(Added(f"service:s{n:04d}/web", "completed", at, 2**n) for n in range(12))
        )
        await seen(served)
        services = [await asked(served, service=f"s{n:04d}") for n in range(12)]
        entities = [await asked(served, entity=f"e{n:02d}") for n in range(4)]
        government_ = await asked(served)
    totals = [[each["total"]["completed"] for each in some] for some in (services, entities)]
    assert [sum(totals[0]), sum(totals[1]), government_["total"]["completed"]] == [4095] * 3
    assert totals[1][1] == 2**1 + 2**5 + 2**9


async def test_t30_a_late_event_corrects_its_minute_and_every_figure_made_of_it(database: str) -> None:
    """Event time: it belongs to the hour it happened in, however late it comes."""
    async with serving(database) as served:
        hour = served.world.minute(0) // HOUR_MS * HOUR_MS - 5 * HOUR_MS
        await served.world.counted(Added(WEB, "completed", hour, 10))
        await seen(served)
        query = {"service": "s0001", "from_": rfc3339(hour), "to": rfc3339(hour + HOUR_MS)}
        before = await asked(served, **query, step="1m")
        await served.world.counted(Added(WEB, "completed", hour + 7 * MINUTE_MS, 3))
        await seen(served)
        after = await asked(served, **query, step="1m")
        by_hour = await asked(served, **query, step="1h")
        page = await served.text("/services/s0001?hours=6")
    changed = [
        (a["at"], a["completed"], b["completed"])
        for a, b in zip(before["points"], after["points"], strict=True)
        if a != b
    ]
    assert changed == [(rfc3339(hour + 7 * MINUTE_MS), 0, 3)]
    assert [each["total"]["completed"] for each in (before, after, by_hour)] == [10, 13, 13]
    assert 'data-total="13"' in page


@pytest.mark.parametrize(
    ("query", "status", "detail"),
    [
        ("service=nothing", 404, "no service 'nothing' in the catalogue"),
        ("entity=nothing", 404, "no entity 'nothing' in the catalogue"),
        ("service=s0001&entity=e01", 400, "give `service` or `entity`, or neither for the government"),
        ("step=1s", 400, "`step` must be one of 1m, 5m, 1h, 1d"),
        ("from=2026-01-01", 400, "`from` must be an RFC 3339 instant such as 2026-11-15T08:00:00Z"),
        (
            "from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z",
            400,
            "`from` must be before `to`, and `to` no later than tomorrow",
        ),
        (
            "step=1m&from=2020-01-01T00:00:00Z&to=2020-01-03T00:00:00Z",
            400,
            "that is more than 1500 points; take a longer `step`",
        ),
        (
            "step=1m&from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z",
            400,
            "minutes are kept for 100 days; take `step` 1h or 1d",
        ),
        (
            "step=1d&from=2020-01-01T00:00:00Z&to=2020-12-01T00:00:00Z",
            400,
            "of more than one service, at most 100 days; name a `service`",
        ),
    ],
)
async def test_what_cannot_be_answered_says_why(database: str, query: str, status: int, detail: str) -> None:
    url = f"/api/v1/transactions?{query}"
    async with serving(database) as served, served.http.get(served.url + url) as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["detail"]) == (status, detail)


async def test_a_service_tells_its_findings_and_what_its_outages_cost(database: str) -> None:
    async with serving(database) as served:
        await served.world.finding(WEB, "silence")
        await served.world.missed("service:s0001", from_s=90_000, to_s=88_000)
        await served.world.missed(WEB, from_s=90_000, to_s=88_000)
        told: Json = await served.json("/api/v1/services/s0001")
    assert [(each["subject"], each["kind"], each["ended"]) for each in told["findings"]] == [
        (WEB, "silence", None)
    ]
    assert [(each["missed"], each["low"], each["high"], each["made_up"]) for each in told["missed"]] == [
        (120.0, 96.0, 150.0, 70.0)
    ]


async def test_t19_all_label_sets_are_there_at_0_and_totals_are_the_stores(database: str) -> None:
    async with serving(database, government(entities=1, services=2)) as served:
        await seen(served)
        empty = await served.text("/metrics/state")
        await served.world.counted(Added(WEB, "failed", served.world.minute(600), 7), fold=False)
        await seen(served)
        after = await served.text("/metrics/state")
    lines = [line for line in empty.splitlines() if line.startswith("continuity_transactions_total{")]
    assert len(lines) == (1 + 3) * 3
    assert {line.rsplit(" ", 1)[1] for line in lines} == {"0"}
    label = 'service="s0001",channel="web",outcome="failed"'
    assert f"continuity_transactions_total{{{label}}} 7\n" in after


async def test_a_gauge_of_what_nobody_knows_has_no_sample(database: str) -> None:
    async with serving(database) as served:
        await served.world.usual(WEB, an_hour=60)
        await served.world.usual("service:s0002/web", an_hour=600)
        await served.world.missed("service:s0002", from_s=600, to_s=None, missed=88.0)
        await served.world.finding("service:s0002/web", "drop")
        await seen(served)
        text = await served.text("/metrics/state")
    wanted = ("continuity_transactions_expected{", "continuity_transactions_missed{")
    assert [line for line in text.splitlines() if line.startswith(wanted)] == [
        'continuity_transactions_expected{service="s0001"} 0.9',
        'continuity_transactions_expected{service="s0002"} 9',
        'continuity_transactions_missed{service="s0001"} 0',
        'continuity_transactions_missed{service="s0002"} 88',
    ]
    assert 'continuity_findings_open{service="s0002",kind="drop"} 1\n' in text
    assert 'continuity_findings_open{service="s0001",kind="drop"} 0\n' in text


async def test_open_pages_hear_the_running_total(database: str) -> None:
    async with serving(database) as served, served.http.get(f"{served.url}/api/v1/events") as stream:
        await served.world.counted(Added(WEB, "completed", served.world.minute(0), 5))
        said = ""
        while '"today":5' not in said:
            line = (await stream.content.readline()).decode()
            said = line if "today" in line else said
    assert '"completed":5' in said


async def test_with_the_database_away_the_last_snapshot_stays(database: str) -> None:
    async with serving(database, keep_alive=False) as served:
        await served.world.counted(Added(WEB, "completed", served.world.minute(0), 5))
        await until(lambda: served.traffic.seen is not None and sum(served.traffic.seen.today) == 5)
        await served.store.pool.close()
        text = await served.text("/metrics/state")
    assert 'continuity_transactions_total{service="s0001",channel="web",outcome="completed"} 5\n' in text


async def test_a_database_that_is_away_is_not_asked_again_without_a_pause(database: str) -> None:
    asked = 0
    async with serving(database, keep_alive=False) as served:
        await until(lambda: served.traffic.seen is not None)
        look_back = served.traffic.look_back

        async def counting() -> None:
            nonlocal asked
            asked += 1
            await look_back()

        served.traffic.look_back = counting  # type: ignore[method-assign]
        await served.store.pool.close()
        served.traffic._around = None  # as after a new catalogue: it wants to be read at once
        await until(lambda: asked > 0)
        await asyncio.sleep(0.5)
    assert asked <= 2
