"""Ports chosen in one go are distinct: nobody gets one that another part of the run is about to use."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.config.load import load
from monitor.demo.kafka import free_port
from monitor.demo.places import LOOPBACK, choose, ports, stage

CONFIG = Path(__file__).parents[2] / "config"
LOWER_HALF = range(1, 46_884)  # of the ports that the system gives


@pytest.fixture
def busy() -> Iterator[int]:
    """A port of the sample fleet that somebody listens on, or did before this test."""
    port = min(ports(load(CONFIG, replace={}).catalogue))
    with socket.socket() as other:
        try:
            other.bind((LOOPBACK, port))
            other.listen()
        except OSError:
            pass  # busy all the same
        yield port


def quiet(_: str) -> None:
    """Nobody is told."""


def test_a_free_port_is_none_of_those_somebody_is_about_to_use() -> None:
    assert all(free_port(LOWER_HALF) not in LOWER_HALF for _ in range(20))


def test_a_wish_that_is_taken_gets_another_port_which_is_taken_then() -> None:
    taken = {wish := free_port()}
    chosen = choose(wish, what="the pages", tell=quiet, taken=taken)
    assert taken == {wish, chosen}
    assert chosen != wish


def test_every_port_of_the_fleet_is_taken_moved_or_not(busy: int, tmp_path: Path) -> None:
    taken: set[int] = set()
    plan = stage(CONFIG, tmp_path, script=False, tell=quiet, taken=taken)
    assert plan is not None
    assert f"{LOOPBACK}:{busy}" in plan.replace
    listening = ports(load(CONFIG, replace=plan.replace).catalogue)
    assert (taken, len(listening)) == (listening, len(ports(load(CONFIG, replace={}).catalogue)))
