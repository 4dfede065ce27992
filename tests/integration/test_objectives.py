"""One budget everywhere, from real figures; and a real Prometheus that counts two replicas once."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from click.testing import CliRunner

from dashboards.build import GENERATED
from monitor.cli import continuity
from monitor.demo.child import Child
from monitor.demo.kafka import free_port
from monitor.judge.objectives import Completions
from monitor.judge.periods import Kind
from monitor.model import Catalogue
from monitor.objectives import Indicator, Objective
from monitor.store.counts import Added
from monitor.store.pool import Store, open_store
from tests.integration.parts import answers, program
from tests.ledger import DAY_MS, HOUR_MS, Ledger, catalogue, ms
from tests.serving import serving, until
from tests.world import World

NOW_MS = ms("2025-11-25T12:00+04:00")
BEGIN_MS = NOW_MS - 20 * DAY_MS
PROMETHEUS_S = 30.0
PROMISED = (
    Objective(indicator=Indicator.AVAILABILITY, target=0.999),
    Objective(indicator=Indicator.LATENCY, target=0.95),
)


def promising() -> Catalogue:
    """Service a promises; b and c do not."""
    usual = catalogue()
    first = msgspec.structs.replace(usual.services[0], objectives=PROMISED)
    return msgspec.structs.replace(usual, services=(first, *usual.services[1:]))


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    """Service a was down for an hour two hours ago, and slow for a day; the others are up."""
    made = Ledger(store)
    await made.begin(BEGIN_MS, promising())
    slow, fell = NOW_MS - 3 * DAY_MS, NOW_MS - 2 * HOUR_MS
    await made.says(
        "service:a",
        (BEGIN_MS, "up"), (slow, "degraded"), (slow + DAY_MS, "up"), (fell, "down"), (fell + HOUR_MS, "up"),
    )  # fmt: skip
    for subject in ("service:b", "service:c"):
        await made.says(subject, (BEGIN_MS, "up"))
    await made.judged(NOW_MS)
    await made.account()
    return made


def command(folder: Path, database: str, *words: str) -> tuple[int, str]:
    (folder / "monitor.yaml").write_text(f"postgres: {{dsn: '{database}'}}\nservices: []\n")
    result = CliRunner().invoke(continuity, ["objectives", *words, "--config", str(folder)])
    return result.exit_code, result.output


async def test_t10_api_command_and_metric_give_the_same_budget(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    """An hour of 28 days is more than a thousandth: 40 minutes were allowed."""
    async with serving(database, promising(), fresh=False, keep_alive=False) as served:
        await until(lambda: bool(served.live.figures.rows))
        api: Any = await served.json("/api/v1/objectives?service=a")
        risky: Any = await served.json("/api/v1/objectives?at_risk=true")
        metrics = await served.text("/metrics/state")
    code, printed = await asyncio.to_thread(command, tmp_path, database, "a", "--json")
    [available, latency] = sorted(api["items"], key=lambda one: one["objective"])
    rolling = available["budgets"][0]
    counted_s = (20 * DAY_MS) / 1000
    assert (rolling["period"], rolling["met"], rolling["spent"], rolling["counted"]) == (
        "28d",
        False,
        3600.0,
        counted_s,
    )
    assert (latency["budgets"][0]["spent"], latency["budgets"][0]["met"]) == (86_400.0, False)
    assert {(one["service"], one["objective"]) for one in risky["items"]} == {
        ("a", "availability"),
        ("a", "latency"),
    }
    assert (code, json.loads(printed)) == (1, api["items"])
    name = 'continuity_error_budget_remaining_ratio{service="a",objective="availability",window="28d"}'
    [exported] = [line.split()[-1] for line in metrics.splitlines() if line.startswith(name)]
    assert float(exported) == pytest.approx(rolling["left"] / rolling["budget"], abs=1e-5)


@pytest.mark.parametrize(("language", "said"), [("en", "not met"), ("ar", "غير متحقق")])
async def test_the_list_and_the_page_of_a_service_show_what_is_at_risk(
    ledger: Ledger, database: str, language: str, said: str
) -> None:
    async with serving(database, promising(), fresh=False, keep_alive=False) as served:
        await until(lambda: bool(served.live.figures.rows))
        listed = await served.text(f"/objectives?lang={language}")
        page = await served.text(f"/services/a?lang={language}")
    risky = listed[listed.index('id="at-risk"') : listed.index('id="kept"')]
    own = page[page.index('id="objectives"') :]
    for text in (risky, own[: own.index("</section>")]):
        assert (text.count(said), "99.79" in text) == (4, True)


async def test_completions_are_summed_once_in_a_minute_and_anew_in_the_next(store: Store) -> None:
    """Whoever looks within the minute gets the same budget, of one service or out of the list of all."""
    usual = catalogue()
    promise = (Objective(indicator=Indicator.COMPLETION, target=0.9),)
    promised = [msgspec.structs.replace(one, objectives=promise) for one in usual.services]
    document = msgspec.structs.replace(usual, services=tuple(promised))
    world, made = World(store, document), Completions(store)

    async def seen(service: str | None, *, later_ms: int = 0) -> list[int]:
        await world.counted(Added("service:a/web", "completed", NOW_MS - 2 * HOUR_MS, 10))
        found = await made.of(document, now_ms=NOW_MS + later_ms, service=service)
        return [one.budgets[Kind.QUARTER].account.counted for one in found if one.subject == "service:a"]

    assert [await seen("a"), await seen("a"), await seen(None), await seen("a")] == [[10], [10], [30], [30]]
    assert await seen("a", later_ms=60_000) == [50]


async def test_a_service_that_nobody_knows_is_said_to_be_unknown(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    code, printed = await asyncio.to_thread(command, tmp_path, database, "aa")
    assert (code, "did you mean `a`?" in printed) == (2, True)


@asynccontextmanager
async def prometheus(folder: Path, targets: list[str]) -> AsyncIterator[str]:
    """A real one with the generated configuration, asking these every second, for as long as the block."""
    shutil.copytree(GENERATED / "prometheus", folder / "prometheus")
    file, port = folder / "prometheus" / "loopback.yaml", free_port()
    written = ", ".join(f'"{target}"' for target in targets)
    text = (
        file.read_text()
        .replace("- 127.0.0.1:8440", f"[{written}]")
        .replace("targets:\n          [", "targets: [")
    )
    file.write_text(text.replace("15s", "1s").replace("evaluation_interval: 30s", "evaluation_interval: 1s"))
    command = [
        program("prometheus"), f"--config.file={file}", f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    ]  # fmt: skip
    child = Child(command, folder / "prometheus.log", name="prometheus", grace_s=5)
    try:
        await asyncio.to_thread(child.wait_until, lambda: answers(port), within_s=PROMETHEUS_S)
        yield f"http://127.0.0.1:{port}"
    finally:
        await asyncio.to_thread(child.stop)


async def asked(url: str, query: str) -> list[float]:
    """The values of a query; none before Prometheus is ready."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{url}/api/v1/query", params={"query": query}) as answer,
    ):
        found = await answer.json() if answer.status == 200 else {"data": {"result": []}}
    return [float(one["value"][1]) for one in found["data"]["result"]]


