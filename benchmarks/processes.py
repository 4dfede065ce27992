"""Programs that a benchmark starts, and what they used: CPU seconds and memory, read from the kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

ROOT = Path(__file__).parents[1]
STOP_S = 10.0
MB = 1e6


def cpu_s(pid: int) -> float:
    """CPU seconds of one process so far, its threads included, to the kernel's 10 ms."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def cpu_of(pids: Iterable[int]) -> dict[int, float]:
    """The same of several; whoever is gone is left out."""
    found = {}
    for pid in pids:
        try:
            found[pid] = cpu_s(pid)
        except psutil.NoSuchProcess:
            continue
    return found


def spent(before: dict[int, float], after: dict[int, float]) -> float:
    """CPU seconds between two readings; a process that is new began at nothing."""
    return sum(used - before.get(pid, 0.0) for pid, used in after.items())


def memory_mb(pid: int) -> float:
    """Resident memory, in MB of 1,000,000 bytes."""
    return float(psutil.Process(pid).memory_info().rss) / MB


class Highest:
    """`with Highest(pid) as most: …` then `most.mb`: the most memory that was seen, looked at every 2 ms."""

    def __init__(self, pid: int) -> None:
        self.mb = 0.0
        self._process = psutil.Process(pid)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._stop.wait(0.002):
            self.mb = max(self.mb, self._process.memory_info().rss / MB)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()


class Tool:
    """One of our own modules in a process of its own: it prints JSON lines, and ends with its input."""

    def __init__(self, module: str, **settings: Any) -> None:
        command = [sys.executable, "-m", f"benchmarks.{module}", json.dumps(settings)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=_environment()
        )
        self.pid = self._process.pid

    def said(self) -> Any:
        """The next line. Raises RuntimeError when it ended instead."""
        assert self._process.stdout is not None
        text = self._process.stdout.readline()
        if not text:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait(STOP_S)}")
        return json.loads(text)

    def close(self) -> None:
        """Let go of its input, and wait until it is gone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("CONTINUITY_")}


def say(what: Any) -> None:
    """What a Tool prints for `said`."""
    print(json.dumps(what), flush=True)


def quiet(seconds: float) -> None:
    """Let a window pass without using the processor."""
    time.sleep(seconds)
