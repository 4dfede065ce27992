"""One figure, one row of digits: whatever a person opens of the golden week says the same, to the last one.

The week is written into a real PostgreSQL, accounted, frozen for the government and for each entity, and
served. Every figure of everybody, of an entity and of a service is then read from wherever it stands: the
frozen JSON, the HTML and the PDF of both languages, the cells of the workbooks, the CSV files, the API,
Grafana's views, and /metrics/state; and held against what tests/golden_week.py works out by hand.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from monitor.config.settings import ReportSettings
from monitor.judge.seconds import ratio_of
from monitor.judge.terms import terms_of
from monitor.model import GOVERNMENT
from monitor.report.document import Document, decode
from monitor.report.figures import said_of
from monitor.report.gather import Ask
from monitor.report.pdf.annex import OF_SERVICES
from monitor.report.pdf.tables import OF_ENTITIES
from monitor.report.publishing import freeze
from monitor.report.times import named_stretch
from monitor.report.voice import Voice
from monitor.store.pool import Store, open_store
from tests import golden_week as golden
from tests import readings
from tests.conftest import in_thread
from tests.integration import golden_store
from tests.readings import Figures, parts_of
from tests.serving import Served, serving, until

pytestmark = pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="poppler-utils is not installed")

LABEL, LANGUAGES = "2026-W47", ("ar", "en")
BY_HAND = golden.golden()
EVERY = {kind: tuple(each.code for each in said_of(kind)) for kind in ("total", "entity", "service")}
OF_TIME = ("F01", "F05", "F06", "F10", "F11", "F12", "F13", "F14", "F15", "F16")
"""What accounting stores of every period, report or not."""

IN_TEXT = {"total": EVERY["total"], "entity": OF_ENTITIES, "service": OF_SERVICES}
"""A page has every figure of everybody, and of others those that fit a row: the sheets have all."""

SAID: dict[str, Mapping[str, tuple[str, ...]]] = {
    "json": EVERY,
    "api": EVERY,
    "api, list of reports": {"total": EVERY["total"]},
    "api, availability": dict.fromkeys(EVERY, OF_TIME),
    **{f"{form} {language}": IN_TEXT for form in ("html", "pdf") for language in LANGUAGES},
    **{f"{form} {language}": EVERY for form in ("xlsx", "csv") for language in LANGUAGES},
    "grafana.report": {"total": EVERY["total"], "entity": EVERY["entity"]},  # the report of each scope
    "grafana.availability": dict.fromkeys(EVERY, OF_TIME),
    "metrics": {"total": ("F02",), "service": ("F01", "F02", "F06")},
}
"""Where each figure stands, by the kind of part.