async def scraped(url: str, query: str, *, samples: int) -> None:
    """Wait until the query has so many samples."""
    async with asyncio.timeout(PROMETHEUS_S):
        while len(await asked(url, query)) < samples:  # noqa: ASYNC110 - another program has no event of ours
            await asyncio.sleep(0.2)


def checked(text: str) -> tuple[int, str, str]:
    """What promtool says of a scrape."""
    command = [program("promtool"), "check", "metrics"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


async def test_t48_a_real_prometheus_over_two_replicas_gives_the_headline_once(
    ledger: Ledger, database: str, tmp_path: Path
) -> None:
    async with (
        serving(database, promising(), fresh=False, keep_alive=False) as one,
        serving(database, promising(), fresh=False, keep_alive=False) as two,
        prometheus(tmp_path, [url.removeprefix("http://") for url in (one.url, two.url)]) as url,
    ):
        await until(lambda: bool(one.live.figures.rows and two.live.figures.rows))
        scrapes = [await served.text("/metrics/state") for served in (one, two)]
        await scraped(url, "continuity_objective_good_seconds{service='a'}", samples=4)
        required = await asked(url, "max without (instance, pod) (continuity_services_required)")
        target = await asked(
            url, "max without (instance, pod) (continuity_objective_ratio{objective='headline'})"
        )
        twice = await asked(url, "sum (continuity_services_required)")
    assert (required, target, twice) == ([3.0], [0.95], [6.0])
    assert scrapes[0] == scrapes[1]
    assert await asyncio.to_thread(checked, scrapes[0]) == (0, "", "")
