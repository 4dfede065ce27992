"""`make run`: how soon the sample weeks are there, how soon the second one has a page, and what it holds."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.processes import MB, ROOT, memory_mb, quiet
from benchmarks.table import Row, spread
from monitor.demo import embedded
from monitor.demo.kafka import free_port

PAGE_S, MEMORY_MB, WEEKS_S = 5.0, 250, 30.0
STARTED_WITHIN_S, STOPPED_WITHIN_S = 90.0, 40.0
WEEKS_WITHIN_S = 300.0
LOOK_S = 0.02
OURS = ("monitor", "count", "probe")  # the roles of `all`
IDLE = (
    "import asyncio, resource, aiohttp, aiokafka, asyncpg, babel, jinja2, msgspec, prometheus_client, uvloop;"
    "print(int(open('/proc/self/statm').read().split()[1]) * resource.getpagesize())"
)


def rows(quick: bool) -> list[Row]:
    """Start it once for the folder, then again: from the command to the first whole page."""
    runs, settle_s = (1, 3.0) if quick else (3, 20.0)
    with tempfile.TemporaryDirectory(prefix="continuity-bench-run-") as name:
        data = Path(name) / "demo"
        first_s, _ = _run(data, settle_s=0.0)
        found = [_run(data, settle_s=settle_s if number == runs - 1 else 0.0) for number in range(runs)]
        base_s = [_servers_alone(data) for _ in range(runs)]
        weeks_s = [_weeks(Path(name) / f"weeks-{number}") for number in range(runs)]
        empty_s = [_servers_alone(Path(name) / f"servers-{number}") for number in range(runs)]
    took_s = [took for took, _ in found]
    sizes = found[-1][1]
    middle_s, all_mb = sorted(took_s)[len(took_s) // 2], sum(sizes.values())
    return [
        Row(
            what="first `make run` to the page with three sample weeks",
            budget=f"≤ {WEEKS_S:g} s",
            measured=f"{spread(weeks_s, 's')}",
            baseline=f"PostgreSQL and Kafka alone {spread(empty_s, 's')}",
            within=sorted(weeks_s)[len(weeks_s) // 2] <= WEEKS_S,
            note="on an empty folder, jars and packages there: until its address is told",
        ),
        Row(
            what="second `make run` to the first page",
            budget=f"≤ {PAGE_S:g} s",
            measured=f"{spread(took_s, 's')}",
            baseline=f"PostgreSQL and Kafka alone {spread(base_s, 's')}",
            within=middle_s <= PAGE_S,
            note=f"the first run on an empty folder, jars and packages there, took {first_s:.1f} s",
        ),
        Row(
            what="memory of `all` at 180 services without PostgreSQL and Kafka",
            budget=f"≤ {MEMORY_MB} MB",
            measured=f"{all_mb:.0f} MB ({', '.join(f'{name} {mb:.0f}' for name, mb in sizes.items())})",
            baseline=f"two idle processes with the same libraries {2 * _idle_mb():.0f} MB",
            within=all_mb <= MEMORY_MB,
            note=f"resident, shared pages counted twice, {settle_s:g} s after it was up, no sample traffic",
        ),
    ]


def _run(data: Path, *, settle_s: float) -> tuple[float, dict[str, float]]:
    """Seconds to the first page, and the memory of our processes `settle_s` after all is up."""
    note = data / "run.json"
    began = time.perf_counter()
    port = free_port()
    options = ["--data", str(data), "--port", str(port), "--no-script", "--no-traffic"]
    command = [sys.executable, "-m", "monitor", "demo", *options]
    said = data.with_name("said.txt")
    with said.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        _until_page(process, f"http://127.0.0.1:{port}/", said)
        took_s = time.perf_counter() - began
        _until_up(process, note)
        quiet(settle_s)
        sizes = _sizes(note, process.pid) if settle_s else {}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOPPED_WITHIN_S)
    return took_s, sizes


def _weeks(data: Path) -> float:
    """Seconds until a first run tells its address, because the three weeks are published."""
    said, began = data.with_name("said-weeks.txt"), time.perf_counter()
    options = ["--data", str(data), "--port", str(free_port()), "--no-script"]
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "monitor", "demo", *options], cwd=ROOT, stdout=output, stderr=output
        )
    try:
        while "    Open " not in (told := said.read_text()):
            if process.poll() is not None or time.perf_counter() - began > WEEKS_WITHIN_S:
                raise RuntimeError(f"no address after {WEEKS_WITHIN_S:g} s:\n{told[-2000:]}")
            time.sleep(LOOK_S)
        took_s = time.perf_counter() - began
        if "3 sample weeks are published" not in told:
            raise RuntimeError(f"the weeks are not there:\n{told[-2000:]}")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOPPED_WITHIN_S)
    return took_s


def _until_page(process: subprocess.Popen[bytes], url: str, said: Path) -> None:
    deadline = time.monotonic() + STARTED_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(
                f"`continuity demo` ended with {process.returncode}:\n{said.read_text()[-2000:]}"
            )
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.status == 200 and b"</html>" in answer.read():
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(LOOK_S)
    raise RuntimeError(f"no page at {url} after {STARTED_WITHIN_S:g} s")


def _until_up(process: subprocess.Popen[bytes], note: Path) -> None:
    """Until the run has noted that all is up: after one that ended before, the next is a first one too."""
    deadline = time.monotonic() + STARTED_WITHIN_S
    while not (note.exists() and json.loads(note.read_text())["pid"] == process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the run is not up after {STARTED_WITHIN_S:g} s")
        time.sleep(LOOK_S)


def _sizes(note: Path, pid: int) -> dict[str, float]:
    noted = json.loads(note.read_text())
    assert noted["pid"] == pid, "the note is of another run"
    return {name: memory_mb(noted["pids"][name][1]) for name in OURS}


def _servers_alone(data: Path) -> float:
    """The same two servers over the same folders, started together."""
    began = time.perf_counter()
    postgres, kafka = embedded.Postgres(data / "postgres"), embedded.Kafka(data / "kafka")
    try:
        postgres.launch()
        kafka.launch()
        postgres.wait_ready()
        kafka.wait_ready()
        return time.perf_counter() - began
    finally:
        kafka.close()
        postgres.close()


def _idle_mb() -> float:
    done = subprocess.run([sys.executable, "-c", IDLE], capture_output=True, check=True, timeout=30)
    return int(done.stdout) / MB
