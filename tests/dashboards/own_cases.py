"""Alerts on the monitor itself: firing, not firing, a gap, a reset, low traffic, the edge, the end."""

from __future__ import annotations

from collections.abc import Mapping

from tests.dashboards.promtool import Case, Value, ago, at, counter, line

NONE: Mapping[str, str] = {}
LONG_MIN = 60


def level(
    series: str,
    *,
    well: Value,
    edge: Value,
    over: Value,
    for_min: float,
    keep_min: float = 5,
    beside: Mapping[str, str] = NONE,
) -> list[Case]:
    """Cases of a gauge that must not pass a level: `edge` lies exactly on it, `over` passes it."""
    begins = 10
    fails = begins + for_min + 1

    def case(title: str, values: str, at_min: float, firing: int) -> Case:
        return Case(title, {series: values, **beside}, at_min, firing)

    ended = line((begins, well), (20, over), (30, well))
    gap = line((begins, well), (20, over), (3, None), (17, over))
    return [
        case("well", line((LONG_MIN, well)), 30, 0),
        case("exactly at the threshold", line((begins, well), (40, edge)), 40, 0),
        case("over it, not yet for long", line((begins, well), (40, over)), begins + for_min - 0.5, 0),
        case("over it", line((begins, well), (40, over)), fails, 1),
        case("a gap in its samples", gap, begins + 20 + 2, 1),
        case("over for a moment", line((begins, well), (for_min / 2, over), (40, well)), fails, 0),
        case("just ended: it is kept for a while", ended, begins + 20 + 1, 1),
        case("ended", ended, begins + 20 + keep_min + 2, 0),
    ]


def events(
    series: str, *, window_min: float, keep_min: float = 5, least: int = 1, beside: Mapping[str, str] = NONE
) -> list[Case]:
    """Cases of a counter that must not move, or not by `least` within the window."""

    def case(title: str, values: str, at_min: float, firing: int) -> Case:
        return Case(title, {series: values, **beside}, at_min, firing)

    many = float(least * 2)
    cases = [
        case("it stands still, whatever it counted before", counter((LONG_MIN, 0), start=1234), 40, 0),
        case("it moves", counter((20, 0), (20, many)), 25, 1),
        case("its first event, counted from 0", counter((20, 0), (1, 4.0 * least), (30, 0)), 24, 1),
        case("it begins again at 0 and stands still", counter((20, 0), (30, -0.0), start=500), 40, 0),
        case("a gap, then it moves on", counter((20, 0), (5, many), (4, None), (10, many)), 31, 1),
        case("ended", counter((20, 0), (2, many), (50, 0)), 22 + window_min + keep_min + 3, 0),
    ]
    if least > 1:
        slow = (least - 1) / window_min
        cases.append(case("too few to say so", counter((20, 0), (40, slow / 2)), 50, 0))
    return cases


