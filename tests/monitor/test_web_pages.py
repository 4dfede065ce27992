"""The pages as served: what they say, in which language and order, and what they offer without JavaScript."""

from __future__ import annotations

import re

import msgspec
import pytest

from monitor.model import Catalogue, ChannelKind, Effect, Service, Text, Verdict
from tests.serving import Served, serving, until
from tests.world import channel, government, system


def words(html: str) -> str:
    """What a person reads: no tags, single spaces."""
    body = re.sub(r"<head>.*?</head>|<option[^>]*>.*?</option>", " ", html, flags=re.DOTALL)
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", body)).replace(" .", ".").replace(" ;", ";").strip()


async def shown(served: Served, slug: str, verdict: Verdict) -> None:
    def drawn() -> bool:
        picture = served.live.picture
        return picture is not None and picture.services[slug].effective.verdict is verdict

    await until(drawn)


async def test_the_headline_is_three_numbers_and_the_sentence_stands_beside_the_target(database: str) -> None:
    async with serving(database) as served:
        await served.world.service_falls("s0001")
        await shown(served, "s0001", Verdict.DOWN)
        text = words(await served.text("/"))
    assert "available 11" in text
    assert "not available 1 unknown 0 services in all 12" in text
    assert "91.6\u202f% Target not met" in text
    assert "Target 95\u202f% : at most 0 of 12 services unavailable at once." in text


async def test_under_the_coverage_gate_the_data_are_insufficient(database: str) -> None:
    async with serving(database) as served:
        for number in range(2):
            await served.world.change(
                "effective", f"service:s{number:04d}", Verdict.UNKNOWN, reason="silence"
            )
        await shown(served, "s0001", Verdict.UNKNOWN)
        text = words(await served.text("/"))
    assert "Insufficient data" in text
    assert "Known: 83.3\u202f% of all." in text
    assert "Target met" not in text


async def test_what_is_wrong_comes_first_by_cause_with_what_it_takes_away(database: str) -> None:
    async with serving(database, government(entities=4, services=40)) as served:
        await served.world.channel_falls("service:s0003/web", ago_s=900)
        await served.world.service_falls("s0001", reason="tls_expired", ago_s=600)
        taken = await served.world.system_falls("payments", ago_s=60)
        await shown(served, taken[-1], Verdict.DOWN)
        html = await served.text("/")
    items = [
        words(item) for item in re.findall(r'<li class="wrong-item.*?</div>\s*</li>', html, flags=re.DOTALL)
    ]
    assert [re.split(r" since ", item)[0][:40] for item in items] == [
        "Payment gateway Down no answer in time I",
        "Renew a licence Civil Registry Authority",
        "Renew a licence Education Authority Webs",
    ]
    assert f"It makes {len(taken)} services unavailable." in items[0]
    assert "its certificate has expired" in items[1]
    assert "The service can still be completed on another channel." in items[2]


async def test_the_filter_and_search_work_without_javascript(database: str) -> None:
    async with serving(database) as served:
        await served.world.service_falls("s0001")
        await shown(served, "s0001", Verdict.DOWN)
        by_state = await served.text("/?state=not_available")
        by_name = await served.text("/?q=السجل")
        nothing = await served.text("/?q=nothing+at+all")
    tiles = [re.findall(r'id="s-(s\d+)"', page) for page in (by_state, by_name, nothing)]
    assert tiles == [["s0001"], ["s0001", "s0005", "s0009"], []]


async def test_arabic_pages_read_right_to_left_and_keep_the_language_in_a_cookie(database: str) -> None:
    async with serving(database) as served:
        first = await served.text("/?lang=ar")
        second = await served.text("/systems")
    assert 'lang="ar" dir="rtl"' in first
    assert 'lang="ar" dir="rtl"' in second
    assert "استمرارية الخدمات" in words(first)


async def test_a_catalogue_of_one_language_offers_no_other(database: str) -> None:
    only = msgspec.structs.replace(government(entities=1, services=1), languages=("en",))
    async with serving(database, only) as served:
        html = await served.text("/?lang=ar")
    assert 'dir="ltr"' in html
    assert "hreflang" not in html


