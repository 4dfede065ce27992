"""Who asks no target loads nothing that asking needs: it would cost every start its time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("aiohttp", "aiokafka", "asyncio", "asyncpg", "cryptography", "dns", "icmplib", "jinja2", "psutil")


def loaded_by(module: str) -> set[str]:
    """Which of the heavy libraries an import of `module` brings in."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize(
    "module", ["monitor.model", "monitor.config.load", "monitor.cli", "monitor.demo.run"]
)
def test_nouns_files_commands_and_the_start_of_the_demo_load_no_heavy_library(module: str) -> None:
    assert loaded_by(module) == set()


def test_whoever_asks_has_everything_loaded_before_the_first_question() -> None:
    assert loaded_by("probes.ask") >= {"aiohttp", "cryptography", "dns", "icmplib"}
