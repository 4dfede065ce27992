"""Who would be told of a service, when, and why not: the decisions of the night, shown by day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from monitor.alerts.gather import decode
from monitor.alerts.policy import WorkingHours, due_ms, listeners, takes
from monitor.alerts.receivers.names import name_of
from monitor.config.alerts import AlertsSettings, Receiver, When
from monitor.config.decode import suggestion
from monitor.errors import UsageError
from monitor.judge.incidents import Incident
from monitor.model import Catalogue, IncidentRules, Service, Severity
from monitor.store import incidents
from monitor.store.pool import Store


class Explained(NamedTuple):
    """What happens at one receiver when something of one severity begins now."""

    severity: str
    receiver: str
    told: bool
    says: str


def explain(
    settings: AlertsSettings, catalogue: Catalogue, service: Service, *, now_ms: int
) -> list[Explained]:
    """One line for each severity that is sent and each receiver."""
    lines = []
    for severity in (Severity.CRITICAL, Severity.WARNING):
        lines += [
            Explained(severity.value, name_of(url), True, "at once, and again each minute")
            for url in settings.alertmanagers
        ]
        hearing = listeners(settings.receivers, severity, service.entity)
        lines += [
            _line(one, severity, catalogue, settings, hears=one in hearing, now_ms=now_ms)
            for one in settings.receivers
        ]
    return lines


def _line(
    receiver: Receiver,
    severity: Severity,
    catalogue: Catalogue,
    settings: AlertsSettings,
    *,
    hears: bool,
    now_ms: int,
) -> Explained:
    if takes(receiver, severity) is When.NEVER:
        return Explained(severity.value, receiver.name, False, f"`{severity.value}: never` is set for it")
    if not hears:
        named = ", ".join(receiver.entities)
        return Explained(severity.value, receiver.name, False, f"it is told of {named} only")
    at_ms = due_ms(receiver, severity, WorkingHours.of(catalogue), now_ms=now_ms)
    zone = ZoneInfo(catalogue.zone)
    begins = datetime.fromtimestamp(at_ms / 1000, zone)
    says = "at once" if at_ms <= now_ms else f"from {begins:%Y-%m-%d %H:%M} ({zone}), in working hours"
    if receiver.second and severity is Severity.CRITICAL:
        says += f"; `{receiver.second}` when nobody acknowledges in {settings.second_after_s / 60:g} min"
    return Explained(severity.value, receiver.name, True, says)


def severities(rules: IncidentRules) -> dict[str, list[str]]:
    """Which signs have which severity: the table of the configuration, the other way round."""
    signs = ("unavailable", "headline", "down", "degraded", "certificate")
    return {
        severity.value: [sign for sign in signs if getattr(rules, sign) is severity]
        for severity in (Severity.CRITICAL, Severity.WARNING, Severity.INFO)
    }


def causes(catalogue: Catalogue, service: Service) -> list[str]:
    """Systems whose own failure would be told instead of this service's, one message for all they take."""
    needed: dict[str, None] = {}
    waiting = [need.system for channel in service.channels for need in channel.depends]
    while waiting:
        system = catalogue.systems_by_subject.get(waiting.pop(0))
        if system is not None and system.slug not in needed:
            needed[system.slug] = None
            waiting += [need.system for need in system.depends]
    return list(needed)


def touching(opened: Iterable[Incident], service: Service) -> Iterator[Incident]:
    """Those that are about the service, or that take it or one of its channels."""
    for one in opened:
        own = one.subject.split("/", 1)[0] == service.subject or service.subject in one.services
        if own or any(channel.startswith(f"{service.subject}/") for channel in one.channels):
            yield one


async def explained(
    store: Store, settings: AlertsSettings, catalogue: Catalogue, slug: str, *, now_ms: int
) -> dict[str, Any]:
    """All of it for the service of that slug, with what is open now. Raises UsageError, StoreUnavailable."""
    services = {service.slug: service for service in catalogue.services}
    if slug not in services:
        raise UsageError(f"no service is called {slug!r}{suggestion(slug, services)}")
    service = services[slug]
    kept = [(decode(row.document), row.acknowledged_by) for row in await incidents.open_ones(store)]
    found = {one.number for one in touching([one for one, _ in kept], service)}
    return {
        "service": slug,
        "entity": service.entity,
        "table": severities(catalogue.policy.incidents),
        "receivers": [line._asdict() for line in explain(settings, catalogue, service, now_ms=now_ms)],
        "causes": causes(catalogue, service),
        "open": [
            {
                "number": one.number,
                "severity": one.severity.value,
                "subject": one.subject,
                "acknowledged_by": who,
            }
            for one, who in kept
            if one.number in found
        ],
    }