async def test_a_catalogue_without_entities_or_dependencies_still_has_its_pages(database: str) -> None:
    """The three-line catalogue: one service with one website, nobody's."""
    tiny = Catalogue(services=(Service(slug="passport", channels=(channel("passport", ChannelKind.WEB),)),))
    async with serving(database, tiny) as served:
        overview, page = await served.text("/"), await served.text("/services/passport")
    assert 'id="s-passport"' in overview
    assert "No contact is recorded." in words(page)


async def test_the_service_page_tells_measured_from_derived(database: str) -> None:
    async with serving(database) as served:
        await served.world.system_falls("payments")
        await shown(served, "s0000", Verdict.DOWN)
        text = words(await served.text("/services/s0000"))
    assert "because Payment gateway is down and it cannot do without it" in text
    assert "Measured directly Up What people get Down follows from a system it needs" in text
    assert "+000 4 555 0101" in text


async def test_the_service_page_shows_gaps_failed_attempts_and_latency_by_phase(database: str) -> None:
    async with serving(database) as served:
        subject = "service:s0001/web"
        await served.world.attempts(subject, hours=1, down_s=(300, 0))
        await served.world.gap(f"{subject}/main", from_s=1800, to_s=1200)
        html = await served.text("/services/s0001?hours=1")
    text = words(html)
    assert "21 checks not made: no prober was running" in text
    assert "failed it answered with an error status answered 503, expected 200" in text
    assert re.findall(r'<path class="phase p-(\w+)"', html) == [
        "dns", "connect", "tls", "first_byte", "transfer"
    ]  # fmt: skip


async def test_the_system_page_says_who_depends_on_it_and_how(database: str) -> None:
    async with serving(database) as served:
        text = words(await served.text("/systems/documents"))
    assert "2 services depend on it." in text
    assert "Website : can slow it" in text or "Website: can slow it" in text


async def test_a_name_with_markup_in_it_is_text(database: str) -> None:
    """Whatever a catalogue says is escaped."""
    evil = "<script>alert(1)</script>"
    service = Service(slug="x", name=Text(en=evil), channels=(channel("x", ChannelKind.WEB),))
    async with serving(database, Catalogue(services=(service,))) as served:
        pages = [await served.text(path) for path in ("/", "/services/x")]
    assert [evil in page for page in pages] == [False, False]


async def test_without_javascript_a_page_says_that_it_is_a_snapshot_and_loads_again(database: str) -> None:
    async with serving(database) as served:
        html = await served.text("/")
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in html
    assert "This page is a snapshot" in html


async def test_an_edit_of_the_catalogue_that_was_refused_is_told_with_its_mistakes(database: str) -> None:
    async with serving(database) as served:
        async with served.store.transaction() as connection:
            await connection.execute(
                "insert into refused (problems, at) values ('[\"services.yaml:3:1: no such entity\"]', now())"
            )
        await until(lambda: served.live.picture is not None and served.live.picture.refusal is not None)
        html = await served.text("/")
    assert "services.yaml:3:1: no such entity" in html


@pytest.mark.parametrize("path", ["/services/nothing", "/systems/nothing", "/entities/nothing", "/nothing"])
async def test_an_address_with_nothing_behind_it_is_a_plain_404(database: str, path: str) -> None:
    async with serving(database) as served, served.http.get(served.url + path) as answer:
        assert (answer.status, "There is nothing at this address" in await answer.text()) == (404, True)


async def test_a_system_that_slows_makes_a_channel_at_most_slow_and_is_named(database: str) -> None:
    catalogue = Catalogue(
        systems=(system("docs", Text(en="Document store")),),
        services=(
            Service(slug="x", channels=(channel("x", ChannelKind.WEB, needs=[("docs", Effect.SLOWS)]),)),
        ),
    )
    async with serving(database, catalogue) as served:
        for subject in ("service:x/web", "service:x"):
            await served.world.change(
                "effective", subject, Verdict.DEGRADED, reason="dependency", cause="system:docs"
            )
        await shown(served, "x", Verdict.DEGRADED)
        text = words(await served.text("/services/x"))
    assert "because of a fault in Document store" in text
