"""Transactions over HTTP: the real web role, real Kafka, and a client in a process of its own."""

from __future__ import annotations

import asyncio
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec
from aiokafka import TopicPartition
from prometheus_client.parser import text_string_to_metric_families

from benchmarks import parts
from benchmarks.poster import SERVICES
from benchmarks.probing import role
from benchmarks.processes import Tool, cpu_s, memory_mb, quiet
from benchmarks.table import Row, spread
from monitor.demo.child import Child
from monitor.demo.kafka import free_port
from monitor.model import Catalogue, Channel, ChannelKind, Entity, Service
from monitor.store import catalogue as catalogues
from monitor.store import tokens
from monitor.store.pool import open_store
from monitor.store.tokens import Role
from monitor.stream.kafka import Kafka, ensure_topics, open_consumer
from monitor.stream.wire import TRANSACTIONS

POSTS_S, EVENTS_S = 2_500, 100_000
SINGLE: dict[str, Any] = {"connections": 64, "events": 1}
LINES: dict[str, Any] = {"connections": 4, "events": 5_000}
READY_S = 60.0


class Figures(NamedTuple):
    """Of one load: each run's rate, and of the last run the rest."""

    rates: list[float]
    p50_ms: float
    p99_ms: float
    cpu_us: float  # of the process that answers, for an event


def rows(quick: bool) -> list[Row]:
    """Single posts and NDJSON, each beside a handler that only says 202."""
    runs, seconds = (1, 2.0) if quick else (3, 6.0)
    kafka, dsn, port, pulse = parts.kafka(parts.fresh("gateway")), parts.database(), free_port(), free_port()
    secret = asyncio.run(_prepare(kafka, dsn))
    bare_port = free_port()
    found, bare, sent = {}, {}, 0
    with _web(kafka, dsn, port, pulse) as web, Tool("poster", answer=bare_port) as handler:
        handler.said()
        for name, load in (("single", SINGLE), ("lines", LINES)):
            _run(port, secret, load, seconds=1.0)
            found[name] = _figures(port, secret, load, web.pid, runs=runs, seconds=seconds)
            bare[name] = _figures(bare_port, secret, load, handler.pid, runs=1, seconds=seconds)
        lag_s, sent = _metric(pulse, "continuity_event_loop_lag_seconds"), _metric(pulse, EVENTS)
        size_mb = memory_mb(web.pid)
    there = asyncio.run(_stored(kafka))
    if there != sent:
        raise RuntimeError(f"{sent:.0f} events were acknowledged, {there} are in Kafka")
    note = (
        f"{sent:,.0f} events acknowledged, as many in Kafka; client, role, broker and database share the "
        f"machine; after it the role holds {size_mb:.0f} MB, its loop was late by {lag_s * 1000:.0f} ms"
    )
    return [
        _row("single posts a second", POSTS_S, found["single"], bare["single"], note),
        _row("events a second as NDJSON of 5,000", EVENTS_S, found["lines"], bare["lines"], ""),
    ]


EVENTS = "continuity_gateway_events_total"


def _row(what: str, least: int, found: Figures, bare: Figures, note: str) -> Row:
    rate = sorted(found.rates)[len(found.rates) // 2]
    return Row(
        what=f"gateway, to Kafka's acknowledgement: {what}",
        budget=f"≥ {least:,}",
        measured=(
            f"{spread(found.rates, '/s', digits=0)}; p50 {found.p50_ms:.0f} ms, p99 {found.p99_ms:.0f} ms, "
            f"CPU {found.cpu_us:.1f} µs an event"
        ),
        baseline=f"a handler that only says 202: {bare.rates[0]:.0f}/s, CPU {bare.cpu_us:.1f} µs",
        within=rate >= least,
        note=note,
    )


async def _prepare(kafka: Kafka, dsn: str) -> str:
    """Topics, a catalogue, and a token to send with."""
    await ensure_topics(kafka, vantages=[])
    document = msgspec.json.encode(_catalogue())
    async with open_store(dsn, size=2) as store:
        async with store.transaction() as connection:
            await catalogues.add(
                connection, sha256="bench", document=document, valid_from_ms=int(time.time() * 1000)
            )
        return await tokens.create_token(store, "bench", role=Role.SENDER)


def _catalogue() -> Catalogue:
    slugs = [f"service-{number:04d}" for number in range(SERVICES)]
    return Catalogue(
        entities=(Entity(slug="entity"),),
        services=tuple(
            Service(
                slug=slug,
                entity="entity",
                channels=(Channel(subject=f"service:{slug}/web", slug="web", kind=ChannelKind.WEB),),
            )
            for slug in slugs
        ),
    )


@contextmanager
def _web(kafka: Kafka, dsn: str, port: int, pulse: int) -> Iterator[Child]:
    folder = parts.folder() / parts.fresh("web")
    folder.mkdir()
    settings = {"CONTINUITY_WEB_PORT": str(port), "CONTINUITY_PULSE_WEB": str(pulse)}
    child = role("web", kafka, folder=folder, dsn=dsn, **settings)
    try:
        child.wait_until(lambda: _ready(pulse), within_s=READY_S)
        yield child
    finally:
        child.stop()


def _ready(pulse: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{pulse}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _figures(port: int, secret: str, load: dict[str, Any], pid: int, *, runs: int, seconds: float) -> Figures:
    rates = []
    for _ in range(runs):
        quiet(0.5)
        used_s = cpu_s(pid)
        found = _run(port, secret, load, seconds=seconds)
        rates.append(found["events_s"])
        cpu_us = (cpu_s(pid) - used_s) / (found["events_s"] * found["took_s"]) * 1e6
    return Figures(rates, found["p50_ms"], found["p99_ms"], cpu_us)


def _run(port: int, secret: str, load: dict[str, Any], *, seconds: float) -> dict[str, Any]:
    with Tool("poster", port=port, secret=secret, seconds=seconds, **load) as client:
        found: dict[str, Any] = client.said()
    if found["refused"]:
        raise RuntimeError(f"not all of it was taken: {found['refused']}")
    return found


def _metric(pulse: int, name: str) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{pulse}/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return next(sample.value for family in families for sample in family.samples if sample.name == name)


async def _stored(kafka: Kafka) -> int:
    """How many records are in the topic."""
    async with open_consumer(kafka) as consumer:
        places = [TopicPartition(kafka.topic(TRANSACTIONS), number) for number in range(kafka.partitions)]
        return sum((await consumer.end_offsets(places)).values())
