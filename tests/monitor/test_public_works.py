"""Planned work is told of by the services it reaches, never by what is worked on."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec
import pytest
from msgspec.structs import replace

from monitor.judge.exclusions import Exclusion, Filing
from monitor.judge.work import Details
from monitor.model import Catalogue, Dependency, Effect, Service, System, Text, Verdict
from monitor.public.notes import Saying
from monitor.public.pages import Files, Pages
from monitor.public.told import Given, tell
from tests.monitor.public_scene import APP, CALL, WEB, given, government, ms, passport, work
from tests.monitor.scene import service
from tests.monitor.test_public_pages import text_of
from tests.monitor.test_public_told import both, says, told
from tests.world import check

DOWN = Verdict.DOWN
ATOM = "{http://www.w3.org/2005/Atom}"
# The scene begins at 18:13:20 in Dubai
ALL_DOWN = [(path, DOWN, 700.0) for path in (WEB, APP, CALL)]
CORE = "system:secret-core"
TEXTS = Text(ar="ستُحدَّث منصة الجوازات.", en="The passport pages are renewed.")


def needing(*kinds: str, effect: Effect = Effect.BLOCKS) -> Catalogue:
    """The passport service, of which these channels need a system that the public does not know."""
    channels = tuple(
        replace(one, depends=(Dependency(system=CORE, effect=effect),) if one.slug in kinds else ())
        for one in passport().channels
    )
    core = System(slug="secret-core", name=Text(en="Secret Core", ar="النظام السري"), checks=(check(CORE),))
    return replace(government(), services=(replace(passport(), channels=channels),), systems=(core,))


EVERY = needing("web", "app", "call_centre")


def on_core(from_s: float = 600.0, to_s: float = 4000.0, **more: object) -> Exclusion:
    return work(CORE, from_s=from_s, to_s=to_s, **more)  # type: ignore[arg-type]


def written(text: Text = TEXTS) -> str:
    return msgspec.json.encode(Details(public=text)).decode()


def planned(known: Given) -> list[tuple[int, int, list[str]]]:
    return [(each.from_ms, each.to_ms, [one.slug for one in each.channels]) for each in told(known).work]


def made(known: Given) -> Files:
    return Pages("https://status.example").files(known)


# -- what it reaches -----------------------------------------------------------------------------------------


def test_work_on_a_system_is_planned_work_of_the_service_that_needs_it_on_every_channel() -> None:
    known = given(catalogue=EVERY, exclusions=[on_core(from_s=90_000.0, to_s=97_200.0)])
    assert planned(known) == [(ms(90_000.0), ms(97_200.0), [])]


def test_it_is_that_of_the_channels_that_need_it_where_others_go_on() -> None:
    known = given(catalogue=needing("web"), exclusions=[on_core(from_s=90_000.0, to_s=97_200.0)])
    assert planned(known) == [(ms(90_000.0), ms(97_200.0), ["web"])]


def test_work_on_a_system_that_blocks_nothing_is_not_told() -> None:
    slows = needing("web", effect=Effect.SLOWS)
    assert planned(given(catalogue=slows, exclusions=[on_core(from_s=90_000.0, to_s=97_200.0)])) == []


def test_while_it_lasts_the_service_is_in_maintenance() -> None:
    known = given((CORE, DOWN, 700.0), at_s=1200.0, catalogue=EVERY, exclusions=[on_core()])
    assert (told(known).state, says(known, "en")) == (
        Saying.MAINTENANCE,
        ["The service is unavailable for planned maintenance, announced to end at 19:20."],
    )


def test_a_channel_that_it_takes_names_the_others() -> None:
    known = given((CORE, DOWN, 700.0), at_s=1200.0, catalogue=needing("web"), exclusions=[on_core()])
    [sentence] = says(known, "en")
    assert sentence.startswith("The service is unavailable on the website for planned maintenance")
    assert "You can complete it in the app" in sentence


def test_each_channel_that_it_takes_is_named_and_what_is_left_is_offered_once() -> None:
    first, more = on_core(to_s=1000.0, number=7), on_core(1000.0, 4000.0, number=8, extends=7)
    two = needing("web", "app")
    running = given((CORE, DOWN, 700.0), at_s=1200.0, catalogue=two, exclusions=[on_core()])
    over = given((CORE, DOWN, 700.0), at_s=1200.0, catalogue=two, exclusions=[first, more])
    call = "You can complete it by calling +000 800 555 0199"
    planned = "for planned maintenance, announced to end at 19:20."
    longer = "The maintenance is taking longer than announced; it is expected to end at 19:20"
    assert says(running, "en") == [
        f"The service is unavailable on the website {planned}",
        f"The service is unavailable in the app {planned} {call}",
    ]
    assert says(over, "en") == [
        f"The service is unavailable on the website. {longer}",
        f"The service is unavailable in the app. {longer}. {call}",
    ]


def test_prolonged_it_took_longer_than_announced() -> None:
    first, more = on_core(to_s=1000.0, number=7), on_core(1000.0, 4000.0, number=8, extends=7)
    known = given((CORE, DOWN, 700.0), at_s=1200.0, catalogue=EVERY, exclusions=[first, more])
    assert both(known) == (
        ["استغرقت الصيانة وقتًا أطول من المعلن، والموعد المتوقع للانتهاء 19:20"],
        ["The maintenance is taking longer than announced; it is expected to end at 19:20"],
    )


def test_a_prolongation_of_work_that_was_over_days_ago_is_an_overrun_still() -> None:
    more = on_core(1000.0, 4000.0, number=8, extends=7)  # number 7 is no longer read
    known = given((CORE, DOWN, 700.0), at_s=1200.0, catalogue=EVERY, exclusions=[more])
    assert told(known).state is Saying.OVERRUN


def test_over_its_time_without_a_word_it_took_longer_too() -> None:
    known = given((CORE, DOWN, 700.0), at_s=1200.0, catalogue=EVERY, exclusions=[on_core(to_s=1000.0)])
    assert told(known).state is Saying.OVERRUN


def test_a_prolongation_that_was_finished_excuses_nothing_after_it() -> None:
    first = on_core(to_s=1000.0, number=7)
    done = on_core(1000.0, 4000.0, number=8, extends=7, finished_at_ms=ms(1100.0))
    known = given((CORE, DOWN, 700.0), at_s=1500.0, catalogue=EVERY, exclusions=[first, done])
    assert told(known).state is Saying.UNAVAILABLE


@pytest.mark.parametrize("name", ["secret-core", "Secret Core", "النظام السري", "secret reason"])
def test_what_is_worked_on_is_named_in_no_file(name: str) -> None:
    ahead = on_core(from_s=90_000.0, to_s=97_200.0, number=2)
    known = given((CORE, DOWN, 700.0), at_s=1200.0, catalogue=EVERY, exclusions=[on_core(), ahead])
    assert [path for path, body in made(known).items() if name.encode() in body] == []


# -- what is no planned work ---------------------------------------------------------------------------------


@pytest.mark.parametrize("filing", [Filing.OUTAGE, Filing.FAULT])
def test_an_outage_that_somebody_filed_is_called_no_maintenance(filing: Filing) -> None:
    filed = work(from_s=600.0, to_s=4000.0, filing=filing)
    known = given(*ALL_DOWN, at_s=1500.0, exclusions=[filed])
    assert (told(known).state, told(known).work) == (Saying.UNAVAILABLE, ())


# -- how it is listed ----------------------------------------------------------------------------------------


def test_work_and_what_prolongs_it_are_one() -> None:
    first = work(from_s=90_000.0, to_s=93_600.0, number=7)
    more = work(from_s=93_600.0, to_s=97_200.0, number=8, extends=7)
    assert planned(given(exclusions=[first, more])) == [(ms(90_000.0), ms(97_200.0), [])]


def test_what_was_written_for_the_public_stands_with_it_in_the_readers_language() -> None:
    known = given(exclusions=[work(from_s=90_000.0, to_s=97_200.0, document=written())])
    files = made(known)
    for path in ("index.html", "services/passport.html", "feed.xml"):
        assert TEXTS.en in files[f"en/{path}"].decode(), path
        assert TEXTS.ar in files[f"ar/{path}"].decode(), path
        assert TEXTS.ar not in files[f"en/{path}"].decode(), path


def test_while_it_lasts_it_stands_with_what_is_said_of_the_service() -> None:
    known = given(*ALL_DOWN, at_s=1200.0, exclusions=[work(from_s=600.0, to_s=4000.0, document=written())])
    assert [one.en for one in told(known).said] == [TEXTS.en]


def test_the_same_work_on_many_services_is_one_line_and_one_entry_of_the_feed() -> None:
    services = [needs_core(f"s{number:04}") for number in range(12)]
    catalogue = replace(EVERY, services=(*EVERY.services, *services))
    known = given(catalogue=catalogue, exclusions=[on_core(from_s=90_000.0, to_s=97_200.0)])
    files = made(known)
    feed = ElementTree.fromstring(files["en/feed.xml"])  # noqa: S314 - our own
    [title] = [entry.findtext(f"{ATOM}title") for entry in feed.iter(f"{ATOM}entry")]
    assert sum(bool(one.work) for one in tell(known)) == 13
    assert "and 3 other services" in (title or "")
    assert text_of(files["en/index.html"]).count("From 19:13 on 22 September 2026") == 1


def needs_core(slug: str) -> Service:
    return service(slug, "secret-core")


def test_an_entry_of_planned_work_is_as_old_as_its_announcement_and_stays_the_same() -> None:
    ahead = work(from_s=90_000.0, to_s=97_200.0)
    entries = [
        ElementTree.tostring(entry)
        for at_s in (3600.0, 7200.0)
        for entry in ElementTree.fromstring(  # noqa: S314 - our own
            made(given(at_s=at_s, exclusions=[ahead]))["en/feed.xml"]
        ).iter(f"{ATOM}entry")
    ]
    assert len(entries) == 2
    assert entries[0] == entries[1]
