"""Long work beside an event loop: the thread that does it lets go of the interpreter in between."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Thing = TypeVar("Thing")
POLITE_EVERY = 16


def politely(things: Iterable[Thing]) -> Iterator[Thing]:
    """Let the event loop have the interpreter every millisecond or so, not every five."""
    for number, thing in enumerate(things):
        if number % POLITE_EVERY == 0:
            time.sleep(0)
        yield thing
