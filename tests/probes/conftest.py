"""What the probes' tests share: both event loops, and one certificate authority a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.probes.servers import Authority


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every probe is asked on the loop that deployed probers run and on Python's own."""
    return {"uvloop": uvloop.new_event_loop, "asyncio": asyncio.new_event_loop}


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(Path(tmp_path_factory.mktemp("authority")))


@pytest.fixture(autouse=True)
def _nothing_from_the_environment(monkeypatch: Any) -> None:
    monkeypatch.delenv("TOKEN", raising=False)
