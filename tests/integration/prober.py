"""A prober as a process of its own, for tests that stop or kill it: `python prober.py SETTINGS`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from monitor.lifetime import Stop, stopping_on_signals
from monitor.metrics import ProbeMetrics
from monitor.scheduler.prober import probe_role
from monitor.stream.kafka import Kafka
from probes.ask import Asker

SESSION_S = 6.0


async def main(settings: dict[str, Any]) -> None:
    stop = Stop()
    with stopping_on_signals(stop):
        async with Asker() as asker:
            await probe_role(
                Kafka(**settings["kafka"]),
                vantage=settings["vantage"],
                folder=Path(settings["folder"]),
                asker=asker,
                metrics=ProbeMetrics(CollectorRegistry(), vantage=settings["vantage"]),
                stop=stop,
                session_s=SESSION_S,
            )


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
