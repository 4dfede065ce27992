"""What bytewax needs to read the same topic and count by service, channel, outcome and minute.

Run by the Python of an environment that has `bytewax[kafka]`, with `bootstrap`, `config` (librdkafka's),
`topic` and `records`. It reads every partition from its beginning, stores nothing, and prints the seconds
from the first record to the last, and the CPU seconds of all of it.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from typing import Any

from bytewax import operators
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import cluster_main

BATCH = 10_000


class Counting(StatelessSinkPartition[Any]):
    """Adds up; ends the process with its last record."""

    def __init__(self, records: int) -> None:
        self._records, self._read, self._began_s = records, 0, 0.0
        self._counts: Counter[tuple[str, ...]] = Counter()

    def write_batch(self, items: list[Any]) -> None:
        self._began_s = self._began_s or time.monotonic()
        for event in items:
            key = event["service"], event["channel"], event["outcome"], event["at"][:16]
            self._counts[key] += event.get("count", 1)
        self._read += len(items)
        if self._read >= self._records:
            took_s = time.monotonic() - self._began_s
            print(json.dumps({"took_s": took_s, "cpu_s": time.process_time()}), flush=True)
            sys.exit()


class Sink(DynamicSink[Any]):
    """One worker, one part."""

    def __init__(self, records: int) -> None:
        self._records = records

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Counting:
        return Counting(self._records)


def main(given: dict[str, Any]) -> None:
    """Read, decode, count."""
    source = KafkaSource([given["bootstrap"]], [given["topic"]], add_config=given["config"], batch_size=BATCH)
    flow = Dataflow("counting")
    records = operators.input("read", flow, source)
    decoded = operators.map("decode", records, lambda record: json.loads(record.value))
    operators.output("count", decoded, Sink(given["records"]))
    cluster_main(flow, [], 0)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
