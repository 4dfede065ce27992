"""The frozen numbers of the golden week: each as it was worked out by hand, and the same bytes each time."""

from __future__ import annotations

import jsonschema
import msgspec
import pytest

from monitor.judge.seconds import Says
from monitor.report.document import decode, digest, encode, schema
from monitor.report.figures import FIGURES, said_of
from monitor.report.numbers import build
from monitor.report.times import utc
from tests.golden_week import EXPECTED, EXPECTED_OF, at, facts, golden


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


def test_outages_of_one_cause_are_one_and_what_mattered_most_comes_first() -> None:
    identity, night, overrun = golden().outages
    assert identity.subject == "system:identity"
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
