"""What the sample's services say of their transactions: the history first, then as they happen.

The history begins with the first of three finished weeks. All but its last day is told as a sender would that
counts by itself: how many in each hour. The last day goes one by one, as a page of a day shows it.

Run as `python -m monitor.demo.traffic DATA`: it reads the plan that `run.py` wrote into DATA and sends to the
Kafka of the settings, follows the faults that are on, and ends on SIGTERM. How far Kafka has acknowledged is
noted in DATA after every step, so the next run goes on there: what was on its way is sent again under the
same ids, and what took place while nobody sent follows.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from monitor import addresses
from monitor.config.load import load, load_settings
from monitor.demo import faults
from monitor.demo.course import Course, Summed
from monitor.demo.dips import Dip, followed, holes
from monitor.demo.past import follow_the_history, weeks_over
from monitor.demo.plan import COUNTED, PLAN, SENT, TRAFFIC, Plan
from monitor.demo.shapes import DAY_MS, HOUR_MS, Event
from monitor.errors import BufferFull, StreamUnavailable
from monitor.lifetime import Backoff, Stop, live, stopping_on_signals
from monitor.log import Log, set_up
from monitor.model import Catalogue
from monitor.stream.kafka import Kafka, ensure_topics
from monitor.stream.send import Sender, open_sender
from monitor.stream.wire import Transaction, encode

DETAIL_MS = DAY_MS  # of the history before the first run, so much goes one by one
STEP_MS = HOUR_MS  # of what lies behind, so much at once
SUMMED_STEP_MS = 6 * HOUR_MS
TICK_MS = 1_000
TWICE_OF = 20_000  # one in so many is sent twice, as real senders do after a lost answer
NICE = 5  # the fleet's answers and the probes go first, but for the history, which the first page waits for

log = Log(__name__)


class Notes(msgspec.Struct, frozen=True, kw_only=True):
    """What the next run must know. Times are Unix milliseconds."""

    began_ms: int  # of the history
    sent_ms: int  # everything before was acknowledged
    summed_ms: int = 0  # what took place before goes in sums; kept, for it must go again as it went
    dips: list[Dip] = []


class Traffic:
    """The sample's transactions, step by step, and the notes of how far they went."""

    def __init__(
        self, catalogue: Catalogue, data: Path, *, grace_ms: int = 0, now: Callable[[], float] = time.time
    ) -> None:
        """A week is over `grace_ms` after its end."""
        self._course, self._data, self._now = Course(catalogue), data, now
        self._notes = self._read(weeks_over(catalogue, self._now_ms() - grace_ms)[0].start_ms)
        self._holes = holes(catalogue.zone, self._notes.began_ms)
        self._looked_ms = self._notes.sent_ms

    @property
    def began_ms(self) -> int:
        """When the history began."""
        return self._notes.began_ms

    @property
    def behind_ms(self) -> int:
        """How much is not sent yet."""
        return self._now_ms() - self._notes.sent_ms

    def step(self) -> tuple[int, list[tuple[str, bytes]]]:
        """The next keys and values to send, and the moment at which they end."""
        self._look()
        begin_ms, summed_ms = self._notes.sent_ms, self._notes.summed_ms
        dips = [*self._holes, *self._notes.dips]
        if begin_ms < summed_ms:
            end_ms = min(begin_ms + SUMMED_STEP_MS, summed_ms)
            return end_ms, [*messages(self._course.summed(begin_ms, end_ms, dips))]
        end_ms = min(begin_ms + STEP_MS, self._now_ms())
        return end_ms, [*messages(self._course.between(begin_ms, end_ms, dips))]

    def sent(self, end_ms: int) -> None:
        """Note that everything before `end_ms` was acknowledged."""
        self._notes = msgspec.structs.replace(self._notes, sent_ms=end_ms)
        self._keep(self._notes)

    def whole(self) -> None:
        """Note that nothing lies behind any more."""
        (self._data / SENT).touch()

    def _keep(self, notes: Notes) -> None:
        fresh = self._data / f"{TRAFFIC}.new"
        fresh.write_bytes(msgspec.json.encode(notes))
        fresh.replace(self._data / TRAFFIC)

    def _look(self) -> None:
        now_ms = self._now_ms()
        on = faults.active(self._data, now=now_ms / 1000)
        dips = followed(self._notes.dips, on, now_ms=now_ms, looked_ms=self._looked_ms)
        self._notes, self._looked_ms = msgspec.structs.replace(self._notes, dips=dips), now_ms

    def _read(self, began_ms: int) -> Notes:
        """The last run's notes; the history begins anew where there are none or they are too old."""
        try:
            notes = msgspec.json.decode((self._data / TRAFFIC).read_bytes(), type=Notes)
        except (FileNotFoundError, msgspec.DecodeError):
            notes = None
        if notes is not None and notes.sent_ms >= began_ms:
            return notes
        summed_ms = (self._now_ms() - DETAIL_MS) // HOUR_MS * HOUR_MS
        notes = Notes(began_ms=began_ms, sent_ms=began_ms, summed_ms=summed_ms)
        self._keep(notes)  # before anything is sent by them
        return notes

    def _now_ms(self) -> int:
        return int(self._now() * 1000)