STATE = 'job="continuity-state",instance="a"'
OWN_CASES: dict[str, list[Case]] = {
    "ContinuityStale": level(
        f"continuity_last_judged_timestamp_seconds{{{STATE}}}",
        well=ago(6),
        edge=ago(60),
        over=ago(61),
        for_min=1,
    ),
    "ContinuityTargetDown": level(
        'up{job="continuity",instance="a"}', well=at(1), edge=at(1), over=at(0), for_min=1
    ),
    "ContinuityFiguresBehind": level(
        'continuity_accounted_until_timestamp_seconds{job="continuity",instance="a"}',
        well=ago(30),
        edge=ago(900),
        over=ago(901),
        for_min=5,
    ),
    "ContinuityIncidentsNotLooked": level(
        'continuity_incidents_looked_timestamp_seconds{job="continuity",instance="a"}',
        well=ago(1),
        edge=ago(60),
        over=ago(61),
        for_min=1,
    ),
    "ContinuityNoLeader": [
        *level(
            'continuity_leader{job="continuity",instance="a",role="derive"}',
            well=at(1),
            edge=at(1),
            over=at(0),
            for_min=1,
        ),
        Case(
            "a stand-by beside the leader",
            {
                'continuity_leader{job="continuity",instance="a",role="derive"}': line((20, at(1))),
                'continuity_leader{job="continuity",instance="b",role="derive"}': line((20, at(0))),
            },
            15,
            0,
        ),
        Case(
            "two believe that they lead",
            {
                'continuity_leader{job="continuity",instance="a",role="derive"}': line((20, at(1))),
                'continuity_leader{job="continuity",instance="b",role="derive"}': line((20, at(1))),
            },
            15,
            1,
        ),
    ],
    "ContinuityConfigRejected": [
        *level(
            'continuity_config_last_reload_successful{job="continuity",instance="a"}',
            well=at(1),
            edge=at(1),
            over=at(0),
            for_min=1,
            beside={
                'continuity_leader{job="continuity",instance="a",role="derive"}': line((LONG_MIN, at(1)))
            },
        ),
        Case(
            "a stand-by that never took an edit",
            {
                'continuity_config_last_reload_successful{job="continuity",instance="b"}': line((20, at(0))),
                'continuity_leader{job="continuity",instance="b",role="derive"}': line((20, at(0))),
            },
            15,
            0,
        ),
    ],
    "ContinuityLag": level(
        'continuity_stream_lag_records{job="continuity",instance="a",topic="t",partition="0"}',
        well=at(12),
        edge=at(10_000),
        over=at(10_001),
        for_min=5,
    ),
    "ContinuityStreamStopped": level(
        'continuity_stream_stopped{job="continuity",instance="a",topic="t",partition="0"}',
        well=at(0),
        edge=at(0),
        over=at(1),
        for_min=1,
    ),
    "ContinuityCountsBehind": level(
        f"continuity_counted_until_timestamp_seconds{{{STATE}}}",
        well=ago(5),
        edge=ago(180),
        over=ago(181),
        for_min=1,
    ),
    "ContinuityDeadLetters": events(
        'continuity_dead_letters_total{job="continuity",instance="a",topic="t",reason="schema"}',
        window_min=15,
    ),
    "ContinuityBeatsMissed": [
        *events(
            'continuity_missed_beats_total{job="continuity",instance="a"}',
            window_min=10,
            least=5,
            beside={
                'continuity_schedule_lateness_seconds_count{job="continuity",instance="a"}': counter((80, 60))
            },
        ),
        Case(
            "few of very many",
            {
                'continuity_missed_beats_total{job="continuity",instance="a"}': counter((30, 1)),
                'continuity_schedule_lateness_seconds_count{job="continuity",instance="a"}': counter(
                    (30, 1000)
                ),
            },
            20,
            0,
        ),
    ],
    "ContinuityBuffer": level(
        'continuity_buffer_oldest_age_seconds{job="continuity",instance="a"}',
        well=at(0.2),
        edge=at(60),
        over=at(61),
        for_min=1,
    ),
    "ContinuityBufferDropped": events(
        'continuity_buffer_dropped_total{job="continuity",instance="a"}', window_min=15
    ),
    "ContinuityClockSkew": [
        *level(
            'continuity_clock_skew_seconds{job="continuity",instance="a"}',
            well=at(0.01),
            edge=at(1),
            over=at(1.1),
            for_min=5,
        ),
        Case(
            "a clock that is late",
            {'continuity_clock_skew_seconds{job="continuity",instance="a"}': line((20, at(-3)))},
            15,
            1,
        ),
    ],
    "ContinuityLoopHeldUp": level(
        'continuity_event_loop_lag_seconds{job="continuity",instance="a"}',
        well=at(0.004),
        edge=at(0.5),
        over=at(0.6),
        for_min=5,
    ),
    "ContinuityNoticesUndelivered": level(
        'continuity_notices_undelivered{job="continuity",instance="a"}',
        well=at(0),
        edge=at(0),
        over=at(1),
        for_min=5,
    ),
    "ContinuityDeliveriesFailed": events(
        'continuity_deliveries_failed_total{job="continuity",instance="a",receiver="desk"}',
        window_min=15,
        least=3,
    ),
    "ContinuityWatchdog": [Case("it always fires", {'up{job="continuity"}': line((20, at(1)))}, 1, 1)],
}


def _lateness(*pieces: tuple[float, float, float]) -> dict[str, str]:
    """The histogram of starts: (minutes, starts a minute, those of them later than a second)."""
    name = "continuity_schedule_lateness_seconds"
    every = counter(*((minutes, starts) for minutes, starts, _ in pieces))
    prompt = counter(*((minutes, starts - late) for minutes, starts, late in pieces))
    of = 'job="continuity",instance="a"'
    buckets = {f'{name}_bucket{{{of},le="{le}"}}': prompt for le in ("0.1", "1")}
    rest = {f'{name}_bucket{{{of},le="{le}"}}': every for le in ("10", "+Inf")}
    return buckets | rest | {f"{name}_count{{{of}}}": every}


