"""Incidents on pages and API: what happened, what still works, whom to call; acknowledging and noting."""

from __future__ import annotations

import html
import re
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest

from monitor.judge.incidents import State
from monitor.judge.troubles import Sign
from monitor.model import Severity, Verdict
from monitor.store.counts import Added
from monitor.store.tokens import Role
from tests.acting import audited, bearer, field, post, sign_in, words
from tests.serving import Served, serving, until

NUMBER = "INC-2026-0001"
PAGE, API = f"/incidents/{NUMBER}", f"/api/v1/incidents/{NUMBER}"


async def test_the_page_says_what_happened_what_still_works_and_whom_to_call(database: str) -> None:
    async with serving(database) as served:
        await served.world.system_falls("identity")
        await served.world.incident(
            "system:identity",
            services=("service:s0005",),
            channels=("service:s0005/web", "service:s0006/web"),
            failures=4,
            ago_s=1190,
        )
        await until(lambda: _down(served, "s0005"))
        text = words(await served.text(PAGE))
    assert "INC-2026-0001 · Critical · Failing Digital identity" in text
    assert re.search(r"Unstable: 4 failures in 20 min ?\.", text)
    assert "Nobody has acknowledged it yet." in text
    assert "Civil Registry Authority Down no remote channel" in text
    assert "Up Website ; Mobile app" in text
    assert "Night shift +000 4 555 0101" in text


def _down(served: Served, slug: str) -> bool:
    return _is(served, slug, Verdict.DOWN)


def _is(served: Served, slug: str, verdict: Verdict) -> bool:
    picture = served.live.picture
    return picture is not None and picture.services[slug].effective.verdict is verdict


