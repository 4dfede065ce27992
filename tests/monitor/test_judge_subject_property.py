"""The incremental judge, whatever the order of rows, equals the definition applied instant by instant."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.judge.attempts import Attempt
from monitor.judge.eras import Era, era_of, gone
from monitor.judge.seconds import spent
from monitor.model import Check, at_vantage
from probes.contract import Outcome
from tests.monitor.judge_harness import SUBJECT, Row, World, check
from tests.monitor.judge_reference import NOTHING, Said, VantageReference, check_at, plain, told, worst_of

VANTAGES = ("abu_dhabi", "dubai", "sharjah")
OUTCOMES = ["up", "up", "up", "down", "down", "degraded", "degraded", "unknown"]
REASONS = {
    "up": ["ok"],
    "degraded": ["slow", "assertion"],
    "down": ["timeout", "status"],
    "unknown": ["missed"],
}


class Plan(NamedTuple):
    """A world to run: two versions of the checks, and rows in order of arrival with the clock at each."""

    first: list[Check]
    second: list[Check]
    second_from_ms: int
    adopt_at: int
    rows: list[tuple[Row, int]]
    until_ms: int
    restarts: bool


def rules(chance: Random, name: str, vantages: tuple[str, ...]) -> Check:
    return check(
        name,
        every_ms=chance.choice([10, 14]),
        count=chance.randint(1, 3),
        recover=chance.choice([1, 2, 3, 6]),
        quorum=chance.randint(0, 3),
        minimum=chance.choice([1, 1, 2]),
        required=chance.random() < 0.7,
        vantages=vantages,
    )


def seen(chance: Random, key: str, vantage: str, *, beats: int) -> list[tuple[Row, int]]:
    """Rows of one check at one vantage point, each with when it arrives."""
    found, due_ms, retry = [], chance.randint(0, 30), 0
    mood = chance.choice([OUTCOMES, ["up"] * 9 + OUTCOMES, ["down"] * 4 + OUTCOMES])
    for _ in range(beats):
        row = attempt_of(chance, due_ms, retry, chance.choice(mood))
        found.append(((key, vantage, row), due_ms + chance.choice([0, 0, 0, 0, 1, 40, 400])))
        if chance.random() < 0.1:  # repeated, perhaps with another content
            again = attempt_of(chance, due_ms, retry, chance.choice(mood))
            found.append(((key, vantage, again), due_ms + chance.choice([0, 300])))
        step_ms = chance.choice([0, 10, 10, 10, 10, 10, 20, 21, 55])
        due_ms, retry = due_ms + step_ms, retry + 1 if step_ms == 0 else 0
    return found


def attempt_of(chance: Random, due_ms: int, retry: int, outcome: str) -> Attempt:
    every_ms = chance.choice([10, 10, 10, 14])
    return Attempt(due_ms, retry, Outcome(outcome), chance.choice(REASONS[outcome]), "", every_ms)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """Sizes are drawn, so that they shrink; the rest is left to a seed, because there is much of it."""
    names = ["main", "login"][: draw(st.integers(1, 2))]
    vantages = VANTAGES[: draw(st.integers(1, 3))]
    beats = draw(st.integers(0, 26))
    chance = Random(draw(st.integers(0, 2**32)))
    first = [rules(chance, name, vantages) for name in names]
    fewer = vantages[chance.randrange(len(vantages)) :]
    second = [
        each if chance.random() < 0.5 else rules(chance, each.name, fewer)
        for each in first
        if chance.random() < 0.8
    ]
    rows = [row for each in first for where in vantages for row in seen(chance, each.key, where, beats=beats)]
    rows.sort(key=lambda arrived: arrived[1])
    clock, clocked = 0, []
    for row, at_ms in rows:
        clock = max(clock, at_ms - chance.choice([0, 15, 60]))
        clocked.append((row, clock))
    return Plan(
        first,
        second,
        second_from_ms=chance.choice([30, 100, 170, 260]),
        adopt_at=chance.randint(0, len(rows)),
        rows=clocked,
        until_ms=clock + chance.randint(0, 60),
        restarts=chance.random() < 0.5,
    )


def run(plan: Plan, *, batch: int, slack: int, steps_max: int) -> World:
    """Through the incremental judge, `batch` rows at a time."""
    world = World(slack=slack, steps_max=steps_max)
    world.adopt(plan.first)
    for begin in range(0, len(plan.rows) + 1, batch):
        if begin <= plan.adopt_at < begin + batch:
            world.adopt(plan.second, serial=2, valid_from_ms=plan.second_from_ms)
        part = plan.rows[begin : begin + batch]
        if part:
            world.add([row for row, _ in part], until_ms=part[-1][1])
            world.advance(part[-1][1])
        if plan.restarts:
            world.restart()
    world.advance(plan.until_ms)
    return world


def eras(plan: Plan, first: Check) -> list[Era]:
    before = era_of(first, 0)
    later = [each for each in plan.second if each.key == first.key]
    return [before, era_of(later[0], plan.second_from_ms) if later else gone(before, plan.second_from_ms)]


def by_definition(plan: Plan, *, to_ms: int) -> dict[str, list[tuple[int, str, str]]]:
    """Every timeline, instant by instant."""
    found, required = {}, []
    for each in plan.first:
        rules_of_time = eras(plan, each)
        seen_from = {}
        for vantage in each.vantages:
            rows = [
                row
                for (key, where, row), _ in plan.rows
                if (key, where) == (each.key, vantage) and vantage in _era(rules_of_time, row.due_ms).vantages
            ]
            seen_from[vantage] = VantageReference(rows, rules_of_time, since_ms=0, until_ms=plan.until_ms)
            found[at_vantage(each.key, vantage)] = told(seen_from[vantage].at, from_ms=0, to_ms=to_ms)
        verdicts = [
            check_at({v: seen_from[v].at(t) for v in seen_from}, _era(rules_of_time, t)) for t in range(to_ms)
        ]
        found[each.key] = told(verdicts.__getitem__, from_ms=0, to_ms=to_ms)
        required.append([v if _era(rules_of_time, t).required else NOTHING for t, v in enumerate(verdicts)])

    def measured(t: int) -> Said:
        return worst_of([verdicts[t] for verdicts in required])

    found[SUBJECT] = told(measured, from_ms=0, to_ms=to_ms)
    return {path: steps for path, steps in found.items() if steps}


def _era(rules_of_time: list[Era], at_ms: int) -> Era:
    return [era for era in rules_of_time if era.from_ms <= at_ms][-1]


def last_ms(plan: Plan) -> int:
    return max([plan.until_ms, plan.second_from_ms, *(row.due_ms + 60 for (_, _, row), _ in plan.rows)]) + 60


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans(), st.sampled_from([1, 1, 7]), st.sampled_from([0, 12]), st.sampled_from([4, 24]))
def test_rows_in_any_order_lead_to_what_the_definition_says(
    plan: Plan, batch: int, slack: int, steps_max: int
) -> None:
    world = run(plan, batch=batch, slack=slack, steps_max=steps_max)
    standing = {path: plain(steps) for path, steps in world.standing.items() if steps}
    assert standing == by_definition(plan, to_ms=last_ms(plan))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_time_is_conserved_and_equals_the_instants_counted(plan: Plan) -> None:
    world, to_ms = run(plan, batch=3, slack=12, steps_max=24), last_ms(plan)
    for path, told_steps in by_definition(plan, to_ms=to_ms).items():
        moments = [0, *(at for at, _, _ in told_steps), to_ms]
        verdicts = ["unknown", *(verdict for _, verdict, _ in told_steps)]
        counted = dict.fromkeys(("up", "degraded", "unknown", "down"), 0)
        for verdict, start, end in zip(verdicts, moments, moments[1:], strict=False):
            counted[verdict] += end - start
        found = spent(world.standing[path], start_ms=0, end_ms=to_ms)
        assert list(counted.values()) == [found.up_ms, found.degraded_ms, found.unknown_ms, found.down_ms]
