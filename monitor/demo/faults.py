"""What can go wrong in the sample fleet: which faults there are, whom they hit, and which ones are on.

The faults that are on stand in one small file of the data folder, which only its owner may read; the fleet
looks at it twice a second. So no port is open for them: `continuity demo fault NAME` edits that file.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

import msgspec

from monitor.demo import choices
from monitor.errors import UsageError
from monitor.model import Catalogue

FILE = "faults.json"
FOR_S = 120.0
FOR_S_MOST = 24 * 3600.0
FLAP_S = 25.0  # down this long, then up this long


class Harm(StrEnum):
    """What a fault does to one check's target."""

    BROKEN = "broken"  # an error status, a refused handshake, SERVFAIL
    SLOW = "slow"  # answers, but far over its objective
    SLUGGISH = "sluggish"  # waits for a slow system: three times its usual time
    FLAPPING = "flapping"  # broken for a while, well for a while
    WRONG_PAGE = "wrong_page"  # status 200 and an error text
    EXPIRING = "expiring"  # a certificate with two days left


Hits = dict[str, Harm]
"""Whom a fault hits: the check's path → what happens to its target."""


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that can go wrong. `choose` finds whom it hits in a catalogue; empty when nobody fits."""

    name: str
    about: str
    choose: Callable[[Catalogue], Hits]


def _shared_system_down(catalogue: Catalogue) -> Hits:
    """Its own checks fail. The channels' own pages go on answering: that they are blocked is derived."""
    return dict.fromkeys(choices.checks_of(choices.by_reach(catalogue)[0:1]), Harm.BROKEN)


def _slow_system(catalogue: Catalogue) -> Hits:
    systems = choices.by_reach(catalogue)[1:2]
    waiting = dict.fromkeys(choices.checks_of(choices.channels_needing(catalogue, systems)), Harm.SLUGGISH)
    return waiting | dict.fromkeys(choices.checks_of(systems), Harm.SLOW)


def _flapping_system(catalogue: Catalogue) -> Hits:
    return dict.fromkeys(choices.checks_of(choices.by_reach(catalogue)[2:3]), Harm.FLAPPING)


def _expiring_certificate(catalogue: Catalogue) -> Hits:
    return dict.fromkeys(choices.behind_one_certificate(catalogue), Harm.EXPIRING)


def _error_page(catalogue: Catalogue) -> Hits:
    return dict.fromkeys(choices.with_a_text(catalogue)[0:1], Harm.WRONG_PAGE)


def _channel_down(catalogue: Catalogue) -> Hits:
    return dict.fromkeys(choices.checks_of(choices.with_an_alternative(catalogue)[0:1]), Harm.BROKEN)


FAULTS = {
    fault.name: fault
    for fault in (
        Fault(
            name="shared-system-down",
            about=f"a shared system that {choices.REACH} or more services need stops answering",
            choose=_shared_system_down,
        ),
        Fault(
            name="slow-system",
            about="a shared system answers far too slowly, and whoever waits for it slows down",
            choose=_slow_system,
        ),
        Fault(
            name="flapping-system",
            about=f"a shared system fails for {FLAP_S:.0f} s and works for {FLAP_S:.0f} s, again and again",
            choose=_flapping_system,
        ),
        Fault(
            name="expiring-certificate",
            about="a certificate that sites share has two days left",
            choose=_expiring_certificate,
        ),
        Fault(
            name="error-page",
            about="a service's page answers with status 200 and an error text",
            choose=_error_page,
        ),
        Fault(
            name="channel-down",
            about="one channel of a service fails while another still completes the service",
            choose=_channel_down,
        ),
    )
}

SCRIPT_EVERY_S = 1500.0
SCRIPT = (  # name, seconds after the start of each round, and how long
    ("channel-down", 45.0, 150.0),
    ("shared-system-down", 90.0, 150.0),
    ("error-page", 300.0, 180.0),
    ("slow-system", 420.0, 240.0),
    ("expiring-certificate", 720.0, 240.0),
    ("flapping-system", 1020.0, 240.0),
)


class On(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that is on, from and until these Unix seconds, by `hand` or by `script`."""

    since: float
    until: float
    by: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A fault and whether it is on, as `continuity demo faults` lists it."""

    name: str
    about: str
    on: On | None


def trigger(data: Path, name: str, *, for_s: float = FOR_S, by: str = "hand", now: float | None = None) -> On:
    """Switch a fault on for `for_s` seconds. Raises UsageError for an unknown name or an odd duration."""
    if name not in FAULTS:
        raise UsageError(f"there is no fault {name!r}; there are: {', '.join(FAULTS)}")
    if not 1 <= for_s <= FOR_S_MOST:
        raise UsageError(f"--for takes 1 to {FOR_S_MOST:.0f} seconds, not {for_s:g}")
    since = time.time() if now is None else now
    on = On(since=since, until=since + for_s, by=by)
    with _editing(data) as faults:
        faults[name] = on
    return on


def clear(data: Path, name: str | None = None) -> list[str]:
    """Switch one fault off, or all; returns the names of those that were on. Raises UsageError."""
    if name is not None and name not in FAULTS:
        raise UsageError(f"there is no fault {name!r}; there are: {', '.join(FAULTS)}")
    with _editing(data) as faults:
        gone = [fault for fault in list(faults) if name in (None, fault)]
        for fault in gone:
            del faults[fault]
    return gone


def states(data: Path, *, now: float | None = None) -> list[State]:
    """Every fault, on or off."""
    on = active(data, now=now)
    return [State(name=fault.name, about=fault.about, on=on.get(fault.name)) for fault in FAULTS.values()]


def active(data: Path, *, now: float | None = None) -> dict[str, On]:
    """The faults that are on now. A file that cannot be read counts as none."""
    at = time.time() if now is None else now
    return {name: on for name, on in _read(data / FILE).items() if on.since <= at < on.until}


def due(began: float, *, after: float, until: float) -> Iterator[tuple[str, float]]:
    """The script: names and durations that begin in (after, until], Unix seconds; rounds run from `began`."""
    first = max(0, int((after - began) // SCRIPT_EVERY_S))
    for number in range(first, int((until - began) // SCRIPT_EVERY_S) + 1):
        for name, at_s, for_s in SCRIPT:
            if after < began + number * SCRIPT_EVERY_S + at_s <= until:
                yield name, for_s


def chosen(catalogue: Catalogue) -> dict[str, Hits]:
    """Whom each fault hits in this catalogue."""
    return {fault.name: fault.choose(catalogue) for fault in FAULTS.values()}


def hits(chosen: Mapping[str, Hits], on: Mapping[str, On], *, now: float) -> Hits:
    """What happens to which check now; where two faults meet, the one that began first wins."""
    together: Hits = {}
    for name, how in sorted(on.items(), key=lambda item: item[1].since):
        for check, harm in chosen[name].items():
            if harm is not Harm.FLAPPING:
                together.setdefault(check, harm)
            elif (now - how.since) % (2 * FLAP_S) < FLAP_S:
                together.setdefault(check, Harm.BROKEN)
    return together


def _read(file: Path) -> dict[str, On]:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=dict[str, On])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}
    return {name: on for name, on in found.items() if name in FAULTS}


@contextmanager
def _editing(data: Path) -> Iterator[dict[str, On]]:
    """The file's content, written back whole; one editor at a time."""
    if not data.is_dir():
        raise UsageError(f"{data} is not the data folder of a demo; start one with `make run`")
    with (data / f"{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # held for a few milliseconds by whoever has it
        faults = _read(data / FILE)
        yield faults
        fresh = data / f"{FILE}.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(faults))
        fresh.replace(data / FILE)
