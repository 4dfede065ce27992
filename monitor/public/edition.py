"""The public pages of one language: each from a template and what is told. Pure; Unix ms.

Pages are written with marks where the hour of the data stands, so that a page about which nothing else is new
is not rendered again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from monitor.facts import Day
from monitor.judge.opening import DAILY, Usual, fasting, usual_week
from monitor.language import Ltr
from monitor.model import Channel, Service
from monitor.public import bars, search
from monitor.public.overview import counted, failing, planned
from monitor.public.told import Given, Told
from monitor.public.words import Words

ROOM = Path(__file__).parent
TOLD_MOST = 12  # services whose sentences stand on the first page; the others are named
WORKS_MOST = 20  # planned works on the first page; the others stand with their services
NAMES_MOST = 6  # services named of one planned work

Keep = Callable[[str, object, Callable[[], str]], str]
"""A page by its path: as it was when the key is the same, else rendered."""


class Body(NamedTuple):
    """An entity as a page shows it."""

    slug: str
    name: Markup
    plain: str
    services: tuple[Told, ...]
    failing: int


class Line(NamedTuple):
    """A service in the alphabetical list."""

    told: Told
    key: str
    entity: Markup | None


@lru_cache
def templates() -> Environment:
    """The templates; whatever is put into them is escaped, whatever is missing is a bug."""
    return Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Edition:
    """The pages of one language."""

    def __init__(
        self,
        given: Given,
        told: Sequence[Told],
        language: str,
        *,
        languages: tuple[str, ...],
        url: str,
        keep: Keep,
    ) -> None:
        self._given, self._told, self._language = given, told, language
        self._languages, self._url, self._keep = languages, url, keep
        self._catalogue = given.picture.catalogue
        zone = self._catalogue.zone
        self.rich = Words(language, zone=zone, now_ms=given.now_ms)
        self.plain = Words(language, zone=zone, now_ms=given.now_ms, rich=False)
        self._today = self.rich.speaker.local(given.now_ms).date()
        self._bodies = self._entities()

    def pages(self) -> dict[str, str]:
        """Every page by its path, the root's too where this is its language."""
        made = {f"{self._language}/index.html": self._front("../", "")}
        if self._language == self._languages[0]:
            made["index.html"] = self._front("", f"{self._language}/")
        made[f"{self._language}/services.html"] = self._all()
        for body in self._bodies:
            made[f"{self._language}/entities/{body.slug}.html"] = self._entity(body)
        for one in self._told:
            made[f"{self._language}/services/{one.service.slug}.html"] = self._service(one)
        stamped = {path: self._stamped(text) for path, text in made.items()}
        return self._under_old_names(stamped) | stamped

    def _under_old_names(self, made: Mapping[str, str]) -> dict[str, str]:
        """What was renamed is found where it was: people keep addresses."""
        found: dict[str, str] = {}
        for room, ones in (("services", self._catalogue.services), ("entities", self._catalogue.entities)):
            for one in ones:
                page = made.get(f"{self._language}/{room}/{one.slug}.html")
                if page is not None:
                    found |= {f"{self._language}/{room}/{old}.html": page for old in one.was}
        return found

    # -- pages -------------------------------------------------------------------------------------------

    def _front(self, up: str, home: str) -> str:
        works = planned(self._told)
        values = {
            "most": TOLD_MOST,
            "counts": counted(self._told),
            "failing": failing(self._told),
            "planned": works[:WORKS_MOST],
            "later": len(works) - WORKS_MOST,
            "entities": self._bodies,
        }
        return self._page("index.html", "index.html", up=up, home=home, own=lambda: values, key=values)

    def _all(self) -> str:
        names = self._catalogue.entities_by_slug
        lines = []
        for told in self._told:
            entity = names.get(told.service.entity)
            service = told.service
            texts = [service.name.ar, service.name.en, service.slug.replace("-", " "), *service.known_as]
            texts += [entity.name.ar, entity.name.en] if entity else []
            texts.append(self.plain.state(told.state))  # so that a link shows all that are in a state
            lines.append(Line(told, search.key(*texts), self._name(entity) if entity else None))
        lines.sort(key=lambda line: search.order(self.plain.name(line.told.service)))
        groups = [
            (letter, tuple(group))
            for letter, group in groupby(
                lines, lambda line: search.order(self.plain.name(line.told.service))[:1].upper()
            )
        ]
        own = {
            "groups": groups,
            "letters": [letter for letter, _ in groups],
            "words": Markup('<bdi id="words"></bdi>'),
        }
        return self._page("services.html", "services.html", up="../", home="", own=lambda: own, key=own)

    def _entity(self, body: Body) -> str:
        path, own = f"entities/{body.slug}.html", {"entity": body}
        return self._page("entity.html", path, up="../../", home="../", own=lambda: own, key=own)

    def _service(self, told: Told) -> str:
        service = told.service

        def own() -> Mapping[str, Any]:
            days = self._days(service)
            label = self.plain.say("service.days_label", n=len(days))
            return {
                "told": told,
                "entity": self._catalogue.entities_by_slug.get(service.entity),
                "bars": bars.svg(days, label=label),
                "oldest": self._today - timedelta(days=bars.DAYS - 1),
                "stopped": [day for day in reversed(days) if day is not None and day.down_ms],
                "kinds": self._kinds,
                "ons": self._ons,
                "week": self._week(service),
                "rests": not service.hours.startswith(DAILY),
                "fasting": fasting(self._catalogue, service.hours, self._given.now_ms),
                "shut": any(bars.bar(day).look is bars.Look.CLOSED for day in days),
            }

        key = (told, tuple(self._given.days.get(service.subject, ())))
        path = f"services/{service.slug}.html"
        return self._page("service.html", path, up="../../", home="../", own=own, key=key)

    def _page(
        self,
        template: str,
        path: str,
        *,
        up: str,
        home: str,
        own: Callable[[], Mapping[str, Any]],
        key: object,
    ) -> str:
        """Rendered with its own values, or as it was when all it shows is the same (`key`)."""
        stands_at = f"{self._language}/{path}" if up else path  # nothing is above the root

        def render() -> str:
            return templates().get_template(template).render(**self._common(up, home, path), **own())

        return self._keep(stands_at, (self._catalogue, self._languages, self._today, key), render)

    def _common(self, up: str, home: str, path: str) -> dict[str, Any]:
        zone = self.rich.speaker.zone_name(self._given.now_ms)
        return {
            "w": self.rich,
            "plain": self.plain,
            "language": self._language,
            "languages": self._languages,
            "first": self._languages[0],
            "catalogue": self._catalogue,
            "zone": zone,
            "up": up,
            "home": home,
            "path": path,
            "names": self._named,
            "address": lambda language, there: f"{self._url + '/' if self._url else up}{language}/{there}",
        }

    # -- pieces ------------------------------------------------------------------------------------------

    def _entities(self) -> list[Body]:
        """In alphabetical order; services without an entity last."""
        of: dict[str, list[Told]] = {}
        for told in self._told:
            of.setdefault(told.service.entity, []).append(told)
        known = self._catalogue.entities_by_slug
        found = [
            self._body(slug, self._name(known[slug]), self.plain.name(known[slug]), of[slug])
            for slug in sorted(of.keys() & known, key=lambda slug: search.order(self.plain.name(known[slug])))
        ]
        rest = [told for slug, those in of.items() if slug not in known for told in those]
        if rest:
            plain = self.plain.say("entities.none")
            found.append(self._body("other", escape(plain), plain, rest))
        return found

    def _body(self, slug: str, name: Markup, plain: str, told: Sequence[Told]) -> Body:
        return Body(slug, name, plain, tuple(told), len(failing(told)))

    def _name(self, entity: Any) -> Markup:
        return self.rich.speaker.name(entity.name, entity.slug)

    def _days(self, service: Service) -> list[Day | None]:
        """The last ninety days, today included; None where nothing is stored."""
        stored = {
            self.rich.speaker.local(day.start_ms).date().toordinal(): day
            for day in self._given.days.get(service.subject, ())
        }
        last = self._today.toordinal()
        return [stored.get(ordinal) for ordinal in range(last - bars.DAYS + 1, last + 1)]

    def _week(self, service: Service) -> list[Usual]:
        """Its usual hours; none where it is offered day and night."""
        return usual_week(self._catalogue, service.hours, self._given.now_ms) if service.hours else []

    def _named(self, services: Sequence[Service]) -> Markup:
        """The first names of many, and how many more there are."""
        shown = escape(self.rich.names(services[:NAMES_MOST]))
        more = len(services) - NAMES_MOST
        return shown if more <= 0 else shown + " " + self.rich.say("planned.more", n=more)

    def _kinds(self, channels: Iterable[Channel]) -> Markup:
        return self._row(self.rich.kind(each.kind) for each in channels)

    def _ons(self, channels: Iterable[Channel]) -> Markup:
        return self._row(self.rich.on(each) for each in channels)

    def _row(self, parts: Iterable[str]) -> Markup:
        return escape(self.plain.say("list.and")).join(parts)

    def _stamped(self, text: str) -> str:
        """With the hour of the data in its places."""
        as_of_ms = self._given.picture.as_of_ms
        if as_of_ms is None:
            none = str(escape(self.plain.say("age.none")))
            marks = {"@@MS@@": "", "@@AS_OF@@": none, "@@OLD@@": none, "@@COMPARE@@": none}
        else:
            at = self.rich.at(as_of_ms)
            zone = self.rich.speaker.zone_name(as_of_ms)
            marks = {
                "@@MS@@": str(as_of_ms),
                "@@AS_OF@@": str(self.rich.say("age.as_of", at=at, zone=Ltr(zone))),
                "@@OLD@@": str(self.rich.say("age.old", at=at)),
                "@@COMPARE@@": str(self.rich.say("age.compare", at=at)),
            }
        for mark, put in marks.items():
            text = text.replace(mark, put)
        return text