async def test_the_page_speaks_arabic(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity", suspected=True)
        text = words(await served.text(f"{PAGE}?lang=ar"))
    assert "حرجة" in text
    assert "الهوية الرقمية" in text
    assert "لم يتم استلام البلاغ بعد" in text


async def test_the_overview_lists_open_incidents_the_gravest_first(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("service:s0001", sign=Sign.DOWN, severity=Severity.WARNING, ago_s=900)
        await served.world.incident("system:payments", number="INC-2026-0002")
        await until(lambda: len(served.live.incidents) == 2)
        page = await served.text("/")
    assert re.findall(r'href="/incidents/(INC-[\d-]+)"', page) == ["INC-2026-0002", "INC-2026-0001"]


async def test_an_open_page_hears_of_a_new_incident(database: str) -> None:
    async with serving(database) as served:
        before = served.live.etag
        await served.world.incident("system:identity")
        await until(lambda: served.live.etag != before)


async def test_closed_ones_are_listed_apart(database: str) -> None:
    async with serving(database) as served:
        now_ms = served.live.now_ms
        await served.world.incident("system:identity", state=State.CLOSED, well_ms=now_ms, closed_ms=now_ms)
        await served.world.incident("system:payments", number="INC-2026-0002")
        opened = await served.json("/api/v1/incidents")
        closed = await served.json("/api/v1/incidents?state=closed")
        page = await served.text("/incidents")
    assert [numbers(opened), numbers(closed)] == [["INC-2026-0002"], [NUMBER]]
    assert page.index("INC-2026-0002") < page.index('id="closed"') < page.index(NUMBER)


def numbers(answer: dict[str, Any]) -> list[str]:
    return [item["number"] for item in answer["items"]]


async def test_an_operator_acknowledges_on_the_page_once_and_under_their_name(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        await sign_in(served)
        csrf = await field(served, PAGE)
        sent = await post(served, f"{PAGE}/acknowledge", data={"csrf": csrf})
        await post(served, f"{PAGE}/acknowledge", data={"csrf": csrf})
        text = words(await served.text(PAGE))
        found = await audited(served)
    assert sent[0] == 303
    assert "Acknowledged by Night desk" in text
    assert found == [("Night desk", "incident.acknowledged", NUMBER)]


async def test_a_note_stands_in_the_timeline_with_its_author_and_as_it_was_written(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        await sign_in(served)
        csrf = await field(served, PAGE)
        await post(served, f"{PAGE}/notes", data={"csrf": csrf, "text": " <b>Called</b> the provider "})
        page = await served.text(PAGE)
    assert "&lt;b&gt;Called&lt;/b&gt; the provider</p>" in page
    assert "Note · Night desk" in words(page)


@pytest.mark.parametrize("act", ["acknowledge", "notes"])
async def test_a_form_from_elsewhere_is_refused(database: str, act: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        await sign_in(served)
        without = await post(served, f"{PAGE}/{act}", data={"text": "x"})
        csrf = await field(served, PAGE)
        elsewhere = {"Origin": "https://evil.example"}
        crossed = await post(served, f"{PAGE}/{act}", data={"csrf": csrf, "text": "x"}, headers=elsewhere)
        api = await post(served, f"{API}/{act}", json={"text": "x"}, headers=elsewhere)
        found = await audited(served)
    assert ([without[0], crossed[0], api[0]], found) == ([403, 403, 403], [])


async def test_the_api_acknowledges_and_notes(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        headers = await bearer(served)
        first = await post(served, f"{API}/acknowledge", headers=headers)
        second = await post(served, f"{API}/acknowledge", headers=await bearer(served, "Day desk"))
        noted = await post(served, f"{API}/notes", json={"text": "Called"}, headers=headers)
        found = await served.json(API)
    assert [first[0], second[0], noted[0]] == [200, 200, 201]
    assert found["acknowledged_by"] == "Night desk"
    timeline: Any = found["timeline"]
    assert [(line["kind"], line["author"], line["text"]) for line in timeline] == [
        ("opened", None, ""),
        ("acknowledged", "Night desk", ""),
        ("note", "Night desk", "Called"),
    ]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"text": ""}', b'{"text": 3}', b"\xff", b'{"text": "' + b"x" * 2001 + b'"}']
)
async def test_a_note_that_is_none_is_refused(database: str, body: bytes) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        answer = await post(served, f"{API}/notes", data=body, headers=await bearer(served))
    assert answer[0] == 400


async def test_only_an_operator_acts(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        nobody = await post(served, f"{API}/acknowledge")
        viewer = await post(served, f"{API}/acknowledge", headers=await bearer(served, role=Role.VIEWER))
        page = words(await served.text(PAGE))
    assert (nobody[0], viewer[0]) == (401, 403)
    assert "sign in with an operator's token" in page


async def test_what_does_not_exist_is_404(database: str) -> None:
    async with serving(database) as served, AsyncExitStack() as stack:
        headers = await bearer(served)
        asked = [await stack.enter_async_context(served.http.get(served.url + path)) for path in (PAGE, API)]
        acted = await post(served, f"{API}/acknowledge", headers=headers)
    assert [answer.status for answer in asked if isinstance(answer, aiohttp.ClientResponse)] == [404, 404]
    assert acted[0] == 404


async def test_lists_are_narrowed_by_entity_and_system(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity", services=("service:s0005",))
        await served.world.incident("service:s0002", number="INC-2026-0002", sign=Sign.DOWN)
        catalogue = served.world.catalogue
        entity = catalogue.services_by_subject["service:s0005"].entity
        by_entity = await served.json(f"/api/v1/incidents?entity={entity}")
        by_system = await served.json("/api/v1/incidents?system=identity")
        neither = await served.json("/api/v1/incidents?system=payments")
        page = await served.text(f"/incidents?entity={entity}&state=open")
    assert [numbers(found) for found in (by_entity, by_system, neither)] == [[NUMBER], [NUMBER], []]
    assert ("INC-2026-0002" in page, NUMBER in page, "Closed last" in words(page)) == (False, True, True)


async def test_the_overview_tells_each_cause_once(database: str) -> None:
    async with serving(database) as served:
        await served.world.system_falls("identity")
        await served.world.change("effective", "service:s0003", Verdict.UNKNOWN, reason="silence")
        await served.world.incident("system:identity", services=("service:s0005",))
        await until(lambda: _down(served, "s0005") and len(served.live.incidents) == 1)
        await until(lambda: _is(served, "s0003", Verdict.UNKNOWN))
        page = await served.text("/")
    wrong = words(page.partition('id="wrong"')[2].partition("</section>")[0].replace("<ol", "<main"))
    assert (wrong.count("Digital identity"), "INC-2026-0001" in wrong) == (1, True)
    assert "services unavailable" in wrong
    assert page.count('class="wrong-item') == 2


async def test_the_page_tells_what_it_costs_in_transactions(database: str) -> None:
    async with serving(database) as served:
        world = served.world
        await world.usual("service:s0000/web", an_hour=120)
        await world.service_falls("s0000")
        await world.missed("service:s0000", from_s=60, to_s=None)
        await world.counted(Added("service:s0000/web", "completed", world.minute(600), 5, 0, 0))
        await served.traffic.look_back()
        await world.incident("service:s0000", services=("service:s0000",))
        await until(lambda: _down(served, "s0000"))
        text = words(await served.text(PAGE))
    assert re.search(r"Transactions usual in a minute now 1\.8", text)
    assert re.search(r"Missed so far \(estimate\) \d+ \( \d+–\d+ \)", text)


async def test_an_outage_learned_of_too_late_is_listed_apart(database: str) -> None:
    async with serving(database) as served:
        for verdict, ago_s in ((Verdict.DOWN, 3000), (Verdict.UP, 2000)):
            await served.world.change("effective", "service:s0001", verdict, reason="timeout", ago_s=ago_s)
        await served.world.change("effective", "service:s0002", Verdict.DOWN, reason="timeout", ago_s=60)
        page = await served.text("/incidents")
    assert re.findall(r'href="/services/(\w+)"', page.partition('id="later"')[2]) == ["s0001"]


async def test_the_call_sheet_can_be_copied_as_plain_text(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("system:identity")
        page = await served.text(PAGE)
    copied = html.unescape(page.partition('<pre id="call-text" hidden>')[2].partition("</pre>")[0])
    assert copied.splitlines()[:1] == [f"{NUMBER} Digital identity"]
    assert "Operations desk · Night shift · +000 4 555 0101 · 24 × 7" in copied
