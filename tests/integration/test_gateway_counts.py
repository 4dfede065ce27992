"""From a sender's post to the stored count: real roles as processes, each with the least rights on Kafka."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.demo import embedded
from monitor.store import tokens
from monitor.store.pool import open_store
from monitor.store.tokens import Role
from tests.integration.monitor_process import Monitor, monitor, until

SERVICES = "services: [{slug: passport, url: 'https://p.example'}, {slug: tax, url: 'https://t.example'}]\n"


@pytest.fixture
async def installed(
    kafka_server: embedded.Kafka, database: str, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Monitor]:
    """A monitor without probers."""
    with monitor(tmp_path, kafka=kafka_server, dsn=database, prefix=topic_prefix) as made:
        made.catalogue(SERVICES)
        for role in ("derive", "count", "web"):
            made.start(role)
        yield made


async def totals(installed: Monitor) -> dict[str, int]:
    rows = await installed.fetch(
        "select s.channel, s.outcome, t.count from transaction_total t join series s on s.id = t.series"
    )
    return {f"{row['channel']} {row['outcome']}": row["count"] for row in rows}


async def test_what_is_posted_is_counted_once_also_when_it_is_posted_again(installed: Monitor) -> None:
    web = installed.started("web")
    async with open_store(installed.dsn, size=2) as store:
        secret = await tokens.create_token(store, "desk", role=Role.SENDER)
    await until(lambda: web.events("web.catalogue") and web.events("send.connected"), within_s=60)
    api = f"http://127.0.0.1:{web.events('web.serving')[0]['port']}/api/v1"
    body = "\n".join(json.dumps(event) for event in events()).encode()
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/x-ndjson"}
    async with aiohttp.ClientSession(headers=headers) as http:

        async def shows() -> bool:
            async with http.get(f"{api}/continuity") as answer:
                return answer.status == 200

        await until(shows, within_s=60, what="it has no picture of the catalogue")
        answers = await asyncio.gather(*(posted(http, f"{api}/transactions", body) for _ in range(3)))
    assert answers == [{"accepted": 1_000, "refused": 0, "failed": []}] * 3
    expected = {
        "service:passport/web completed": 500, "service:passport/web failed": 10 * 250,
        "service:tax/web completed": 250,
    }  # fmt: skip

    async def counted() -> bool:
        found = await totals(installed)
        assert all(found[name] <= most for name, most in expected.items() if name in found), found
        return found == expected

    await until(counted, within_s=60, what="it was not counted")
    assert web.metrics()["continuity_gateway_events_total"] == 3_000


def events() -> list[dict[str, Any]]:
    """1,000 events of three kinds; those of the second kind stand for ten transactions each."""
    one = {"channel": "web", "at": datetime.now(UTC).isoformat()}
    kinds: list[dict[str, Any]] = [
        {"service": "passport", "outcome": "completed"},
        {"service": "passport", "outcome": "failed", "count": 10},
        {"service": "passport", "outcome": "completed"},
        {"service": "tax", "outcome": "completed"},
    ]
    return [{**one, **kinds[number % 4], "id": str(number)} for number in range(1_000)]


async def posted(http: aiohttp.ClientSession, url: str, body: bytes) -> dict[str, Any]:
    async with http.post(url, data=body) as answer:
        assert answer.status == 202, await answer.text()
        found: dict[str, Any] = await answer.json()
        return found
