"""The first page: the headline, what is wrong and why, and every service as a tile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from aiohttp import web
from markupsafe import Markup

from monitor.facts import Finding
from monitor.judge.picture import Picture, ServiceShown
from monitor.model import GOVERNMENT, Entity, Verdict, stream_key
from monitor.web import handled
from monitor.web.pages import traffic
from monitor.web.pages.availability import panel
from monitor.web.site import SITE, page
from monitor.web.telling import Telling
from monitor.web.wrong import pressing

STATES = ("wrong", "not_available", "unknown", "degraded", "up")
WRONG_SHOWN = 12
QUERY_MAX = 100


class Filter(NamedTuple):
    """What the visitor asked to see."""

    text: str
    state: str
    entity: str

    @property
    def narrow(self) -> bool:
        return bool(self.text or self.state or self.entity)

    def lets(self, shown: ServiceShown, entity: Entity | None) -> bool:
        return (
            self.entity in ("", shown.service.entity)
            and self._state(shown)
            and self.text.casefold() in searched(shown, entity)
        )

    def _state(self, shown: ServiceShown) -> bool:
        verdict = shown.effective.verdict
        return {
            "wrong": verdict is not Verdict.UP,
            "not_available": verdict is Verdict.DOWN,
            "unknown": verdict is Verdict.UNKNOWN,
            "degraded": verdict is Verdict.DEGRADED,
            "up": verdict is Verdict.UP,
        }.get(self.state, True)


class Group(NamedTuple):
    """An entity's tiles; `entity` is None for services that nobody in the catalogue owns."""

    entity: Entity | None
    available: int
    tiles: list[ServiceShown]
    total: int


def searched(shown: ServiceShown, entity: Entity | None) -> str:
    """What the search looks through, folded."""
    service = shown.service
    parts = [service.slug, service.name.en, service.name.ar]
    if entity is not None:
        parts += [entity.slug, entity.name.en, entity.name.ar]
    return " ".join(parts).casefold()


def groups(picture: Picture, wanted: Filter) -> list[Group]:
    """Tiles by entity, in the catalogue's order, so that a place on the wall keeps its meaning."""
    found = []
    known = picture.catalogue.entities_by_slug
    ownerless = [shown for shown in picture.services.values() if shown.service.entity not in known]
    owned = [(shown.entity, shown.services) for shown in picture.entities.values()]
    for entity, services in [*owned, (None, tuple(ownerless))]:
        tiles = [shown for shown in services if wanted.lets(shown, entity)]
        if tiles:
            required = [shown for shown in services if shown.excluded is None]
            available = sum(shown.available is True for shown in required)
            found.append(Group(entity, available, tiles, len(required)))
    return found


def _names(telling: Telling, findings: Sequence[Finding]) -> dict[str, Markup]:
    """What each finding is about: a channel of a service, or most services."""
    catalogue, found = telling.picture.catalogue, {GOVERNMENT: telling.speaker.text("finding.government")}
    for subject in {each.subject for each in findings} - {GOVERNMENT}:
        service = catalogue.services_by_subject.get(stream_key(subject))
        channel = catalogue.channels.get(subject)
        if service is None or channel is None:
            found[subject] = Markup('<bdi dir="ltr">{}</bdi>').format(subject)
        else:
            found[subject] = Markup('<a href="/services/{}">{}</a>{} ({})').format(
                service.slug,
                telling.speaker.name(service.name, service.slug),
                _owner(telling, service.entity),
                telling.channel(channel),
            )
    return found


def _owner(telling: Telling, slug: str) -> Markup:
    entity = telling.picture.catalogue.entities_by_slug.get(slug)
    if entity is None:
        return Markup()
    return Markup(' <span class="owner">{}</span>').format(telling.speaker.name(entity.name, entity.slug))


async def overview(request: web.Request) -> web.Response:
    query, site = request.query, request.app[SITE]
    wanted = Filter(query.get("q", "").strip()[:QUERY_MAX], query.get("state", ""), query.get("entity", ""))
    opened = handled.all_shown(site.live.incidents)

    def fill(telling: Telling) -> dict[str, Any]:
        picture = telling.picture
        shown = groups(picture, wanted)
        counted = traffic.government(site, picture, telling.speaker)
        return {
            "filter": wanted,
            "states": STATES,
            "groups": shown,
            "searched": searched,
            "shown_count": sum(len(group.tiles) for group in shown),
            "about": lambda one: handled.behind(picture, one.incident),
            "wrong": pressing(picture, opened),
            "wrong_shown": WRONG_SHOWN,
            "by_transactions": site.traffic.weighted(picture),
            **counted,
            "finding_names": _names(telling, counted.get("unusual", ())),
            "availability": panel(site.live, GOVERNMENT),
        }

    return await page(request, "overview.html", fill=fill)
