"""What can be written under `incidents:` of the policy: when people are told, and when it is over."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from monitor.model import IncidentRules, Severity


def Meta(description: str, **rules: Any) -> msgspec.Meta:  # noqa: N802 - reads as the Meta it makes
    return msgspec.Meta(description=description, **rules)


_RULES = IncidentRules()


class IncidentsForm(msgspec.Struct, frozen=True, kw_only=True):
    """When something that fails becomes an incident that people are told of, and when it is over."""

    steady_s: Annotated[
        float,
        Meta("Seconds without a failure after which an incident is closed.", ge=30, le=86_400),
    ] = _RULES.steady_s
    hold_s: Annotated[
        float,
        Meta(
            description="Seconds that a message about what needs a system waits for that system to fail.",
            ge=0,
            le=300,
        ),
    ] = _RULES.hold_s
    reopen_s: Annotated[
        float,
        Meta(
            description="Failing again within so many seconds after closing is the same incident.",
            ge=0,
            le=604_800,
        ),
    ] = _RULES.reopen_s
    degraded_s: Annotated[
        float,
        Meta("Seconds that something may be degraded before people are told.", ge=0, le=86_400),
    ] = _RULES.degraded_s
    certificate_s: Annotated[
        float,
        Meta(
            description="A certificate that ends within so many seconds is an incident.", ge=0, le=90 * 86_400
        ),
    ] = _RULES.certificate_s
    unavailable: Annotated[Severity, Meta("When services cannot be got remotely.")] = _RULES.unavailable
    headline: Annotated[Severity, Meta("When the headline is under its target.")] = _RULES.headline
    down: Annotated[
        Severity, Meta("When something is down and all it takes can be got on another channel.")
    ] = _RULES.down
    degraded: Annotated[Severity, Meta("When something is degraded for longer than that.")] = _RULES.degraded
    certificate: Annotated[Severity, Meta("When a certificate ends soon.")] = _RULES.certificate
