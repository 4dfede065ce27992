"""Who is told of incidents, and by which way: Alertmanagers, and receivers of the monitor's own."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from monitor.config.decode import Reading
from probes.contract import SecretRef

Meta = msgspec.Meta
Where = Annotated[SecretRef, Meta(description="Where it is: `env:NAME` or `file:/path`.")]
Url = Annotated[
    str,
    Meta(description="Its address, without a password.", pattern=r"^https?://[^\s/]+(/\S*)?$"),
]


class When(StrEnum):
    """In which hours a receiver takes messages of a severity."""

    ALWAYS = "always"
    WORKING_HOURS = "working_hours"  # of the catalogue's calendar; what comes earlier waits for them
    NEVER = "never"


class Receiver(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is told: a mailbox, a chat, a phone, a webhook."""

    name: Annotated[
        str,
        Meta(
            description="What it is called in the delivery log, and as whom it acknowledges.",
            pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
            examples=["on-call"],
        ),
    ]
    to: Annotated[
        Where,
        Meta(
            description="Where its address is (`env:NAME` or `file:/path`): a secret, because most hold one. "
            "The address is written as Apprise has it, such as `mailtos://user:password@mail.example`."
        ),
    ]
    language: Annotated[
        Literal["en", "ar"] | None, Meta(description="Its language; unset: the catalogue's first.")
    ] = None
    entities: Annotated[
        tuple[str, ...],
        Meta(description="Slugs of the entities whose incidents it is told of; none named: of all."),
    ] = ()
    critical: Annotated[When, Meta(description="When it is told what wakes somebody.")] = When.ALWAYS
    warning: Annotated[When, Meta(description="When it is told what can wait.")] = When.WORKING_HOURS
    second: Annotated[
        str,
        Meta(description="The receiver that is told when nobody acknowledged a critical incident in time."),
    ] = ""


class AlertsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told of incidents, and by which way."""

    alertmanagers: Annotated[
        tuple[Url, ...],
        Meta(
            description="Every Alertmanager (API v2); each is told everything, each minute again.",
            examples=[["http://alertmanager:9093"]],
        ),
    ] = ()
    alertmanager_ca: Annotated[
        str, Meta(description="PEM file of the authorities to trust there; unset: the system's.")
    ] = ""
    alertmanager_user: Annotated[str, Meta(description="User name there.")] = ""
    alertmanager_password: Annotated[
        SecretRef | None, Meta(description="Where the password is: `env:NAME` or `file:/path`.")
    ] = None
    alertmanager_token: Annotated[
        SecretRef | None, Meta(description="Where a bearer token is, instead of user and password.")
    ] = None
    team: Annotated[
        str, Meta(description="The label `team` of every alert.", pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    ] = "operations"
    receivers: Annotated[
        tuple[Receiver, ...], Meta(description="Who is told by the monitor itself, without an Alertmanager.")
    ] = ()
    second_after_s: Annotated[
        float,
        Meta(
            description="Seconds that a critical incident waits for somebody to acknowledge it, before the "
            "`second` receiver is told.",
            ge=60,
            le=86_400,
        ),
    ] = 900.0
    remind_s: Annotated[
        float,
        Meta(
            description="Seconds after which a critical incident that nobody acknowledged is told again; "
            "0 is never.",
            ge=0,
            le=604_800,
        ),
    ] = 3600.0
    dead_man: Annotated[
        SecretRef | None,
        Meta(
            description="Where an address is that is asked each minute while messages go out "
            "(`env:NAME` or `file:/path`): whoever misses it knows that nobody would be told."
        ),
    ] = None


def hold(given: AlertsSettings, reading: Reading) -> None:
    """Note what a type cannot say: a name taken twice, a second receiver that is not there, two ways in."""
    names = [receiver.name for receiver in given.receivers]
    for place, receiver in enumerate(given.receivers):
        if receiver.name in names[:place]:
            reading.say(f"receiver `{receiver.name}` is there already", receiver, "name")
        if receiver.second == receiver.name:
            reading.say("is itself: name another receiver", receiver, "second")
        elif receiver.second and receiver.second not in names:
            known = ", ".join(sorted({*names}))
            reading.say(f"no receiver is called `{receiver.second}`; there are {known}", receiver, "second")
        if receiver.critical is When.NEVER and receiver.warning is When.NEVER:
            reading.say("is never told anything: leave it out", receiver, "critical")
    if given.alertmanager_token and (given.alertmanager_user or given.alertmanager_password):
        reading.say("a token and a user: Alertmanager takes one of them", given, "alertmanager_token")


def hold_entities(given: AlertsSettings, entities: Collection[str], reading: Reading) -> None:
    """Note entities of receivers that are not in the catalogue."""
    for receiver in given.receivers:
        for slug in receiver.entities:
            if slug not in entities:
                reading.say(f"no entity is called `{slug}`", receiver, "entities", slug)
