"""Levels 4 to 6 and the headline: own evidence against that of systems, channels against the service."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.levels import Headline, effective, headline, measured, service
from monitor.judge.timeline import Step, squeeze, value_at
from monitor.model import Channel, ChannelKind, Effect, Missing, Policy, Verdict
from tests.monitor.judge_reference import plain, told, worst_of

UP, DEGRADED, UNKNOWN, DOWN = Verdict.UP, Verdict.DEGRADED, Verdict.UNKNOWN, Verdict.DOWN
BLOCKS, SLOWS, NONE = Effect.BLOCKS, Effect.SLOWS, Effect.NONE
IDENTITY, PAYMENT = "system:identity", "system:payment"
END_MS = 30


def since(verdict: Verdict, reason: str = "", *, at_ms: int = 0, cause: str = "") -> list[Step]:
    usual = {UP: "ok", DEGRADED: "slow", UNKNOWN: "silence", DOWN: "timeout"}[verdict]
    return [Step(at_ms, verdict, reason or usual, cause)]


def channel(slug: str = "web", *, remote: bool = True, completes: bool = True) -> Channel:
    return Channel(
        subject=f"service:passport/{slug}",
        slug=slug,
        kind=ChannelKind.WEB,
        remote=remote,
        completes=completes,
    )


def met(own: list[Step] | None, *needs: tuple[str, Effect, list[Step]]) -> tuple[Verdict, str, str]:
    """What people meet at the end."""
    step = effective(own, needs, 0)[-1]
    return step.verdict, step.reason, step.cause


# -- level 4 ------------------------------------------------------------------------------------------------


def test_a_subject_is_as_bad_as_its_worst_check_and_says_why() -> None:
    steps = measured([since(DEGRADED), [*since(UP), Step(5, DOWN, "status")]], 0)
    assert plain(steps) == [(0, DEGRADED, "slow"), (5, DOWN, "status")]


def test_not_knowing_outweighs_slow_and_is_outweighed_by_down() -> None:
    verdicts = [measured([since(UNKNOWN), since(other)], 0)[0].verdict for other in (UP, DEGRADED, DOWN)]
    assert verdicts == [UNKNOWN, UNKNOWN, DOWN]


def test_a_check_that_was_not_measured_yet_does_not_count() -> None:
    assert plain(measured([since(UP), []], 0)) == [(0, UP, "ok")]


def test_without_any_measured_check_nothing_is_measured() -> None:
    assert plain(measured([[], []], 0)) == plain(measured([], 0)) == [(0, UNKNOWN, "not_measured")]


# -- level 5 ------------------------------------------------------------------------------------------------


def test_a_blocking_system_passes_on_down_and_degraded() -> None:
    felt = [met(since(UP), (IDENTITY, BLOCKS, since(verdict))) for verdict in (DOWN, DEGRADED, UP)]
    assert felt == [(DOWN, "dependency", IDENTITY), (DEGRADED, "dependency", IDENTITY), (UP, "ok", "")]


def test_a_slowing_system_makes_it_at_most_degraded() -> None:
    felt = [met(since(UP), (IDENTITY, SLOWS, since(verdict))) for verdict in (DOWN, DEGRADED)]
    assert felt == [(DEGRADED, "dependency", IDENTITY)] * 2


def test_a_system_without_effect_changes_nothing() -> None:
    assert met(since(UP), (IDENTITY, NONE, since(DOWN))) == (UP, "ok", "")


def test_a_systems_unknown_never_overrules_a_channels_own_evidence() -> None:
    felt = [met(since(own), (IDENTITY, BLOCKS, since(UNKNOWN))) for own in (UP, DEGRADED, DOWN)]
    assert felt == [(UP, "ok", ""), (DEGRADED, "slow", ""), (DOWN, "timeout", "")]


def test_own_evidence_wins_a_tie() -> None:
    assert met(since(DOWN, "status"), (IDENTITY, BLOCKS, since(DOWN))) == (DOWN, "status", "")


def test_a_channel_without_a_check_of_its_own_takes_its_platforms_verdict_unknown_too() -> None:
    felt = [met(None, (IDENTITY, BLOCKS, since(verdict))) for verdict in (UP, DEGRADED, UNKNOWN, DOWN)]
    assert felt == [(verdict, "dependency", IDENTITY) for verdict in (UP, DEGRADED, UNKNOWN, DOWN)]


def test_a_channel_without_any_evidence_is_not_measured() -> None:
    assert met(None) == met(None, (IDENTITY, SLOWS, since(UP))) == (UNKNOWN, "not_measured", "")


def test_the_deepest_known_cause_is_passed_on() -> None:
    payment = (PAYMENT, BLOCKS, since(DOWN, "dependency", cause="system:network"))
    assert met(since(UP), payment) == (DOWN, "dependency", "system:network")


verdicts = st.sampled_from([(UP, "ok"), (DEGRADED, "slow"), (UNKNOWN, "silence"), (DOWN, "timeout")])


@st.composite
def timelines(draw: st.DrawFn) -> list[Step]:
    moments = sorted(draw(st.sets(st.integers(0, END_MS - 1), max_size=5)))
    return squeeze([Step(at, *draw(verdicts)) for at in moments])


@settings(max_examples=50, deadline=None)
@given(st.lists(timelines(), max_size=4))
def test_level_4_is_the_worst_at_every_instant(checks: list[list[Step]]) -> None:
    def at(t: int) -> tuple[Verdict, str]:
        return worst_of([(step.verdict, step.reason) for step in (value_at(c, t) for c in checks)])

    steps = [step for step in measured(checks, 0) if step.reason != "not_measured"]
    assert plain(steps) == told(at, from_ms=0, to_ms=END_MS)


@settings(max_examples=50, deadline=None)
@given(
    st.none() | timelines(),
    st.lists(st.tuples(st.sampled_from([BLOCKS, SLOWS, NONE]), timelines()), max_size=3),
)
def test_level_5_is_the_worst_that_is_felt_at_every_instant(
    own: list[Step] | None, needs: list[tuple[Effect, list[Step]]]
) -> None:
    order = [UP, DEGRADED, UNKNOWN, DOWN]

    def at(t: int) -> Verdict:
        felt = []
        for effect, steps in needs:
            verdict = value_at(steps, t).verdict
            if effect is BLOCKS and (own is None or verdict is not UNKNOWN):
                felt.append(verdict)
            if effect is SLOWS and verdict in (DOWN, DEGRADED):
                felt.append(DEGRADED)
        if own is not None:
            felt.append(value_at(own, t).verdict)
        elif not any(effect is BLOCKS for effect, _ in needs):
            felt = [UNKNOWN]
        return max(felt, key=order.index)

    named = [(f"system:{number}", effect, steps) for number, (effect, steps) in enumerate(needs)]
    found = effective(own, named, 0)
    assert [value_at(found, t).verdict for t in range(END_MS)] == [at(t) for t in range(END_MS)]


# -- level 6 ------------------------------------------------------------------------------------------------


def test_a_service_is_up_while_any_remote_channel_that_completes_it_is() -> None:
    steps = service([(channel("web"), since(DOWN)), (channel("app"), since(UP))], 0)
    assert plain(steps) == [(0, UP, "ok")]


def test_a_channel_that_does_not_complete_or_is_in_person_never_helps() -> None:
    others = [
        (channel("centre", remote=False), since(UP)),
        (channel("info", completes=False), since(UP)),
    ]
    assert service([(channel("web"), since(DOWN)), *others], 0)[0].verdict is DOWN


def test_a_service_without_a_remote_channel_is_not_measured() -> None:
    assert plain(service([(channel("centre", remote=False), since(UP))], 0)) == [(0, UNKNOWN, "not_measured")]


def test_a_service_goes_down_with_its_last_channel_and_for_its_reason() -> None:
    web = [*since(UP), Step(5, DOWN, "timeout")]
    app = [*since(UP), Step(9, DOWN, "dependency", IDENTITY)]
    steps = service([(channel("app"), app), (channel("web"), web)], 0)
    assert steps == [Step(0, UP), Step(9, DOWN, "dependency", IDENTITY)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), timelines()), max_size=4))
def test_level_6_is_the_best_channel_at_every_instant(offers: list[tuple[bool, bool, list[Step]]]) -> None:
    def at(t: int) -> Verdict:
        said = [value_at(steps, t).verdict for remote, completes, steps in offers if remote and completes]
        return next(
            (verdict for verdict in (UP, DEGRADED, UNKNOWN) if verdict in said), DOWN if said else UNKNOWN
        )

    channels = [(channel(remote=remote, completes=completes), steps) for remote, completes, steps in offers]
    found = service(channels, 0)
    assert [value_at(found, t).verdict for t in range(END_MS)] == [at(t) for t in range(END_MS)]


# -- headline -----------------------------------------------------------------------------------------------


def counted(*, up: int = 0, degraded: int = 0, unknown: int = 0, down: int = 0) -> Headline:
    return headline([UP] * up + [DEGRADED] * degraded + [UNKNOWN] * unknown + [DOWN] * down, Policy())


def test_the_headline_is_three_numbers_and_unknown_never_lowers_it() -> None:
    found = counted(up=170, degraded=1, unknown=6, down=3)
    numbers = (found.available, found.unavailable, found.unknown, found.required)
    assert (numbers, found.ratio, found.sufficient, found.met) == (
        (171, 3, 6, 180),
        Fraction(171, 174),
        True,
        True,
    )


def test_the_target_is_met_or_not_on_exact_numbers() -> None:
    assert [counted(up=171, down=9).met, counted(up=170, down=10).met] == [True, False]


def test_at_95_percent_of_180_at_most_nine_may_be_unavailable() -> None:
    assert counted(up=180).most_unavailable == 9


def test_under_the_coverage_gate_the_data_do_not_suffice() -> None:
    enough, less = counted(up=162, unknown=18), counted(up=161, unknown=19)
    assert [(enough.sufficient, enough.met), (less.sufficient, less.met)] == [(True, True), (False, None)]


@pytest.mark.parametrize(("missing", "counted"), [("exclude", (8, 9)), ("bad", (8, 10)), ("good", (9, 10))])
def test_t4_what_is_unknown_counts_as_the_policy_says(missing: str, counted: tuple[int, int]) -> None:
    said = [Verdict.UP] * 8 + [Verdict.DOWN, Verdict.UNKNOWN]
    assert headline(said, Policy(missing=Missing(missing))).counted == counted


def test_t2_no_service_measured_is_no_number() -> None:
    found = counted(unknown=5)
    assert (found.ratio, found.coverage, found.met) == (None, 0, None)
