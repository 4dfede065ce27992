"""The only place where parts meet: each role opened from its settings, run until asked to stop.

A function imports what it alone needs: a command that asks the database loads neither Kafka nor the pages.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from monitor import log as logs
from monitor.addresses import dsn_of, kafka_of, replacements, version
from monitor.config.load import load, load_settings
from monitor.config.settings import Settings
from monitor.errors import MonitorError, StoreUnavailable, UsageError
from monitor.lifetime import Backoff, Stop, live, stopping_on_signals
from monitor.store.migrate import migrate as apply_migrations
from monitor.store.pool import Store, open_store

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from monitor.stream.kafka import Kafka

log = logs.Log(__name__)

ROLES = ("probe", "ingest", "count", "derive", "web", "notify", "report", "public")
# `all` is these in one process and `probe` in another
TOGETHER = ("ingest", "count", "derive", "web", "notify", "report", "public")
ALONE = frozenset({"public"})  # these need neither Kafka nor the database, nor their secrets
CHILD_STOP_S = 30.0

Loop = Coroutine[Any, Any, None]


@dataclass
class Process:
    """What the roles of one process share."""

    names: tuple[str, ...]
    config: Path
    settings: Settings
    registry: CollectorRegistry
    stop: Stop = field(default_factory=Stop)
    on_reload: list[Callable[[], None]] = field(default_factory=list)
    waiting: dict[str, Callable[[], str | None]] = field(default_factory=dict)

    @cached_property
    def kafka(self) -> Kafka:
        return kafka_of(self.settings)

    @cached_property
    def dsn(self) -> str:
        return dsn_of(self.settings)

    def waiting_for(self) -> str | None:
        """What the first role that is not ready waits for; None when all are ready."""
        return next((f"{name}: {why}" for name, ask in self.waiting.items() if (why := ask())), None)


def run(names: Sequence[str], *, config: Path, data: Path | None = None) -> int:
    """Run roles in this process (`all`: with the prober in another) until SIGINT or SIGTERM.

    Returns 0 after an orderly end, 1 after a crash. Raises UsageError, and ConfigError when the catalogue has
    mistakes: then nothing was started.
    """
    wanted = tuple(dict.fromkeys(names))
    if unknown := set(wanted) - {*ROLES, "all"}:
        raise UsageError(f"no role {', '.join(sorted(unknown))}; the roles are {', '.join(ROLES)}, or all")
    here = TOGETHER if "all" in wanted else wanted
    whole = "derive" in here  # it publishes the catalogue: every mistake is told before anything starts
    settings = load(config, replace=replacements()).settings if whole else load_settings(config)
    if data is not None:
        settings = msgspec.structs.replace(settings, data=str(data))
    logs.set_up(settings.log_level)
    from prometheus_client import CollectorRegistry

    process = Process(here, config, settings, CollectorRegistry())
    if set(here) - ALONE:
        _ = process.kafka, process.dsn  # a secret that is not there is told before anything starts
    return _run_in_loop(_main(process, with_prober="all" in wanted))


def _run_in_loop(main: Coroutine[Any, Any, int]) -> int:
    if sys.platform == "win32":
        return asyncio.run(main)
    import uvloop

    return uvloop.run(main)


async def _main(process: Process, *, with_prober: bool) -> int:
    with stopping_on_signals(process.stop):
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, partial(_reload, process))
        try:
            async with AsyncExitStack() as stack:
                loops = await _open(process, stack)
                if with_prober:
                    loops["prober"] = _child(process)
                log.info("process.started", roles=list(process.names))
                await live(process.stop, loops)
            failed = False
        except* (MonitorError, OSError, TimeoutError) as group:
            failed = True
            for error in _leaves(group):
                log.error("process.failed", why=f"{type(error).__name__}: {error}")
    log.info("process.stopped", roles=list(process.names))
    return 1 if failed else 0


def _leaves(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [leaf for each in error.exceptions for leaf in _leaves(each)]
    return [error]


def _reload(process: Process) -> None:
    for reload in process.on_reload:
        reload()


async def _open(process: Process, stack: AsyncExitStack) -> dict[str, Loop]:
    """Open what the roles need, first opened last closed; returns their loops."""
    from monitor.metrics import Pulse
    from monitor.pulse import serve_pulse, watch_the_loop

    pulse = Pulse(process.registry, version=version(), roles=",".join(process.names))
    port = getattr(process.settings.pulse, process.names[0])
    await stack.enter_async_context(
        serve_pulse(
            process.registry,
            host=process.settings.pulse.host,
            port=port,
            waiting_for=process.waiting_for,
        )
    )
    loops: dict[str, Loop] = {"pulse": watch_the_loop(pulse, process.stop)}
    if set(process.names) - {"probe", *ALONE}:
        store = await stack.enter_async_context(
            open_store(
                process.dsn,
                size=process.settings.postgres.pool,
                waited=pulse.database_waits_s.observe,
                application="continuity " + " ".join(process.names),
            )
        )
        await _migrated(process)
    if {"probe", "derive"} & set(process.names):
        loops["topics"] = _topics(process)
    openers: dict[str, Callable[[], Awaitable[Loop]]] = {
        "probe": lambda: _probe(process, stack),
        "ingest": lambda: _ingest(process, store),
        "count": lambda: _count(process, store),
        "derive": lambda: _derive(process, store, stack),
        "web": lambda: _web(process, store, stack),
        "public": lambda: _public(process),
        "report": lambda: _report(process, store),
        "notify": lambda: _notify(process, store, stack),
    }
    for name in process.names:
        loops[name] = await openers[name]()
    if "derive" in process.names:
        loops["accounting"] = _accounting(process, store)
    return loops


async def _migrated(process: Process) -> None:
    """Bring the database up to date; wait for it as long as it is away."""
    backoff = Backoff()
    while not process.stop.requested:
        try:
            applied = await apply_migrations(process.dsn)
        except StoreUnavailable as error:
            log.warning("store.away", why=str(error))
            await process.stop.pause(backoff.next_s())
        else:
            for name in applied:
                log.info("store.migrated", name=name)
            return


async def _topics(process: Process) -> None:
    """Make missing topics, if they may be made; a broker that is away delays this and stops nobody."""
    from monitor.errors import StreamUnavailable
    from monitor.stream.kafka import ensure_topics

    backoff = Backoff()
    while not process.stop.requested:
        try:
            await ensure_topics(process.kafka, vantages=[process.settings.probe.vantage])
        except StreamUnavailable as error:
            log.warning("stream.topics_unknown", why=str(error))
            await process.stop.pause(backoff.next_s())
        else:
            return


async def _probe(process: Process, stack: AsyncExitStack) -> Loop:
    from monitor.metrics import ProbeMetrics
    from monitor.scheduler.prober import probe_role
    from probes.ask import Asker

    vantage = process.settings.probe.vantage
    asker = await stack.enter_async_context(Asker())
    metrics = ProbeMetrics(process.registry, vantage=vantage)
    owned = metrics.checks._value.get
    process.waiting["probe"] = lambda: None if owned() else "a catalogue and a share of its checks"
    return probe_role(
        process.kafka,
        vantage=vantage,
        folder=process.settings.data_folder / "probe" / vantage,
        asker=asker,
        metrics=metrics,
        stop=process.stop,
    )


async def _ingest(process: Process, store: Store) -> Loop:
    from monitor.judge.batch import REASONS
    from monitor.judge.ingest import Ingest
    from monitor.metrics import IngestMetrics
    from monitor.stream.kafka import partition_for
    from monitor.stream.loop import Hooks, consume
    from monitor.stream.wire import OBSERVATIONS

    topic = process.kafka.topic(OBSERVATIONS)
    metrics = IngestMetrics(process.registry, topic=topic, reasons=REASONS)
    keeper = Ingest(
        store,
        topic=topic,
        owner=partial(partition_for, partitions=process.kafka.partitions),
        metrics=metrics,
    )
    process.waiting["ingest"] = lambda: None if keeper.ready else "a partition and a catalogue"
    hooks = Hooks(
        lag=lambda partition, records: metrics.lag.labels(topic, str(partition)).set(records),
        stopped=lambda partition, on: metrics.stopped.labels(topic, str(partition)).set(int(on)),
        fenced=metrics.fenced.inc,
    )

    async def ingest() -> None:
        await _topics(process)  # a group that forms on half a topic leaves the other half unread
        await consume(
            process.kafka, topic=OBSERVATIONS, group="ingest", keeper=keeper, stop=process.stop, hooks=hooks
        )

    return ingest()


async def _count(process: Process, store: Store) -> Loop:
    from monitor.judge.counter import count_role, topics
    from monitor.judge.counting import REASONS
    from monitor.metrics import CountMetrics

    counted = topics(process.kafka, process.settings.transactions)
    metrics = CountMetrics(process.registry, topics=[*counted], reasons=REASONS)
    ready = partial(process.waiting.__setitem__, "count")
    ready(lambda: "its topics")

    async def count() -> None:
        await _topics(process)
        _collect_seldom()
        await count_role(
            process.kafka,
            store,
            topics=counted,
            ahead_s=process.settings.transactions.ahead_s,
            metrics=metrics,
            stop=process.stop,
            ready=ready,
        )

    return count()


def _collect_seldom() -> None:
    """Counting makes many short-lived objects and few circles: looking for those took a sixth of its time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)  # rarely, not never: what a rebalance leaves behind is in circles


