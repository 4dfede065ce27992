"""The baseline of counting: read the topic, decode, add up in memory, and store nothing.

Run as a Tool with `kafka` (its fields) and `records`; it says the seconds this took, and the CPU seconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter

import msgspec
import uvloop
from aiokafka import TopicPartition

from benchmarks.processes import say
from monitor.stream.kafka import Kafka, open_consumer
from monitor.stream.wire import TRANSACTIONS, decode_transactions

AT_ONCE = 5_000


async def _main(kafka: Kafka, records: int) -> None:
    counts: Counter[tuple[str, str, str, int]] = Counter()
    async with open_consumer(kafka) as consumer:
        tps = [TopicPartition(kafka.topic(TRANSACTIONS), number) for number in range(kafka.partitions)]
        consumer.assign(tps)
        for tp in tps:
            consumer.seek(tp, 0)
        began_s, cpu_s, read = time.monotonic(), time.process_time(), 0
        while read < records:
            for polled in (await consumer.getmany(timeout_ms=500, max_records=AT_ONCE)).values():
                read += len(polled)
                for event in decode_transactions([record.value for record in polled]):
                    minute = int(event.at.timestamp()) // 60
                    counts[event.service, event.channel, event.outcome, minute] += event.count
            await asyncio.sleep(0)
    say({"took_s": time.monotonic() - began_s, "cpu_s": time.process_time() - cpu_s})


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    uvloop.run(_main(msgspec.convert(given["kafka"], Kafka), given["records"]))
