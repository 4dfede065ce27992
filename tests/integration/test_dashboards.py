"""Every question of every dashboard is asked of a real Prometheus or PostgreSQL, after a run with a fault.

Grafana itself is not here: its variables and macros are put in as it would.
"""

from __future__ import annotations

import asyncio
import math
import re
import subprocess
import time
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from monitor.demo.embedded import Kafka, Postgres
from tests.dashboards.asked import BOARDS, Query, panels, queries
from tests.integration import parts
from tests.integration.dashboard_run import Run, running
from tests.integration.monitor_process import create_database, monitor, until

CHOSEN = {"entity": "registry", "service": "deed", "system": "vault", "period": "week"}
SEVERAL = {"channel": ["web"], "vantage": ["main"]}
WITHIN_S = 90.0


async def test_every_query_of_every_dashboard_returns_data_and_figures_are_the_apis(
    kafka_server: Kafka, postgres_server: Postgres, migrated_template: str, tmp_path: Path
) -> None:
    """One run for all of it: its start is what costs."""
    dsn = create_database(postgres_server, migrated_template)
    prefix = f"dashboards-{time.time_ns()}."
    with monitor(tmp_path / "run", kafka=kafka_server, dsn=dsn, prefix=prefix) as installed:
        async with running(installed, kafka_server, tmp_path) as run:
            await everything_answers(run)
            await promtool_finds_nothing_to_say_of_any_role(run)
            await only_views_can_be_read(run)
            await the_headline_is_the_apis(run)
            await figures_are_the_apis(run)
            await two_replicas_count_once(run)


async def everything_answers(run: Run) -> None:
    left = {one for name in BOARDS for one in queries(name)}

    async def none_left() -> bool:
        async with run.as_grafana() as grafana:
            left.difference_update([one for one in sorted(left) if await answered(run, grafana, one)])
        return not left

    try:
        await until(none_left, within_s=WITHIN_S)
    except AssertionError:
        raise AssertionError("no data:\n" + "\n".join(sorted(one.where for one in left))) from None


async def answered(run: Run, grafana: asyncpg.Connection, one: Query) -> bool:
    if one.source == "postgres":
        rows = await grafana.fetch(await filled(grafana, one.text), timeout=10)
        return bool(rows) and (not one.series or set(rows[0].keys()) == {"time", "metric", "value"})
    if one.text.startswith("label_values("):
        name = re.findall(r"continuity_\w+", one.text)[0]
        return bool(run.prometheus.ask(name, instant=True))
    found = run.prometheus.ask(chosen(one.text), instant=one.instant)
    return any(math.isfinite(float(value)) for series in found for value in values(series))


def values(series: dict[str, Any]) -> list[str]:
    return [series["value"][1]] if "value" in series else [each[1] for each in series["values"]]


def chosen(text: str) -> str:
    """A PromQL text with everything chosen, and an interval of some scrapes."""
    for name in ("job", "instance", *SEVERAL):
        text = text.replace(f'"${name}"', '".*"')
    for name, value in CHOSEN.items():
        text = text.replace(f'"${name}"', f'"{value}"')
    found = text.replace("$__rate_interval", "15s")
    assert "$" not in found, found
    return found


async def filled(grafana: asyncpg.Connection, text: str) -> str:
    """A text of SQL with variables and macros put in as Grafana's PostgreSQL source would."""
    here = dict(CHOSEN)
    here["zone"] = await grafana.fetchval("select zone from grafana.policy")
    here["start"] = await grafana.fetchval(
        "select max(start)::text from grafana.availability where period = 'week' and zone = $1", here["zone"]
    )
    for name, value in here.items():
        text = text.replace(f"${{{name}:sqlstring}}", f"'{value}'")
    for name, every in SEVERAL.items():
        text = text.replace(f"${{{name}:sqlstring}}", ",".join(f"'{value}'" for value in every))
    now = datetime.now(UTC)
    begin, end = (f"'{at:%Y-%m-%dT%H:%M:%S.%fZ}'" for at in (now - timedelta(days=30), now))
    text = text.replace("$__timeFrom()", begin).replace("$__timeTo()", end)
    text = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 between {begin} and {end}", text)
    assert "$" not in text, text
    return text


