"""The faults this service expects, as a tree: one per reaction. A bug is not in it: let it crash.

MonitorError
├── ConfigError          the operator must mend a file; carries every problem with file:line:column
├── UsageError           the command was called wrongly; the text says how it is called rightly
├── StoreUnavailable     PostgreSQL is away; wait and try again, nothing is lost
├── BadRow               PostgreSQL refuses a row of the batch; halve the batch until it is found
├── FenceBroken          another consumer owns this partition's offset; forget the batch and re-read
├── LeaseLost            another process leads now; stop leading
├── StreamUnavailable    Kafka is away; keep what was measured on disk and try again
├── BufferFull           as much waits for Kafka as may; send it again shortly
├── StreamChanged        the log is not the one we read before; stop the partition until a person accepts
├── FileNotMade          a file could not be made in time; say so and let it be asked for again
└── BadMessage           one record cannot be read; set it aside with the reason and go on
"""

from __future__ import annotations

from typing import NamedTuple


class MonitorError(Exception):
    """Root of every fault that is expected."""


class Problem(NamedTuple):
    """One mistake in a file. `level` is "error" or "warning"; line and column count from 1."""

    file: str
    line: int
    column: int
    text: str
    level: str = "error"

    def __str__(self) -> str:
        mark = "warning: " if self.level == "warning" else ""
        return f"{self.file}:{self.line}:{self.column}: {mark}{self.text}"


class ConfigError(MonitorError):
    """The configuration has mistakes; all of them are in `problems`, in file order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class UsageError(MonitorError):
    """The command was called wrongly; the text says how it is called rightly."""


class StoreUnavailable(MonitorError):
    """PostgreSQL is away; wait and try again, nothing is lost."""


class BadRow(MonitorError):
    """PostgreSQL refuses a row of this batch; nothing of it was stored."""


class FenceBroken(MonitorError):
    """The stored offset is not the one this consumer last read or wrote; its batch must be forgotten."""


class LeaseLost(MonitorError):
    """This process no longer holds the lease it writes under."""


class StreamUnavailable(MonitorError):
    """Kafka is away; what was measured waits on disk."""


class BufferFull(MonitorError):
    """As much waits for Kafka as may; nothing of this was taken, send it again shortly."""


class StreamChanged(MonitorError):
    """The log before our offset is not the one we read; a person must accept the new one."""


class FileNotMade(MonitorError):
    """A file could not be made, or not in time; nothing is lost, ask again."""


class BadMessage(MonitorError):
    """One record cannot be read. `reason` is short and closed, the text says what is wrong with it."""

    def __init__(self, reason: str, text: str) -> None:
        self.reason = reason
        super().__init__(text)