def messages(events: Iterable[Event | Summed]) -> Iterable[tuple[str, bytes]]:
    """Keys and values; a few come twice."""
    for event in events:
        message = event.service, encode(_transaction(event))
        yield message
        if event.at_ms % TWICE_OF == 0:
            yield message


def _transaction(event: Event | Summed) -> Transaction:
    return Transaction(
        id=event.id,
        service=event.service,
        channel=event.channel,
        outcome=event.outcome,
        at=datetime.fromtimestamp(event.at_ms / 1000, UTC),
        count=event.count if isinstance(event, Summed) else 1,
        duration_ms=event.duration_ms,
    )


async def keep_sending(traffic: Traffic, sender: Sender, stop: Stop, *, caught_up: asyncio.Event) -> None:
    """Send what lies behind as fast as Kafka takes it, then every second what has happened."""
    backoff, began, count = Backoff(), time.monotonic(), 0
    while not stop.requested:
        end_ms, events = traffic.step()
        try:
            await sender.send(events)
        except (StreamUnavailable, BufferFull) as error:
            log.warning("traffic.waits", why=str(error), behind_ms=traffic.behind_ms)
            await stop.pause(backoff.next_s())
            continue
        backoff.reset()
        traffic.sent(end_ms)
        count += len(events)
        if traffic.behind_ms < TICK_MS:
            if not caught_up.is_set():
                caught_up.set()
                traffic.whole()
                log.info("traffic.caught_up", messages=count, took_s=round(time.monotonic() - began, 1))
            await stop.pause((TICK_MS - traffic.behind_ms) / 1000)


async def _topics(kafka: Kafka, vantage: str, stop: Stop) -> None:
    """Whoever sends into half a topic sends to the wrong partitions: wait until it is whole."""
    backoff = Backoff()
    while not stop.requested:
        try:
            await ensure_topics(kafka, vantages=[vantage])
        except StreamUnavailable as error:
            log.warning("traffic.waits", why=str(error))
            await stop.pause(backoff.next_s())
        else:
            return


async def run(data: Path, plan: Plan, stop: Stop) -> None:
    """Send until `stop`. Raises ConfigError when the plan's catalogue has mistakes."""
    settings = load_settings(Path(plan.config))
    kafka = addresses.kafka_of(settings)
    catalogue = load(Path(plan.config), replace=plan.replace).catalogue
    traffic = Traffic(catalogue, data, grace_ms=round(settings.report.grace_s * 1000))
    await _topics(kafka, settings.probe.vantage, stop)
    async with open_sender(kafka) as sender:
        caught_up = asyncio.Event()
        past = follow_the_history(
            settings, stop, began_ms=traffic.began_ms, caught_up=caught_up, tell=(data / COUNTED).touch
        )
        sending = keep_sending(traffic, sender, stop, caught_up=caught_up)
        await live(stop, {"traffic": sending, "past": past})


async def _main(data: Path) -> None:
    stop = Stop()
    with stopping_on_signals(stop):
        await run(data, msgspec.json.decode((data / PLAN).read_bytes(), type=Plan), stop)


if __name__ == "__main__":
    set_up()
    folder = Path(sys.argv[1])
    os.nice(NICE if (folder / SENT).exists() else 0)
    asyncio.run(_main(folder))