Prometheus tells of now and of the days that end today, which are the week at the instant it ends:
availability, coverage and promises. What is official of a past week comes from the store alone (T19, T20), so
nothing that is counted over the week has a metric: certificates have the instant each ends, transactions a
total that never falls, budgets their seconds. Of everybody there is no availability of a week either: the
headline is of this moment. Grafana reads the figures that are frozen of a whole report; of a service those of
time, as they are stored.
"""

NOT_THERE = {
    ("metrics", "service:visa"): "was removed before the week ended, and with it its metrics (conventions)",
    ("api, availability", "service:visa"): "is in no catalogue now; the report and Grafana still tell of it",
    **{
        ("metrics", f"service:{slug}", "F02"): "promises nothing itself: the headline's target is its own"
        for slug in ("passport", "licence", "vehicle")
    },
}
"""What a view does not say, and why."""


@pytest.fixture(scope="module")
def read(shared_database: str) -> dict[str, Figures]:
    """What each view says."""
    found: dict[str, Figures] = {}
    in_thread(_read(shared_database, found))
    return found


CASES = [(part.subject, code) for part in parts_of(BY_HAND) for code in part.figures]


@pytest.mark.parametrize(("subject", "code"), CASES, ids=[f"{code}-{subject}" for subject, code in CASES])
def test_a_figure_is_the_same_wherever_it_stands(subject: str, code: str, read: dict[str, Figures]) -> None:
    part = BY_HAND.part(subject)
    assert part is not None
    value = part.figures[code]
    by_hand = golden.EXPECTED if part.kind == "total" else golden.EXPECTED_OF.get(subject, {})
    assert value.text == by_hand.get(code, value.text)
    places = [place for place in SAID if code in SAID[place].get(part.kind, ())]
    wanted = {
        place: _as_it_stands(place, subject, code)
        for place in places
        if (place, subject) not in NOT_THERE and (place, subject, code) not in NOT_THERE
    }
    assert {place: read[place].get((subject, code)) for place in wanted} == wanted


def test_no_view_says_more_than_the_table_knows_of(read: dict[str, Figures]) -> None:
    """A figure that begins to stand somewhere else is read there, too. HTML names services more than once."""
    kinds = {part.subject: part.kind for part in parts_of(BY_HAND)}
    unknown = {
        (place, subject, code)
        for place, figures in read.items()
        if not place.startswith("html")
        for subject, code in figures
        if code not in SAID[place].get(kinds[subject], ())
    }
    assert unknown == set()


def _as_it_stands(place: str, subject: str, code: str) -> str:
    """The digits as such a view writes them."""
    part = BY_HAND.part(subject)
    assert part is not None
    value = part.figures[code]
    if place.startswith("pdf"):
        return readings.written(value, code, Voice(place[-2:], BY_HAND))
    if place == "metrics":
        return ratio_of(value.text or "")
    return value.text or ""


# -- reading


async def _read(dsn: str, found: dict[str, Figures]) -> None:
    async with open_store(dsn) as store:
        await golden_store.write(store, judged_ms=golden.END_MS)
        terms = terms_of(golden.catalogues()[0])
        week = named_stretch(LABEL, terms.zone, week_start=terms.week_start)
        for scope in (GOVERNMENT, *(each.subject for each in BY_HAND.entities)):
            await freeze(store, Ask(week, scope, 1), ReportSettings(), software="0.1.0")
        found |= await _in_grafana(store)
    async with serving(dsn, golden.catalogues()[0], fresh=False, keep_alive=False) as served:
        document = decode(await _bytes(served, f"/api/v1/reports/{LABEL}"))
        found["json"] = await _stored(served.store)
        found["api"] = readings.frozen(document)
        found["api, list of reports"] = await _listed(served)
        found["api, availability"] = await _availability(served)
        for language in LANGUAGES:
            await _files(served, document, language, found)
        await until(lambda: bool(served.live.figures.rows))
        found["metrics"] = _of_metrics(await served.text("/metrics/state"))


async def _bytes(served: Served, path: str) -> bytes:
    async with served.http.get(served.url + path) as answer:
        assert answer.status == 200, (path, answer.status)
        return await answer.read()


async def _stored(store: Store) -> Figures:
    async with store.connection() as connection:
        text = await connection.fetchval("select document from report_version where scope = $1", GOVERNMENT)
    return readings.frozen(decode(text))


async def _listed(served: Served) -> Figures:
    lines: Any = (await served.json("/api/v1/reports?entity="))["items"]
    [line] = [each for each in lines if each["scope"] == GOVERNMENT]
    return {(BY_HAND.total.subject, code): each["text"] or "" for code, each in line["figures"].items()}


async def _files(served: Served, document: Document, language: str, found: dict[str, Figures]) -> None:
    """Downloaded as people do."""
    of: dict[str, Callable[[bytes], Figures]] = {
        "html": lambda body: readings.of_html(body.decode(), document),
        "pdf": lambda body: readings.of_pdf(body, document, Voice(language, document)),
        "xlsx": lambda body: readings.of_workbook(body, document),
    }
    for form, read in of.items():
        body = await _bytes(served, f"/api/v1/reports/{LABEL}/files/{form}?lang={language}")
        found[f"{form} {language}"] = read(body)
    found[f"csv {language}"] = readings.of_csv(document, language)


async def _availability(served: Served) -> Figures:
    found = Figures()
    for part in parts_of(BY_HAND):
        if ("api, availability", part.subject) not in NOT_THERE:
            said: Any = await served.json(
                f"/api/v1/availability?subject={part.subject}&period=week&from=2026-11-16"
            )
            percents = {
                "F01": said["availability_percent"],
                "F05": said["without_exclusions"]["availability_percent"],
                "F06": said["coverage_percent"],
            }
            lasted = said["outages"], said["longest_s"], said["mean_restore_s"]
            found |= _of_time(part.subject, percents, said["seconds"], *lasted)
    return found


STATES = ("down", "degraded", "unknown", "maintenance", "out_of_hours")


async def _in_grafana(store: Store) -> dict[str, Figures]:
    async with store.connection() as connection:
        frozen = await connection.fetch("select scope, code, text from grafana.report where last")
        stored = await connection.fetch(
            "select * from grafana.availability where period = 'week' and start = $1", BY_HAND.about.began
        )
    every, of_time = {part.subject: EVERY[part.kind] for part in parts_of(BY_HAND)}, Figures()
    for row in stored:
        if row["subject"] in every:
            percents = {
                "F01": row["availability"],
                "F05": row["availability_without_exclusions"],
                "F06": row["coverage"],
            }
            spent = {state: float(row[f"{state}_seconds"]) for state in STATES}
            lasted = row["outages"], row["longest_seconds"], row["mean_restore_seconds"]
            of_time |= _of_time(row["subject"], percents, spent, *lasted)
    said = {(row["scope"], row["code"]): row["text"] or "" for row in frozen}
    return {
        "grafana.report": {key: text for key, text in said.items() if key[1] in every[key[0]]},
        "grafana.availability": of_time,
    }


def _of_time(
    subject: str,
    percents: Mapping[str, object],
    spent: Mapping[str, float],
    outages: int,
    longest_s: float,
    restore_s: float | None,
) -> Figures:
    """What is stored of time under the codes of the report."""
    texts = {
        **{code: "" if percent is None else str(percent) for code, percent in percents.items()},
        "F10": f"{int(spent['down'])}",
        "F11": f"{int(spent['degraded'])}",
        "F12": f"{int(spent['unknown'])}",
        "F13": f"{int(spent['maintenance'] + spent['out_of_hours'])}",
        "F14": f"{outages}",
        "F15": f"{int(longest_s)}" if outages else "",
        "F16": "" if restore_s is None else f"{int(restore_s)}",
    }
    return {(subject, code): text for code, text in texts.items()}


METRICS = {
    r'continuity_availability_ratio\{service="(.*?)",window="7d"\} (\S+)': "F01",
    r'continuity_coverage_ratio\{service="(.*?)",window="7d"\} (\S+)': "F06",
    r'continuity_objective_ratio\{service="(.*?)",.*?objective="availability"\} (\S+)': "F02",
}
HEADLINE = r'continuity_objective_ratio\{objective="headline"\} (\S+)'


def _of_metrics(text: str) -> Figures:
    found = {
        (f"service:{slug}", code): digits
        for pattern, code in METRICS.items()
        for slug, digits in re.findall(pattern, text)
    }
    [target] = re.findall(HEADLINE, text)
    return {**found, (BY_HAND.total.subject, "F02"): target}
