"""Availability on the pages: a panel of the periods that go on now, and the evidence of one figure."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from aiohttp import web
from markupsafe import Markup

from monitor.facts import FigureRow
from monitor.judge.current import WINDOWS
from monitor.judge.evidence import prove
from monitor.judge.figures import When
from monitor.judge.periods import ROLLING, Kind
from monitor.judge.seconds import State
from monitor.judge.terms import Terms
from monitor.model import GOVERNMENT, Catalogue
from monitor.web.api.availability import figure_asked
from monitor.web.site import SITE, bare_page, page
from monitor.web.state import Live
from monitor.web.telling import Telling
from monitor.web.times import rfc3339

OFFERED = (Kind.DAY, Kind.WEEK, Kind.MONTH, Kind.QUARTER, Kind.YEAR, *ROLLING)


class Cell(NamedTuple):
    """One period of the panel; without a figure until accounting has gone over it."""

    kind: Kind
    figure: FigureRow | None
    link: str


class Panel(NamedTuple):
    """The figures of a subject that go on now, and the terms they were counted under."""

    subject: str
    cells: list[Cell]
    terms: Terms | None


def panel(live: Live, subject: str) -> Panel:
    """What the pages show of a subject. Read, never computed."""
    cells = []
    for kind in WINDOWS:
        figure = live.figures.rows.get((subject, kind))
        if figure is not None:
            cells.append(Cell(kind, figure, evidence_link(subject, kind, _inside_ms(figure))))
    return Panel(subject, cells, live.figures.terms)


def _inside_ms(figure: FigureRow) -> int:
    """An instant that finds the figure's period again: its last day, for a rolling one."""
    return max(figure.start_ms, min(figure.as_of_ms, figure.end_ms) - 1)


def evidence_link(subject: str, kind: str, at_ms: int) -> str:
    """The page that shows what a figure stands on."""
    return f"/availability?{urlencode({'subject': subject, 'period': kind, 'from': rfc3339(at_ms)})}"


async def availability(request: web.Request) -> web.Response:
    """The evidence of one figure."""
    site = request.app[SITE]
    if site.live.picture is None:
        return await bare_page(request, "waiting.html", status=503)
    row, terms = await figure_asked(request)
    proof = await prove(site.store, terms, row.subject, When(row.start_ms, row.end_ms, row.as_of_ms))

    def fill(telling: Telling) -> dict[str, Any]:
        catalogue = telling.picture.catalogue
        return {
            "figure": row,
            "terms": terms,
            "proof": proof,
            "states": list(State),
            "spent": lambda tally, state: getattr(tally, f"{state}_ms"),
            "named": named(catalogue),
            "linked": lambda subject: linked(telling, subject),
            "kinds": [(kind, evidence_link(row.subject, kind.value, _inside_ms(row))) for kind in OFFERED],
            "part_link": lambda subject: _part_link(row, subject),
        }

    return await page(request, "availability.html", fill=fill)


def _part_link(row: FigureRow, subject: str) -> str:
    asked = {"subject": subject, "from": rfc3339(row.start_ms), "to": rfc3339(row.end_ms)}
    return f"/availability?{urlencode(asked)}"


def named(catalogue: Catalogue) -> dict[str, tuple[Any, str, str]]:
    """By subject: the thing with a name, the page it has, and its kind."""
    found: dict[str, tuple[Any, str, str]] = {}
    for entity in catalogue.entities:
        found[entity.subject] = entity, f"/entities/{entity.slug}", "entity"
    for system in catalogue.systems:
        found[system.subject] = system, f"/systems/{system.slug}", "system"
    for service in catalogue.services:
        found[service.subject] = service, f"/services/{service.slug}", "service"
        for channel in service.channels:
            found[channel.subject] = service, f"/services/{service.slug}", "channel"
    return found


def linked(telling: Telling, subject: str) -> Markup:
    """The name of a subject, leading to its page."""
    speaker, catalogue = telling.speaker, telling.picture.catalogue
    if subject == GOVERNMENT:
        name = speaker.name(catalogue.government, GOVERNMENT)
        return Markup('<a href="/">{}</a>').format(name)
    thing, link, kind = named(catalogue).get(subject, (None, "", ""))
    if thing is None:
        return Markup('<bdi dir="ltr">{}</bdi>').format(subject)
    name = Markup('<a href="{}">{}</a>').format(link, speaker.name(thing.name, thing.slug))
    if kind != "channel":
        return name
    channel = next(one for one in thing.channels if one.subject == subject)
    return Markup("{} · {}").format(name, telling.channel(channel))
