"""What a version of the catalogue says of when services are offered, read where the rest is not needed."""

from __future__ import annotations

import msgspec

from monitor.model import Calendar, Catalogue


class OfferedChannel(msgspec.Struct, frozen=True):
    """A channel, by its path."""

    subject: str


class OfferedService(msgspec.Struct, frozen=True):
    """A service and its hours, as monitor.model.Service has them."""

    slug: str
    hours: str = ""
    channels: tuple[OfferedChannel, ...] = ()
    was: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        return f"service:{self.was[0] if self.was else self.slug}"


class Offered(msgspec.Struct, frozen=True):
    """Zone, calendar and services of a version."""

    zone: str = Catalogue().zone
    calendar: Calendar = Calendar()
    services: tuple[OfferedService, ...] = ()
