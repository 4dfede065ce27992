"""The sample fleet: every target that a catalogue names on loopback, as a real listener, with faults.

Run as `python -m monitor.demo.fleet DATA [CONFIG]`: it reads the plan that `run.py` wrote into DATA (which
catalogue, which addresses were moved) or takes CONFIG as it is, listens, writes `fleet.ready`, plays the
faults and the script, and ends on SIGTERM.
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
from yarl import URL

from monitor.config.load import load
from monitor.demo import answers, authority, choices, faults
from monitor.demo.faults import Harm, Hits
from monitor.demo.listeners import (
    BannerTarget,
    DnsOverTcp,
    DnsOverUdp,
    HttpTarget,
    NameServer,
    Now,
    Pages,
    server_side,
)
from monitor.demo.plan import AUTHORITY, CERTIFICATES, PLAN, READY, Plan
from monitor.lifetime import Stop, live, stopping_on_signals
from monitor.log import Log, set_up
from monitor.model import Catalogue, Check
from probes import addresses
from probes import dns_settings as dns
from probes import http_settings as http
from probes import tcp_settings as tcp

LOOK_S = 0.5
LOOPBACK = "127.0.0.1"
SLUGGISH = 3.0  # times as slow while waiting for a slow system
Address = tuple[str, int]
Make = Callable[[], asyncio.BaseProtocol]

log = Log(__name__)


class Fleet:
    """The catalogue's targets. `hits` is replaced whole whenever what is wrong changes."""

    def __init__(self, catalogue: Catalogue, folder: Path) -> None:
        """`folder` keeps the fleet's certificates."""
        self.catalogue = catalogue
        self.hits: Hits = {}
        self._folder = folder
        self._chance = random.Random()  # noqa: S311 - latencies, not secrets
        self._secure = self._certificates()

    def play(self, check: Check) -> Now:
        """What this check's target does for the question that has just come."""
        harm = self.hits.get(check.key)
        usual_ms = answers.delay_ms(check, time.time(), self._chance)
        if harm is Harm.SLOW:
            return Now(delay_ms=answers.slow_ms(check))
        if harm is Harm.SLUGGISH:
            return Now(delay_ms=min(SLUGGISH * usual_ms, 0.5 * check.within_ms))
        return Now(delay_ms=usual_ms, broken=harm is Harm.BROKEN, wrong_page=harm is Harm.WRONG_PAGE)

    async def listen(self, stack: AsyncExitStack) -> int:
        """Open every socket, closed again by `stack`; returns how many. Raises OSError when one is taken."""
        sites, banners, servers = self._sites(), self._banners(), self._name_servers()
        for place in {*sites, *self._secure}:
            await self._listen_http(stack, place, sites.get(place, {}))
        for place, (check, banner) in banners.items():
            await _serve(stack, functools.partial(BannerTarget, check, banner, self.play), place)
        for place, server in servers.items():
            await _serve(stack, functools.partial(DnsOverTcp, server), place)
            await _serve_udp(stack, server, place)
        return len({*sites, *self._secure, *banners, *servers})

    async def _listen_http(self, stack: AsyncExitStack, place: Address, site: Pages) -> None:
        context = self._context(place) if place in self._secure else None
        await _serve(stack, lambda: HttpTarget(site, self.play), place, context=context)

    def _checks(self) -> list[Check]:
        return list(self.catalogue.checks.values())

    def _sites(self) -> Mapping[Address, Pages]:
        """Address → path → the check behind it and its answer when all is well."""
        sites: dict[Address, dict[str, tuple[Check, answers.Reply]]] = {}
        for check in self._checks():
            if isinstance(check.ask, http.Settings):
                url = URL(check.ask.url)
                if is_loopback(url.host or ""):
                    place = url.host or "", url.port or 80
                    sites.setdefault(place, {})[url.raw_path_qs] = check, answers.well(check, check.ask)
        return sites

    def _certificates(self) -> dict[Address, list[Check]]:
        """Address → the checks that see its certificate."""
        seen: dict[Address, list[Check]] = {}
        for check in self._checks():
            if (found := choices.certificate(check.ask)) is not None and is_loopback(found[0]):
                seen.setdefault(found[:2], []).append(check)
        return seen

    def _banners(self) -> dict[Address, tuple[Check, bytes]]:
        return {
            (check.ask.host, check.ask.port): (check, check.ask.banner.encode())
            for check in self._checks()
            if isinstance(check.ask, tcp.Settings) and is_loopback(check.ask.host)
        }

    def _name_servers(self) -> dict[Address, NameServer]:
        servers: dict[Address, NameServer] = {}
        for check in self._checks():
            if isinstance(check.ask, dns.Settings) and check.ask.resolver:
                place = addresses.split(check.ask.resolver)
                if is_loopback(place[0]):
                    servers.setdefault(place, NameServer(self.play)).add(check, check.ask)
        return servers

    def _context(self, place: Address) -> ssl.SSLContext:
        """TLS settings that follow the faults of the checks which see this certificate."""
        seen = {check.key: choices.certificate(check.ask) for check in self._secure[place]}
        hosts = {place[0], "localhost", *(found[2] for found in seen.values() if found and found[2])}
        usual, expiring = (
            server_side(*authority.issue(self._folder, f"{name}-{place[1]}", hosts=hosts, lasts=lasts))
            for name, lasts in (("usual", authority.USUAL), ("expiring", authority.EXPIRING))
        )

        def choose(connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
            harms = {self.hits.get(key) for key, found in seen.items() if found and found[2] == name}
            if Harm.EXPIRING in harms:
                connection.context = expiring
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR if harms == {Harm.BROKEN} else None

        usual.sni_callback = choose  # called for every handshake, with a name or without
        return usual


def is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.")


async def _serve(
    stack: AsyncExitStack, make: Make, place: Address, *, context: ssl.SSLContext | None = None
) -> None:
    server = await asyncio.get_running_loop().create_server(make, *place, ssl=context, backlog=256)
    stack.callback(server.close)


async def _serve_udp(stack: AsyncExitStack, server: NameServer, place: Address) -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: DnsOverUdp(server), local_addr=place)
    stack.callback(transport.close)


