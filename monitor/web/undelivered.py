"""What pages tell of reports that did not reach somebody: given up, or waiting; for who may do something."""

from __future__ import annotations

import shlex
from typing import NamedTuple
from urllib.parse import urlencode

from aiohttp import web
from markupsafe import Markup

from monitor.language import Ltr
from monitor.model import Entity
from monitor.store import report_deliveries as table
from monitor.store.report_deliveries import Sent
from monitor.web.reviewing import may_review
from monitor.web.site import SITE
from monitor.web.telling import Telling

LATE_S = 300.0  # what waits no longer than this is on its way


class Undelivered(NamedTuple):
    """One of them: what became of it, the last answer, and what to type, if anything."""

    told: Markup
    said: str
    what_to_do: Markup


async def undelivered(request: web.Request) -> list[Sent]:
    """Nothing for who may not read drafts. Raises StoreUnavailable."""
    return await table.troubles(request.app[SITE].store, waited_s=LATE_S) if may_review(request) else []


def told(telling: Telling, one: Sent) -> Undelivered:
    """In the language of the page."""
    speaker, given_up = telling.speaker, one.state == "failed"
    tries = speaker.text("deliveries.tries", n=one.tries) if one.tries else speaker.text("deliveries.untried")
    return Undelivered(
        speaker.text(
            "deliveries.given_up" if given_up else "deliveries.waits",
            report=_report(telling, one),
            recipient=Ltr(one.recipient),
            at=telling.stamp(one.done_ms or one.made_ms),
            tries=tries,
        ),
        one.said,
        _what_to_do(telling, one),
    )


def owner_of(telling: Telling, scope: str) -> Entity | None:
    """The entity whose report it is; None for the government's."""
    return telling.picture.catalogue.entities_by_subject.get(scope)


def _report(telling: Telling, one: Sent) -> Markup:
    owner, speaker = owner_of(telling, one.scope), telling.speaker
    asked = f"?{urlencode({'entity': owner.slug})}" if owner else ""
    where = f"/reports/{one.label}" + ("/draft" if one.stage == "draft" else "") + asked
    government = telling.picture.catalogue.government
    name = speaker.name(owner.name, owner.slug) if owner else speaker.name(government, "")
    called = Markup('<a href="{}" dir="{}"><bdi dir="ltr">{}</bdi> · {}</a>').format(
        where, speaker.direction, one.label, name
    )
    return speaker.text("deliveries.draft", report=called) if one.stage == "draft" else called


def _what_to_do(telling: Telling, one: Sent) -> Markup:
    if one.stage == "draft":
        return telling.speaker.text("deliveries.read_here")
    owner = owner_of(telling, one.scope)
    words = ["continuity", "report", "deliver", one.label, *(["--entity", owner.slug] if owner else [])]
    command = _typed(shlex.join([*words, "--to", one.recipient]))
    key = "deliveries.again" if one.state == "failed" else "deliveries.by_itself"
    return telling.speaker.text(key, command=command)


def _typed(command: str) -> Markup:
    return Markup('<code dir="ltr">{}</code>').format(command)