async def _derive(process: Process, store: Store, stack: AsyncExitStack) -> Loop:
    from monitor.judge.derive import ROLE, Derive
    from monitor.judge.handling import Handling
    from monitor.judge.prompter import Prompter
    from monitor.judge.publishing import Publisher
    from monitor.judge.watching import Watching
    from monitor.metrics import DeriveMetrics, HandlingMetrics, WatchMetrics
    from monitor.public.metrics import WriteMetrics
    from monitor.public.publishing import Publishing
    from monitor.store.lease import Lease
    from monitor.store.listen import Bell, listening
    from monitor.stream.catalogue import publish_version
    from monitor.stream.kafka import partition_for
    from monitor.stream.requests import send_requests
    from monitor.stream.wire import TRANSACTIONS

    bell = Bell()
    await stack.enter_async_context(listening(process.dsn, bell))
    metrics = DeriveMetrics(process.registry)
    lease = Lease(store, role=ROLE, holder=f"{socket.gethostname()}:{os.getpid()}")
    publisher = Publisher(
        store,
        partial(publish_version, process.kafka),
        folder=process.config,
        replace=replacements(),
        lease=lease,
        metrics=metrics,
    )
    process.on_reload.append(publisher.reload)
    derive = Derive(store, publisher, lease=lease, metrics=metrics, bell=bell)
    handled = HandlingMetrics(process.registry)
    prompter = Prompter(partial(send_requests, process.kafka), metrics=handled)
    handling = Handling(store, lease=lease, metrics=handled, bell=bell, prompter=prompter)
    watching = Watching(
        store,
        lease=lease,
        topic=process.kafka.topic(TRANSACTIONS),
        owner=partial(partition_for, partitions=process.kafka.partitions),
        metrics=WatchMetrics(process.registry),
        others=[source.topic for source in process.settings.transactions.sources],
        excluded=handling.excluded,
    )
    publishing = Publishing(
        store,
        folder=process.settings.public_folder,
        url=process.settings.public.url,
        lease=lease,
        metrics=WriteMetrics(process.registry),
    )

    async def lead() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(derive.run(process.stop))
            group.create_task(watching.run(process.stop))
            group.create_task(handling.run(process.stop))
            group.create_task(prompter.run(process.stop))
            group.create_task(publishing.run(process.stop))

    return lead()