async def follow_faults(fleet: Fleet, data: Path, stop: Stop) -> None:
    """Play what the file of faults says, twice a second."""
    chosen = faults.chosen(fleet.catalogue)
    was: frozenset[str] = frozenset()
    while not stop.requested:
        now = time.time()
        on = faults.active(data, now=now)
        fleet.hits = faults.hits(chosen, on, now=now)
        if was != (names := frozenset(on)):
            log.info("fleet.faults", on=sorted(names), checks=len(fleet.hits))
            was = names
        await stop.pause(LOOK_S)


async def follow_script(data: Path, stop: Stop) -> None:
    """Switch faults on by the timetable, counted from now."""
    began = after = time.time()
    while not stop.requested:
        now = time.time()
        for name, for_s in faults.due(began, after=after, until=now):
            faults.trigger(data, name, for_s=for_s, by="script")
        after = now
        await stop.pause(LOOK_S)


async def nothing() -> None:
    """Stands in for the script when faults come by hand only."""


def plan_of(data: Path, config: str | None) -> Plan:
    """What `run.py` planned, or `config` with nothing moved."""
    if config is None:
        return msgspec.json.decode((data / PLAN).read_bytes(), type=Plan)
    return Plan(config=config, replace={AUTHORITY: str(authority.ensure(data / CERTIFICATES))})


async def run(data: Path, plan: Plan, stop: Stop) -> None:
    """Listen and play until `stop`."""
    fleet = Fleet(load(Path(plan.config), replace=plan.replace).catalogue, data / CERTIFICATES)
    async with AsyncExitStack() as stack:
        addresses = await fleet.listen(stack)
        log.info("fleet.listens", addresses=addresses, checks=len(fleet.catalogue.checks))
        (data / READY).write_text(str(os.getpid()))
        script = follow_script(data, stop) if plan.script else nothing()
        await live(stop, {"faults": follow_faults(fleet, data, stop), "script": script})


async def _main(data: Path, config: str | None = None) -> None:
    stop = Stop()
    with stopping_on_signals(stop):
        (data / READY).unlink(missing_ok=True)
        await run(data, plan_of(data, config), stop)


if __name__ == "__main__":
    set_up()
    asyncio.run(_main(Path(sys.argv[1]), *sys.argv[2:3]))
