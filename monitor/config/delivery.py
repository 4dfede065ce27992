"""Who is sent the report, and by which way: a mailbox, a folder, a webhook."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

import msgspec

from monitor.config.decode import Reading
from probes.contract import SecretRef

Meta = msgspec.Meta
ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
PART = r"[^@\s<>,;.]+"  # of a domain, which may be written in any script
ADDRESS = rf"^{ATOM}(\.{ATOM})*@{PART}(\.{PART})*$"
WAYS = ("mail", "folder", "webhook")
Form = Literal["pdf", "html", "xlsx", "json"]
"""Files that can be sent along."""


class SmtpSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The mail server that takes our mail."""

    host: Annotated[str, Meta(description="Its name or address; unset: no mail is sent.")] = ""
    port: Annotated[int, Meta(description="Its port.", ge=1, le=65535)] = 587
    tls: Annotated[
        Literal["tls", "starttls", "offered", "none"],
        Meta(description="Encrypted from the start, by STARTTLS, where the server offers it, or never."),
    ] = "starttls"
    ca: Annotated[str, Meta(description="PEM file of the authorities to trust; unset: the system's.")] = ""
    user: Annotated[str, Meta(description="User name there; unset: nobody signs in.")] = ""
    password: Annotated[
        SecretRef | None, Meta(description="Where the password is: `env:NAME` or `file:/path`.")
    ] = None
    sender: Annotated[
        str,
        Meta(
            description="The address it is sent from.",
            pattern=r"^$|" + ADDRESS,
            examples=["continuity@gov.example"],
        ),
    ] = ""


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Who is sent every report of an entity, or the government's: by one of `mail`, `folder`, `webhook`."""

    name: Annotated[
        str,
        Meta(
            description="What it is called in the log of deliveries.",
            pattern=r"^[a-z0-9][a-z0-9-]{0,62}$",
            examples=["committee"],
        ),
    ]
    mail: Annotated[
        str,
        Meta(description="One mail address.", pattern=r"^$|" + ADDRESS, examples=["chair@gov.example"]),
    ] = ""
    folder: Annotated[str, Meta(description="A folder that is there; each file appears in it whole.")] = ""
    webhook: Annotated[
        SecretRef | None,
        Meta(description="Where an address is that is posted links as JSON: `env:NAME` or `file:/path`."),
    ] = None
    language: Annotated[Literal["ar", "en"], Meta(description="Its language.")] = "ar"
    entity: Annotated[str, Meta(description="Slug of the entity; unset: the government's report.")] = ""
    files: Annotated[tuple[Form, ...], Meta(description="What is sent along, or written.")] = ("pdf",)
    reviews: Annotated[bool, Meta(description="Whether it gets the draft first, when `review_s` is set.")] = (
        False
    )


class DeliverySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who is sent reports."""

    smtp: Annotated[SmtpSettings, Meta(description="The mail server.")] = SmtpSettings()
    recipients: Annotated[tuple[Recipient, ...], Meta(description="Everybody who is sent reports.")] = ()

    def of(self, slug: str, *, reviewers: bool = False) -> tuple[Recipient, ...]:
        """Who is sent the reports of an entity ("government": the government's), or their drafts."""
        return tuple(
            one
            for one in self.recipients
            if (one.entity or "government") == slug and (one.reviews or not reviewers)
        )


def hold(given: DeliverySettings, review_s: float, reading: Reading) -> None:
    """Note what a type cannot say: a name taken twice, no way or two, mail without a server, no reviewer."""
    names = [one.name for one in given.recipients]
    for place, one in enumerate(given.recipients):
        if one.name in names[:place]:
            reading.say(f"recipient `{one.name}` is there already", one, "name")
        if sum(reading.wrote(one, way) for way in WAYS) != 1:  # also one that was refused
            reading.say(f"`{one.name}` needs one of `mail`, `folder` and `webhook`", one, "name")
        if one.mail and not (given.smtp.host and given.smtp.sender):
            reading.say("mail needs `smtp:` with `host` and `sender` under `delivery:`", one, "mail")
    if given.smtp.user and not reading.wrote(given.smtp, "password"):
        reading.say("a user needs a `password`", given.smtp, "user")
    if review_s and given.recipients and not any(one.reviews for one in given.recipients):
        reading.say("`review_s` is set, and no recipient says `reviews: true`", given, "recipients")


def hold_entities(given: DeliverySettings, entities: Collection[str], reading: Reading) -> None:
    """Note entities of recipients that are not in the catalogue."""
    for one in given.recipients:
        if one.entity and one.entity not in entities:
            reading.say(f"no entity is called `{one.entity}`", one, "entity", one.entity)
