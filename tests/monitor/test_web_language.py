"""Every word of the pages is there in both languages, none is left over, nothing is reordered (T22)."""

from __future__ import annotations

import re

import pytest
from babel import Locale

from monitor.judge.answers import RANGE
from monitor.judge.budgets import HEADLINE, PERIODS
from monitor.judge.current import WINDOWS
from monitor.judge.exclusions import Filing, Standing
from monitor.judge.findings import DROP, FAILURE_RATE, SURGE
from monitor.judge.findings import SILENCE as SILENT
from monitor.judge.incidents import Kind, State
from monitor.judge.periods import Kind as Period
from monitor.judge.picture import BEHIND
from monitor.judge.seconds import Says
from monitor.judge.seconds import State as Second
from monitor.judge.timeline import DEPENDENCY, NOT_MEASURED, SILENCE, UNCONFIRMED
from monitor.judge.troubles import Sign
from monitor.judge.work import Phase, Repeat
from monitor.model import ChannelKind, Effect, FindingLevel, Missing, Severity, SystemKind, Text
from monitor.objectives import Indicator
from monitor.web.announcing import Wrong
from monitor.web.charts import PHASES
from monitor.web.language import Ltr, Speaker, choose, messages
from monitor.web.pages.overview import STATES
from monitor.web.reporting import VERDICTS
from monitor.web.site import ROOM
from monitor.words import EXCLUDED, LOOKS
from probes.contract import Outcome, Reason
from tests.catalogues import FORMS, incomplete, unlike

FAMILIES = {
    **{f"state.{kind}": list(Second) for kind in ("service", "channel", "system")},
    "reason": [*Reason, BEHIND, DEPENDENCY, NOT_MEASURED, SILENCE, UNCONFIRMED, "not_in_catalogue"],
    "kind": list(ChannelKind),
    "effect": list(Effect),
    "outcome": list(Outcome),
    "phase": list(PHASES),
    "filter.state": list(STATES),
    "system.kind": list(SystemKind),
    "systems.kind": list(SystemKind),
    "past.gap": ["no_heartbeat", "missed"],
    "duration": ["days", "hours", "minutes", "seconds"],
    "refused": ["not_found", "away", "other"],
    "headline.counted": list(Missing),
    "finding": [SILENT, DROP, FAILURE_RATE, SURGE],
    "finding.level": list(FindingLevel),
    "availability.counted": list(Missing),
    "availability.kind": [*Period, RANGE],
    "availability.now": list(WINDOWS),
    "availability.says": [says for says in Says if says is not Says.FIGURE],
    "availability.state": list(Second),
    "objective.is": [HEADLINE, *Indicator],
    "objective.in": list(PERIODS),
    "exclusion.standing": list(Standing),
    "work.state": list(Phase),
    "work.filing": list(Filing),
    "work.repeat": list(Repeat),
    "work.wrong": list(Wrong),
    "incident.sign": list(Sign),
    "incident.severity": list(Severity),
    "incident.state": list(State),
    "reports.figure": ["F01", "F03", "F06", "F08", "F14"],
    "incident.kind": [*Kind, "acknowledged", "note", "summary"],
    "incident.severity_does": list(Severity),
    "delivery.why": ["notice", "second", "reminder"],
    "delivery.state": ["waiting", "sent", "failed", "dropped"],
    "incident.verdict": list(VERDICTS),
}


def used() -> set[str]:
    """Keys written in templates and code, and those of the families that are put together."""
    sources = [*ROOM.glob("templates/*.html"), *ROOM.rglob("*.py"), ROOM.parent / "language.py"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    written = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_]+)+)["']""", text))
    made = {f"{family}.{member}" for family, members in FAMILIES.items() for member in members}
    return made | {key for key in written if key.split(".")[0] in STEMS and not NOT_MESSAGES.search(key)}


STEMS = {key.split(".")[0] for key in messages("en")}
NOT_MESSAGES = re.compile(r"\.(html|css|js|svg|py|yaml|json)$|^(monitor|service|system)\.(web|store|slug)")


def test_every_key_that_is_used_exists_and_every_key_that_exists_is_used() -> None:
    known = set(messages("en"))
    assert (used() - known, known - used()) == (set(), set())


def test_both_languages_have_the_same_keys_placeholders_and_all_their_plural_forms() -> None:
    en, ar = messages("en"), messages("ar")
    assert (unlike(en, ar), incomplete(en=en, ar=ar)) == ([], [])


