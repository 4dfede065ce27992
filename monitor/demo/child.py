"""Programs we start and must not leave behind: each under a guard, its output in a bounded log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from monitor.errors import MonitorError

GUARD = Path(__file__).with_name("guard.py")
LOOK_S = 0.02
TAIL_BYTES = 4000


class Child:
    """One program under its guard. It ends when `stop` says so, or when this process is no more."""

    def __init__(  # each is a fact about the program, all but the first two have a usual value
        self,
        command: Sequence[str],
        log: Path,
        *,
        name: str,
        stop_signal: int = signal.SIGTERM,
        grace_s: float = 20.0,
        owner: tuple[int, int] | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Starts at once, as `owner` (user, group). Output goes to `log`; the last run's is kept as `.1`."""
        self.name, self.log = name, log
        self._signal, self._grace_s = stop_signal, grace_s
        as_whom = "-" if owner is None else "{}:{}".format(*owner)
        guard = [sys.executable, "-I", "-S", str(GUARD), str(int(stop_signal)), str(grace_s), as_whom, "--"]
        with _fresh(log) as output:
            self._guard = subprocess.Popen(
                [*guard, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                start_new_session=True,
                cwd=cwd,
                env=None if env is None else dict(env),
            )
        self.pid = self._read_pid()

    def _read_pid(self) -> int:
        assert self._guard.stdout is not None
        with self._guard.stdout as answer:
            line = answer.readline()
        if not line:
            self._let_go()
            raise MonitorError(f"{self.name} did not start:\n{self.tail()}")
        return int(line.split()[0])

    @property
    def running(self) -> bool:
        return self._guard.poll() is None

    @property
    def pids(self) -> tuple[int, int]:
        """The guard's and the program's process ids."""
        return self._guard.pid, self.pid

    @property
    def exit_code(self) -> int | None:
        return self._guard.poll()

    def tail(self, lines: int = 15) -> str:
        """The last lines of the log; nothing when somebody removed it."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])

    def wait_until(self, ready: Callable[[], bool], *, within_s: float) -> None:
        """Raises MonitorError with the last log lines when it ends before or is not ready in time."""
        deadline = time.monotonic() + within_s
        while not ready():
            if not self.running:
                raise MonitorError(f"{self.name} ended with {self.exit_code}:\n{self.tail()}")
            if time.monotonic() > deadline:
                raise MonitorError(f"{self.name} is not ready after {within_s:g} s::\n{self.tail()}")
            time.sleep(LOOK_S)

    def signal(self, number: int) -> None:
        """Nothing happens when it has ended already."""
        if self.running:
            os.kill(self.pid, number)

    def begin_stop(self, number: int | None = None) -> None:
        """Ask it to end, without waiting; the guard's grace starts to run."""
        if number is not None:
            self.signal(number)
        self._let_go()

    def wait(self, within_s: float) -> int:
        """Its exit code. Raises MonitorError when it lives on."""
        try:
            return self._guard.wait(within_s)
        except subprocess.TimeoutExpired:
            raise MonitorError(f"{self.name} (process {self.pid}) still runs after {within_s:g} s") from None

    def stop(self, number: int | None = None) -> int:
        """End it in order, by force after the grace; returns its exit code."""
        self.begin_stop(number)
        return self.wait(self._grace_s + 5)

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self.wait(5)
        self._let_go()

    def _let_go(self) -> None:
        assert self._guard.stdin is not None
        self._guard.stdin.close()


def _fresh(log: Path) -> BinaryIO:
    """The log, opened anew; the last run's is kept beside it as `.1`, older ones are gone."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_name(log.name + ".1"))
    return log.open("ab")
