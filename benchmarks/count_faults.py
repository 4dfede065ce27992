"""Counting under faults, at length: `python -m benchmarks.count_faults --rounds 20 --events 1000000`.

Rounds as in tests/integration/test_count_faults.py: kill -9 at random moments, a member frozen past the
session time-out, a broker restart, a fast and an immediate restart of the database, a second member that
joins and leaves; with repeats inside the horizon and poison. Prints a line a round; 1 when a count differs.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from monitor.demo.embedded import Kafka, Postgres
from monitor.store.migrate import migrate
from tests.conftest import KAFKA_USERS
from tests.integration import sender as senders
from tests.integration.count_rounds import Rounds
from tests.integration.monitor_process import PARTITIONS, create_database, monitor
from tests.integration.sender import Sender


def main() -> int:
    """0 when every round left the counts equal to the ledger."""
    given = _arguments()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that is away is what is tried here
    with tempfile.TemporaryDirectory(prefix="continuity-count-faults-") as name:
        folder = Path(name)
        kafka = Kafka(folder / "kafka", users=KAFKA_USERS, tell=print)
        postgres = Postgres(folder / "postgres", settings={"max_connections": "100"})
        try:
            kafka.start()
            postgres.start()
            return _run(given, folder, kafka, postgres)
        finally:
            kafka.close()
            postgres.close()


def _run(given: argparse.Namespace, folder: Path, kafka: Kafka, postgres: Postgres) -> int:
    dsn = create_database(postgres, "template1")
    asyncio.run(migrate(dsn))
    with monitor(folder / "monitor", kafka=kafka, dsn=dsn, prefix=f"f{time.time_ns()}.") as running:
        running.catalogue(senders.catalogue())
        for role in ("derive", "count"):
            running.start(role)
        sender = Sender(given.seed, partitions=PARTITIONS)
        rounds = Rounds(running, kafka=kafka, postgres=postgres, sender=sender, seed=given.seed, kills=2)
        differing = asyncio.run(_rounds(rounds, given))
    poison = sum(sender.letters.values())
    print(
        f"{sender.sent:,} messages, {sender.repeats:,} repeats, {poison:,} poison; {differing} rounds differ"
    )
    return 1 if differing else 0


async def _rounds(rounds: Rounds, given: argparse.Namespace) -> int:
    """How many rounds left a difference."""
    differing = 0
    for number in range(given.rounds):
        found = await rounds.run(number, messages=given.events // given.rounds)
        differing += bool(found.differences)
        verdict = f"DIFFER: {found.differences[:3]}" if found.differences else "equal"
        said = f"{found.fault}; {found.messages:,} messages; {found.took_s:.0f} s; {verdict}"
        print(f"round {number + 1}: {said}", flush=True)
    return differing


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.count_faults", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--events", type=int, default=1_000_000, help="in all rounds together")
    parser.add_argument("--seed", type=int, default=11)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