OWN_CASES["ContinuityLateness"] = [
    Case("prompt", _lateness((60, 60, 0)), 40, 0),
    Case("two in a hundred are late", _lateness((20, 60, 0), (30, 60, 1.2)), 35, 1),
    Case("not yet for long", _lateness((20, 60, 0), (30, 60, 1.2)), 23, 0),
    Case("less than one in a hundred", _lateness((60, 600, 3)), 40, 0),
    Case("three starts in five minutes are no evidence", _lateness((60, 0.6, 0.6)), 40, 0),
    Case("ended", _lateness((20, 60, 0), (20, 60, 6), (40, 60, 0)), 55, 0),
]


WAITING = 'continuity_reports_waiting{job="continuity",instance="a"}'
OWN_CASES["ContinuityReportLate"] = [
    Case("nothing waits", {WAITING: line((240, at(0)))}, 200, 0),
    Case("a week has just ended", {WAITING: line((10, at(0)), (240, at(1)))}, 180, 0),
    Case("it ended three hours ago", {WAITING: line((10, at(0)), (240, at(1)))}, 195, 1),
    Case("published", {WAITING: line((200, at(1)), (20, at(0)))}, 208, 0),
]


def _instant(series: str, *, after_s: int) -> list[Case]:
    """Cases of an instant that may be 0 for none, and may lie `after_s` back but no longer."""
    after_min = after_s / 60

    def case(title: str, values: str, at_min: float, firing: int) -> Case:
        return Case(title, {series: values}, at_min, firing)

    def since(minute: float) -> Value:
        return at(minute * 60)

    stays = line((10, at(0)), (after_min + 90, since(10)))
    ended = line((10, at(0)), (after_min + 10, since(10)), (30, at(0)))
    gap = line((10, at(0)), (after_min + 10, since(10)), (3, None), (20, since(10)))
    return [
        case("there is none", line((after_min + 60, at(0))), after_min + 30, 0),
        case("it lies ahead", line((after_min + 60, ago(-60))), after_min + 30, 0),
        case("exactly as long ago as it may be", stays, 10 + after_min, 0),
        case("longer ago, not yet for long", stays, 10 + after_min + 0.5, 0),
        case("longer ago", stays, 10 + after_min + 2, 1),
        case("a gap in its samples", gap, 10 + after_min + 12, 1),
        case("just ended: it is kept for a while", ended, after_min + 21, 1),
        case("ended", ended, after_min + 28, 0),
    ]


OF_REPORT = 'job="continuity",instance="a"'
OWN_CASES["ContinuityReportOverdue"] = [
    *_instant(f"continuity_report_due_timestamp_seconds{{{OF_REPORT}}}", after_s=900),
    *_instant(f"continuity_report_draft_until_timestamp_seconds{{{OF_REPORT}}}", after_s=900),
    Case(
        "the leader looked, whatever one that led before still says",
        {
            'continuity_report_due_timestamp_seconds{job="continuity",instance="a"}': line((60, at(60))),
            'continuity_report_due_timestamp_seconds{job="continuity",instance="b"}': line((60, at(86_400))),
        },
        50,
        0,
    ),
]
OWN_CASES["ContinuityReportDeliveryFailing"] = _instant(
    f"continuity_report_deliveries_waiting_since_timestamp_seconds{{{OF_REPORT}}}", after_s=3600
)
OWN_CASES["ContinuityReportDeliveryGivenUp"] = level(
    f"continuity_report_deliveries_given_up{{{OF_REPORT}}}", well=at(0), edge=at(0), over=at(1), for_min=1
)
SERVED = 'continuity_public_as_of_timestamp_seconds{job="continuity",instance="a"}'
WRITTEN = 'continuity_public_written_timestamp_seconds{job="continuity",instance="b"}'
OWN_CASES["ContinuityPublicStale"] = [
    *level(SERVED, well=ago(20), edge=ago(300), over=ago(301), for_min=1),
    *level(WRITTEN, well=ago(20), edge=ago(300), over=ago(301), for_min=1),
    Case("nothing to serve", {SERVED: line((30, at(0)))}, 20, 1),
    Case("neither written nor served", dict.fromkeys((SERVED, WRITTEN), line((30, at(0)))), 20, 1),
    Case(
        "a stand-by never wrote",
        {WRITTEN: line((30, ago(20))), WRITTEN.replace('"b"', '"c"'): line((30, at(0)))},
        20,
        0,
    ),
]
