"""The pages as served: what they say, in which language and order, and what they offer without JavaScript."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest

from monitor.model import Catalogue, ChannelKind, Effect, Service, Text, Verdict
from monitor.store.counts import Added
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
    assert "91.6% Target not met" in text
    assert "Target 95% : at most 0 of 12 services unavailable at once." in text


async def test_under_the_coverage_gate_the_data_are_insufficient(database: str) -> None:
    async with serving(database) as served:
        for number in range(2):
            await served.world.change(
                "effective", f"service:s{number:04d}", Verdict.UNKNOWN, reason="silence"
            )
        await shown(served, "s0001", Verdict.UNKNOWN)
        text = words(await served.text("/"))
    assert "Insufficient data" in text
    assert "Known: 83.3% of all." in text
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


WEB, APP, CENTRE = (f"service:s0001/{kind}" for kind in ("web", "app", "service_centre"))


async def counted(served: Served, *rows: Added) -> None:
    """Counted, and in the snapshot that pages read."""
    await served.world.counted(*rows)
    await served.traffic.look_back()


async def test_before_any_count_every_page_says_that_none_has_arrived(database: str) -> None:
    async with serving(database) as served:
        await until(lambda: served.traffic.seen is not None)
        pages = [words(await served.text(path)) for path in ("/", "/services/s0001", "/entities/e01")]
    assert ["No counts of transactions have arrived yet." in page for page in pages] == [True] * 3


async def test_the_overview_has_the_running_day_and_three_weeks_beside_the_three_before(
    database: str,
) -> None:
    async with serving(database) as served:
        minute, day_s = served.world.minute, 86_400
        await counted(
            served,
            Added(WEB, "completed", minute(0), 900), Added(APP, "failed", minute(0), 100),
            Added(CENTRE, "completed", minute(3 * day_s), 1000),
            Added(WEB, "completed", minute(25 * day_s), 500),
            Added(APP, "abandoned", minute(25 * day_s), 500),
            Added(CENTRE, "completed", minute(25 * day_s), 1000),
        )  # fmt: skip
        text = words(await served.text("/"))
    assert "900 completed today of 1,000; 100 failed, 0 abandoned" in text
    assert "Completed in three weeks 1,900" in text
    assert "Completion 95.0% 20.0 percentage points more than before ( 75.0% )" in text
    assert "Uptake of remote channels 50.0% the same as before ( 50.0% )" in text
    assert "Leaves out 11 of 12 services: one of their channels sends no counts." in text


async def test_the_overview_names_what_is_not_as_usual_now(database: str) -> None:
    async with serving(database) as served:
        await served.world.finding(WEB, "silence", ago_s=600)
        await counted(served, Added(WEB, "completed", served.world.minute(3600), 5))
        text = words(await served.text("/"))
    wanted = "Renew a licence Civil Registry Authority (Website) : no transactions at all, where about 40 are"
    assert wanted in text


async def test_the_headline_by_transactions_stands_beside_the_one_by_time(database: str) -> None:
    """One service of two is down, and nine in ten transactions are usual on the other."""
    async with serving(database, government(entities=1, services=2)) as served:
        await served.world.usual("service:s0000/web", an_hour=900)
        await served.world.usual("service:s0001/web", an_hour=100)
        await counted(served, Added(WEB, "completed", served.world.minute(3600), 5))
        await served.world.service_falls("s0001")
        await shown(served, "s0001", Verdict.DOWN)
        text, said = words(await served.text("/")), await served.json("/api/v1/continuity")
    assert "By transactions: 90.0%" in text
    assert said["by_transactions"]["ratio_percent"] == "90.0"  # type: ignore[index]
    assert said["ratio_percent"] == "50.0"


async def test_the_service_page_shows_its_channels_and_which_of_them_sends_no_counts(database: str) -> None:
    async with serving(database) as served:
        minute = served.world.minute(3600)
        await counted(served, Added(WEB, "completed", minute, 7), Added(APP, "failed", minute, 2))
        text = words(await served.text("/services/s0001"))
    assert "By channel 9 transactions in this range" in text
    assert "Website Remote 7 0 0 Mobile app Remote 0 2 0" in text
    assert "Service centre In person no counts are sent" in text
    assert "Not all of its channels send counts, so nobody knows what share is remote." in text


async def test_the_curve_lies_over_what_is_usual_and_says_it_again_as_a_table(database: str) -> None:
    async with serving(database) as served:
        rows = [Added(WEB, "completed", served.world.minute(60.0 * n), 9) for n in range(50)]
        await served.world.usual(WEB, an_hour=600)
        await counted(served, *rows)
        html = await served.text("/services/s0001?hours=1")
    curve = html[html.index('<figure class="curve') : html.index("</figure>")]
    assert len(re.findall(r'<path class="(usual|line)" d="M[^"]+"', curve)) == 2
    assert re.search(r'aria-label="Completed transactions over time; last 9, usual \d+–\d+"', curve)
    table = words(html[html.index("</figure>") :])
    assert re.search(r"From Completed Failed Abandoned Usual \d\d:\d\d:00 9 0 0 \d+–\d+", table)


async def test_missed_transactions_are_an_estimate_with_its_interval_and_what_was_made_up(
    database: str,
) -> None:
    async with serving(database) as served:
        await counted(served, Added(WEB, "completed", served.world.minute(3600), 5))
        await served.world.missed("service:s0001", from_s=90_000, to_s=88_000)
        await served.world.missed("service:s0001", from_s=900, to_s=None, missed=33.3)
        text = words(await served.text("/services/s0001"))
    assert "Missed transactions (estimate)" in text
    assert "33 ( 26–42 ) after it ends" in text
    assert "120 ( 96–150 ) 70 ( 35–91 )" in text
    assert "lost" not in text


async def test_the_entity_page_sums_its_services_and_lists_each(database: str) -> None:
    async with serving(database) as served:
        minute = served.world.minute(3600)
        await counted(
            served,
            Added(WEB, "completed", minute, 40), Added("service:s0005/web", "completed", minute, 2),
            *(Added(f"service:s0001/{kind}", "completed", minute, 5) for kind in ("app", "service_centre")),
        )  # fmt: skip
        text = words(await served.text("/entities/e01"))
    assert "Completed in three weeks 52" in text
    assert "Renew a licence 50 100% 90.0% Renew a licence 2 100% no data" in text


async def test_the_pages_say_so_when_counting_is_behind(database: str) -> None:
    async with serving(database) as served:
        await counted(served, Added(WEB, "completed", served.world.minute(3600), 5))
        await served.world.count_clock(ago_s=600)
        await served.traffic.refresh()
        text = words(await served.text("/"))
    assert "Counting is behind. What came after" in text


async def test_a_service_outside_its_hours_is_told_as_that_and_is_not_required(database: str) -> None:
    catalogue = government(entities=4, services=12)
    now = datetime.now(ZoneInfo(catalogue.zone))
    hours = "daily 13:00-14:30" if now.hour < 12 else "daily 01:00-02:30"
    services = [msgspec.structs.replace(catalogue.services[0], hours=hours), *catalogue.services[1:]]
    closed = msgspec.structs.replace(catalogue, services=tuple(services))
    async with serving(database, closed) as served:
        await served.world.service_falls("s0000")
        await shown(served, "s0000", Verdict.DOWN)
        overview, page = words(await served.text("/")), words(await served.text("/services/s0000"))
        arabic = words(await served.text("/services/s0000?lang=ar"))
        one = await served.json("/api/v1/services/s0000")
    assert "services in all 11" in overview
    assert "available 11 not available 0" in overview
    assert "Out of service hours Not required now, and not counted" in page
    assert f"Offered every day, {hours.removeprefix('daily ').replace('-', '–')}" in page
    assert "خارج أوقات الخدمة" in arabic
    assert (one["excluded"], one["verdict"]) == ("out_of_hours", "down")
