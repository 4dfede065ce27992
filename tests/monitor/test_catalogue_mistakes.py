"""Every mistake in a catalogue is named at its line and column, with what is allowed; all of them at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor.config.load import Loaded, load
from monitor.errors import ConfigError, Problem

FOLDER = Path(__file__).parents[1] / "fixtures" / "invalid"

MESSAGES: dict[str, list[str]] = {
    "alerts": [
        (
            "3:19: `alertmanager:9093` is not allowed here: its address, without a password; for example "
            '["http://alertmanager:9093"]'
        ),
        (
            "3:38: a secret in plain, in an address: leave it out, and write where it is: `env:NAME` or "
            "`file:/path`, under `basic:` or `password:`"
        ),
        "4:23: a token and a user: Alertmanager takes one of them",
        "6:19: 5 is not allowed here: a number of at least 60 and at most 86400",
        (
            "8:13: `On Call` is not allowed here: what it is called in the delivery log, and as whom it "
            "acknowledges; for example on-call"
        ),
        "9:11: a secret in plain: write where it is, `env:NAME` or `file:/path`",
        "10:42: is itself: name another receiver",
        "10:59: no entity is called `helth`",
        "11:14: receiver `desk` is there already",
        "11:42: no receiver is called `bos`; there are desk, nobody",
        "12:46: is never told anything: leave it out",
        "12:79: `fr` is not one of ar, en",
    ],
    "anchors": [
        "2:5: anchors and merge keys (`&`) are not used here: name a profile, `profile: …`",
        "3:5: anchors and merge keys (`*`) are not used here: name a profile, `profile: …`",
        "4:6: anchors and merge keys (`<<`) are not used here: name a profile, `profile: …`",
        "4:10: anchors and merge keys (`*`) are not used here: name a profile, `profile: …`",
        "4:24: service `visa` needs `url` or `channels`",
    ],
    "service-hours": [
        "2:57: `08:00-25:00` is not a stretch of a day: write HH:MM-HH:MM",
        "3:59: `19:00-07:30` ends before it begins",
        (
            "4:59: `at night` is not allowed here: `office` (the calendar's hours), HH:MM-HH:MM on "
            "working days, or `daily HH:MM-HH:MM`. Nothing is expected of the service outside them; "
            "for example office"
        ),
    ],
    "bad-slug": [
        (
            "2:12: `Passport Renewal` is not allowed here: lower-case letters, digits and hyphens, a "
            "letter or a digit first, at most 63; for example passport"
        ),
        "3:12: is 75 characters long; at most 63 are allowed",
    ],
    "calendar": [
        ("2:24: `sonntag` is not one of monday, tuesday, wednesday, thursday, friday, saturday, sunday"),
        "2:42: friday is given twice",
        ("2:72: friday is a day of the weekend already: a half day is a working day that ends at noon"),
        "2:88: `15:00-08:00` ends before it begins",
        "2:103: unknown key `weekends`; did you mean `weekend`?",
        "4:12: `2026-02-30` is not a day of the calendar",
        "5:31: ends on 2026-03-19 before it begins on 2026-03-20",
        (
            "6:12: `2 December` is not allowed here: the day, or the first of several, in the catalogue's "
            "time zone; for example 2026-12-02"
        ),
        "7:31: lasts 66 days; at most 31 are allowed",
        "8:30: `2026-06-16` has no name in Arabic: write `name: {ar: …, en: …}`",
        "9:5: `date` is missing",
        "11:50: `09:00-25:00` is not a stretch of a day: write HH:MM-HH:MM",
        "12:12: meets the Ramadan in FILE:11",
        "13:28: 1 is not allowed here: a whole number of at least 2 and at most 52",
        "13:40: `alarm` is not one of shown, advisory, incident",
    ],
    "choices": [
        "1:7: `Asia/Dubay` is not a time zone; did you mean `Asia/Dubai`?",
        "2:13: `english` is not one of ar, en",
        "4:28: `plattform` is not one of shared, platform; did you mean `platform`?",
        (
            "7:23: `wbe` is not one of web, app, call_centre, kiosk, service_centre, partner; did you "
            "mean `web`?"
        ),
        "8:42: `block` is not one of blocks, slows, none; did you mean `blocks`?",
    ],
    "dangling-entity": [
        "4:30: no entity is called `interiour`; did you mean `interior`?",
    ],
    "dangling-profile": [
        "5:14: no profile is called `standart`; did you mean `standard`?",
    ],
    "dangling-system": [
        "8:38: no system is called `idenity`; did you mean `identity`?",
        "9:31: no system is called `payments`",
    ],
    "dangling-vantage": [
        (
            "5:47: no vantage point is called `nort`; did you mean `north`? (declared by `vantages` "
            "at the top)"
        ),
        "5:63: quorum 2 is more than the vantage points that ask: nort",
    ],
    "dependency-circle": [
        "2:84: systems need one another in a circle: identity → register → exchange → identity",
        "5:84: systems need one another in a circle: alone → alone",
    ],
    "duplicate-slug": [
        "3:49: slug `passport` is taken already, in FILE:2 (slugs are for ever, former ones too)",
        "4:12: slug `passport` is taken already, in FILE:2",
    ],
    "empty": [
        (
            "1:1: nothing to watch here; `services: [{slug: passport, url: "
            "https://passport.example/}]` is a complete catalogue"
        ),
    ],
    "key-given-twice": [
        "4:5: key `slug` is given twice; the first is on line 2",
    ],
    "kinds-of-a-check": [
        "4:9: a check has exactly one kind of http, tls, tcp, dns, icmp; this one has none",
        ("5:9: a check has exactly one kind of http, tls, tcp, dns, icmp; this one has http and tcp"),
        (
            "6:14: not an address that can be asked: use http://, https://, tls://host[:port], "
            "tcp://host:port, dns://name or icmp://host"
        ),
        "7:24: `mail.example` is not an address: write host:port, such as mail.example:25",
        (
            "8:9: not an address that can be asked: use http://, https://, tls://host[:port], "
            "tcp://host:port, dns://name or icmp://host"
        ),
        "10:16: two checks here are called `second`: give one another `name`",
    ],
    "missing-key": [
        "2:5: `slug` is missing",
        "4:33: `role` is missing",
    ],
    "missing-name": [
        "3:28: `interior` has no name in Arabic: write `name: {ar: …, en: …}`",
        "5:28: `identity` has no name in English: write `name: {ar: …, en: …}`",
        "7:12: `passport` has no name in Arabic and English: write `name: {ar: …, en: …}`",
    ],
    "no-channel": [
        "2:12: service `passport` needs `url` or `channels`",
        "4:10: `url` stands for one web channel; with `channels`, write it in a channel",
        "5:64: two channels of `visa` are called `web`: give each its own `slug`",
    ],
    "not-utf-8": [
        "4:11: is not UTF-8: save the file as UTF-8",
    ],
    "objectives": [
        (
            "2:77: `fast: 14.4` at a target of 0.9 asks for 144% of the time to be bad and can never fire: "
            "at most 5"
        ),
        "2:94: 99 is not allowed here: a number above 0 and below 1",
        "3:12: class `essential` is given already, in FILE:2",
        "6:53: no class is called `esential`; did you mean `essential`?",
        "7:75: `target` is missing",
        "7:94: unknown key `speed`; allowed are availability, latency, completion",
    ],
    "renamed-reference": [
        "4:57: system `identity` is now called `sign-in`",
    ],
    "report-delivery": [
        "5:38: a user needs a `password`",
        "7:7: `review_s` is set, and no recipient says `reviews: true`",
        "7:29: `chair at gov.example` is not allowed here: one mail address; for example chair@gov.example",
        "8:16: recipient `chair` is there already",
        "8:29: mail needs `smtp:` with `host` and `sender` under `delivery:`",
        "9:16: `minister` needs one of `mail`, `folder` and `webhook`",
        "9:32: mail needs `smtp:` with `host` and `sender` under `delivery:`",
        "10:55: no entity is called `helth`",
        "10:70: `doc` is not one of html, json, pdf, xlsx",
        "11:16: `nobody` needs one of `mail`, `folder` and `webhook`",
        "12:33: a secret in plain: write where it is, `env:NAME` or `file:/path`",
        "13:32: `مدير@gov.example` is not allowed here: one mail address; for example chair@gov.example",
    ],
    "secret-in-a-field": [
        "4:13: a secret in plain: write where it is, `env:NAME` or `file:/path`",
        "9:56: a secret in plain: write where it is, `env:NAME` or `file:/path`",
        "9:92: a secret in plain: write where it is, `env:NAME` or `file:/path`",
    ],
    "secret-in-a-header": [
        (
            "9:28: a secret in plain, in header `Authorization`: use `secret_headers: [{name: "
            "Authorization, value: env:NAME}]`, or `basic` or `bearer`"
        ),
        (
            "10:24: a secret in plain, in header `X-Api-Key`: use `secret_headers: [{name: X-Api-Key, "
            "value: env:NAME}]`, or `basic` or `bearer`"
        ),
        (
            "11:21: a secret in plain, in header `Cookie`: use `secret_headers: [{name: Cookie, "
            "value: env:NAME}]`, or `basic` or `bearer`"
        ),
    ],
    "secret-in-an-address": [
        (
            "2:8: a secret in plain, in an address: leave it out, and write where it is: `env:NAME` "
            "or `file:/path`, under `basic:` or `password:`"
        ),
        (
            "5:10: a secret in plain, in an address: leave it out, and write where it is: `env:NAME` "
            "or `file:/path`, under `basic:` or `password:`"
        ),
    ],
    "settings": [
        "1:20: expected a list in [brackets], [] for none, found `broker`",
        "1:38: sasl_ssl needs `user` and `password`",
        "1:60: 0 is not allowed here: a whole number of at least 1 and at most 1000",
        (
            "2:17: `db.example` is not allowed here: where it is, without the password; for example "
            "postgresql://continuity@db:5432/continuity"
        ),
        "2:35: expected a whole number, found `many`",
        "3:13: 70000 is not allowed here: a whole number of at least 0 and at most 65535",
    ],
    "syntax": [
        "4:1: is not YAML: found unexpected end of stream while scanning a quoted scalar",
    ],
    "tab": [
        (
            "2:1: is not YAML: found character that cannot start any token (indent with spaces, not "
            "tabs; quote texts that begin with @, ` or %) while scanning for the next token"
        ),
    ],
    "time-out-over-interval": [
        "2:33: within_s 5 must be less than every_s 5",
        "6:60: within_s 12 must be less than every_s 10",
    ],
    "too-deep": [
        "1:50: lists and tables are nested deeper than 40 levels",
    ],
    "transaction-sources": [
        "3:12: -1 is not allowed here: a number of at least 0 and at most 86400",
        (
            "7:23: `order..kind` is not allowed here: where it lies in the message: keys and places in "
            "lists, by dots; for example order.status"
        ),
        "8:16: needs either `path` or `constant`",
        "9:16: needs either `path` or `constant`",
        "11:20: `iso` is not one of rfc3339, unix, unix_ms",
        "12:13: name `portal` is taken already by another source",
        "13:14: topic `portal.orders` is taken already by another source",
        "15:40: `values` has nothing to say of a `constant`",
    ],
    "two-documents": [
        "2:1: a second document begins here; one file holds one document: remove the `---`",
    ],
    "unknown-key-of-a-kind": [
        "4:14: `port` is missing",
        "4:35: unknown key `prot`; did you mean `port`?",
        "5:44: unknown key `every_s` of a kind: it belongs to the check, beside the kind",
        (
            "6:10: unknown key `kind`: write the kind as a key, such as `http: {url: …}`; allowed are "
            "http, tls, tcp, dns, icmp"
        ),
        "6:22: unknown key `url`: it belongs under the kind, such as `http: {url: …}`",
    ],
    "unknown-key": [
        "4:5: unknown key `entitiy`; did you mean `entity`?",
    ],
    "wrong-type": [
        "1:9: expected true or false, found `maybe`",
        "2:18: 95 is not allowed here: a number above 0 and below 1, such as 0.95",
        "6:14: expected a list in [brackets], [] for none, found `identity`",
        "7:15: expected a list in [brackets], [] for none, found a table of keys and values",
        (
            "8:5: expected a table with slug, name, entity, url, known_as, profile, channels, "
            "checks, depends, hours, class, objectives, runbook, was, found `passport`"
        ),
    ],
}


def mistakes(path: Path) -> list[Problem]:
    """What `load` names; fails when it finds nothing."""
    with pytest.raises(ConfigError) as caught:
        load(path, environ={})
    return caught.value.problems


def said(path: Path) -> list[str]:
    return [f"{each.line}:{each.column}: {each.text}".replace(str(path), "FILE") for each in mistakes(path)]


def test_every_invalid_file_has_its_message() -> None:
    assert sorted(MESSAGES) == sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", MESSAGES)
def test_the_whole_message_of_an_invalid_file(name: str) -> None:
    assert said(FOLDER / f"{name}.yaml") == MESSAGES[name]


def test_mistakes_of_all_files_come_together_in_the_order_of_the_files(tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    shutil.copy(FOLDER / "unknown-key.yaml", tmp_path / "services" / "b.yaml")
    shutil.copy(FOLDER / "syntax.yaml", tmp_path / "services" / "a.yaml")
    shutil.copy(FOLDER / "bad-slug.yaml", tmp_path / "monitor.yaml")
    found = [(Path(each.file).name, each.line) for each in mistakes(tmp_path)]
    assert found == [("monitor.yaml", 2), ("monitor.yaml", 3), ("a.yaml", 4), ("b.yaml", 4)]


def test_a_problem_reads_as_file_line_column_and_text() -> None:
    path = FOLDER / "unknown-key.yaml"
    assert str(mistakes(path)[0]) == f"{path}:4:5: unknown key `entitiy`; did you mean `entity`?"


def test_t39_an_unknown_key_is_refused_and_the_catalogue_before_it_stays_as_it_was(tmp_path: Path) -> None:
    """A bad edit is an exception that carries the mistakes; what was loaded is a value nobody changed."""
    file = tmp_path / "monitor.yaml"
    file.write_text("services: [{slug: passport, url: https://passport.example/}]")
    before: Loaded = load(tmp_path, environ={})
    kept = before.catalogue
    file.write_text("services: [{slug: passport, url: https://passport.example/, intervall: 5}]")
    with pytest.raises(ConfigError, match="unknown key `intervall`"):
        load(tmp_path, environ={})
    file.write_text("services: [{slug: passport, url: https://passport.example/}]")
    assert load(tmp_path, environ={}).catalogue == kept


def test_a_folder_that_is_not_there_is_one_mistake(tmp_path: Path) -> None:
    path = tmp_path / "nowhere"
    assert mistakes(path) == [Problem(str(path), 1, 1, "cannot be read: No such file or directory")]


def test_a_file_that_cannot_be_read_is_a_mistake_among_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").symlink_to(tmp_path / "gone")
    shutil.copy(FOLDER / "unknown-key.yaml", tmp_path / "b.yaml")
    assert [each.text for each in mistakes(tmp_path)] == [
        "cannot be read: No such file or directory",
        "unknown key `entitiy`; did you mean `entity`?",
    ]


def test_an_empty_folder_is_a_mistake_with_an_example(tmp_path: Path) -> None:
    assert mistakes(tmp_path)[0].text == (
        "nothing to watch here; `services: [{slug: passport, url: https://passport.example/}]` "
        "is a complete catalogue"
    )


def test_a_key_with_one_value_is_given_in_one_file_only(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("zone: Asia/Dubai\nprofiles: {usual: {every_s: 20}}\n")
    (tmp_path / "b.yaml").write_text(
        "zone: UTC\nprofiles: {usual: {}}\nservices: [{slug: a, url: https://a.example/}]\n"
    )
    first = tmp_path / "a.yaml"
    assert [str(each) for each in mistakes(tmp_path)] == [
        f"{tmp_path}/b.yaml:1:7: `zone` is given already, in {first}:1",
        f"{tmp_path}/b.yaml:2:19: `usual` is given already, in {first}:2",
    ]


def test_a_mistake_of_a_profile_is_said_once_however_many_checks_use_it(tmp_path: Path) -> None:
    services = "".join(f"  - {{slug: s{n}, url: https://s{n}.example/}}\n" for n in range(20))
    path = tmp_path / "monitor.yaml"
    path.write_text(f"profiles: {{default: {{every_s: 5, within_s: 6}}}}\nservices:\n{services}")
    assert said(path) == ["1:44: within_s 6 must be less than every_s 5"]


def test_a_mistake_in_a_system_is_not_a_second_one_where_it_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text(
        "systems: [{slug: identity, kind: shred, url: 5}]\n"
        "services: [{slug: a, url: https://a.example/, depends: [identity]}]\n"
    )
    assert [each.line for each in mistakes(path)] == [1, 1]


def test_a_blocking_system_without_a_contact_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text(
        "systems: [{slug: identity, url: https://id.example/}, {slug: sms, url: https://sms.example/}]\n"
        "services:\n"
        "  - {slug: a, url: https://a.example/, depends: [identity, {system: sms, effect: slows}]}\n"
    )
    assert load(path, environ={}).warnings == [
        Problem(
            str(path),
            1,
            18,
            "system `identity` blocks others, and neither it nor its entity has a contact",
            "warning",
        )
    ]


def test_a_channel_that_nothing_measures_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text(
        "services: [{slug: a, channels: [{kind: web, url: https://a.example/}, {kind: app}, {kind: kiosk}]}]"
    )
    warning = "nothing measures channel `app` of `a`: it will always be unknown"
    assert [each.text for each in load(path, environ={}).warnings] == [warning]


def warned(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "monitor.yaml"
    path.write_text(text)
    return [f"{each.line}:{each.column}: {each.text}" for each in load(path, environ={}).warnings]


def test_t21_a_burn_alert_that_hardly_can_fire_is_warned_of_where_it_was_written(tmp_path: Path) -> None:
    given = "{availability: {target: 0.95, burn: {fast: 14.4}}}"
    text = f"services:\n  - {{slug: a, url: https://a.example/, objectives: {given}}}\n"
    assert warned(tmp_path, text) == [
        "2:95: `fast: 14.4` at a target of 0.95 asks for 72% of the time to be bad: at most 10 asks for half"
    ]


def test_t21_a_window_of_fewer_than_five_samples_is_warned_of(tmp_path: Path) -> None:
    checks = "checks: [{http: https://a.example/, every_s: 120}], objectives: {availability: 0.999}"
    text = f"services:\n  - {{slug: a, url: https://a.example/, {checks}}}\n"
    assert warned(tmp_path, text) == [
        (
            "2:119: `fast` looks at 300 s, in which a check every 120 s is asked fewer than 5 times: "
            "ask more often, or write `burn: {fast: 0}`"
        )
    ]


@pytest.mark.parametrize(
    ("every_s", "warns"), [(2.5, True), (2.51, False)], ids=["as long as the grace", "a moment longer"]
)
def test_a_check_whose_two_intervals_are_over_within_the_grace_is_warned_of(
    tmp_path: Path, every_s: float, warns: bool
) -> None:
    """Its page would say *behind* for ever; a slower required check of the same channel keeps it fresh."""
    fast = f"{{tcp: 127.0.0.1:1, every_s: {every_s}, within_s: 1}}"
    slow = "{name: slow, tcp: 127.0.0.1:1, every_s: 30}"
    text = f"""policy: {{grace_s: 5}}
services:
  - {{slug: a, channels: [{{kind: web, checks: [{fast}]}}]}}
  - {{slug: b, channels: [{{kind: web, checks: [{fast}, {slow}]}}]}}
"""
    said = (
        "3:75: two intervals of 2.5 s are over before `policy.grace_s: 5` is: pages would always say that "
        "we are behind; ask less often, or lower the grace"
    )
    assert warned(tmp_path, text) == [said] * warns


def test_what_is_promised_by_default_is_warned_of_by_nobody(tmp_path: Path) -> None:
    classes = "classes: [{slug: default, objectives: {availability: 0.95, latency: 0.9, completion: 0.98}}]"
    assert warned(tmp_path, f"{classes}\nservices: [{{slug: a, url: https://a.example/}}]\n") == []
