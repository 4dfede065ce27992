"""Published reports on pages and API: listed, opened, downloaded, byte by byte as they were frozen."""

from __future__ import annotations

import io
import re

import openpyxl
import pytest

from monitor.report import document as documents
from monitor.report.document import digest
from monitor.report.html import policy
from tests.golden_week import EXPECTED, about, golden
from tests.reported import publish
from tests.serving import serving

LABEL = "2026-W47"
PAGE, API = f"/reports/{LABEL}", f"/api/v1/reports/{LABEL}"


async def test_before_the_first_report_the_page_says_when_there_will_be_one(database: str) -> None:
    async with serving(database) as served:
        assert "when a week has ended" in await served.text("/reports?lang=en")
        assert await served.json("/api/v1/reports") == {"items": []}


async def test_the_list_shows_each_report_with_the_digits_that_were_frozen(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        text = await served.text("/reports?lang=ar")
        [line] = (await served.json("/api/v1/reports"))["items"]  # type: ignore[misc]
    assert '<data value="98.99">' in text
    assert f'href="{PAGE}"' in text
    assert {code: value["text"] for code, value in line["figures"].items()} == EXPECTED


@pytest.mark.parametrize(
    ("language", "days"),
    [("en", "16 November 2026 to 22 November 2026"), ("ar", "من 16 نوفمبر 2026 إلى 22 نوفمبر 2026")],
)
async def test_the_list_says_the_days_of_a_week_in_words(database: str, language: str, days: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        text = await served.text(f"/reports?lang={language}")
    assert days in re.sub("<[^>]+>|[\u2066-\u2069]", "", text)


@pytest.mark.parametrize(("language", "said"), [("en", "target met"), ("ar", "تحقق المستهدف")])
async def test_the_page_of_a_report_says_the_sentence_and_leads_to_its_files(
    database: str, language: str, said: str
) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        text = await served.text(f"{PAGE}?lang={language}")
        links = re.findall(r'href="(/reports/[^"]+/files/[^"]+)"', text)
        answers = [(await served.http.get(served.url + link.replace("&amp;", "&"))).status for link in links]
    assert said in text
    assert '<data class="figure" data-figure="F01" value="98.99">' in text
    assert len(links) == 13
    assert answers == [200] * 13


async def test_the_api_gives_the_frozen_bytes_and_knows_them_again(database: str) -> None:
    async with serving(database) as served:
        text = await publish(served.store, golden())
        answer = await served.http.get(served.url + API)
        body, etag = await answer.read(), answer.headers["ETag"]
        again = await served.http.get(served.url + API, headers={"If-None-Match": etag})
    assert body == text
    assert etag == f'"{digest(text)}"'
    assert again.status == 304


async def test_a_version_stays_where_it_was_when_there_is_a_newer_one(database: str) -> None:
    async with serving(database) as served:
        first = await publish(served.store, golden())
        second = await publish(served.store, golden(about=about(version=2)))
        newest = await (await served.http.get(served.url + API)).read()
        older = await (await served.http.get(f"{served.url}{API}?version=1")).read()
        found = await served.json(f"{API}/versions")
        page = await served.text(f"{PAGE}?lang=en&version=1")
    assert (newest, older) == (second, first)
    assert [line["version"] for line in found["items"]] == [2, 1]  # type: ignore[attr-defined]
    assert "Version 1, as known on" in re.sub("<[^>]+>|[\u2066-\u2069]", "", page)


async def test_the_edition_opens_under_a_policy_of_its_own(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        answer = await served.http.get(f"{served.url}{PAGE}/files/html?lang=ar")
        text = await answer.text()
    assert answer.headers["Content-Security-Policy"] == policy()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert 'dir="rtl"' in text


async def test_a_file_to_keep_has_a_name_that_says_what_it_is(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden(about=about(sample=True)))
        answer = await served.http.get(f"{served.url}{API}/files/xlsx?lang=ar")
        body = await answer.read()
    name = "continuity-2026-W47-government-v1-ar-SAMPLE-DATA.xlsx"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert len(openpyxl.load_workbook(io.BytesIO(body)).sheetnames) == 9


async def test_a_pdf_is_a_file_to_keep_on_the_paper_that_was_asked_for(database: str) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        answer = await served.http.get(f"{served.url}{PAGE}/files/pdf?lang=ar&paper=projector")
        body = await answer.read()
    name = "continuity-2026-W47-government-v1-ar-projector.pdf"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["Content-Type"] == "application/pdf"
    assert body.startswith(b"%PDF-1.7")


async def test_the_schema_is_served_and_the_report_keeps_it(database: str) -> None:
    async with serving(database) as served:
        schema = await served.json("/api/v1/reports/schema.json")
    assert schema["$ref"] == documents.schema()["$ref"]
    assert schema["x-figures"]["F01"] == "availability"  # type: ignore[index]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/reports/2026-W01", 404),
        (f"{API}?version=9", 404),
        (f"{API}?version=x", 400),
        (f"{API}/files/docx", 404),
        (f"{API}/files/csv?table=secrets", 400),
        (f"{API}?entity=nobody", 404),
        (f"{API}/files/pdf?paper=a5", 400),
        ("/api/v1/reports?kind=day", 400),
        ("/reports/2026-W01", 404),
    ],
)
async def test_what_is_not_there_is_refused(database: str, path: str, status: int) -> None:
    async with serving(database) as served:
        await publish(served.store, golden())
        assert (await served.http.get(served.url + path)).status == status
