"""Whether a transaction can count under the catalogue: what its sender can be told at once. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from monitor.errors import BadMessage
from monitor.model import Catalogue

COUNT_MOST = 1_000_000_000
ID_MOST = 200  # characters


class Event(Protocol):
    """A transaction event, as far as the catalogue has a say in it."""

    @property
    def id(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def duration_ms(self) -> float | None: ...


class Offers:
    """The services of a catalogue and their channels, by slug; a former slug is as good as the new one."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._entities: dict[str, str] = {}
        self._channels: dict[tuple[str, str], str] = {}  # the entity again: one look for what is well
        for service in catalogue.services:
            for slug in (service.slug, *service.was):
                self._entities[slug] = service.entity
                for channel in service.channels:
                    self._channels[slug, channel.slug] = service.entity

    def check(self, event: Event, *, entities: Collection[str] = ()) -> None:
        """Raises BadMessage for what would not count, or is not for this sender (`entities`: only these)."""
        if event.count < 1 or event.count > COUNT_MOST:
            raise BadMessage("absurd", f"`count` is {event.count}; it must be from 1 to {COUNT_MOST}")
        if event.duration_ms is not None and event.duration_ms < 0:
            raise BadMessage("absurd", f"`duration_ms` is {event.duration_ms:g}; it must not be negative")
        if len(event.id) > ID_MOST:
            raise BadMessage("absurd", f"`id` has {len(event.id)} characters; at most {ID_MOST}")
        entity = self._channels.get((event.service, event.channel))
        if entity is None:
            raise self._unknown(event)
        if entities and entity not in entities:
            raise BadMessage("not_allowed", f"this token may not send for {_quoted(event.service)}")

    def _unknown(self, event: Event) -> BadMessage:
        if event.service not in self._entities:
            return BadMessage("unknown_service", f"no service {_quoted(event.service)} in the catalogue")
        channels = sorted(channel for service, channel in self._channels if service == event.service)
        return BadMessage(
            "unknown_channel",
            f"no channel {_quoted(event.channel)} of {event.service} in the catalogue; "
            f"it has {', '.join(channels) or 'none'}",
        )


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")
