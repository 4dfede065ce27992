"""Every word of the report is there in both languages, none is left over, and nothing is reordered (T22)."""

from __future__ import annotations

import re
from datetime import date
from typing import get_args

import pytest
from msgspec.structs import replace

from monitor.judge.budgets import PERIODS
from monitor.judge.exclusions import Standing
from monitor.judge.findings import DROP, FAILURE_RATE, SURGE
from monitor.judge.findings import SILENCE as SILENT
from monitor.judge.seconds import Says, State
from monitor.judge.timeline import NOT_MEASURED, SILENCE, UNCONFIRMED
from monitor.model import ChannelKind, DayName, Text
from monitor.model import Missing as Unknowns
from monitor.objectives import Indicator
from monitor.report.document import Kind, Value
from monitor.report.figures import FIGURES, Unit
from monitor.report.voice import LOCALE, WHY, Voice, words
from tests.catalogues import incomplete, unlike
from tests.golden_week import golden, terms

ROOM = LOCALE.parent
NO_FIGURE = [says for says in Says if says is not Says.FIGURE]
SHARES = ("F01", "F04", "F05", "F06", "F08", "F16", "F17", "F20", "F22", "F31")
FAMILIES = {
    "title": list(get_args(Kind)),
    "period": list(get_args(Kind)),
    "before": list(get_args(Kind)),
    "sentence": NO_FIGURE,
    "says": NO_FIGURE,
    "hijri": [str(month) for month in range(1, 13)],
    "answer": ["yes", "no"],
    "kind": list(ChannelKind),
    "standing": [*Standing, "rejected", "unannounced"],
    "finding": [SILENT, DROP, FAILURE_RATE, SURGE],
    "unmeasured": [SILENCE, NOT_MEASURED, UNCONFIRMED],
    "day": list(DayName),
    "not_in": ["judged", "counted", "accounted", "estimated"],
    "method.missing": list(Unknowns),
    "method.degraded": ["yes", "no"],
    "duration": ["hours", "minutes", "seconds"],
    "why": [*sorted(set(WHY.values())), "other"],
    "risk.indicator": [Indicator.AVAILABILITY, Indicator.LATENCY],
    "risk.period": list(PERIODS),
    "unit": [f"{unit}.name" for unit in Unit],
    "data": ["code", "key", "name", "unit", "meaning", "over", "intervals"],
    "kept": sorted({each.kept.key for each in FIGURES.values() if each.kept}),
    "interval": list(State),
    "counted": ["with", "without"],
    "sheet": ["figure", "value", "low", "high"],
    **{code: ["name", "says", "over"] for code in FIGURES},
    **{code: ["name", "says", "over", "share"] for code in SHARES},
}


def used() -> set[str]:
    """Keys written in templates and code, and those of the families that are put together."""
    sources = [*ROOM.glob("templates/*.html"), *ROOM.rglob("*.py")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    written = set(re.findall(r"""["']([a-z_]+(?:\.[a-z_0-9]+)+|sample)["']""", text))
    made = {f"{family}.{member}" for family, members in FAMILIES.items() for member in members}
    return made | (written & {*words("en")})


def test_every_key_that_is_used_exists_and_every_key_that_exists_is_used() -> None:
    known = set(words("en"))
    assert (used() - known, known - used()) == (set(), set())


def test_both_languages_have_the_same_keys_placeholders_and_all_their_plural_forms() -> None:
    en, ar = words("en"), words("ar")
    assert (unlike(en, ar), incomplete(en=en, ar=ar)) == ([], [])


def bare(text: str) -> str:
    """Without isolates."""
    return re.sub("[\u2066-\u2069]", "", text)


def test_the_sentence_of_the_committee_in_both_languages() -> None:
    assert bare(Voice("ar", golden()).sentence) == (
        "بلغت نسبة توافر الخدمات عن بُعد 98.99% خلال الأسبوع من 16 إلى 22 نوفمبر 2026، مقابل مستهدف 95%: "
        "تحقق المستهدف."
    )
    assert bare(Voice("en", golden()).sentence) == (
        "Remote availability of services was 98.99% in the week from 16 to 22 November 2026, "
        "against a target of 95%: target met."
    )


def test_t41_under_the_target_by_less_than_a_printed_digit_is_not_met() -> None:
    document = golden(terms=terms(target="98.998"))
    assert "target not met" in Voice("en", document).sentence


def test_the_change_is_said_in_words_with_its_direction() -> None:
    assert bare(Voice("en", golden()).change) == "1.49 percentage points more than the week before."


@pytest.mark.parametrize(
    ("unit", "text", "said"),
    [
        (Unit.PERCENT, "96.41", "96.41%"),
        (Unit.POINTS, "-0.30", "\u2066−0.30\u2069 نقطة مئوية"),
        (Unit.DURATION, "7260", "ساعتان ودقيقة واحدة"),
        (Unit.DURATION, "0", "\u20660\u2069 دقيقة"),
        (Unit.COUNT, "1600", "1,600"),
        (Unit.ANSWER, "no", "لم يتحقق المستهدف"),
    ],
)
def test_a_figure_in_arabic_is_isolated_and_counted_in_the_right_form(
    unit: Unit, text: str, said: str
) -> None:
    assert Voice("ar", golden()).written(unit, Value(text=text)) == said


def test_digits_follow_the_setting_in_arabic_alone() -> None:
    document = golden(terms=terms(digits="arabic"))
    assert Voice("ar", document).percent("98.99") == "٩٨٫٩٩٪"
    assert Voice("en", document).percent("98.99") == "98.99%"


def test_the_hijri_date_stands_beside_the_other_by_setting() -> None:
    document = golden(terms=terms(hijri=True))
    assert bare(Voice("ar", document).day(date(2026, 11, 16))) == "16 نوفمبر 2026 (6 جمادى الآخرة 1448هـ)"
    assert bare(Voice("ar", golden()).day(date(2026, 11, 16))) == "16 نوفمبر 2026"


def test_t22_a_date_in_arabic_runs_from_right_to_left_though_each_part_is_isolated() -> None:
    """An isolate that goes by its first strong letter would find none, and put the year before the day."""
    said = Voice("ar", golden()).at(golden().outages[0].began)
    assert said == "\u2067\u206618\u2069 \u2067نوفمبر\u2069 \u20662026\u2069\u2069، الساعة \u206610:00\u2069"


def test_a_range_over_two_months_names_both() -> None:
    said = Voice("ar", golden()).days(date(2026, 11, 30), date(2026, 12, 6))
    assert bare(said) == "من 30 نوفمبر 2026 إلى 6 ديسمبر 2026"


def test_an_outage_over_midnight_says_both_days() -> None:
    night = golden().outages[1]
    said = Voice("en", golden()).times(night.began, night.ended)
    assert bare(said) == "from 19 November 2026, 22:00 to 20 November 2026, 02:00"


def test_work_on_many_channels_of_a_service_names_it_once() -> None:
    work = replace(
        golden().work[0],
        subjects=("system:signature", "service:visa", "service:visa/web", "service:visa/app"),
        names=(Text(en="Signature"), Text(en="Visa"), Text(en="Visa"), Text(en="Visa")),
    )
    assert Voice("en", golden()).worked_on(work) == ["Signature", "Visa"]
