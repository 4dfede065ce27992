"""The frozen numbers of the golden week: each as it was worked out by hand, and the same bytes each time."""

from __future__ import annotations

import dataclasses

import jsonschema
import msgspec
import pytest
from msgspec.structs import replace

from monitor.judge.figures import Figure, Tally, When
from monitor.judge.periods import Kind
from monitor.judge.reading import figure_row
from monitor.judge.seconds import Says, Spent
from monitor.judge.timeline import Step
from monitor.judge.weighted import Weighted
from monitor.model import GOVERNMENT, Policy, Verdict
from monitor.report.comparing import differences
from monitor.report.document import decode, digest, encode, schema
from monitor.report.figures import FIGURES, said_of
from monitor.report.numbers import build
from monitor.report.objectives import at_risk
from monitor.report.times import utc
from monitor.report.voice import Voice
from tests.golden_week import (
    DAY_MS,
    END_MS,
    EXPECTED,
    EXPECTED_OF,
    HOUR_MS,
    LONG_AGO_MS,
    START_MS,
    at,
    catalogues,
    facts,
    golden,
)
from tests.odd_weeks import (
    accounts,
    all_along,
    in_maintenance,
    of_one_service,
    renamed,
    too_little_known,
    unmeasured,
)


def test_every_declared_figure_is_worked_out_by_hand() -> None:
    assert set(EXPECTED) == set(FIGURES)


@pytest.mark.parametrize("code", FIGURES)
def test_a_figure_of_all_services_is_what_the_hand_gives(code: str) -> None:
    assert golden().total.figures[code].text == EXPECTED[code]


@pytest.mark.parametrize("subject", EXPECTED_OF)
def test_figures_of_a_service_or_entity_are_what_the_hand_gives(subject: str) -> None:
    part = golden().part(subject)
    assert part is not None
    assert {code: part.figures[code].text for code in EXPECTED_OF[subject]} == EXPECTED_OF[subject]


def test_a_part_has_exactly_the_figures_that_are_said_of_its_kind() -> None:
    document = golden()
    for part in (document.total, *document.entities, *document.services, *document.weeks):
        assert set(part.figures) == {each.code for each in said_of(part.kind)}


def test_numerator_and_denominator_stand_beside_a_share() -> None:
    figures = golden().total.figures
    hour = 3_600_000
    assert (figures["F01"].part, figures["F01"].whole) == (790 * hour, 798 * hour)
    assert (figures["F06"].part, figures["F06"].whole) == (798 * hour, 810 * hour)
    assert (figures["F08"].part, figures["F08"].whole) == (4, 5)
    assert (figures["F22"].part, figures["F22"].whole) == (1500, 1600)


def test_missed_transactions_carry_their_interval() -> None:
    document = golden()
    assert (document.total.figures["F17"].low, document.total.figures["F17"].high) == ("27", "48")
    identity, night, overrun = document.outages
    assert (identity.missed.text, identity.missed.low, identity.missed.high) == ("27", "18", "36")
    assert (night.missed.text, night.missed.low, night.missed.high) == ("10", "5", "15")
    assert overrun.missed.says is Says.NO_DATA


def test_who_was_never_down_missed_nothing_though_nobody_knows_what_is_usual_there() -> None:
    calm = [part for part in golden().services if not part.counted.outages and part.lost is None]
    assert {part.figures[code].says for part in calm for code in ("F17", "F18")} == {Says.NOT_APPLICABLE}


def test_outages_of_one_cause_are_one_and_what_mattered_most_comes_first() -> None:
    identity, night, overrun = golden().outages
    assert (identity.subject, identity.reason) == ("system:identity", "timeout")
    assert identity.services == ("service:id-card", "service:passport")
    assert (identity.began, identity.ended) == (utc(at("18T10:00")), utc(at("18T11:30")))
    assert (identity.incident, identity.done) == ("INC-2026-0007", ("Certificates renewed.",))
    assert (night.subject, night.began) == ("service:passport", utc(at("19T22:00")))
    assert (overrun.subject, overrun.down_ms) == ("service:licence", 3_600_000)


def test_what_still_worked_is_told_apart_from_what_nobody_measured() -> None:
    [identity, *_] = golden().outages
    assert identity.still == ("service_centre",)
    assert identity.unmeasured == ("app", "web")


def test_announced_work_says_how_it_was_announced_and_what_it_does() -> None:
    found = [(each.number, each.standing, each.applied) for each in golden().work]
    assert found == [
        (3, "short_notice", False),
        (4, "unannounced", False),
        (1, "noticed", True),
        (2, "overrun", False),
    ]


@pytest.mark.parametrize(("ruling", "counts"), [("approved", False), ("rejected", True)])
def test_how_work_was_announced_stays_told_when_the_committee_has_ruled(ruling: str, counts: bool) -> None:
    ruled = {f"{ruling}_at_ms": END_MS, f"{ruling}_by": "committee"}
    accounts = facts().accounts
    with_ruling = [replace(each, **ruled) if each.id == 2 else each for each in accounts.exclusions]
    document = build(facts(accounts=dataclasses.replace(accounts, exclusions=with_ruling)))
    overrun = next(each for each in document.work if each.number == 2)
    assert (overrun.notice, overrun.standing, overrun.applied) == ("overrun", ruling, not counts)
    assert [document.total.figures[code].text for code in ("F24", "F25", "F26", "F27")] == ["1"] * 4


