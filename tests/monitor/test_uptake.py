"""Uptake and completion: sums before ratios, null without data, cut and never rounded up."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.facts import Ended
from monitor.judge.uptake import (
    Compared,
    Share,
    Tally,
    abandonment,
    compared_uptake,
    completion,
    failure,
    points,
    tally,
    together,
    total,
)
from monitor.model import ChannelKind, Service
from tests.world import channel

WEB, APP, CENTRE = (f"service:passport/{kind}" for kind in ("web", "app", "service_centre"))
KINDS = (ChannelKind.WEB, ChannelKind.APP, ChannelKind.SERVICE_CENTRE)
PASSPORT = Service(slug="passport", channels=tuple(channel("passport", kind) for kind in KINDS))
KNOWN = {WEB: 0, APP: 0, CENTRE: 0}
TO_MS = 1_000

counts = st.builds(Ended, *[st.integers(0, 10**9)] * 3)
shares = st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(lambda t: Share(min(t), max(t)))


def counted(**ended: Ended) -> Tally:
    found = {f"service:passport/{slug}": each for slug, each in ended.items()}
    return tally(PASSPORT, found, known=KNOWN, to_ms=TO_MS)


def test_uptake_is_what_was_done_on_remote_channels_of_all_whatever_its_end() -> None:
    found = counted(web=Ended(50, 5, 5), app=Ended(20, 0, 0), service_centre=Ended(15, 0, 5))
    assert (found.uptake, found.uptake.percent) == (Share(80, 100), "80.0")


def test_completion_abandonment_and_failure_are_shares_of_all_three_ends() -> None:
    ended = Ended(completed=90, failed=4, abandoned=6)
    assert [share(ended).percent for share in (completion, failure, abandonment)] == ["90.0", "4.0", "6.0"]


def test_t2_nothing_counted_is_null_not_zero_and_not_a_hundred() -> None:
    nothing = counted()
    assert (nothing.uptake.ratio, completion(nothing.ended).percent, nothing.without) == (None, None, ())


def test_t18_a_sum_over_services_is_not_the_mean_of_their_shares() -> None:
    large = Tally(uptake=Share(900, 1000), services=1, whole=1)
    small = Tally(uptake=Share(0, 1), services=1, whole=1)
    assert total([large, small]).uptake.ratio == Fraction(900, 1001)


def test_t41_a_hundred_percent_only_when_every_transaction_was_completed() -> None:
    almost, every = Ended(999_999_999, 1, 0), Ended(10, 0, 0)
    assert (completion(almost).percent, completion(every).percent) == ("99.9", "100")


def test_a_channel_that_nobody_ever_counted_is_without_data_and_the_service_without_uptake() -> None:
    """A hundred percent of what is counted would hide the service centre."""
    found = tally(PASSPORT, {WEB: Ended(10, 0, 0)}, known={WEB: 0, APP: 0}, to_ms=TO_MS)
    assert (found.ended, found.uptake.ratio, found.whole, found.without) == (
        Ended(10, 0, 0),
        None,
        0,
        (CENTRE,),
    )


@pytest.mark.parametrize(("first_ms", "without"), [(TO_MS - 1, ()), (TO_MS, (CENTRE,))])
def test_a_channel_first_counted_after_the_period_is_without_data_in_it(
    first_ms: int, without: tuple[str, ...]
) -> None:
    found = tally(PASSPORT, {}, known={**KNOWN, CENTRE: first_ms}, to_ms=TO_MS)
    assert found.without == without


def test_the_difference_is_of_the_figures_as_printed_so_that_they_add_up() -> None:
    now, before = Share(91_690, 100_000), Share(90_210, 100_000)
    assert (now.percent, before.percent, points(now, before)) == ("91.6", "90.2", Fraction(14, 10))


def test_without_data_in_either_period_there_is_no_difference() -> None:
    assert (points(Share(1, 2), Share()), points(Share(), Share(1, 2))) == (None, None)


def test_a_service_counted_whole_only_now_does_not_move_the_comparison() -> None:
    """Its service centre began to send counts: nobody left the web."""
    steady = (counted(web=Ended(80, 0, 0), service_centre=Ended(20, 0, 0)),) * 2
    joined = (counted(web=Ended(1, 0, 0), service_centre=Ended(9, 0, 0)), Tally(services=1))
    found = compared_uptake([steady, joined])
    assert found == Compared(Share(81, 110), Share(80, 100), Share(80, 100))
    assert found.points == 0


def test_while_nothing_in_person_is_counted_whole_there_is_no_uptake_to_tell() -> None:
    """As when the counting begins: what came first were services that are offered remotely alone."""
    alone = Service(slug="alone", channels=(channel("alone", ChannelKind.WEB),))
    web = {"service:alone/web": Ended(10, 0, 0)}
    remote = tally(alone, web, known={"service:alone/web": 0}, to_ms=TO_MS)
    begun = tally(PASSPORT, {WEB: Ended(5, 0, 0)}, known={WEB: 0}, to_ms=TO_MS)
    whole = counted(web=Ended(80, 0, 0), service_centre=Ended(20, 0, 0))
    found = [compared_uptake([(one, one) for one in those]).now.percent for those in (
        [remote], [remote, begun], [remote, begun, whole]
    )]  # fmt: skip
    assert found == ["100", None, "81.8"]


def test_where_hardly_anything_was_counted_before_there_is_nothing_to_compare_with() -> None:
    """All services are in the figure of now, however few of them were known in the period before."""
    few = (counted(web=Ended(3, 0, 0), service_centre=Ended(0, 0, 0)),) * 2
    most = (counted(web=Ended(80, 0, 0), service_centre=Ended(20, 0, 0)), Tally(services=1))
    found = compared_uptake([few, most])
    assert (found, found.points) == (Compared(Share(83, 103), Share()), None)


def test_with_nothing_before_uptake_is_over_all_that_is_counted_whole() -> None:
    pair = (counted(web=Ended(80, 0, 0), service_centre=Ended(20, 0, 0)), Tally(services=1))
    found = compared_uptake([pair, (Tally(services=1), Tally(services=1))])
    assert (found, found.points) == (Compared(Share(80, 100), Share()), None)


@given(st.lists(counts, max_size=20))
def test_the_three_shares_of_any_counts_make_up_the_whole(parts: list[Ended]) -> None:
    ended = together(parts)
    found = [share(ended) for share in (completion, failure, abandonment)]
    assert {share.whole for share in found} == {sum(map(sum, parts))}
    assert sum(share.part for share in found) == sum(ended)


@given(st.lists(st.tuples(counts, counts, counts), max_size=12))
def test_the_uptake_of_many_services_is_that_of_all_their_transactions(
    services: list[tuple[Ended, Ended, Ended]],
) -> None:
    whole = total(counted(web=w, app=a, service_centre=c) for w, a, c in services)
    remote = sum(sum(w) + sum(a) for w, a, _ in services)
    every = remote + sum(sum(c) for _, _, c in services)
    assert (whole.uptake, whole.services, sum(whole.ended)) == (Share(remote, every), len(services), every)


@given(shares, shares)
def test_differences_are_printed_figures_apart_and_turn_round_with_the_periods(a: Share, b: Share) -> None:
    there, back = points(a, b), points(b, a)
    if there is None or back is None:
        assert not (a.whole and b.whole)
    else:
        assert there == -back == Fraction(str(a.percent)) - Fraction(str(b.percent))
        assert abs(there) <= 100


@given(shares)
def test_what_is_printed_is_never_over_the_exact_share(share: Share) -> None:
    if share.ratio is not None:
        assert 0 <= share.ratio * 100 - Fraction(str(share.percent)) < Fraction(1, 10)
