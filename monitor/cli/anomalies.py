"""`anomalies` says how unusual each value of a series in a CSV file is after the values before it."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple, TextIO

import click

from monitor.cli.base import Failed, continuity

STDIN = "<stdin>"
COLUMNS = ("timestamp", "value")
HEADING = "timestamp,value,anomaly_score"
MISSING = ("", "na", "null", "none")
UNIX_MS_FROM = 1e11  # as seconds that is in the year 5138, as milliseconds in 1973
TIMES = "YYYY-MM-DD HH:MM:SS (UTC), RFC 3339, or Unix time in seconds or milliseconds"
VALUES = "a number, or nothing where it is missing"


class Point(NamedTuple):
    """One row: its time and value as they were written, and as they were understood."""

    stamp: str
    text: str
    at_ms: int
    value: float


@continuity.command()
@click.argument("file", metavar="FILE.csv", type=click.File(encoding="utf-8-sig"))
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    help="Print only the rows whose score is at least this; 0.5 is worth a look.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line for a program to read.")
def anomalies(file: TextIO, threshold: float | None, *, as_json: bool) -> None:
    """Print timestamp,value,anomaly_score for every row of FILE.csv.

    The score says from 0 to 1 how unusual a value is after the rows before it; an anomaly is told when it
    begins. FILE.csv has the columns timestamp and value, named in its first line, or just these two.
    Timestamps are YYYY-MM-DD HH:MM:SS (UTC), RFC 3339, or Unix time in seconds or milliseconds. A missing
    value scores 0. Rows are printed as they are read; `-` reads standard input.

    \b
    Examples:
      continuity anomalies visits.csv > scored.csv
      continuity anomalies visits.csv --threshold 0.5
      tail -f visits.csv | continuity anomalies - --json
    """
    from monitor.judge.anomaly import Detector

    detector = Detector()
    name = getattr(file, "name", STDIN)
    out = sys.stdout  # click.echo would flush every row of a long file
    if not as_json:
        out.write(f"{HEADING}\n")
    for point in points(file, name):
        score = detector.score(point.at_ms, point.value)
        if threshold is None or score >= threshold:
            out.write(_as_json(point, score) if as_json else _as_csv(point, score))
            if name == STDIN:
                out.flush()


def _as_csv(point: Point, score: float) -> str:
    return f"{_field(point.stamp)},{_field(point.text)},{score:.6g}\n"


def _field(text: str) -> str:
    """As it was given; quoted where CSV needs it."""
    if any(mark in text for mark in ',"\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _as_json(point: Point, score: float) -> str:
    import msgspec

    found = {"timestamp": point.stamp, "value": point.value, "anomaly_score": round(score, 6)}
    return msgspec.json.encode(found).decode() + "\n"


def points(file: TextIO, name: str) -> Iterator[Point]:
    """The points of a CSV file, one at a time. Raises Failed, naming the place, at what cannot be read."""
    where: tuple[int, int] | None = None
    for line, row in _rows(file, name):
        if where is None:
            named = _named(row)
            where = named or (0, 1)
            if named:
                continue
        yield _point(name, line, row, where)


def _rows(file: TextIO, name: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not empty, with the number of its last line."""
    reader = csv.reader(file)
    try:
        for row in reader:
            if row:
                yield reader.line_num, row
    except UnicodeDecodeError as error:
        raise Failed(f"{name}:{reader.line_num + 1}:1: is not text in UTF-8") from error
    except csv.Error as error:
        raise Failed(f"{name}:{reader.line_num}:1: is not CSV: {error}") from error


def _named(row: list[str]) -> tuple[int, int] | None:
    """Where the two columns are by the names in this row; None when it does not name both."""
    names = [cell.strip().lower() for cell in row]
    return (names.index("timestamp"), names.index("value")) if set(COLUMNS) <= set(names) else None


def _point(file: str, line: int, row: list[str], where: tuple[int, int]) -> Point:
    if len(row) <= max(where):
        raise Failed(f"{file}:{line}:1: has {len(row)} of the columns; needed are timestamp and value")
    stamp, text = (row[index] for index in where)
    at_ms = _read(unix_ms, stamp, f"{file}:{line}:{_column(row, where[0])}", f"no time; allowed are {TIMES}")
    value = _read(number, text, f"{file}:{line}:{_column(row, where[1])}", f"no value; allowed is {VALUES}")
    return Point(stamp, text, at_ms, value)


def _read(read: Callable[[str], Any], text: str, place: str, wrong: str) -> Any:
    try:
        return read(text)
    except (ValueError, OverflowError) as error:
        raise Failed(f"{place}: {text[:40]!r} is {wrong}") from error


def _column(row: list[str], index: int) -> int:
    return sum(len(cell) + 1 for cell in row[:index]) + 1


def unix_ms(text: str) -> int:
    """The time a text tells, in Unix ms; without a zone it is UTC. Raises ValueError or OverflowError."""
    try:
        unix = float(text)
    except ValueError:
        at = datetime.fromisoformat(text.strip())
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    return round(unix if abs(unix) >= UNIX_MS_FROM else unix * 1000)


def number(text: str) -> float:
    """The value a text tells; NaN where it tells that there is none. Raises ValueError."""
    return math.nan if text.strip().lower() in MISSING else float(text)
