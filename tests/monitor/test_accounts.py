"""Sums over membership: what a parent has is what its services were while they were its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.facts import Membership
from monitor.judge.accounts import Accounts, belonging
from monitor.judge.figures import When
from monitor.judge.ranges import Range, holds, union
from monitor.judge.seconds import State
from monitor.judge.timeline import Step, value_at
from monitor.model import GOVERNMENT, Verdict
from tests.monitor import figure_reference as reference
from tests.monitor.test_figures import plain, timelines

END = 60
SERVICES = ("service:a", "service:b", "service:c")
ENTITIES = ("entity:x", "entity:y")

moments = st.integers(0, END)
ranges = st.lists(st.tuples(moments, moments), max_size=3).map(union)
moves = st.fixed_dictionaries({service: st.tuples(ranges, ranges, ranges) for service in SERVICES})
"""When each service was of entity x, of entity y, of nobody but the government."""
lives = st.fixed_dictionaries(dict.fromkeys(SERVICES, timelines))
standing = st.fixed_dictionaries(dict.fromkeys(ENTITIES, ranges))
Moves = dict[str, tuple[list[Range], list[Range], list[Range]]]


def members(moves: Moves, standing: dict[str, list[Range]]) -> list[Membership]:
    pairs = [
        (service, parent, stretch)
        for service, of in moves.items()
        for parent, stretches in zip((*ENTITIES, GOVERNMENT), of, strict=True)
        for stretch in stretches
    ]
    pairs += [(entity, GOVERNMENT, stretch) for entity, those in standing.items() for stretch in those]
    return [Membership(subject, parent, *stretch) for subject, parent, stretch in pairs]


def at(
    service: str, parent: str, moves: Moves, standing: dict[str, list[Range]], steps: list[Step]
) -> reference.At:
    """The state of the service at an instant, where it is its parent's."""

    def state(t: int) -> State | None:
        of = dict(zip((*ENTITIES, GOVERNMENT), moves[service], strict=True))
        own = holds(of[parent], t)
        if parent == GOVERNMENT:
            own |= any(holds(of[entity], t) and holds(standing[entity], t) for entity in ENTITIES)
        return State(value_at(steps, t).verdict.value) if own else None

    return state


@given(moves, standing, lives, moments, moments, moments)
def test_a_parent_has_the_seconds_and_outages_of_its_services_while_they_belong_to_it(
    moves: Moves,
    standing: dict[str, list[Range]],
    lives: dict[str, list[Step]],
    one: int,
    two: int,
    as_of: int,
) -> None:
    start, end = sorted((one, two))
    when = When(start, end, as_of)
    accounts = Accounts(lives, belonging(members(moves, standing)))
    made = accounts.figures(when)
    for parent in (*ENTITIES, GOVERNMENT):
        ats = [at(service, parent, moves, standing, lives[service]) for service in SERVICES]
        expected = reference.tally(ats, start, when.stop_ms)
        assert plain(accounts.figure(parent, when).counted) == expected
        if parent in made:
            assert plain(made[parent].counted) == expected
        else:
            assert expected.spent.total_ms == 0


def test_a_service_that_left_the_catalogue_and_came_back_has_no_time_between() -> None:
    """Neither unknown nor counted: a second outside membership does not exist."""
    accounts = Accounts(
        {"service:a": [Step(0, Verdict.DOWN)]},
        belonging(
            [Membership("service:a", GOVERNMENT, 0, 10), Membership("service:a", GOVERNMENT, 20, None)]
        ),
    )
    found = accounts.figures(When(0, 30, 30))
    assert {subject: figure.counted.spent.down_ms for subject, figure in found.items()} == {
        "service:a": 20,
        GOVERNMENT: 20,
    }


def test_an_entity_that_joins_later_brings_its_services_to_the_government_from_then_on() -> None:
    accounts = Accounts(
        {"service:a": [Step(0, Verdict.UP)]},
        belonging(
            [Membership("service:a", "entity:x", 0, None), Membership("entity:x", GOVERNMENT, 12, None)]
        ),
    )
    found = accounts.figures(When(0, 30, 30))
    assert (found["entity:x"].counted.spent.up_ms, found[GOVERNMENT].counted.spent.up_ms) == (30, 18)