def test_arabic_has_the_six_forms_that_babel_asks_for() -> None:
    plural = Locale.parse("ar").plural_form
    assert {plural(n) for n in range(200)} == FORMS["ar"]


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "خدمة واحدة"), (2, "خدمتان"), (3, "3</bdi> خدمات"), (11, "11</bdi> خدمة"), (100, "100</bdi> خدمة")],
)
def test_arabic_counts_with_the_right_form(count: int, said: str) -> None:
    assert said in Speaker("ar", zone="UTC").text("system.needed_by", n=count)


def test_t22_a_number_and_a_date_inside_arabic_are_isolated_left_to_right() -> None:
    speaker = Speaker("ar", zone="Asia/Dubai")
    assert speaker.text("live.as_of", at=Ltr("2026-11-15"), zone=Ltr("UTC+4")) == (
        'البيانات حتى <bdi dir="ltr">2026-11-15</bdi> (<bdi dir="ltr">UTC+4</bdi>)'
    )


def test_t22_in_attributes_the_isolates_are_unicodes() -> None:
    assert Speaker("ar", zone="UTC").plain("latency.label", last=Ltr("132 ms")).endswith("\u2066132 ms\u2069")


def test_a_value_that_holds_markup_is_text() -> None:
    shown = Speaker("en", zone="UTC").text("past.felt", channel="<script>")
    assert shown == "<bdi>&lt;script&gt;</bdi>"


def test_a_name_that_lacks_this_language_is_shown_in_the_other_and_marked() -> None:
    speaker = Speaker("ar", zone="UTC")
    assert (speaker.name(Text(en="Passport"), "p"), speaker.name(Text(ar="جواز"), "p")) == (
        '<bdi lang="en">Passport</bdi>',
        "<bdi>جواز</bdi>",
    )


@pytest.mark.parametrize(
    ("asked", "kept", "accepted", "chosen"),
    [
        ("ar", "en", "en", "ar"),
        (None, "ar", "en", "ar"),
        (None, None, "fr, ar-AE;q=0.8, en;q=0.5", "ar"),
        ("fr", None, "", "en"),
        (None, None, "ar;q=nonsense", "en"),
    ],
)
def test_the_language_is_asked_kept_accepted_or_the_first(
    asked: str | None, kept: str | None, accepted: str, chosen: str
) -> None:
    assert choose(asked=asked, kept=kept, accepted=accepted, offered=("en", "ar")) == chosen


def test_a_language_that_the_catalogue_does_not_offer_is_not_spoken() -> None:
    assert choose(asked="ar", kept="ar", accepted="ar", offered=("en",)) == "en"


@pytest.mark.parametrize(
    ("ms", "said"), [(0, "0 s"), (61_000, "1 min 1 s"), (3_600_000, "1 h"), (90_061_000, "1 day 1 h")]
)
def test_a_duration_says_its_two_largest_units(ms: int, said: str) -> None:
    assert re.sub("<[^>]+>", "", Speaker("en", zone="UTC").duration(ms)) == said


def test_an_hour_of_today_is_a_clock_and_another_days_has_its_date() -> None:
    speaker, noon = Speaker("en", zone="Asia/Dubai"), 1_794_729_605_000  # 2026-11-15 08:00:05 UTC
    assert (speaker.moment(noon, now_ms=noon), speaker.moment(noon, now_ms=noon + 86_400_000)) == (
        "12:00:05",
        "15 November 2026, 12:00:05",
    )


def test_pages_use_the_one_colour_of_each_verdict() -> None:
    """monitor/words.py is the source; the style sheet repeats it twice for dark."""
    css = (ROOM / "static" / "style.css").read_text(encoding="utf-8")
    found = {
        verdict: (
            css.count(f"--{verdict.value}: {look.light};"),
            css.count(f"--{verdict.value}: {look.dark};"),
        )
        for verdict, look in LOOKS.items()
    } | {
        state: (css.count(f"--{state}: {look.light};"), css.count(f"--{state}: {look.dark};"))
        for state, look in EXCLUDED.items()
    }
    assert found == dict.fromkeys([*LOOKS, *EXCLUDED], (1, 2))


def test_every_state_has_a_colour_shape_and_word_of_its_own() -> None:
    columns = zip(*[*LOOKS.values(), *EXCLUDED.values()], strict=True)
    assert [len(set(column)) for column in columns] == [len(Second)] * 5
