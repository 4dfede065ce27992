"""What senders say adds up to what a plain reckoning gives, however it is cut into batches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.judge.counting import (
    COUNT_MAX,
    EPOCH,
    Horizon,
    Names,
    Span,
    Tally,
    additions,
    fingerprint,
    span,
)
from monitor.model import Catalogue, Channel, ChannelKind, Service, TransactionOutcome

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
NOW_MS = (NOW - EPOCH) // timedelta(milliseconds=1)
WITHIN = span(NOW_MS, ahead_s=300)
DUBAI = timezone(timedelta(hours=4))
Sums = dict[tuple[str, str, int], list[int]]


class Said(NamedTuple):
    """An event; the tests' own, so that nothing of Kafka is needed."""

    id: str = ""
    service: str = "passport"
    channel: str = "web"
    outcome: TransactionOutcome = TransactionOutcome.COMPLETED
    at: datetime = NOW
    count: int = 1
    duration_ms: float | None = None


def service(slug: str, *, was: tuple[str, ...] = ()) -> Service:
    subject = f"service:{was[0] if was else slug}"
    channels = (Channel(subject=f"{subject}/web", slug="web", kind=ChannelKind.WEB),)
    return Service(slug=slug, was=was, channels=channels)


NAMES = Names(Catalogue(services=(service("passport"), service("permit", was=("licence", "stamp")))))


def add_up(*events: Said, within: Span = WITHIN, horizon: Horizon | None = None) -> Tally:
    tally = Tally(NAMES, within, (horizon or Horizon()).seen)
    tally.add(events, range(len(events)))
    return tally


def reason(event: Said) -> str | None:
    """Why it is set aside; None when it counts."""
    refused = add_up(event).refused
    return refused[0].error.reason if refused else None


def test_a_minute_is_that_of_the_event_wherever_its_clock_stands() -> None:
    at = datetime(2026, 11, 25, 15, 59, 59, 999_000, tzinfo=DUBAI)
    [(_, _, minute_ms)] = add_up(Said(at=at)).rows
    assert minute_ms == NOW_MS - 60_000


def test_a_message_of_many_counts_as_many_and_its_duration_is_that_of_each() -> None:
    tally = add_up(Said(count=3, duration_ms=100.5), Said(), Said(duration_ms=0))
    assert (additions(tally.rows)[0][3:], tally.counted) == ((5, 4, 302), 5)


@pytest.mark.parametrize("slug", ["permit", "licence", "stamp"])
def test_every_slug_a_service_ever_had_leads_to_its_first(slug: str) -> None:
    [(path, _, _)] = add_up(Said(service=slug)).rows
    assert path == "service:licence/web"


def test_a_current_slug_wins_over_a_former_one_of_somebody_else() -> None:
    names = Names(Catalogue(services=(service("a"), service("b", was=("a",)))))
    assert names.paths["a", "web"] == "service:a/web"


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Said(service="nobody"), "unknown_service"),
        (Said(channel="pigeon"), "unknown_channel"),
        (Said(count=0), "absurd"),
        (Said(count=COUNT_MAX), None),
        (Said(count=COUNT_MAX + 1), "absurd"),
        (Said(duration_ms=-0.001), "absurd"),
        (Said(duration_ms=1e12), "absurd"),
        (Said(at=NOW + timedelta(seconds=300)), None),
        (Said(at=NOW + timedelta(seconds=300, microseconds=1)), "absurd"),
        (Said(at=NOW - timedelta(days=100)), None),
        (Said(at=NOW - timedelta(days=100, microseconds=1)), "absurd"),
    ],
)
def test_what_cannot_be_has_a_reason(event: Said, why: str | None) -> None:
    assert reason(event) == why


def test_a_refused_event_leaves_its_id_free() -> None:
    tally = add_up(Said(id="a", channel="pigeon"), Said(id="a"))
    assert (tally.counted, tally.repeated) == (1, 0)


def test_the_horizon_holds_as_many_ids_as_it_may_and_knows_where_the_oldest_lies() -> None:
    horizon = Horizon(ids_max=3)
    horizon.extend([10, 11], [100, 101], at_ms=0)
    horizon.extend([12, 13], [107, 109], at_ms=0)
    assert (horizon.seen, horizon.begin, len(horizon)) == ({11, 12, 13}, 101, 3)


