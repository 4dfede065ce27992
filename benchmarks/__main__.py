"""`make bench`: every budget that can be measured by now, beside a baseline; `--quick` is a first look."""

from __future__ import annotations

import argparse
import importlib
import sys
import time
import traceback
from collections.abc import Callable, Iterable

from benchmarks import parts
from benchmarks.table import Row, closing, heading, line, machine

NAMES = (
    "cost", "limits", "ingest", "transactions", "gateway", "anomalies",
    "fault", "judge", "expected", "catalogue", "figures", "report_pdf", "state", "public", "run",
)  # fmt: skip


def main() -> int:
    """Print the table; 0 when all could be measured, also over budget: a figure is not a test."""
    given = _arguments()
    print(machine(), "", heading(), sep="\n", flush=True)
    rows: list[Row] = []
    broken = 0
    try:
        for name in given.names or NAMES:
            began = time.monotonic()
            try:
                for row in _rows_of(name)(given.quick):
                    print(line(row), flush=True)
                    rows.append(row)
            except Exception:  # noqa: BLE001 - one benchmark that breaks must not hide the others
                print(f"benchmark {name} broke:", file=sys.stderr)
                traceback.print_exc()
                broken += 1
                continue
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    finally:
        parts.close()
    print("", closing(rows), sep="\n")
    return 1 if broken else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all without any")
    parser.add_argument(
        "--quick", action="store_true", help="one short run of each: a look, not a figure to quote"
    )
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return given


def _rows_of(name: str) -> Callable[[bool], Iterable[Row]]:
    found: Callable[[bool], Iterable[Row]] = importlib.import_module(f"benchmarks.{name}").rows
    return found


if __name__ == "__main__":
    sys.exit(main())
