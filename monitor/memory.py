"""Memory that is no longer used, given back to the system."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """glibc keeps what a backlog needed for as long as the process lives, unless it is asked. Some ms."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # not with every C library
        trim(0)
