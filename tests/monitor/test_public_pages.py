"""The public folder: small, in both languages, nothing internal in it, and the same hour on every page."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import msgspec
import pytest
from msgspec.structs import replace

from monitor.config.load import load
from monitor.judge.seconds import Says
from monitor.judge.work import Details
from monitor.language import messages_in
from monitor.model import (
    Catalogue,
    ChannelKind,
    Contact,
    Dependency,
    PublicRules,
    System,
    SystemKind,
    Text,
    Verdict,
)
from monitor.public import bars, search
from monitor.public.edition import ROOM
from monitor.public.notes import Saying
from monitor.public.pages import STATIC, Files, Pages
from monitor.public.told import Given
from monitor.public.words import LOCALE, messages
from probes.http_settings import Settings as Http
from tests import world
from tests.catalogues import incomplete, unlike
from tests.monitor.public_scene import (
    APP,
    CALL,
    DAY_MS,
    WEB,
    day,
    given,
    government,
    incident,
    passport,
    said,
    work,
)

BUDGET_BYTES = 50_000
ATOM = "{http://www.w3.org/2005/Atom}"
DOWN = Verdict.DOWN


def made(known: Given, url: str = "") -> Files:
    return Pages(url).files(known)


def text_of(page: bytes) -> str:
    """What a person reads."""
    bare = re.sub(r"<[^>]+>", " ", page.decode().partition("<body>")[2])
    return re.sub(r"\s+", " ", bare)


# -- size ----------------------------------------------------------------------------------------------------


def whole_page(files: Files, path: str) -> int:
    """Bytes on the line for a page with everything it loads, packed."""
    page = files[path].decode()
    loads = re.findall(r'<(?:link rel="(?:stylesheet|icon)" href|script src)="(?:\.\./)*([^"]+)"', page)
    assert "style.css" in loads
    return sum(len(gzip.compress(files[name], 6)) for name in {path, *loads})


def everything_fails() -> list[tuple[str, Verdict, float]]:
    return [
        (owner.subject, DOWN, 600.0)
        for service in world.government().services
        for owner in service.channels
        if owner.checks
    ] + [(system.subject, DOWN, 600.0) for system in world.government().systems]


@pytest.mark.parametrize("fails", [False, True], ids=["all is well", "everything is down"])
@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_first_page_with_180_services_is_small_in_all(fails: bool, language: str) -> None:
    catalogue = world.government(entities=30, services=180, languages=("ar", "en"))
    files = made(given(*(everything_fails() if fails else []), catalogue=catalogue))
    assert whole_page(files, f"{language}/index.html") <= BUDGET_BYTES


def test_the_first_page_stays_small_with_1300_services_all_down_and_work_planned_on_each() -> None:
    catalogue = world.government(entities=30, services=1300, languages=("ar", "en"))
    named = tuple(
        replace(one, name=Text(en=f"{one.name.en} {i * 7919 % 1300}", ar=f"{one.name.ar} {i * 7919 % 1300}"))
        for i, one in enumerate(catalogue.services)
    )
    fails = [(owner.subject, DOWN, 600.0) for one in named for owner in one.channels if owner.checks]
    works = [
        work(one.subject, from_s=90_000.0 + i, to_s=99_000.0 + i, number=i) for i, one in enumerate(named)
    ]
    files = made(given(*fails, catalogue=replace(catalogue, services=named), exclusions=works))
    assert whole_page(files, "ar/index.html") <= BUDGET_BYTES
    assert "1,280 more are told of with their services." in text_of(files["en/index.html"])


def test_pages_load_nothing_from_elsewhere_and_style_nothing_inline() -> None:
    files = made(full())
    for path, body in files.items():
        if path.endswith(".html"):
            page = body.decode()
            assert not re.findall(r'(?:src|<link[^>]+href)="(?:https?:)?//', page), path
            assert not re.findall(r"<style|\bstyle=|<script(?! src)|\bon[a-z]+=", page), path


# -- nothing internal ----------------------------------------------------------------------------------------

SECRETS = (
    "secret-host", "secret-core", "Secret Core", "النظام السري", "secret-desk", "Secret Person",
    "الشخص السري", "+000 1 234 5678", "secret-runbook", "secret reason", "Secret Coordinator",
    "Secret Operator", "INC-2026", "secret detail", "secret-duty", "timeout",
)  # fmt: skip


def full() -> Given:
    """Every kind of thing at once, with a secret in everything that is not for the public."""
    people = (
        Contact(
            role=Text(en="secret-desk", ar="secret-desk"),
            name=Text(en="Secret Person", ar="الشخص السري"),
            phone="+000 1 234 5678",
            mail="secret-desk@secret-host.example",
            hours="secret-desk",
        ),
    )
    base = government()
    [service] = base.services
    channels = tuple(
        replace(
            each,
            checks=tuple(
                replace(one, name="secret-core", ask=Http(url=f"https://secret-host.example/{each.slug}"))
                for one in each.checks
            ),
            depends=(Dependency(system="system:secret-core"),),
        )
        for each in service.channels
    )
    core = System(
        slug="secret-core",
        name=Text(en="Secret Core", ar="النظام السري"),
        kind=SystemKind.PLATFORM,
        contacts=people,
        runbook="https://secret-runbook.example/",
        checks=(world.check("system:secret-core"),),
    )
    catalogue = replace(
        base,
        services=(replace(service, channels=channels, runbook="https://secret-runbook.example/"),),
        systems=(core,),
        entities=tuple(replace(one, contacts=people) for one in base.entities),
    )
    return given(
        (WEB, DOWN, 600.0),
        ("system:secret-core", DOWN, 900.0),
        catalogue=catalogue,
        incidents=[
            incident(WEB, since_s=600.0),
            incident(WEB, APP, CALL, services=("service:passport",), since_s=900.0, number="INC-2026-0002"),
        ],
        said=[said(1000.0, ar="نعمل على إعادتها", en="We are working on it")],
        exclusions=[
            work(from_s=90_000.0, to_s=99_000.0, document=details()),
            work("system:secret-core", from_s=190_000.0, to_s=199_000.0, number=2, document=details()),
        ],
        days={"service:passport": [day(2, down_ms=3_600_000), day(1), day(0)]},
    )


def details() -> str:
    """All that is filed of planned work; a part of it is for the public."""
    secret = Text(en="secret detail", ar="secret detail")
    filed = Details(
        still=secret,
        public=Text(en="The pages are renewed.", ar="ستُحدَّث الصفحات."),
        phone="secret-duty",
        roll_back_ms=1,
        system="system:secret-core",
        entities=("secret-duty",),
    )
    return msgspec.json.encode(filed).decode()


@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_internal_stands_in_any_file(secret: str) -> None:
    leaks = [path for path, body in made(full()).items() if secret.encode() in body]
    assert leaks == []


def internal(catalogue: Catalogue) -> Iterator[str]:
    """Every address, host, check, contact and runbook of a catalogue, but for what people open or dial."""
    opened = {channel.url for service in catalogue.services for channel in service.channels}
    hosts = {urlsplit(url).hostname for url in opened}
    for check in catalogue.checks.values():
        for text in _texts(msgspec.to_builtins(check.ask)):
            if urlsplit(text).scheme and text not in opened:
                yield text
                host = urlsplit(text).hostname
                if host and host not in hosts:
                    yield host
        yield f"/{check.name}@"
    for owner in (*catalogue.entities, *catalogue.systems):
        yield from (text for one in owner.contacts for text in (one.phone, one.mail, one.name.en) if text)
        if owner.runbook:
            yield owner.runbook
    for system in catalogue.systems:
        yield from (system.subject, system.name.en, system.name.ar)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def test_no_address_check_contact_or_system_of_a_whole_government_stands_in_any_file() -> None:
    catalogue = world.government(entities=30, services=180, languages=("ar", "en"))
    files = made(given(*everything_fails(), catalogue=catalogue))
    whole = b"\n".join(files.values()).decode()
    wanted = {text for text in internal(catalogue) if text}
    assert len(wanted) > 400
    assert [text for text in sorted(wanted) if text in whole] == []


# -- both languages ------------------------------------------------------------------------------------------


def test_every_page_is_there_in_each_language_and_says_so() -> None:
    files = made(full(), url="https://status.example/")
    of = {
        language: {path.partition("/")[2] for path in files if path.startswith(f"{language}/")}
        for language in ("ar", "en")
    }
    page = files["ar/services/passport.html"].decode()
    assert of["ar"] == of["en"]
    assert '<html lang="ar" dir="rtl"' in page
    assert '<html lang="en" dir="ltr"' in files["en/index.html"].decode()
    assert 'hreflang="en" href="https://status.example/en/services/passport.html"' in page


@pytest.mark.parametrize("language", ["ar", "en"])
def test_an_entity_is_not_said_to_have_failing_services_while_they_are_being_checked(language: str) -> None:
    fails = [(path, DOWN, 3500.0) for path in (WEB, APP, CALL)]
    page = text_of(made(given(*fails))[f"{language}/index.html"])
    known = messages_in(LOCALE, language)
    assert known["entities.count"]["one"].replace("{n}", "1") in page  # type: ignore[index, union-attr]
    assert known["entities.failing"]["one"].replace("{n}", "1") not in page  # type: ignore[index, union-attr]


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_root_speaks_the_language_of_the_setting(language: str) -> None:
    catalogue = government()
    policy = replace(catalogue.policy, public=replace(catalogue.policy.public, language=language))
    files = made(given(catalogue=replace(catalogue, policy=policy)))
    root = files["index.html"].decode()
    assert f'<html lang="{language}"' in root
    assert f'href="{language}/entities/civil.html"' in root


def test_one_language_makes_one_edition() -> None:
    files = made(given(catalogue=replace(government(), languages=("en",))))
    assert [path for path in files if path.startswith("ar/")] == []


@pytest.mark.parametrize("path", ["index.html", "ar/index.html", "en/services/passport.html"])
def test_every_link_of_a_page_leads_to_a_file(path: str) -> None:
    files = made(full())
    links = re.findall(r'(?:href|src|action)="([^"#:?]+)"', files[path].decode())
    folder = path.rpartition("/")[0]
    assert links
    for link in links:
        parts = [*folder.split("/")] if folder else []
        for step in link.split("/"):
            parts = parts[:-1] if step == ".." else [*parts, step]
        assert "/".join(parts) in files, (path, link)


def test_both_languages_have_the_same_messages_and_every_one_is_used() -> None:
    en, ar = messages_in(LOCALE, "en"), messages("ar")
    sources = [*ROOM.glob("templates/*.html"), *ROOM.glob("*.py"), ROOM.parent / "language.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    written = set(re.findall(r"""["']([a-z]+\.[a-z_]+)["']""", text))
    written |= {f"state.{each}" for each in Saying}
    written |= {f"{stem}.{kind}" for stem in ("on", "way", "kind") for kind in ChannelKind}
    written |= {f"duration.{unit}" for unit in ("days", "hours", "minutes", "seconds")}
    written |= {f"{key}.{part}" for key in ("lost", "soon") for part in ("title", "text")}
    written |= {f"say.{each}" for each in ("slow", "unknown", "checking")}
    assert (unlike(en, ar), incomplete(en=en, ar=ar)) == ([], [])
    assert set(en) - written == set()


# -- what is renamed or removed ------------------------------------------------------------------------------


def test_what_is_removed_from_the_catalogue_has_no_page_left_nor_a_line_in_any_file() -> None:
    pages = Pages()
    down = incident("service:visa/web", services=("service:visa",), since_s=600.0)
    visa = replace(passport(), slug="visa", name=Text(en="Visa", ar="تأشيرة"), channels=())
    before = pages.files(given(catalogue=government(visa), incidents=[down]))
    after = pages.files(given(incidents=[down]))
    left = [path for path, body in after.items() if b"visa" in path.encode() + body.lower()]
    assert ("en/services/visa.html" in before, left) == (True, [])


def test_what_was_renamed_is_found_under_its_old_address() -> None:
    base = government()
    service = replace(base.services[0], slug="travel-document", was=("passport",))
    entity = replace(base.entities[0], slug="registry", was=("civil",))
    catalogue = replace(base, services=(replace(service, entity="registry"),), entities=(entity,))
    files = made(given(catalogue=catalogue))
    assert files["ar/services/passport.html"] == files["ar/services/travel-document.html"]
    assert files["en/entities/civil.html"] == files["en/entities/registry.html"]


# -- ninety days ---------------------------------------------------------------------------------------------


def test_a_day_without_data_is_an_outline_and_never_a_full_bar() -> None:
    looks = [
        bars.bar(one).look
        for one in (
            None,
            day(0, says=Says.NO_DATA.value),
            day(0, says=Says.INSUFFICIENT.value, down_ms=1000),
            day(0, up_ms=0, maintenance_ms=DAY_MS),
            day(0),
        )
    ]
    assert looks == ["none", "none", "none", "work", "up"]


@pytest.mark.parametrize(("down_ms", "filled"), [(1000, 4), (DAY_MS // 2, 20), (DAY_MS, 40)])
def test_a_day_is_filled_by_how_long_it_was_down_and_the_shortest_is_seen(down_ms: int, filled: int) -> None:
    assert bars.bar(day(0, down_ms=down_ms)) == (bars.Look.DOWN, filled)


def test_the_page_of_a_service_has_ninety_days_as_one_svg_and_the_bad_days_as_text() -> None:
    page = made(full())["en/services/passport.html"].decode()
    [drawn] = re.findall(r'<svg class="bars".*?</svg>', page)
    empty = re.findall(r'<path class="none" d="([^"]+)"', drawn)
    assert "for each of 90 days" in re.sub("[\u2066-\u2069]", "", drawn)
    assert empty[0].count("M") == 87
    assert re.search("1 hour.*95.83%", text_of(page.encode()))


def test_a_page_names_slow_channels_as_slow_and_not_as_missing() -> None:
    slow = [(path, Verdict.DEGRADED, 3500.0) for path in (WEB, APP, CALL)]
    text = text_of(made(given(*slow))["en/services/passport.html"])
    assert "App · It is slow in the app" in re.sub(" +", " ", text)
    assert "We know of no channel" not in text


# -- finding -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "asked", ["جواز", "الجواز", "جَواز السَّفر", "passport", "PASSPORT renew", "السجل المدني", "باسبور"]
)
def test_a_service_is_found_by_what_people_call_it(asked: str) -> None:
    page = made(given())["ar/services.html"].decode()
    found = search.found(page, asked)
    assert (found.count(search.LINE), search.NONE in found, search.FOUND in found) == (1, True, False)


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_first_page_leads_to_the_list_of_those_that_it_only_counts(language: str) -> None:
    catalogue = world.government(entities=3, services=12, languages=("ar", "en"))
    services = tuple(
        replace(one, hours="08:00-15:00") if one.slug < "s0004" else one for one in catalogue.services
    )
    files = made(given(catalogue=replace(catalogue, services=services)))
    [asked] = re.findall(r'services\.html\?q=([^"]+)"', files[f"{language}/index.html"].decode())
    found = search.found(files[f"{language}/services.html"].decode(), unquote(asked))
    assert found.count(search.LINE) == 4


def test_a_search_without_a_result_says_so_and_shows_the_words_as_they_are() -> None:
    page = made(given())["ar/services.html"].decode()
    found = search.found(page, '"><b>visa')
    assert (found.count(search.LINE), search.NONE in found) == (0, False)
    assert "&#34;&gt;&lt;b&gt;visa" in found
    assert "<b>visa" not in found


def test_letters_differ_by_their_marks_alone_are_the_same() -> None:
    assert search.key("إصدار  شَهَادَة") == search.key("اصدار شهاده")


# -- data and feeds ------------------------------------------------------------------------------------------


def test_the_data_says_state_sentences_and_where_else() -> None:
    document = msgspec.json.decode(made(given((WEB, DOWN, 600.0)))["status.json"])
    [service] = document["services"]
    assert (document["schema"], document["as_of"], service["state"]) == (1, "2026-09-21T15:13:20Z", "partly")
    assert [one["channel"] for one in service["alternatives"]] == ["app", "call_centre"]
    assert service["alternatives"][1]["phone"] == "+000 800 555 0199"
    assert service["notes"][0]["says"]["en"].startswith("The service")


@pytest.mark.parametrize("language", ["ar", "en"])
def test_the_feed_is_atom_and_tells_of_failures_and_planned_work(language: str) -> None:
    made_of = made(full(), url="https://status.example")
    feed = ElementTree.fromstring(made_of[f"{language}/feed.xml"])  # noqa: S314 - our own
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [entry.findtext(f"{atom}title") for entry in feed.iter(f"{atom}entry")]
    ids = [entry.findtext(f"{atom}id") for entry in feed.iter(f"{atom}entry")]
    links = [link.get("href") for link in feed.iter(f"{atom}link")]
    assert (feed.tag, len(titles), len(set(ids))) == (f"{atom}feed", 4, 4)
    assert all((each or "").startswith("https://status.example/") for each in links)


def test_what_no_xml_may_hold_is_left_out_of_the_feed() -> None:
    taken = incident(WEB, since_s=600.0)
    known = given((WEB, DOWN, 600.0), incidents=[taken], said=[said(900.0, en="On\x0b it\ufffe", ar="نعمل")])
    feed = ElementTree.fromstring(made(known)["en/feed.xml"])  # noqa: S314 - our own
    assert "On it" in "".join(feed.itertext())


@pytest.mark.parametrize("url", ["https://status.example", ""])
@pytest.mark.parametrize("known", ["full", "empty"])
def test_the_feed_has_what_rfc_4287_asks_for(url: str, known: str) -> None:
    of = full() if known == "full" else given()
    feed = ElementTree.fromstring(made(of, url=url)["ar/feed.xml"])  # noqa: S314 - our own
    entries = feed.findall(f"{ATOM}entry")
    tags = ("id", "title", "updated")
    once = [[len(one.findall(f"{ATOM}{tag}")) for tag in tags] for one in (feed, *entries)]
    instants = [each.text or "" for each in feed.iter(f"{ATOM}updated")]
    assert once == [[1, 1, 1]] * (1 + len(entries))
    assert feed.find(f"{ATOM}author/{ATOM}name") is not None
    assert [link.get("rel") for link in feed.findall(f"{ATOM}link")] == ["self", "alternate"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each) for each in instants)
    assert all((each.text or "").startswith("urn:uuid:") for each in feed.iter(f"{ATOM}id"))
    assert all(each.find(f"{ATOM}content") is not None for each in entries)


# -- made anew -----------------------------------------------------------------------------------------------


def test_a_minute_later_only_the_hour_differs() -> None:
    pages = Pages()
    before, after = pages.files(given(at_s=3600.0)), pages.files(given(at_s=3660.0))
    assert "19:13" in text_of(before["en/services/passport.html"])
    assert "19:14" in text_of(after["en/services/passport.html"])
    assert after == made(given(at_s=3660.0))


def test_what_changed_is_rendered_anew() -> None:
    pages = Pages()
    pages.files(given(at_s=3600.0))
    changed = given((WEB, DOWN, 600.0), at_s=3660.0)
    assert pages.files(changed) == made(changed)


def test_no_mark_is_left_in_a_page() -> None:
    assert [path for path, body in made(full()).items() if b"@@" in body and path not in STATIC] == []


# -- as it is configured -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        ("delay_s: 60", PublicRules(delay_s=60)),
        (
            "by_hand: true, update_s: 900, language: en",
            PublicRules(by_hand=True, update_s=900, language="en"),
        ),
    ],
)
def test_the_rules_are_read_from_the_policy(tmp_path: Path, written: str, rules: PublicRules) -> None:
    (tmp_path / "monitor.yaml").write_text(
        f"policy: {{public: {{{written}}}}}\n"
        "services: [{slug: passport, url: 'https://passport.example/', known_as: [Travel document]}]\n"
    )
    catalogue = load(tmp_path, environ={}).catalogue
    assert (catalogue.policy.public, catalogue.services[0].known_as) == (rules, ("Travel document",))
