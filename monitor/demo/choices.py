"""Whom a fault hits: picks systems, channels and checks out of a catalogue, the same ones every time."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable

from yarl import URL

from monitor.model import Catalogue, Channel, Effect, Service, System, SystemKind
from probes import http_settings as http
from probes import tls_settings as tls

REACH = 20  # services that a broken shared system should take with it


def checks_of(subjects: Iterable[System | Channel]) -> list[str]:
    """The paths of their own checks."""
    return [check.key for subject in subjects for check in subject.checks]


def blocked_by(catalogue: Catalogue, system: str) -> frozenset[str]:
    """Services with a remote channel that cannot be completed without the system, at any depth."""
    stuck = {channel.subject for channel in channels_blocked_by(catalogue, [system])}
    return frozenset(
        service.subject
        for service in catalogue.services
        if any(channel.subject in stuck for channel in _completing(service))
    )


def channels_blocked_by(catalogue: Catalogue, systems: Iterable[str]) -> list[Channel]:
    """Channels that cannot be completed without one of the systems (paths), at any depth."""
    broken = frozenset().union(*(_with_what_needs_it(catalogue, system) for system in systems))
    return [
        channel
        for service in catalogue.services
        for channel in service.channels
        if any(need.effect is Effect.BLOCKS and need.system in broken for need in channel.depends)
    ]


def by_reach(catalogue: Catalogue) -> list[System]:
    """Shared systems with checks of their own; first those that block few, but at least REACH services."""
    shared = [s for s in catalogue.systems if s.kind is SystemKind.SHARED and s.checks]
    reach = {system.subject: len(blocked_by(catalogue, system.subject)) for system in shared}

    def rank(system: System) -> tuple[bool, int, str]:
        many = reach[system.subject]
        return many < REACH, many if many >= REACH else -many, system.subject

    return sorted(shared, key=rank)


def channels_needing(catalogue: Catalogue, systems: Iterable[System]) -> list[Channel]:
    """Channels that wait for one of the systems, whether it blocks or slows them."""
    names = {system.subject for system in systems}
    return [
        channel
        for service in catalogue.services
        for channel in service.channels
        if any(need.effect is not Effect.NONE and need.system in names for need in channel.depends)
    ]


def with_an_alternative(catalogue: Catalogue) -> list[Channel]:
    """Channels with checks of their own, of services that another remote channel completes too.

    Each is the first of its service. Services that the system of `shared-system-down` blocks come last: there
    nothing helps.
    """
    broken = by_reach(catalogue)[0:1]
    blocked = frozenset().union(*(blocked_by(catalogue, system.subject) for system in broken))
    services = sorted(catalogue.services, key=lambda service: (service.subject in blocked, service.subject))
    return [
        _completing(service)[0]
        for service in services
        if len(_completing(service)) > 1 and _completing(service)[0].checks
    ]


def with_a_text(catalogue: Catalogue) -> list[str]:
    """Checks of services' channels that look for a text or a place in JSON, so that a wrong page shows."""
    return [
        check.key
        for service in catalogue.services
        for channel in service.channels
        for check in channel.checks
        if isinstance(check.ask, http.Settings) and (check.ask.text_present or check.ask.assert_json)
    ]


Certificate = tuple[str, int, str | None]
"""Where a certificate is shown: host, port, and the name asked for in the handshake, if any."""


def certificate(ask: object) -> Certificate | None:
    """The certificate that a check sees, or None."""
    if isinstance(ask, tls.Settings):
        return ask.host, ask.port, _asked_for(ask.server_name or ask.host)
    if isinstance(ask, http.Settings) and ask.url.startswith("https:"):
        url = URL(ask.url)
        host = url.host or ""
        return host, url.port or 443, _asked_for(ask.server_name or host)
    return None


def _asked_for(name: str) -> str | None:
    """Addresses are not names: a handshake does not mention them."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return name
    return None


def behind_one_certificate(catalogue: Catalogue) -> list[str]:
    """The checks of one certificate that is watched for its expiry: one that no shared system watches,
    where there is one, and then the one that fewest checks see."""
    seen = {key: found for key, check in catalogue.checks.items() if (found := certificate(check.ask))}
    watched = {key: found for key, found in seen.items() if _days_soft(catalogue, key)}
    shared = Counter(watched[key] for key in checks_of(by_reach(catalogue)) if key in watched)
    counted = Counter(seen.values())
    ranked = sorted(set(watched.values()), key=lambda found: (shared[found], counted[found], str(found)))
    return [key for key, found in seen.items() if found in ranked[0:1]]


def _days_soft(catalogue: Catalogue, key: str) -> int | None:
    return getattr(catalogue.checks[key].ask, "certificate_days_soft", None)


def _completing(service: Service) -> list[Channel]:
    return [channel for channel in service.channels if channel.remote and channel.completes]


def _with_what_needs_it(catalogue: Catalogue, system: str) -> set[str]:
    """The system and every system blocked by it."""
    broken, grew = {system}, True
    while grew:
        more = {
            other.subject
            for other in catalogue.systems
            if any(need.effect is Effect.BLOCKS and need.system in broken for need in other.depends)
        }
        grew = not more <= broken
        broken |= more
    return broken