def test_an_id_seen_again_is_remembered_from_then_on() -> None:
    horizon = Horizon(ids_max=3)
    horizon.extend([10, 11, 10], [0, 1, 2], at_ms=0)
    horizon.extend([12], [3], at_ms=0)
    assert horizon.seen == {10, 11, 12}
    horizon.extend([13, 14], [4, 5], at_ms=0)
    assert (horizon.seen, horizon.begin) == ({12, 13, 14}, 3)


def test_what_came_longer_ago_than_is_kept_is_forgotten() -> None:
    horizon = Horizon(kept_ms=600_000)
    horizon.extend([1], [0], at_ms=0)
    horizon.extend([2], [1], at_ms=500_000)
    horizon.forget(600_001)
    assert (horizon.seen, horizon.begin) == ({2}, 1)
    horizon.forget(1_200_000)
    assert (horizon.seen, horizon.begin) == (set(), None)


events = st.builds(
    Said,
    id=st.sampled_from(["", "1", "2", "3", "4", "5"]),
    service=st.sampled_from(["passport", "permit", "licence", "nobody"]),
    channel=st.just("web"),
    outcome=st.sampled_from(TransactionOutcome),
    at=st.integers(-150, 10).map(lambda minutes: NOW + timedelta(minutes=minutes, seconds=minutes % 60)),
    count=st.integers(0, 4),
    duration_ms=st.none() | st.integers(-1, 900),
)


@given(st.lists(events, max_size=60), st.lists(st.integers(1, 9), max_size=20), st.integers(0, 60))
def test_any_cut_into_batches_and_any_restart_gives_the_plain_reckoning(
    said: Sequence[Said], sizes: Sequence[int], restart_at: int
) -> None:
    sums: Sums = {}
    counted = start = 0
    horizon, aside = Horizon(), set[int]()
    for size in [*sizes, len(said)]:
        batch = range(start, min(start + size, len(said)))
        if batch and batch[0] <= restart_at <= batch[-1]:
            horizon = recalled(said[:start], aside)
        tally = Tally(NAMES, WITHIN, horizon.seen)
        tally.add([said[offset] for offset in batch], batch)
        horizon.extend(tally.prints, tally.offsets, at_ms=0)
        aside |= {refused.offset for refused in tally.refused}
        for key, row in tally.rows.items():
            sums[key] = [a + b for a, b in zip(sums.get(key, [0, 0, 0]), row, strict=True)]
        counted, start = counted + tally.counted, start + size
    plain = reckoned(said)
    assert (sums, counted, len(aside)) == (plain, sum(row[0] for row in plain.values()), refused(said))


def recalled(said: Sequence[Said], aside: set[int]) -> Horizon:
    """As the log gives it back: every id there, but those of dead letters."""
    horizon = Horizon()
    kept = [(o, event) for o, event in enumerate(said) if o not in aside and event.id]
    prints = [fingerprint(event.service, event.id) for _, event in kept]
    horizon.extend(prints, [offset for offset, _ in kept], at_ms=0)
    return horizon


def good(event: Said) -> bool:
    in_time = NOW - timedelta(days=100) <= event.at <= NOW + timedelta(minutes=5)
    return event.service != "nobody" and in_time and event.count > 0 and (event.duration_ms or 0) >= 0


def refused(said: Sequence[Said]) -> int:
    return sum(not good(event) for event in said)


def reckoned(said: Sequence[Said]) -> Sums:
    """One event after the other, by hand."""
    sums: Sums = defaultdict(lambda: [0, 0, 0])
    known = set()
    for event in filter(good, said):
        if event.id and (event.service, event.id) in known:
            continue
        known.add((event.service, event.id))
        path = {"passport": "service:passport/web"}.get(event.service, "service:licence/web")
        minute_ms = (event.at - EPOCH) // timedelta(minutes=1) * 60_000
        row = sums[path, event.outcome.value, minute_ms]
        row[0] += event.count
        if event.duration_ms is not None:
            row[1] += event.count
            row[2] += event.count * int(event.duration_ms)
    return dict(sums)
