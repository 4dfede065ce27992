"""Microseconds of CPU the judge needs per observation: steady, failing, and with its document written."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from benchmarks.table import Row, spread
from monitor.judge.attempts import Attempt
from monitor.judge.subject import Subject, decode, encode
from monitor.model import Check
from monitor.scheduler.beat import next_due_ms
from monitor.stream.wire import Observation, decode_observation
from monitor.stream.wire import encode as encode_message
from probes.catalogue import from_url
from probes.contract import Outcome

BUDGET_US = 60.0
EVERY_MS = 30_000
BEGIN_MS = 1_760_000_000_000
ROWS = 20_000


def subject(vantages: tuple[str, ...] = ("main",)) -> Subject:
    """One channel with one check."""
    made = Subject.new("service:passport/web")
    check = Check(subject=made.subject, ask=from_url("http://127.0.0.1:1/"), vantages=vantages)
    made.adopt({check.key: check}, serial=1, valid_from_ms=BEGIN_MS)
    return made


def attempts(outcome: Callable[[int], Outcome], vantage: str = "main") -> Iterator[tuple[str, str, Attempt]]:
    """In order, on the beat."""
    key, due_ms = "service:passport/web/main", BEGIN_MS
    for number in range(ROWS):
        due_ms = next_due_ms(key, EVERY_MS, due_ms)
        said = outcome(number)
        reason = "ok" if said is Outcome.UP else "timeout"
        yield key, vantage, Attempt(due_ms, 0, said, reason, "no answer within 10 s", EVERY_MS)


def cost_us(outcome: Callable[[int], Outcome], *, stored: bool = False) -> float:
    """CPU per observation, one at a time, with what ingest asks of the subject around it."""
    judged, given = subject(), list(attempts(outcome))
    began = time.process_time()
    for row in given:
        judged.add([row], until_ms=row[2].due_ms - 5000)
        if stored:
            judged.gaps(until_ms=row[2].due_ms - 5000)
            judged.take_unfilled()
            judged.silent_at_ms()
            encode(judged)
    return (time.process_time() - began) / ROWS * 1e6


def rows(quick: bool) -> list[Row]:
    """The row of the budget table."""
    runs = 1 if quick else 5
    steady = [cost_us(lambda _: Outcome.UP) for _ in range(runs)]
    stored = [cost_us(lambda _: Outcome.UP, stored=True) for _ in range(runs)]
    flapping = cost_us(lambda number: Outcome.DOWN if number // 4 % 2 else Outcome.UP, stored=True)
    middle_us = statistics.median(steady)
    return [
        Row(
            what="judge: CPU per observation that changes nothing",
            budget=f"≤ {BUDGET_US:.0f} µs",
            measured=(
                f"{spread(steady, 'µs', digits=0)}; with gaps, clock and document "
                f"{statistics.median(stored):.0f}, flapping {flapping:.0f}"
            ),
            baseline=f"reading its message {reading_us():.1f} µs",
            within=middle_us <= BUDGET_US,
            note="part of the 0.6 ms of ingest, one row at a time",
        )
    ]


def reading_us() -> float:
    """CPU to decode one observation from the wire."""
    value = encode_message(
        Observation(
            check="service:passport/web/main", vantage="main", due_ms=BEGIN_MS, every_ms=EVERY_MS,
            outcome=Outcome.UP, phases_ms={"connect": 1.25, "first_byte": 20.5, "transfer": 0.3}, status=200,
        )
    )  # fmt: skip
    began = time.process_time()
    for _ in range(ROWS):
        decode_observation(value)
    return (time.process_time() - began) / ROWS * 1e6


def main() -> None:
    up, down = (lambda _: Outcome.UP), (lambda _: Outcome.DOWN)
    flapping = lambda number: Outcome.DOWN if number // 4 % 2 else Outcome.UP  # noqa: E731
    lines = {
        "steady, nothing changes": cost_us(up),
        "steady, with gaps, clock and document": cost_us(up, stored=True),
        "down for ever": cost_us(down),
        "flapping every 4 beats, with document": cost_us(flapping, stored=True),
    }
    for what, cost in lines.items():
        print(f"{what:42} {cost:8.1f} us")
    judged = subject()
    for row in attempts(flapping):
        judged.add([row], until_ms=row[2].due_ms)
    document = encode(judged)
    began = time.process_time()
    for _ in range(1000):
        decode(document)
    print(f"{'document of a flapping subject':42} {len(document):8} bytes")
    print(f"{'reading it':42} {(time.process_time() - began) * 1000:8.1f} us")
    fits = lines["steady, nothing changes"] <= BUDGET_US
    print(f"budget {BUDGET_US:.0f} us per observation that changes nothing: {'kept' if fits else 'MISSED'}")


if __name__ == "__main__":
    main()
