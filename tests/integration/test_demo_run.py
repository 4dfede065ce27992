"""`continuity demo` shows its first page, goes on from what it stored, and leaves no process behind."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from monitor.config.load import load
from monitor.demo.course import Course
from monitor.demo.dips import holes
from monitor.demo.kafka import free_port
from monitor.demo.plan import TRAFFIC
from monitor.demo.postgres import hold
from monitor.demo.shapes import DAY_MS, HOUR_MS, MINUTE_MS
from monitor.demo.traffic import Notes
from monitor.judge.opening import closed_at
from monitor.store import counts
from monitor.store.pool import open_store

ROOT = Path(__file__).parents[2]
UP_WITHIN_S = 180.0  # the first start of all fetches Kafka and prepares it
GONE_WITHIN_S = 60.0


class Run:
    """One `continuity demo` over a folder; used as a context, whatever is left of it is killed at the end."""

    def __init__(self, data: Path, *options: str | Path, wait: bool = True) -> None:
        """As a context it waits until all is up, unless told not to."""
        self.data, self._waits = data, wait
        self._began = time.monotonic()
        command = [sys.executable, "-m", "monitor", "demo", "--data", str(data), "--no-script", *options]
        self._process = subprocess.Popen(
            [*command, "--port", str(free_port())],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONWARNINGS": "default"},
        )
        self.said = ""

    def __enter__(self) -> Run:
        if not self._waits:
            return self
        deadline = time.monotonic() + UP_WITHIN_S
        while not (note := self.note()) or note["pid"] != self._process.pid:
            assert self._process.poll() is None, self._process.communicate()[0]
            assert time.monotonic() < deadline, "the demo is not up"
            time.sleep(0.1)
        print(f"up after {time.monotonic() - self._began:.1f} s")
        self.url = note["url"]
        self.pids = [pid for pair in note["pids"].values() for pid in pair]
        self.programs = {name: pair[1] for name, pair in note["pids"].items()}
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            for log in sorted(self.data.glob("logs/*.log")):
                print(f"== {log.name}\n" + "\n".join(log.read_text().splitlines()[-8:]))
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def until_told(self, text: str) -> str:
        """Reads what it says up to the line with that text, and returns this."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line
            if text in line:
                return line
        raise AssertionError(f"it ended without {text!r}:\n{self.said}")

    def note(self) -> dict[str, object]:
        try:
            return json.loads((self.data / "run.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}

    def page(self, path: str = "/") -> str:
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return answer.read().decode()

    def end(self, number: int) -> int:
        """Send the signal; returns the exit code and keeps what was said."""
        self._process.send_signal(number)
        self.said += self._process.communicate(timeout=GONE_WITHIN_S)[0]
        return self._process.returncode

    def ended(self) -> int:
        """Wait for it to end by itself."""
        self.said = self._process.communicate(timeout=GONE_WITHIN_S)[0]
        return self._process.returncode

    def left(self, *, within_s: float = 0.0) -> list[int]:
        """The process ids that are still alive after `within_s`."""
        deadline = time.monotonic() + within_s
        while (alive := [pid for pid in self.pids if psutil.pid_exists(pid)]) and time.monotonic() < deadline:
            time.sleep(0.1)
        return alive


def as_of(run: Run) -> dict[str, object]:
    return json.loads(run.page("/api/v1/continuity"))


@pytest.fixture(scope="module")
def data(run_folder: Path) -> Iterator[Path]:
    """One folder for every run of this file: each goes on from the last. Six hours of history, not weeks."""
    (folder := run_folder / "demo").mkdir()
    began_ms = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS - 6 * HOUR_MS
    (folder / TRAFFIC).write_bytes(msgspec.json.encode(Notes(began_ms=began_ms, sent_ms=began_ms)))
    return folder


Counts = dict[tuple[str, str, int], int]
"""Path of a channel, outcome and minute (or hour) since 1970 → transactions."""

Ask = Callable[..., Awaitable[list[counts.Counted]]]


def read(data: Path) -> Notes:
    """How far the sample's sender is."""
    return msgspec.json.decode((data / TRAFFIC).read_bytes(), type=Notes)


def acknowledged(data: Path) -> int:
    """The first minute since 1970 that the sample's sender is not through with."""
    return read(data).sent_ms // MINUTE_MS


def sent(data: Path, *, before: int) -> Counts:
    """What took place by the sample's own account before that minute."""
    notes = read(data)
    catalogue = load(ROOT / "config", replace={}).catalogue
    paths = {(s.slug, channel.slug): channel.subject for s in catalogue.services for channel in s.channels}
    dips = holes(catalogue.zone, notes.began_ms)
    events = Course(catalogue).between(notes.began_ms, before * MINUTE_MS, dips)
    return Counter((paths[e.service, e.channel], str(e.outcome), e.at_ms // MINUTE_MS) for e in events)


def counted(data: Path, *, before: int) -> Counts:
    """What stands in the run's PostgreSQL before that minute."""
    return stored(data, counts.minutes, MINUTE_MS, from_ms=0, to_ms=before * MINUTE_MS)


def by_hour(data: Path, *, from_ms: int, to_ms: int) -> Counts:
    """The same by hours."""
    return stored(data, counts.hours, HOUR_MS, from_ms=from_ms, to_ms=to_ms)


def stored(data: Path, ask: Ask, unit_ms: int, *, from_ms: int, to_ms: int) -> Counts:
    async def rows() -> list[counts.Counted]:
        [dsn] = re.findall(r"export CONTINUITY_POSTGRES_DSN=(.*)", (data / "env").read_text())
        async with open_store(*shlex.split(dsn)) as store:
            return await ask(store, from_ms=from_ms, to_ms=to_ms)

    return {(row.channel, row.outcome, row.at_ms // unit_ms): row.events for row in asyncio.run(rows())}


def offered_now() -> int:
    """Services of the sample that are within their hours."""
    catalogue = load(ROOT / "config", replace={}).catalogue
    shut = closed_at(catalogue, int(time.time() * 1000))
    return sum(service.subject not in shut for service in catalogue.services)


def wait_until_all_available(run: Run) -> dict[str, object]:
    deadline, state = time.monotonic() + 90, as_of(run)
    while not state["available"] == state["required"] == offered_now():
        assert time.monotonic() < deadline, state
        time.sleep(0.5)
        state = as_of(run)
    return state


def test_ctrl_c_stops_everything_and_the_next_run_goes_on_from_what_was_stored(data: Path) -> None:
    with Run(data) as first:
        state = wait_until_all_available(first)  # nothing is wrong: there is no script
        shown = "<html" in first.page(), state["sample"]
        programs = {"count", "traffic"} <= set(first.programs)
        ended = first.end(signal.SIGINT), first.left()
    with Run(data, "--no-traffic") as second:
        serial = as_of(second)["catalogue_serial"]
        programs = programs and "traffic" not in second.programs
        again = second.end(signal.SIGTERM), second.left()
    assert (shown, ended, serial, again) == ((True, True), (0, []), 1, (0, []))
    assert programs


def test_a_part_that_crashes_ends_the_run_with_its_name_and_exit_1(data: Path) -> None:
    with Run(data) as run:
        os.kill(run.programs["probe"], signal.SIGKILL)
        code = run.ended()
        assert (code, "probe ended with 137" in run.said, run.left()) == (1, True, [])


def test_killed_outright_it_still_leaves_no_process_behind(data: Path) -> None:
    with Run(data) as run:
        run.end(signal.SIGKILL)
        assert run.left(within_s=GONE_WITHIN_S) == []


def test_what_the_sample_services_sent_over_all_these_runs_is_what_was_counted(data: Path) -> None:
    with Run(data) as run:
        deadline, now = time.monotonic() + UP_WITHIN_S, int(time.time() * 1000) // MINUTE_MS
        while (before := acknowledged(data)) < now:
            assert time.monotonic() < deadline, "the sender does not catch up"
            time.sleep(0.5)
        expected = sent(data, before=before)
        while (found := counted(data, before=before)) != expected and time.monotonic() < deadline:
            time.sleep(0.5)
        run.end(signal.SIGINT)
    assert found == expected


def test_a_second_run_over_the_same_folder_is_refused(run_folder: Path) -> None:
    (folder := run_folder / "held").mkdir()
    command = [sys.executable, "-m", "monitor", "demo", "--data", str(folder)]
    with hold(folder):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, f"in use by another run (process {os.getpid()})" in done.stderr) == (2, True)


def test_a_catalogue_of_ones_own_runs_without_the_fleet_and_commands_can_mean_that_run(
    run_folder: Path, tmp_path: Path
) -> None:
    port = free_port()
    (tmp_path / "monitor.yaml").write_text(f"services: [{{slug: one, url: 'http://127.0.0.1:{port}/'}}]")
    with Run(folder := run_folder / "own", "--config", tmp_path) as run:
        command = f". {folder}/env; exec {sys.executable} -m monitor check --connect"
        done = subprocess.run(
            ["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
        )
        state = as_of(run)
        ended = run.end(signal.SIGINT), run.left()
    assert (state["required"], state["sample"], ended) == (1, False, (0, []))
    assert not {"fleet", "traffic"} & set(run.programs)
    assert (done.returncode, "FAIL" in done.stdout, "PostgreSQL at its socket" in done.stdout) == (
        0,
        False,
        True,
    )


# -- the first start: three finished weeks are there when the address is told


@pytest.fixture(scope="module")
def first_start(run_folder: Path) -> Iterator[Run]:
    """Stopped in the middle of its history, begun again, and its address just told."""
    (folder := run_folder / "first").mkdir()
    with Run(folder, wait=False) as stopped:
        stopped.until_told("three weeks of transactions")
        began_ms = read(folder).began_ms
        while read(folder).sent_ms < began_ms + 3 * DAY_MS:
            time.sleep(0.01)
        stopped.end(signal.SIGINT)
    assert read(folder).sent_ms < read(folder).summed_ms, "it was stopped too late"
    with Run(folder, wait=False) as run:
        run.url = run.until_told("    Open ").split()[1]
        yield run
        run.end(signal.SIGINT)


def test_three_weeks_in_all_their_figures_are_published_when_the_address_is_told(first_start: Run) -> None:
    weeks = json.loads(first_start.page("/api/v1/reports?kind=week&entity="))["items"]
    missed, counted, completion, uptake = "F17", "F19", "F20", "F22"
    shown = [
        code
        for week in weeks
        for code in (missed, counted, completion, uptake)
        if week["figures"][code]["text"]
    ]
    assert shown == 3 * [missed, counted, completion, uptake]
    assert [(week["complete"], week["sample"]) for week in weeks] == 3 * [(True, True)]


def test_a_first_start_that_was_stopped_midway_counts_its_history_once(first_start: Run) -> None:
    notes = read(first_start.data)
    catalogue = load(ROOT / "config", replace={}).catalogue
    course, dips = Course(catalogue), holes(catalogue.zone, notes.began_ms)
    expected = Counter[tuple[str, str, int]]()
    for hour_ms in range(notes.began_ms, notes.summed_ms, HOUR_MS):
        for one in course.summed(hour_ms, hour_ms + HOUR_MS, dips):
            expected[f"service:{one.service}/{one.channel}", one.outcome, hour_ms // HOUR_MS] += one.count
    found = by_hour(first_start.data, from_ms=notes.began_ms, to_ms=notes.summed_ms)
    assert found == expected
