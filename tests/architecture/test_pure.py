"""What is marked pure reads no clock and does no I/O: judging a day twice gives the same day."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PURE = (
    "monitor/model.py",
    "monitor/judge/timeline.py",
    "monitor/judge/attempts.py",
    "monitor/judge/quorum.py",
    "monitor/judge/levels.py",
    "monitor/judge/seconds.py",
    "monitor/judge/ranges.py",
    "monitor/judge/figures.py",
    "monitor/judge/exclusions.py",
    "monitor/judge/eras.py",
    "monitor/judge/beats.py",
    "monitor/judge/window.py",
    "monitor/judge/checks.py",
    "monitor/judge/subject.py",
    "monitor/judge/effective.py",
    "monitor/judge/anomaly.py",
    "monitor/judge/tails.py",
    "monitor/judge/pattern.py",
    "monitor/judge/failing.py",
    "monitor/judge/fitting.py",
    "monitor/judge/silence.py",
    "monitor/judge/windows.py",
    "monitor/judge/findings.py",
    "monitor/judge/lateness.py",
    "monitor/judge/watched.py",
    "monitor/judge/missed.py",
    "monitor/judge/reckon.py",
    "monitor/judge/weighted.py",
    "monitor/judge/uptake.py",
    "monitor/judge/troubles.py",
    "monitor/judge/causes.py",
    "monitor/scheduler/beat.py",
)
FORBIDDEN = (
    "aiokafka",
    "asyncio",
    "asyncpg",
    "datetime",
    "logging",
    "monitor.store",
    "monitor.stream",
    "random",
    "socket",
    "time",
)


def imports(tree: ast.AST) -> set[str]:
    """Every module named by an import, wherever it stands."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return found


def forbidden(names: set[str]) -> set[str]:
    return {name for name in names if any(name == bad or name.startswith(f"{bad}.") for bad in FORBIDDEN)}


@pytest.mark.parametrize("path", PURE)
def test_a_pure_module_imports_no_clock_and_no_io(path: str) -> None:
    assert forbidden(imports(ast.parse((ROOT / path).read_text(encoding="utf-8")))) == set()


def test_an_import_of_a_store_or_a_clock_is_found_wherever_it_hides() -> None:
    code = "def f():\n    from monitor.store import pool\n    import time\nfrom monitor import stream"
    assert forbidden(imports(ast.parse(code))) == {
        "monitor.store",
        "monitor.store.pool",
        "time",
        "monitor.stream",
    }