def _accounting(process: Process, store: Store) -> Loop:
    from monitor.judge.accounting import ROLE, Accounting
    from monitor.metrics import AccountingMetrics
    from monitor.store.lease import Lease

    lease = Lease(store, role=ROLE, holder=f"{socket.gethostname()}:{os.getpid()}")
    return Accounting(store, lease=lease, metrics=AccountingMetrics(process.registry)).run(process.stop)


async def _web(process: Process, store: Store, stack: AsyncExitStack) -> Loop:
    from monitor.exporter.budgets import BudgetLines
    from monitor.exporter.state import StateMetrics
    from monitor.metrics import GatewayMetrics
    from monitor.store.listen import Bell, listening
    from monitor.stream.send import open_sender
    from monitor.web.app import web_role
    from monitor.web.gateway import Gateway
    from monitor.web.state import Live
    from monitor.web.traffic import Traffic

    bell = Bell()
    await stack.enter_async_context(listening(process.dsn, bell))
    state = Live(store, bell)
    sender = await stack.enter_async_context(open_sender(process.kafka))
    traffic = Traffic(store, state)
    metrics = StateMetrics(
        lambda: (state.picture, state.answers, traffic.seen),
        figures=lambda: state.figures.rows,
        more=[BudgetLines(state.figures, lambda: state.incidents).bytes],
    )
    process.waiting["web"] = lambda: None if state.picture is not None else "the first catalogue"
    return web_role(
        state,
        traffic,
        store,
        host=process.settings.web.host,
        port=process.settings.web.port,
        stop=process.stop,
        gateway=Gateway(
            sender, store, GatewayMetrics(process.registry), ahead_s=process.settings.transactions.ahead_s
        ),
        extra_routes=[("/metrics/state", metrics.handle)],
    )


