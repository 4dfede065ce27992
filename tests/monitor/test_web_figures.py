"""How one figure of a published report was counted, by the API and on its page."""

from __future__ import annotations

import re
from typing import Any

import pytest

from monitor.report.document import digest
from tests.acting import words
from tests.golden_week import EXPECTED, EXPECTED_OF, about, golden, golden_of_transport
from tests.monitor.test_report_intervals import earlier_version
from tests.reported import publish
from tests.serving import serving

HOUR_MS = 3_600_000
API, PAGE = "/api/v1/reports/2026-W47/figures", "/reports/2026-W47/figures"
Json = dict[str, Any]


def bare(text: str) -> str:
    """Without isolates."""
    return re.sub("[\u2066-\u2069]", "", text)


async def test_the_api_tells_how_a_figure_was_counted_with_the_frozen_digits(database: str) -> None:
    async with serving(database) as served:
        text = await publish(served.store, golden())
        found: Json = await served.json(f"{API}/F01")
    assert (found["value"]["text"], found["sha256"]) == (EXPECTED["F01"], digest(text))
    assert (found["value"]["part"], found["value"]["whole"]) == (790 * HOUR_MS, 798 * HOUR_MS)
    assert bare(found["divided"]).startswith("790 hours in which services were available, of 798 hours")
    assert found["without_exclusions"]["text"] == "98.25"
    assert (found["coverage"]["text"], found["with_exclusions"]) == ("98.51", None)


async def test_the_api_gives_the_intervals_oldest_first_with_state_reason_cause_and_services(
    database: str,
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        found: Json = await served.json(f"{API}/F05")
    told = found["intervals"]
    assert (told["kept"], told["adds_up"], told["count"], told["seconds"]) == (True, True, 4, 14 * 3600)
    assert [each["seconds"] for each in told["items"]] == [10_800, 14_400, 21_600, 3_600]
    identity, left_out = told["items"][0], told["items"][2]
    assert (identity["cause"], identity["reason"]) == ("system:identity", "dependency")
    assert (identity["from"], identity["to"]) == ("2026-11-18T06:00:00.000Z", "2026-11-18T07:30:00.000Z")
    assert identity["services"] == ["service:id-card", "service:passport"]
    assert (left_out["state"], left_out["without_exclusions"]) == ("maintenance", "down")
    assert left_out["announcements"] == [1]


async def test_the_api_tells_the_same_of_one_entity_or_service(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        passport: Json = await served.json(f"{API}/F10?subject=passport&lang=ar")
        interior: Json = await served.json(f"{API}/F10?subject=entity:interior")
    assert passport["value"]["text"] == EXPECTED_OF["service:passport"]["F10"]
    assert passport["intervals"]["seconds"] == int(EXPECTED_OF["service:passport"]["F10"])
    assert bare(passport["written"]) == "5 ساعات و30 دقيقة"
    assert interior["intervals"]["seconds"] == int(EXPECTED_OF["entity:interior"]["F10"])


async def test_the_api_reads_the_report_of_an_entity_and_cuts_at_the_limit(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        await publish(served.store, golden_of_transport(scope="entity:e01"))
        found: Json = await served.json(f"{API}/F05?entity=e01&limit=1")
    assert (found["scope"], found["subject"]) == ("entity:e01", "entity:e01")
    assert (found["intervals"]["count"], len(found["intervals"]["items"])) == (2, 1)


async def test_of_a_report_of_the_version_before_the_api_says_that_intervals_were_not_kept(
    database: str,
) -> None:
    async with serving(database) as served:
        await publish(served.store, earlier_version())
        found: Json = await served.json(f"{API}/F01")
    assert (found["value"]["text"], found["without_exclusions"]) == (EXPECTED["F01"], None)
    assert (found["intervals"]["kept"], found["intervals"]["items"]) == (False, [])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{API}/F99", 404),
        (f"{API}/F01?subject=nobody", 404),
        (f"{API}/F07?subject=service:passport", 404),
        (f"{API}/F01?version=9", 404),
        (f"{API}/F01?limit=0", 400),
        (f"{API}/F01?lang=fr", 400),
        (f"{PAGE}/F99", 404),
        (f"{PAGE}/F01?subject=nobody", 404),
    ],
)
async def test_what_is_not_there_is_refused(database: str, path: str, status: int) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        assert (await served.http.get(served.url + path)).status == status


@pytest.mark.parametrize("language", ["en", "ar"])
async def test_every_figure_of_everybody_has_a_page_with_its_digits(database: str, language: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden(about=about(sample=True)))
        shown = {}
        for code in EXPECTED:
            text = await served.text(f"{PAGE}/{code}?lang={language}")
            shown[code] = re.findall(rf'data-figure="{code}" value="([^"]*)"', text)
            assert "notice sample" in text
    assert shown == {code: [text] for code, text in EXPECTED.items()}


async def test_the_report_leads_to_the_pages_of_its_figures_and_these_to_services_and_entities(
    database: str,
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        report = await served.text("/reports/2026-W47?lang=en")
        links = re.findall(r'href="(/reports/2026-W47/figures/[^"]+)"', report)
        page = await served.text(links[0].replace("&amp;", "&") + "&lang=en")
        service = await served.text(f"{PAGE}/F10?subject=service:passport&lang=en")
    assert links[0] == "/reports/2026-W47/figures/F01?version=1"
    assert len(links) == 10
    assert '<option value="entity:transport">' in page
    said = words(service)
    assert "Passport renewal" in said
    assert "Together 5 hours and 30 minutes." in bare(said)
    assert 'value="service:passport" selected' in service
    assert "figures/F14?subject=service%3Apassport" in service
