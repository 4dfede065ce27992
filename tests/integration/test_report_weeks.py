"""Weeks at their edges, from the rows of a real PostgreSQL to what is printed: zones, clocks, ends of years.

In each, service a is down over both ends, from an hour before to an hour after: two hours are the week's own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from monitor.config.settings import ReportSettings
from monitor.judge.terms import terms_of
from monitor.model import GOVERNMENT, Calendar, Catalogue, DayName
from monitor.report.document import decode
from monitor.report.files import file_of
from monitor.report.gather import Ask
from monitor.report.publishing import freeze
from monitor.report.times import named_stretch
from monitor.store import reports
from monitor.store.pool import Store, open_store
from tests.ledger import DAY_MS, HOUR_MS, Ledger, catalogue

pytestmark = pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler-utils is not installed")
SERVICES = 3
WEEKS = [
    ("Asia/Dubai", "monday", "2026-W47", 168, "from 16 to 22 November 2026", "من 16 إلى 22 نوفمبر 2026"),
    ("Asia/Bahrain", "sunday", "2026-W47", 168, "from 15 to 21 November 2026", "من 15 إلى 21 نوفمبر 2026"),
    ("Asia/Bahrain", "saturday", "2026-W01", 168, "from 27 December 2025 to 2 January 2026",
     "من 27 ديسمبر 2025 إلى 2 يناير 2026"),
    ("Asia/Dubai", "monday", "2020-W53", 168, "from 28 December 2020 to 3 January 2021",
     "من 28 ديسمبر 2020 إلى 3 يناير 2021"),
    ("Asia/Dubai", "sunday", "2021-W01", 168, "from 3 to 9 January 2021", "من 3 إلى 9 يناير 2021"),
    ("Europe/London", "monday", "2026-W13", 167, "from 23 to 29 March 2026", "من 23 إلى 29 مارس 2026"),
    ("Europe/London", "monday", "2026-W43", 169, "from 19 to 25 October 2026", "من 19 إلى 25 أكتوبر 2026"),
    ("Europe/London", "sunday", "2026-W13", 168, "from 22 to 28 March 2026", "من 22 إلى 28 مارس 2026"),
    ("Europe/London", "sunday", "2026-W14", 167, "from 29 March 2026 to 4 April 2026",
     "من 29 مارس 2026 إلى 4 أبريل 2026"),
    ("Europe/London", "saturday", "2026-W43", 168, "from 17 to 23 October 2026", "من 17 إلى 23 أكتوبر 2026"),
]  # fmt: skip


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


def starting(zone: str, day: str) -> Catalogue:
    return replace(catalogue(zone=zone), calendar=Calendar(week_start=DayName(day)))


@pytest.mark.parametrize(
    ("zone", "day", "label", "hours", "en", "ar"), WEEKS, ids=["-".join(week[:3]) for week in WEEKS]
)
async def test_t12_t13_t14_a_week_is_counted_and_printed_as_its_zone_and_its_first_day_say(
    store: Store, zone: str, day: str, label: str, hours: int, en: str, ar: str
) -> None:
    document, terms = starting(zone, day), terms_of(starting(zone, day))
    week = named_stretch(label, terms.zone, week_start=terms.week_start)
    ledger = Ledger(store)
    await ledger.begin(week.start_ms - 8 * DAY_MS, document)
    for service in ("a", "b", "c"):
        await ledger.says(f"service:{service}", (week.start_ms - 8 * DAY_MS, "up"))
    for edge_ms in (week.start_ms, week.end_ms):
        await ledger.says("service:a", (edge_ms - HOUR_MS, "down"), (edge_ms + HOUR_MS, "up"))
    await ledger.judged(week.end_ms + 2 * HOUR_MS)
    await ledger.account()
    await freeze(store, Ask(week, GOVERNMENT, 1), ReportSettings(), software="0.1.0")
    text = await reports.document(store, scope=GOVERNMENT, label=label)
    assert text is not None

    total = decode(text).total
    assert (total.figures["F06"].whole, total.figures["F10"].text) == (SERVICES * hours * HOUR_MS, "7200")
    for language, period in (("en", en), ("ar", ar)):
        said = plainly(file_of(text, "html", language).body.decode())
        assert period in said
        first = " ".join(first_page(file_of(text, "pdf", language).body).split())
        assert period in first if language == "en" else _in_order(re.findall(r"\d+", period), first), first[
            :600
        ]
    assert f"{SERVICES * hours:,} hours" in plainly(file_of(text, "html", "en").body.decode())


def plainly(page: str) -> str:
    """Its text, without marks of direction."""
    return " ".join(re.sub("<[^>]*>|[\u200e\u200f\u2066-\u2069]", "", page).split())


def first_page(body: bytes) -> str:
    done = subprocess.run(
        ["pdftotext", "-l", "1", "-", "-"], input=body, capture_output=True, timeout=60, check=True
    )
    return re.sub("[\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", done.stdout.decode())


def _in_order(numbers: list[str], text: str) -> bool:
    """Words of Arabic come out by shape; the numbers of the sentence stand in its order all the same."""
    return re.search(r"\D+".join(rf"(?<!\d){number}(?!\d)" for number in numbers), text) is not None