async def _public(process: Process) -> Loop:
    from monitor.public.metrics import ServeMetrics
    from monitor.public.serve import Server, public_role

    given = process.settings.public
    server = Server(process.settings.public_folder, ServeMetrics(process.registry))
    process.waiting["public"] = lambda: None if server.held is not None else "the first version of its folder"
    return public_role(server, host=given.host, port=given.port, stop=process.stop)


async def _report(process: Process, store: Store) -> Loop:
    from monitor.report.delivery.loop import Delivering
    from monitor.report.delivery.metrics import DeliveryMetrics
    from monitor.report.metrics import ReportMetrics
    from monitor.report.publishing import ROLE, Reporting
    from monitor.store.lease import Lease

    lease = Lease(store, role=ROLE, holder=f"{socket.gethostname()}:{os.getpid()}")
    reporting = Reporting(
        store,
        lease=lease,
        settings=process.settings.report,
        metrics=ReportMetrics(process.registry),
        software=version(),
    )
    given = process.settings.report.delivery
    delivering = Delivering(
        store,
        settings=given,
        url=process.settings.web.url,
        metrics=DeliveryMetrics(process.registry, [one.name for one in given.recipients]),
    )

    async def both() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(reporting.run(process.stop))
            group.create_task(delivering.run(process.stop))

    return both()


async def _notify(process: Process, store: Store, stack: AsyncExitStack) -> Loop:
    from monitor.alerts.loop import notify_role
    from monitor.alerts.metrics import NotifyMetrics
    from monitor.alerts.receivers.names import name_of
    from monitor.store.listen import Bell, listening

    bell = Bell()
    await stack.enter_async_context(listening(process.dsn, bell))
    given = process.settings.alerts
    names = [*map(name_of, given.alertmanagers), *(one.name for one in given.receivers)]
    ready = partial(process.waiting.__setitem__, "notify")
    return notify_role(
        store,
        settings=given,
        url=process.settings.web.url,
        holder=f"{socket.gethostname()}:{os.getpid()}",
        bell=bell,
        metrics=NotifyMetrics(process.registry, names),
        stop=process.stop,
        ready=ready,
    )


async def _child(process: Process) -> None:
    """The prober as a process of its own; when it ends by itself, so do we."""
    command = [sys.executable, "-m", "monitor", "run", "probe", "--config", str(process.config)]
    child = await asyncio.create_subprocess_exec(
        *command, "--data", process.settings.data, start_new_session=True
    )
    waiting = asyncio.create_task(child.wait())
    stopping = asyncio.create_task(process.stop.wait())
    try:
        await asyncio.wait([waiting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done():
            raise MonitorError(f"the prober ended with {child.returncode}")
        child.terminate()
        async with asyncio.timeout(CHILD_STOP_S):
            await waiting
    finally:
        stopping.cancel()
        if child.returncode is None:
            child.kill()
            await child.wait()
