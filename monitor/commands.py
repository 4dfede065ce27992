"""What a single command does where parts meet: open what it needs, ask or tell, close.

A function imports what it alone needs: a command that asks the database loads neither Kafka nor the pages.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from monitor import log as logs
from monitor.addresses import dsn_of, kafka_of, replacements, stored, version
from monitor.config.load import load
from monitor.config.settings import Settings
from monitor.errors import UsageError
from monitor.roles import ROLES
from monitor.store.migrate import migrate as apply_migrations

if TYPE_CHECKING:
    from monitor.judge.retrying import Retried
    from monitor.store.pool import Store

Answer = TypeVar("Answer")


class Line(NamedTuple):
    """One thing `check --connect` looked at, and what to do when it is not as it should be."""

    ok: bool
    what: str
    remedy: str = ""


def migrate(settings: Settings) -> list[str]:
    """Apply what is missing; returns the names. Raises StoreUnavailable."""
    return asyncio.run(apply_migrations(dsn_of(settings)))


def connect_report(settings: Settings) -> list[Line]:
    """Sign in to Kafka and PostgreSQL and look at everything we need there."""
    logs.hush()
    return asyncio.run(_connect_report(settings))


async def _connect_report(settings: Settings) -> list[Line]:
    from monitor.store.check import connect_lines as look_at_postgres
    from monitor.stream.check import connect_lines as look_at_kafka

    kafka = await look_at_kafka(
        kafka_of(settings),
        roles=ROLES,
        vantages=[settings.probe.vantage],
        sources={source.topic: f"count.{source.name}" for source in settings.transactions.sources},
    )
    postgres = await look_at_postgres(dsn_of(settings))
    return [Line(*line) for line in (*kafka, *postgres)]


def token_create(settings: Settings, name: str, *, role: str, entities: Sequence[str] = ()) -> str:
    """A new token, shown this once. Raises UsageError when the name is taken, StoreUnavailable."""
    from monitor.store import tokens

    async def create() -> str:
        async with stored(settings) as store:
            return await tokens.create_token(store, name, role=tokens.Role(role), entities=entities)

    return asyncio.run(create())


def token_list(settings: Settings) -> list[Any]:
    """Every token without its secret."""
    from monitor.store import tokens

    async def listed() -> list[Any]:
        async with stored(settings) as store:
            return list(await tokens.list_tokens(store))

    return asyncio.run(listed())


def token_revoke(settings: Settings, name: str) -> bool:
    """False when there is no such token in force."""
    from monitor.store import tokens

    async def revoke() -> bool:
        async with stored(settings) as store:
            return bool(await tokens.revoke_token(store, name))

    return asyncio.run(revoke())


def sign_in_link(settings: Settings, name: str, role: str) -> str:
    """A link that signs its first user in as `name`."""
    from monitor.store import tokens

    async def link() -> str:
        async with stored(settings) as store:
            return await tokens.create_sign_in(store, name, tokens.Role(role))

    return f"{settings.web.url}/sign-in/{asyncio.run(link())}"


def stream_accept(settings: Settings, topic: str, partition: int, *, force: bool = False) -> int:
    """Read a partition on from where it begins now; returns that offset. What was stored is not stored twice.

    Raises UsageError when we never read that partition, or when nothing is wrong with it and `force` is not
    given; StoreUnavailable, StreamUnavailable.
    """
    from monitor.store import stream
    from monitor.stream.offsets import beginning, unchanged

    logs.hush()
    kafka = kafka_of(settings)

    async def accept() -> int:
        begin = await beginning(kafka, topic=topic, partition=partition)
        where: dict[str, Any] = {"cluster": begin.cluster, "topic": topic, "partition": partition}
        async with stored(settings) as store:
            known = await stream.stored(store, **where)
            if known is None:
                if await stream.elsewhere(store, **where):
                    await stream.accept(store, **where, next_offset=begin.offset)
                    return begin.offset
                raise UsageError(
                    f"{topic}/{partition} of cluster {begin.cluster} was never read by this monitor"
                )
            last = (known.next - 1, known.last_at_ms, known.last_crc)
            if not force and await unchanged(kafka, begin, topic=topic, partition=partition, last=last):
                raise UsageError(
                    f"nothing is wrong with {topic}/{partition}: read up to {known.next} of {begin.end}. "
                    f"Accepting would read it again from {begin.offset}; --force does so all the same"
                )
            await stream.accept(store, **where, next_offset=begin.offset)
        return begin.offset

    return asyncio.run(accept())


def dead_letters(settings: Settings, *, limit: int = 100) -> list[Any]:
    """The newest records that were set aside."""
    from monitor.store import stream

    async def read() -> list[Any]:
        async with stored(settings) as store:
            return list(await stream.dead_letters(store, limit=limit))

    return asyncio.run(read())


def retry_dead_letters(settings: Settings) -> Retried:
    """Count those of transactions that can be counted by the catalogue of now. Raises StoreUnavailable."""
    from monitor.judge.books import Books
    from monitor.judge.counter import topics
    from monitor.judge.retrying import retry

    async def again() -> Retried:
        async with stored(settings) as store:
            books = Books(store, ahead_s=settings.transactions.ahead_s)
            read = topics(kafka_of(settings), settings.transactions)
            return await retry(books, {topic: how.shape for topic, how in read.items()})

    return asyncio.run(again())


def try_source(config: Path, name: str, *, last: int) -> list[Any]:
    """How the last messages of a source would count, by the configuration in `config`; nothing is stored.

    Raises UsageError when no source is called so, ConfigError, StreamUnavailable.
    """
    from monitor.config.decode import suggestion
    from monitor.judge.trying import tried
    from monitor.stream.tail import tail

    logs.hush()
    loaded = load(config, replace=replacements())
    given = loaded.settings.transactions
    sources = {source.name: source for source in given.sources}
    if name not in sources:
        raise UsageError(f"no source is called {name!r} in {config}{suggestion(name, sources)}")
    source = sources[name]
    found = asyncio.run(tail(kafka_of(loaded.settings), topic=source.topic, last=last))
    now_ms = int(time.time() * 1000)
    return list(tried(source, loaded.catalogue, found, now_ms=now_ms, ahead_s=given.ahead_s))


def availability(settings: Settings, named: str, **stretch: str | None) -> dict[str, Any]:
    """The figure of what `named` means in the catalogue in force, as the API gives it.

    `stretch`: period, start, end and zone as texts. Raises UsageError when there is no such thing or stretch,
    StoreUnavailable.
    """
    from monitor.web.api.named import figure_named

    async def figure() -> dict[str, Any]:
        async with stored(settings) as store:
            return await figure_named(store, named, now_ms=int(time.time() * 1000), **stretch)

    return asyncio.run(figure())


def objectives(settings: Settings, service: str | None) -> list[dict[str, Any]]:
    """Objectives with their budgets as the API gives them; of one service, or of all and the headline.

    Raises UsageError when no service is called so, StoreUnavailable.
    """
    from monitor.web.api.named import objectives_named

    async def found() -> list[dict[str, Any]]:
        async with stored(settings) as store:
            return await objectives_named(store, service, now_ms=int(time.time() * 1000))

    return asyncio.run(found())


def public_export(settings: Settings, folder: Path) -> int:
    """Write the public pages as of now; returns how many files. Raises UsageError, StoreUnavailable."""
    from monitor.public import folder as folders
    from monitor.public.publishing import export

    folders.check_target(folder)

    async def write() -> int:
        async with stored(settings) as store:
            files = await export(store, url=settings.public.url)
        if files is None:
            raise UsageError("there is no catalogue yet; start `derive` first")
        try:
            folders.write(folder, files)
        except OSError as error:
            raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
        return len(files)

    return asyncio.run(write())


def incidents(settings: Settings, *, closed: bool = False, limit: int = 50) -> list[dict[str, Any]]:
    """Open incidents, or those closed last, as the API lists them. Raises StoreUnavailable."""
    from monitor.web.api import incident_desk

    return _stored(settings, lambda store, now_ms: incident_desk.listed(store, closed=closed, limit=limit))


def incident(settings: Settings, number: str) -> dict[str, Any]:
    """One with its timeline. Raises UsageError, StoreUnavailable."""
    from monitor.web.api import incident_desk

    return _stored(settings, lambda store, now_ms: incident_desk.one(store, number))


def incident_open(settings: Settings, sent: dict[str, str], *, by: str) -> dict[str, Any]:
    """A new one by hand. Raises UsageError for what is wrong with it, StoreUnavailable."""
    from monitor.web.api import incident_desk

    return _stored(settings, lambda store, now_ms: incident_desk.opened(store, sent, by=by, now_ms=now_ms))


def incident_note(settings: Settings, number: str, text: str, *, by: str) -> dict[str, Any]:
    """With one more note. Raises UsageError, StoreUnavailable."""
    from monitor.web.api import incident_desk

    return _stored(settings, lambda store, now_ms: incident_desk.noted(store, number, text, by=by))


def incident_close(settings: Settings, number: str, *, by: str, summary: str | None) -> dict[str, Any]:
    """Closed by hand. Raises UsageError when it cannot be, StoreUnavailable."""
    from monitor.web.api import incident_desk

    return _stored(
        settings,
        lambda store, now_ms: incident_desk.closed(store, number, by=by, now_ms=now_ms, summary=summary),
    )


def shift(settings: Settings, since: str, *, text: str | None, by: str) -> dict[str, Any]:
    """A shift as the API gives it; a `text` is signed first. Raises UsageError, StoreUnavailable."""
    from monitor.web.api.shift import shift_named

    return _stored(settings, lambda store, now_ms: shift_named(store, since, text=text, by=by))


def _stored(settings: Settings, act: Callable[[Store, int], Coroutine[Any, Any, Answer]]) -> Answer:
    """What `act` answers, given the database and the hour (Unix ms)."""

    async def run() -> Answer:
        async with stored(settings) as store:
            return await act(store, int(time.time() * 1000))

    return asyncio.run(run())


def report_publish(
    settings: Settings, label: str | None, *, entity: str | None, incomplete: bool, why: str | None, by: str
) -> Any:
    """Freeze a report that is not published yet, or with `why` a correction; returns its document.

    Without `label`: the last week that is over. Raises UsageError, StoreUnavailable.
    """
    from monitor.report.asking import Wanted, publish

    wanted = Wanted(label, entity, incomplete=incomplete, why=why, by=by)

    async def frozen() -> Any:
        async with stored(settings) as store:
            return await publish(store, wanted, settings.report, software=version())

    return asyncio.run(frozen())


def report_list(settings: Settings, *, limit: int = 100) -> list[Any]:
    """The last version of each published report, the newest period first. Raises StoreUnavailable."""
    from monitor.store import reports

    async def listed() -> list[Any]:
        async with stored(settings) as store:
            return list(await reports.newest(store, limit=limit))

    return asyncio.run(listed())


def report_read(settings: Settings, label: str, *, entity: str | None, number: int | None) -> bytes:
    """The frozen JSON of a report. Raises UsageError when there is none, StoreUnavailable."""
    from monitor.report.asking import read_frozen

    async def read() -> bytes:
        async with stored(settings) as store:
            return await read_frozen(store, label, entity=entity, version=number)

    return asyncio.run(read())


def public_say(settings: Settings, incident: str, *, ar: str, en: str, clock: str | None, by: str) -> None:
    """Add to what the public is told of an incident. Raises UsageError, StoreUnavailable."""
    from zoneinfo import ZoneInfo

    from monitor.judge.promises import next_at, word
    from monitor.store import incidents, public, read

    async def say() -> None:
        now_ms = int(time.time() * 1000)
        async with stored(settings) as store:
            if await incidents.one(store, incident) is None:
                raise UsageError(f"no incident {incident!r}; the page /incidents lists them")
            version = await read.version(store, await read.serial_in_force(store))
            zone = ZoneInfo(version.catalogue.zone)
            due_ms = None if clock is None else next_at(clock, zone=zone, now_ms=now_ms)
            said = word(
                {"ar": ar, "en": en}, version.catalogue.languages, next_update_ms=due_ms, now_ms=now_ms
            )
            await public.say(store, incident, **said._asdict(), actor=by)

    asyncio.run(say())


def try_receiver(config: Path, name: str) -> tuple[bool, str]:
    """Whether a receiver took a test message, and what it said. Raises UsageError, ConfigError."""
    from urllib.parse import urlsplit

    from monitor.alerts.trying import tried
    from monitor.outcome import Fate

    loaded = load(config, replace=replacements())
    url = loaded.settings.web.url
    host = urlsplit(url).hostname or "localhost"
    outcome = asyncio.run(tried(loaded.settings.alerts, loaded.catalogue, name, url=url, host=host))
    return outcome.fate is Fate.ACCEPTED, outcome.said


def explain_alerts(config: Path, slug: str) -> dict[str, Any]:
    """Who would be told of a service now, by the configuration in `config`, and what is open.

    Raises UsageError when no service is called so, ConfigError, StoreUnavailable.
    """
    from monitor.alerts.explain import explained

    loaded = load(config, replace=replacements())
    given, catalogue = loaded.settings.alerts, loaded.catalogue
    return _stored(
        loaded.settings, lambda store, now_ms: explained(store, given, catalogue, slug, now_ms=now_ms)
    )


def delivery_log(settings: Settings, *, incident: str | None, limit: int) -> list[Any]:
    """What became of each message, the newest first. Raises StoreUnavailable."""
    from monitor.store import deliveries

    return _stored(settings, lambda store, now_ms: deliveries.log(store, incident=incident, limit=limit))


def work(settings: Settings, act: str, *given: Any, **more: Any) -> Any:
    """`act` of monitor.web.api.work_named on the store. Raises UsageError, StoreUnavailable."""
    from monitor.web.api import work_named

    async def acted() -> Any:
        async with stored(settings) as store:
            return await getattr(work_named, act)(store, *given, **more)

    return asyncio.run(acted())
