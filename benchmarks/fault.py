"""From a fault to the effective change known, on the running roles; handing a notice over comes later."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence

import asyncpg

from benchmarks import parts
from benchmarks.probing import role
from benchmarks.table import Row
from benchmarks.targets import Targets
from monitor.demo.child import Child
from monitor.scheduler.beat import next_due_ms
from monitor.scheduler.loop import RETRY_S
from monitor.stream.kafka import ensure_topics

EVERY_S = 5.0
SLACK_S, DEPENDING_S = 2.0, 12.0
ALONE, DEPENDING = 40, 40
WITHIN_S = 60.0
LOOK_S = 0.02
ROLES = ("derive", "ingest", "probe")

HEAD = """
profiles:
  fast: {{every_s: {every_s:g}, within_s: 2}}
systems:
  - {{slug: identity, url: "{system}", profile: fast}}
services:
"""
SERVICE = """
  - slug: {slug}
    channels:
      - {{kind: web, url: "{url}", profile: fast, depends: [{depends}]}}
"""


def rows(quick: bool) -> list[Row]:
    """Services that fail by themselves, and services that only a system takes down, at once."""
    with Targets() as targets:
        alone, depending = asyncio.run(_measure(targets, rounds=1 if quick else 3))
    confirm_s = RETRY_S
    return [
        _row("a service's own check", alone, SLACK_S, confirm_s),
        _row("a system it depends on", depending, SLACK_S + DEPENDING_S, confirm_s),
    ]


def _row(whose: str, took: list[tuple[float, float]], slack_s: float, confirm_s: float) -> Row:
    whole = [all_s for all_s, _ in took]
    least = [beat_s + confirm_s for _, beat_s in took]
    after = [all_s - beat_s for all_s, beat_s in took]
    budget_s = EVERY_S + confirm_s + slack_s
    return Row(
        what=f"from a fault of {whose} to its effective change known",
        budget=f"≤ interval + confirmation + {slack_s:g} s = {budget_s:.1f} s",
        measured=(
            f"median {statistics.median(whole):.1f}, most {max(whole):.1f} s; "
            f"after the first failing beat {statistics.median(after):.2f}, most {max(after):.2f} s"
        ),
        baseline=(
            f"the beat and its retry alone: median {statistics.median(least):.1f}, most {max(least):.1f} s"
        ),
        within=max(whole) <= budget_s,
        note=f"{len(took)} changes, every {EVERY_S:g} s, confirmed by 2; known: a reader can see it",
    )


async def _measure(
    targets: Targets, *, rounds: int
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    name = parts.fresh("fault")
    folder = parts.folder() / name
    (folder / "config").mkdir(parents=True)
    (folder / "config" / "monitor.yaml").write_text(_catalogue(targets))
    kafka, dsn = parts.kafka(name), await asyncio.to_thread(parts.database)
    await ensure_topics(kafka, vantages=[parts.VANTAGE])
    children: list[Child] = []
    connection = await asyncpg.connect(dsn)
    services = [f"service:alone-{n}" for n in range(ALONE)]
    taken = [f"service:depending-{n}" for n in range(DEPENDING)]
    alone: list[tuple[float, float]] = []
    depending: list[tuple[float, float]] = []
    try:
        for one in ROLES:
            children += [role(one, kafka, folder=folder, dsn=dsn, config=folder / "config")]
        await _until(connection, [*services, *taken], "up")
        for number in range(rounds):
            if number:
                await _set(targets, bad=False)
                await _until(connection, [*services, *taken], "up")
            began_s = time.time()
            await _set(targets, bad=True)
            known_s = await _until(connection, [*services, *taken], "down")
            alone += [(known_s[one] - began_s, _beat_s(f"{one}/web/main", began_s)) for one in services]
            system_s = _beat_s("system:identity/main", began_s)
            depending += [(known_s[subject] - began_s, system_s) for subject in taken]
    finally:
        await connection.close()
        for child in children:
            child.kill()
    return alone, depending


async def _set(targets: Targets, *, bad: bool) -> None:
    for group in ("alone", "system"):
        await asyncio.to_thread(targets.set, group, bad=bad)


def _catalogue(targets: Targets) -> str:
    def service(slug: str, path: str, number: int, depends: str) -> str:
        return SERVICE.format(slug=slug, url=targets.url(path, number=number), depends=depends)

    return "".join(
        [
            HEAD.format(every_s=EVERY_S, system=targets.url("switch/system/identity")),
            *(service(f"alone-{n}", f"switch/alone/{n}", n, "") for n in range(ALONE)),
            *(service(f"depending-{n}", f"after/0/{n}", n, "identity") for n in range(DEPENDING)),
        ]
    )


def _beat_s(check: str, after_s: float) -> float:
    """How long after a moment the check is asked the next time."""
    return next_due_ms(check, round(EVERY_S * 1000), int(after_s * 1000)) / 1000 - after_s


async def _until(connection: asyncpg.Connection, subjects: Sequence[str], verdict: str) -> dict[str, float]:
    """When each subject was first seen to be `verdict` by its last change. Raises TimeoutError after 60 s."""
    seen_s: dict[str, float] = {}
    async with asyncio.timeout(WITHIN_S):
        while len(seen_s) < len(subjects):
            rows = await connection.fetch(
                "select distinct on (subject) subject, verdict from change "
                "where layer = 'effective' and withdrawn_at is null and subject = any($1) "
                "order by subject, at desc",
                [one for one in subjects if one not in seen_s],
            )
            now_s = time.time()
            seen_s |= {row["subject"]: now_s for row in rows if row["verdict"] == verdict}
            await asyncio.sleep(LOOK_S)
    return seen_s