async def promtool_finds_nothing_to_say_of_any_role(run: Run) -> None:
    """Of what each says of itself after a run with a fault, and of the state of the world."""
    said = {f"{role.name} {number}": role.exposition() for number, role in enumerate(run.monitor.roles)}
    for web in run.webs:
        said[f"the state of the world at {web}"] = await asyncio.to_thread(_read, f"{web}/metrics/state")
    program = parts.program("promtool")
    found = {name: await asyncio.to_thread(_checked, program, text) for name, text in said.items()}
    assert found == dict.fromkeys(said, (0, ""))


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as page:
        text: str = page.read().decode()
    return text


def _checked(program: str, text: str) -> tuple[int, str]:
    done = subprocess.run(
        [program, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    return done.returncode, done.stdout + done.stderr


async def only_views_can_be_read(run: Run) -> None:
    """Grafana's role reads the views and no table, and writes nothing."""
    async with run.as_grafana() as grafana:
        for statement in ("select from observation", "select from token", "delete from public.exclusion"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await grafana.execute(statement)


def panel(board: str, title: str) -> dict[str, Any]:
    [found] = [one for one in panels(BOARDS[board]) if one["title"] == title]
    return found


async def shown(run: Run, board: str, title: str) -> float | None:
    """What a number's panel shows."""
    found = run.prometheus.ask(chosen(panel(board, title)["targets"][0]["expr"]), instant=True)
    return float(found[0]["value"][1]) if found else None


async def the_headline_is_the_apis(run: Run) -> None:
    """T10: to the last digit, once both are of the same instant."""

    async def agree() -> bool:
        said = await run.api("/api/v1/continuity")
        asked = ("Available", "Not available", "Unknown", "Share available", "Allowed at once", "Target")
        ours = [await shown(run, "government", title) for title in asked]
        share = float(said["ratio_percent"]) / 100 if said["sufficient"] else None
        named = ("available", "not_available", "unknown")
        theirs = [*(said[each] for each in named), share, said["most_unavailable"], said["target"]]
        return all(
            ours is theirs or (ours is not None and theirs is not None and abs(ours - theirs) < 1e-12)
            for ours, theirs in zip(ours, theirs, strict=True)
        )

    await until(agree, within_s=20, what="panels and API do not agree on the headline")


async def figures_are_the_apis(run: Run) -> None:
    """T10, T18: with the leader gone, stored figures stand still; each printed text is the API's."""
    await run.monitor.started("derive").stop()
    for board, subject in (("government", "government"), ("entity", "registry"), ("service", "deed")):
        [title] = [
            one["title"] for one in panels(BOARDS[board]) if one["title"].startswith("Availability of the")
        ]
        async with run.as_grafana() as grafana:
            text = panel(board, title)["targets"][0]["rawSql"]
            rows = await grafana.fetch(await filled(grafana, text))
        assert {row["period"] for row in rows} >= {"day", "week", "month", "quarter", "year", "28d"}
        for row in rows:
            await _row_is_the_apis(run, subject, row)


async def _row_is_the_apis(run: Run, subject: str, row: asyncpg.Record) -> None:
    if row["period"] in ("7d", "28d"):
        return  # the API names calendar periods
    said = await run.api(f"/api/v1/availability?subject={subject}&period={row['period']}")
    printed = said["availability_percent"]
    ours = row["availability"], row["outages"], float(row["down_seconds"]), float(row["longest_seconds"])
    text = said["says"].replace("_", " ") if printed is None else f"{printed} %"
    assert ours == (text, said["outages"], said["seconds"]["down"], said["longest_s"]), row


async def two_replicas_count_once(run: Run) -> None:
    """T48: both replicas of web are scraped, and a sum over services is no larger for it."""
    both = run.prometheus.ask("continuity_services_required", instant=True)
    required = await shown(run, "government", "Available"), await shown(run, "government", "Not available")
    assert (len(both), [value is not None and value <= 3 for value in required]) == (2, [True, True])