def test_the_committee_is_asked_of_work_that_counts_and_in_which_something_was_down() -> None:
    asked = [(each.number, each.down_ms, each.services) for each in golden().decisions]
    assert asked == [(2, 3_600_000, 1), (4, 5_400_000, 1)]


def test_unknown_time_has_its_reasons_which_sum_to_the_figure() -> None:
    document = golden()
    [silence] = document.unmeasured
    assert (silence.reason, silence.unknown_ms, silence.services) == ("silence", 43_200_000, 1)
    assert sum(each.unknown_ms for each in document.unmeasured) == document.total.counted.unknown_ms


def test_a_removed_service_says_until_when_it_was_there() -> None:
    visa = golden().part("service:visa")
    assert visa is not None
    assert (visa.existed_from, visa.existed_to) == (None, utc(at("22T00:00")))
    assert visa.name.en == "Visit visa"


def test_the_same_facts_give_the_same_bytes() -> None:
    assert encode(build(facts())) == encode(build(facts()))
    assert digest(encode(build(facts()))) == digest(encode(golden()))


def test_a_stored_report_is_read_back_as_it_was() -> None:
    document = golden()
    assert decode(encode(document)) == document
    assert encode(decode(encode(document))) == encode(document)


def test_the_report_keeps_its_schema() -> None:
    jsonschema.Draft202012Validator(schema()).validate(msgspec.json.decode(encode(golden())))


# -- weeks that are not like others


def test_t2_a_week_in_which_nothing_was_measured_has_no_figure_and_no_hundred() -> None:
    document = unmeasured()
    figures = document.total.figures
    assert (figures["F01"].says, figures["F01"].text) == (Says.NO_DATA, None)
    assert figures["F03"].text is None
    assert (figures["F06"].text, figures["F07"].text, figures["F09"].text) == ("0.00", "5", "5")
    assert figures["F19"].says is Says.NO_DATA
    assert Voice("en", document).sentence.startswith("Nothing was measured in")


def test_t8_a_week_wholly_in_maintenance_is_not_zero_and_not_a_hundred() -> None:
    document = in_maintenance()
    figures = document.total.figures
    assert figures["F01"].says is Says.NOT_APPLICABLE
    assert figures["F05"].text == "0.00"
    assert document.outages == ()
    assert Voice("ar", document).sentence.startswith("لم تكن أي خدمة مطلوبة")


def test_a_week_of_one_service_is_that_service() -> None:
    document = of_one_service()
    [part] = document.services
    assert document.total.figures["F01"] == part.figures["F01"]
    assert part.figures["F01"].text == "96.72"
    assert document.entities == ()


def test_t1_under_the_gate_of_coverage_there_is_no_figure_but_what_is_missing_is_told() -> None:
    document = too_little_known()
    assert document.total.figures["F01"].says is Says.INSUFFICIENT
    assert "coverage was" in Voice("en", document).sentence


def test_a_renamed_service_is_the_same_under_its_new_name() -> None:
    document = renamed()
    part = document.part("service:passport")
    assert part is not None
    assert (part.slug, part.name.en) == ("travel-document", "Travel document")
    assert part.figures["F01"].text == EXPECTED_OF["service:passport"]["F01"]


def test_an_outage_that_lasts_past_the_end_and_began_before_says_both() -> None:
    began = [Step(LONG_AGO_MS, Verdict.UP, "ok"), Step(START_MS - HOUR_MS, Verdict.DOWN, "timeout")]
    document = golden(**accounts(timelines=all_along("up") | {"service:passport": began}))
    [outage] = document.outages
    assert (outage.began, outage.ended, outage.before) == (utc(START_MS), None, True)
    assert outage.missed.says is Says.NO_DATA


def test_a_correction_lists_what_differs_and_nothing_else() -> None:
    one, two = golden(), golden(missed=[])
    found = differences(one, two)
    assert {each.code for each in found} == {"F17", "F18"}
    assert {each.subject for each in found if each.code == "F17"} == {
        GOVERNMENT, "entity:interior", "service:passport", "service:id-card",
    }  # fmt: skip
    assert differences(one, golden()) == ()


def test_a_promise_that_is_broken_is_at_risk_with_what_is_left_of_its_budget() -> None:
    """12 of 672 hours down where 0.89 % may be, 5.9808 hours: 6.0192 too many, −100.642… % left, cut."""
    spent = Spent(up_ms=660 * HOUR_MS, down_ms=12 * HOUR_MS)
    figure = Figure(When(END_MS - 28 * DAY_MS, END_MS, END_MS), Tally(spent), Tally(spent))
    row = figure_row("service:id-card", "Asia/Dubai", "28d", figure, Policy())
    after, _ = catalogues()
    rows = {("service:id-card", Kind.DAYS_28): row}
    [found] = at_risk(after, rows, ["service:id-card", "service:passport"], decimals=2)
    assert (found.subject, found.period, found.met) == ("service:id-card", "28d", False)
    assert (found.target, found.left) == ("99.11", "-100.65")
    assert at_risk(after, rows, ["service:passport"], decimals=2) == ()


def test_a_pattern_that_is_not_made_yet_weighs_nothing() -> None:
    """1,500 transactions were completed, and so far 700 are usual."""
    document = golden(weighted={"service:passport": Weighted(available=700.0)})
    assert document.total.figures["F31"].says is Says.NO_DATA
