"""What the files say becomes the model: short forms, profiles, renames, names, files joined, settings."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.load import Loaded, load, load_settings
from monitor.config.settings import KafkaSettings, PostgresSettings, Settings, WebSettings
from monitor.config.starter import catalogue_from_urls
from monitor.config.watch import changed, fingerprint
from monitor.errors import ConfigError
from monitor.model import (
    Catalogue,
    Channel,
    ChannelKind,
    Check,
    DayName,
    Dependency,
    Effect,
    Holiday,
    Ramadan,
    Service,
    SystemKind,
    Text,
)
from probes import dns, http, icmp, tcp, tls
from probes.catalogue import kind

FIXTURES = Path(__file__).parents[1] / "fixtures" / "catalogue"


def loaded(tmp_path: Path, text: str, **environ: str) -> Loaded:
    path = tmp_path / "monitor.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load(path, environ=environ)


def catalogue(tmp_path: Path, text: str) -> Catalogue:
    return loaded(tmp_path, text).catalogue


def test_one_line_is_a_complete_catalogue(tmp_path: Path) -> None:
    path = "service:passport/web"
    check = Check(subject=path, ask=http.Settings(url="https://passport.example/"), every_s=30, within_s=10)
    channel = Channel(
        subject=path, slug="web", kind=ChannelKind.WEB, url="https://passport.example/", checks=(check,)
    )
    expected = Service(slug="passport", name=Text(en="Passport"), channels=(channel,))
    text = "services: [{slug: passport, url: https://passport.example/}]"
    assert loaded(tmp_path, text) == Loaded(Catalogue(services=(expected,)), Settings(), [])


def test_the_good_catalogue_holds_what_its_files_say() -> None:
    """One folder that uses every form: its model, in short."""
    whole = load(FIXTURES, environ={})
    told = whole.catalogue
    checks = {key: (kind(check.ask), check.every_s) for key, check in told.checks.items()}
    assert checks == {
        "system:identity/main": ("http", 15.0),
        "system:identity/port": ("tcp", 60.0),
        "system:identity/dns": ("dns", 15.0),
        "system:portal/main": ("http", 30.0),
        "service:old-passport/web/main": ("http", 30.0),
        "service:old-passport/web/certificate": ("tls", 30.0),
        "service:old-passport/app/main": ("http", 15.0),
        "service:visa/web/main": ("http", 30.0),
    }
    assert whole.warnings == []
    assert [entity.slug for entity in told.entities] == ["interior"]
    assert {service.slug: service.entity for service in told.services} == {
        "passport": "interior",
        "visa": "interior",
    }


def test_files_are_joined_in_the_order_of_their_names_and_reserved_folders_are_left_out(
    tmp_path: Path,
) -> None:
    for name in (
        "b.yaml",
        "a.yml",
        "services/c.yaml",
        "journeys/x.yaml",
        "evaluation/y.yaml",
        ".hidden.yaml",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        good = name[0] in "bas"
        path.write_text(
            f"services: [{{slug: s-{path.stem}, url: https://x.example/}}]" if good else "nonsense: 1"
        )
    assert [service.slug for service in load(tmp_path, environ={}).catalogue.services] == [
        "s-a",
        "s-b",
        "s-c",
    ]


def test_channels_are_remote_unless_they_are_a_counter_or_a_kiosk(tmp_path: Path) -> None:
    text = """
        services:
          - slug: passport
            channels:
              - {kind: web, url: https://a.example/}
              - {kind: call_centre, url: "tel:+99955501", completes: false}
              - {kind: service_centre}
              - {kind: kiosk, remote: true}
              - {kind: web, slug: old-site, url: https://b.example/}
        """
    channels = catalogue(tmp_path, text).services[0].channels
    assert [(each.subject, each.remote, each.completes, len(each.checks)) for each in channels] == [
        ("service:passport/web", True, True, 1),
        ("service:passport/call-centre", True, False, 0),
        ("service:passport/service-centre", False, True, 0),
        ("service:passport/kiosk", True, True, 0),
        ("service:passport/old-site", True, True, 1),
    ]


def test_a_channel_with_an_empty_list_of_checks_is_judged_by_its_platform(tmp_path: Path) -> None:
    text = """
        systems: [{slug: portal, kind: platform, url: https://portal.example/, contacts: [{role: desk}]}]
        services:
          - slug: passport
            channels: [{kind: web, url: https://portal.example/passport, checks: [], depends: [portal]}]
        """
    told = catalogue(tmp_path, text)
    channel = told.services[0].channels[0]
    assert (channel.checks, channel.depends) == ((), (Dependency(system="system:portal"),))
    assert told.systems[0].kind is SystemKind.PLATFORM


def test_a_service_s_dependencies_hold_for_its_remote_channels_and_a_channel_s_word_counts_more(
    tmp_path: Path,
) -> None:
    text = """
        systems:
          - {slug: identity, url: https://id.example/, contacts: [{role: desk}]}
          - {slug: sms, url: https://sms.example/}
        services:
          - slug: passport
            depends: [identity, {system: sms, effect: slows}]
            channels:
              - {kind: web, url: https://a.example/}
              - {kind: app, depends: [{system: identity, effect: slows}]}
              - {kind: service_centre}
        """
    identity, sms = "system:identity", Dependency(system="system:sms", effect=Effect.SLOWS)
    assert [each.depends for each in catalogue(tmp_path, text).services[0].channels] == [
        (Dependency(system=identity), sms),
        (Dependency(system=identity, effect=Effect.SLOWS), sms),
        (),
    ]


def test_every_short_form_of_a_check_is_the_long_one(tmp_path: Path) -> None:
    text = """
        systems:
          - slug: all
            checks:
              - https://a.example/
              - {name: b, http: https://a.example/}
              - {name: c, http: {url: https://a.example/}}
              - tcp://a.example:25
              - {name: d, tcp: "a.example:25"}
              - {name: e, tcp: {address: "a.example:25"}}
              - {name: f, tcp: {host: a.example, port: 25}}
              - {tls: a.example}
              - {name: g, tls: "a.example:8443"}
              - {dns: a.example}
              - icmp://a.example
              - {name: h, tcp: {address: "[::1]:25"}}
        """
    asks = [check.ask for check in catalogue(tmp_path, text).systems[0].checks]
    mail = tcp.Settings(host="a.example", port=25)
    assert asks == [
        *[http.Settings(url="https://a.example/")] * 3,
        *[mail] * 4,
        tls.Settings(host="a.example"),
        tls.Settings(host="a.example", port=8443),
        dns.Settings(name="a.example"),
        icmp.Settings(host="a.example"),
        tcp.Settings(host="::1", port=25),
    ]


def test_the_nearest_profile_counts_and_a_check_s_own_word_more(tmp_path: Path) -> None:
    text = """
        profile: of-the-file
        profiles:
          default: {every_s: 1, within_s: 0.5}
          of-the-file: {every_s: 20, count: 5}
          of-the-service: {every_s: 40}
          of-the-check: {every_s: 50, within_s: 7, objective_ms: 900}
        services:
          - {slug: a, url: https://a.example/}
          - {slug: b, profile: of-the-service, url: https://b.example/}
          - slug: c
            url: https://c.example/
            checks: [{http: https://c.example/, profile: of-the-check, within_s: 3}]
        """
    found = [
        (check.every_s, check.within_s, check.count, check.objective_ms)
        for check in catalogue(tmp_path, text).checks.values()
    ]
    assert found == [(20, 10, 5, None), (40, 10, 2, None), (50, 3, 2, 900)]


def test_without_a_time_out_a_short_interval_has_a_shorter_one(tmp_path: Path) -> None:
    text = """
        profiles: {default: {every_s: 5}}
        services: [{slug: a, url: https://a.example/}]
        """
    assert [check.within_s for check in catalogue(tmp_path, text).checks.values()] == [4.0]


def test_a_check_is_asked_from_every_declared_vantage_point_unless_it_says_otherwise(tmp_path: Path) -> None:
    text = """
        vantages: [north, south]
        probe: {vantage: south}
        systems: [{slug: a, checks: [https://a.example/, {name: b, dns: a.example, vantages: [north]}]}]
        """
    checks = catalogue(tmp_path, text).checks.values()
    assert [check.vantages for check in checks] == [("north", "south"), ("north",)]


def test_a_rename_keeps_the_stored_names_and_changes_the_slug(tmp_path: Path) -> None:
    text = """
        systems: [{slug: sign-in, was: [identity, login], url: https://id.example/, contacts: [{role: desk}]}]
        services: [{slug: visas, was: [visa], url: https://v.example/, depends: [sign-in]}]
        """
    told = catalogue(tmp_path, text)
    assert sorted(told.checks) == ["service:visa/web/main", "system:identity/main"]
    assert told.services[0].channels[0].depends == (Dependency(system="system:identity"),)


@pytest.mark.parametrize(
    ("languages", "name", "expected"),
    [
        ("[en]", "", Text(en="Passport renewal")),
        ("[en]", "name: Renew a passport", Text(en="Renew a passport")),
        ("[en]", "name: {ar: تجديد}", Text(en="Passport renewal", ar="تجديد")),
        ("[ar]", "name: تجديد جواز السفر", Text(ar="تجديد جواز السفر")),
        ("[ar, en]", "name: {en: Renewal, ar: تجديد}", Text(en="Renewal", ar="تجديد")),
        ("[en]", "name: 2030", Text(en="2030")),
        ("[en]", "name: no", Text(en="no")),
    ],
)
def test_names_are_read_in_the_language_they_are_written_in(
    tmp_path: Path, languages: str, name: str, expected: Text
) -> None:
    text = (
        f"languages: {languages}\nservices:\n- slug: passport-renewal\n  url: https://a.example/\n  {name}\n"
    )
    assert catalogue(tmp_path, text).services[0].name == expected


def test_a_telephone_number_keeps_its_zeros(tmp_path: Path) -> None:
    text = """
        entities: [{slug: a, contacts: [{role: desk, phone: 0045550101}]}]
        services: [{slug: b, entity: a, url: https://b.example/}]
        """
    assert catalogue(tmp_path, text).entities[0].contacts[0].phone == "0045550101"


def test_addresses_are_moved_before_anything_else_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text(
        'systems: [{slug: a, checks: [tcp://127.0.0.1:18110, {name: b, tcp: "127.0.0.1:18110"}]}]'
    )
    told = load(path, replace={"127.0.0.1:18110": "127.0.0.1:40000"}, environ={}).catalogue
    assert {check.ask for check in told.checks.values()} == {tcp.Settings(host="127.0.0.1", port=40000)}


# settings


def test_settings_come_from_the_files_and_the_environment_wins(tmp_path: Path) -> None:
    text = """
        kafka: {bootstrap: [a.example:9092], topic_prefix: gov-}
        postgres: {dsn: postgresql://continuity@db.example/continuity, password: env:PGPASSWORD}
        data: /var/lib/continuity
        services: [{slug: a, url: https://a.example/}]
        """
    found = loaded(
        tmp_path,
        text,
        CONTINUITY_KAFKA_BOOTSTRAP="b.example:1, c.example:2",
        CONTINUITY_KAFKA_CREATE_TOPICS="false",
        CONTINUITY_WEB_PORT="80",
        CONTINUITY_LOG_LEVEL="DEBUG",
        CONTINUITY_CONFIG="not a setting",
        HOME="/root",
    )
    assert found.settings == Settings(
        kafka=KafkaSettings(
            bootstrap=("b.example:1", "c.example:2"), topic_prefix="gov-", create_topics=False
        ),
        postgres=PostgresSettings(
            dsn="postgresql://continuity@db.example/continuity", password="env:PGPASSWORD"
        ),
        web=WebSettings(port=80),
        data="/var/lib/continuity",
        log_level="DEBUG",
    )
    assert found.warnings == []


def test_a_mistake_in_the_environment_is_named_by_the_variable(tmp_path: Path) -> None:
    text = "services: [{slug: a, url: https://a.example/}]"
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text, CONTINUITY_WEB_PORT="eighty", CONTINUITY_POSTGRES_PASSWORD="hunter2")
    assert [str(each) for each in caught.value.problems] == [
        "CONTINUITY_POSTGRES_PASSWORD:1:1: a secret in plain: write where it is, `env:NAME` or `file:/path`",
        "CONTINUITY_WEB_PORT:1:1: expected a whole number, found `eighty`",
    ]


def test_an_unknown_variable_of_ours_is_a_warning(tmp_path: Path) -> None:
    found = loaded(tmp_path, "services: [{slug: a, url: https://a.example/}]", CONTINUITY_WEB_PRT="1")
    assert [str(each) for each in found.warnings] == [
        "CONTINUITY_WEB_PRT:1:1: warning: no setting has this name; did you mean `CONTINUITY_WEB_PORT`?"
    ]


def test_a_role_reads_its_settings_while_somebody_breaks_the_catalogue(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    (tmp_path / "monitor.yaml").write_text("data: /d\nservices: [{slg: a}]\n")
    (tmp_path / "services" / "a.yaml").write_text('services: ["')
    assert load_settings(tmp_path, environ={}) == Settings(data="/d")


def test_settings_without_a_folder_are_the_defaults_and_the_environment(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "none", environ={"CONTINUITY_DATA": "/d"}) == Settings(data="/d")


def test_a_mistake_in_the_settings_is_a_mistake_for_a_role(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("web: {prt: 1}\n")
    with pytest.raises(ConfigError, match="unknown key `prt`; did you mean `port`"):
        load_settings(tmp_path, environ={})


# whether files changed


def test_a_change_of_any_file_is_seen_and_reading_is_not_a_change(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("zone: UTC")
    since = fingerprint(tmp_path)
    same = not changed(tmp_path, since=since)
    (tmp_path / "b.yaml").write_text("")
    added = changed(tmp_path, since=since)
    (tmp_path / "b.yaml").unlink()
    gone = changed(tmp_path, since=since)
    (tmp_path / "a.yaml").write_text("zone: Asia/Dubai")
    assert (same, added, gone, changed(tmp_path, since=since)) == (True, True, False, True)


def test_a_folder_that_is_gone_has_a_fingerprint_too(tmp_path: Path) -> None:
    assert fingerprint(tmp_path / "gone") == fingerprint(tmp_path / "gone")


# a first catalogue from addresses

hosts = st.from_regex(r"\A[a-z0-9]{1,20}(\.[a-z0-9]{1,10}){0,3}\Z") | st.sampled_from(
    ["مثال.example", "1.2.3.4"]
)
addresses = st.builds(
    lambda scheme, host, path: f"{scheme}{host}{path}",
    st.sampled_from(["", "http://", "https://", "dns://", "icmp://", "tls://"]),
    hosts,
    st.sampled_from(["", "/", "/login", "/a/b?c=d&e=f"]),
)


@settings(deadline=None, max_examples=40)
@given(st.lists(addresses, min_size=1, max_size=8))
def test_whatever_addresses_are_tried_make_a_catalogue_that_loads(
    tmp_path_factory: pytest.TempPathFactory, urls: list[str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "tried.yaml"
    path.write_text(catalogue_from_urls(urls), encoding="utf-8")
    normal = {url if "://" in url else f"https://{url}" for url in urls}
    assert len(load(path, environ={}).catalogue.checks) == len(normal)


def test_holidays_may_lie_in_files_of_their_own_and_come_in_order(tmp_path: Path) -> None:
    (tmp_path / "calendar").mkdir()
    (tmp_path / "monitor.yaml").write_text(
        "services: [{slug: s, url: https://s.example/}]\n"
        "calendar: {week_start: sunday, weekend: [saturday, sunday], half_days: [friday]}\n"
    )
    (tmp_path / "calendar" / "2026.yaml").write_text(
        "holidays: [{date: 2026-12-02, until: 2026-12-03, name: National Day}, {date: 2026-01-01}]\n"
        "ramadan: [{date: 2026-02-18, until: 2026-03-19, hours: 09:00-14:00}]\n"
    )
    told = load(tmp_path, environ={}).catalogue.calendar
    assert (told.week_start, told.weekend, told.half_days) == (
        DayName.SUNDAY,
        (DayName.SATURDAY, DayName.SUNDAY),
        (DayName.FRIDAY,),
    )
    assert told.holidays == (
        Holiday(first="2026-01-01", last="2026-01-01"),
        Holiday(first="2026-12-02", last="2026-12-03", name=Text(en="National Day")),
    )
    assert told.ramadan == (Ramadan(first="2026-02-18", last="2026-03-19", hours="09:00-14:00"),)


def test_a_service_promises_what_its_class_does_unless_it_says_otherwise(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text(
        "classes:\n"
        "  - {slug: default, objectives: {availability: 0.95}}\n"
        "  - {slug: essential, objectives: {availability: 0.999, latency: 0.9}}\n"
        "services:\n"
        "  - {slug: a, url: https://a.example/}\n"
        "  - slug: b\n    url: https://b.example/\n    class: essential\n"
        "    objectives: {latency: 0.8, completion: 0.98}\n"
    )
    promised = {
        service.slug: {each.indicator.value: each.target for each in service.objectives}
        for service in load(tmp_path, environ={}).catalogue.services
    }
    assert promised == {
        "a": {"availability": 0.95},
        "b": {"availability": 0.999, "latency": 0.8, "completion": 0.98},
    }
