"""From files to the version of the catalogue that every role follows; a bad edit changes nothing."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import msgspec

from monitor.config.load import Loaded, load
from monitor.config.watch import fingerprint
from monitor.errors import ConfigError, StreamUnavailable
from monitor.log import Log
from monitor.metrics import DeriveMetrics
from monitor.model import GOVERNMENT, SYSTEMS, Catalogue, Version
from monitor.store import catalogue as table
from monitor.store.changes import wake
from monitor.store.lease import Lease
from monitor.store.pool import Store

log = Log(__name__)
LEAD_MS = 2_000  # a new version takes force this much later, so that every role has it by then


class Publisher:
    """Publishes what the files say, when they say something new. Only derive's leader calls it."""

    def __init__(
        self,
        store: Store,
        send: Callable[[Version], Awaitable[None]],
        *,
        folder: Path,
        replace: Mapping[str, str],
        lease: Lease,
        metrics: DeriveMetrics,
    ) -> None:
        self._store, self._send, self._folder, self._replace = store, send, folder, replace
        self._lease, self._metrics = lease, metrics
        self._seen: object = None  # fingerprint of the files as last read
        self._unsent: Version | None = None
        self._asked = True

    def reload(self) -> None:
        """Read the files at the next look, changed or not (SIGHUP)."""
        self._asked = True

    def forget(self) -> None:
        """A new leader trusts nothing: read, compare and send again."""
        self._asked = True

    async def look(self) -> None:
        """Read, store and send what is new. Raises StoreUnavailable and LeaseLost; Kafka away is retried."""
        print_now = await asyncio.to_thread(fingerprint, self._folder)
        if self._asked or print_now != self._seen:
            await self._take()
            self._seen, self._asked = print_now, False
        if self._unsent is not None:
            try:
                await self._send(self._unsent)
            except StreamUnavailable as error:
                log.warning("catalogue.not_sent", serial=self._unsent.serial, why=str(error))
            else:
                log.info("catalogue.published", serial=self._unsent.serial)
                self._unsent = None

    async def _take(self) -> None:
        try:
            loaded: Loaded = await asyncio.to_thread(load, self._folder, replace=self._replace)
        except ConfigError as error:
            await self._refuse(error)
            return
        version = await self._store_version(loaded.catalogue)
        self._unsent = version
        self._metrics.reload_ok.set(1)
        self._metrics.reload_at.set(time.time())
        self._metrics.serial.set(version.serial)

    async def _refuse(self, error: ConfigError) -> None:
        log.error("catalogue.refused", problems=[str(problem) for problem in error.problems][:20])
        self._metrics.reload_ok.set(0)
        async with self._store.transaction() as connection:
            await self._lease.lock(connection)
            await table.refuse(connection, [str(problem) for problem in error.problems])
            await wake(connection)

    async def _store_version(self, catalogue: Catalogue) -> Version:
        """The version that says this: the newest stored one, or a new one."""
        document = msgspec.json.encode(catalogue)
        sha256 = hashlib.sha256(document).hexdigest()
        async with self._store.transaction() as connection:
            await self._lease.lock(connection)
            newest = await table.newest(connection)
            await table.refuse(connection, [])
            if newest is not None and newest.sha256 == sha256:
                return newest
            valid_from_ms = int(time.time() * 1000) + (LEAD_MS if newest else 0)
            serial = await table.add(
                connection, sha256=sha256, document=document, valid_from_ms=valid_from_ms
            )
            await table.set_membership(connection, membership(catalogue), from_ms=valid_from_ms)
            await wake(connection)
        log.info("catalogue.stored", serial=serial, services=len(catalogue.services))
        return Version(serial=serial, sha256=sha256, valid_from_ms=valid_from_ms, catalogue=catalogue)


def membership(catalogue: Catalogue) -> list[tuple[str, str]]:
    """(subject, parent): who is a part of whom, and so that it exists.

    Services sum into entities, entities into the government; channels into no sum, but they belong to one.
    """
    entities = {entity.slug: entity.subject for entity in catalogue.entities}
    pairs = [(subject, GOVERNMENT) for subject in entities.values()]
    pairs += [(system.subject, SYSTEMS) for system in catalogue.systems]
    for service in catalogue.services:
        pairs.append((service.subject, entities.get(service.entity, GOVERNMENT)))
        pairs += [(channel.subject, service.subject) for channel in service.channels]
    return pairs
