"""Long work beside an event loop: the thread that does it lets go of the interpreter in between."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Thing = TypeVar("Thing")
POLITE_EVERY = 16


def politely(things: Iterable[Thing], *, every: int = POLITE_EVERY) -> Iterator[Thing]:
    """Let the event loop have the interpreter after `every` things: each millisecond or so, not each five."""
    for number, thing in enumerate(things):
        if number % every == 0:
            time.sleep(0)
        yield thing
