"""Whether a transaction can count under the catalogue: what its sender can be told at once. Pure."""

from __future__ import annotations

from collections.abc import Collection

from monitor.errors import BadMessage
from monitor.judge.counting import COUNT_MAX, DURATION_MS_MAX, KEPT_MS, Event, Span, by_slug
from monitor.model import Catalogue

DAY_MS = 86_400_000
ID_MOST = 200  # characters


class Offers:
    """The services of a catalogue and their channels, by slug; a former slug is as good as the new one."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._entities: dict[str, str] = {}
        self._channels: dict[tuple[str, str], str] = {}  # the entity again: one look for what is well
        for slug, service in by_slug(catalogue):
            self._entities[slug] = service.entity
            for channel in service.channels:
                self._channels[slug, channel.slug] = service.entity

    def check(self, event: Event, within: Span, *, entities: Collection[str] = ()) -> None:
        """Raises BadMessage for what would not count, or is not for this sender (`entities`: only these)."""
        check_values(event, within)
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


def check_values(event: Event, within: Span) -> None:
    """What needs no catalogue. Raises BadMessage("absurd")."""
    if not 0 < event.count <= COUNT_MAX:
        raise BadMessage("absurd", f"`count` is {event.count}; it must be from 1 to {COUNT_MAX}")
    if event.duration_ms is not None and not 0 <= event.duration_ms <= DURATION_MS_MAX:
        raise BadMessage(
            "absurd", f"`duration_ms` is {event.duration_ms:g}; it must be from 0 to {DURATION_MS_MAX}"
        )
    if len(event.id) > ID_MOST:
        raise BadMessage("absurd", f"`id` has {len(event.id)} characters; at most {ID_MOST}")
    if event.at > within.latest:
        raise BadMessage("absurd", f"`at` is {event.at.isoformat()}, in the future")
    if event.at < within.earliest:
        raise BadMessage("absurd", f"`at` is {event.at.isoformat()}, more than {KEPT_MS // DAY_MS} days ago")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:80] + "…")
