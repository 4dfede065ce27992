"""What is counted of people's transactions, and topics of others that are read for it."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from monitor.config.decode import Reading

Meta = msgspec.Meta
PATH = r"^[^.\s]+(\.[^.\s]+)*$"
Path = Annotated[
    str,
    Meta(
        description="Where it lies in the message: keys and places in lists, by dots.",
        pattern=PATH,
        examples=["order.status"],
    ),
]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where one part of a transaction is found: at a path of the message, or always the same."""

    path: Annotated[Path | None, Meta(description="Where it lies in the message, by dots.")] = None
    constant: Annotated[str | None, Meta(description="The same for every message, instead of a path.")] = None
    values: Annotated[
        dict[str, str],
        Meta(
            description="What the message's values mean here; others stand as they are.",
            examples=[{"OK": "completed"}],
        ),
    ] = {}


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A topic of others whose JSON messages are counted too. Avro and schema registries are not read."""

    name: Annotated[
        str, Meta(description="Ours for it; part of its consumer group.", pattern=r"^[a-z0-9][a-z0-9-]*$")
    ]
    topic: Annotated[str, Meta(description="The topic's full name.", pattern=r"^[A-Za-z0-9._-]{1,249}$")]
    service: Annotated[Place, Meta(description="The service's slug.")]
    channel: Annotated[Place, Meta(description="The channel's slug in the service.")]
    outcome: Annotated[
        Place,
        Meta(description="`completed`, `failed` or `abandoned`; `ignored` leaves the message out."),
    ]
    time: Annotated[Path, Meta(description="Path of the time of the event.", examples=["createdAt"])]
    time_format: Annotated[
        Literal["rfc3339", "unix", "unix_ms"],
        Meta(description="How it is written: RFC 3339 with a zone, or seconds or milliseconds since 1970."),
    ] = "rfc3339"
    id: Annotated[
        Path | None, Meta(description="Path of what tells repeats; without it each message counts.")
    ] = None
    count: Annotated[
        Path | None, Meta(description="Path of how many transactions it stands for; unset: one.")
    ] = None
    duration_ms: Annotated[
        Path | None, Meta(description="Path of how long each of them took, in milliseconds.")
    ] = None


class TransactionsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of people's transactions."""

    ahead_s: Annotated[
        float,
        Meta(
            description="Events further in the future than this are set aside, in seconds.", ge=0, le=86_400
        ),
    ] = 300.0
    sources: Annotated[
        tuple[Source, ...],
        Meta(description="Topics of others that are read too, each in its own shape."),
    ] = ()


def hold(given: TransactionsSettings, reading: Reading) -> None:
    """Note what a type cannot say: a name or topic taken twice, a place that is none or two."""
    taken: set[str] = set()
    for source in given.sources:
        for key, value in (("name", source.name), ("topic", source.topic)):
            if f"{key} {value}" in taken:
                reading.say(f"{key} `{value}` is taken already by another source", source, key)
            taken.add(f"{key} {value}")
        for key in ("service", "channel", "outcome"):
            place: Place = getattr(source, key)
            if reading.wrote(place, "path") == reading.wrote(place, "constant"):
                reading.say("needs either `path` or `constant`", source, key)
            elif place.constant is not None and place.values:
                reading.say("`values` has nothing to say of a `constant`", source, key, "values")
