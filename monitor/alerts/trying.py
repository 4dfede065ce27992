"""Sends one test message, so that nobody learns at night that an address is wrong."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import aiohttp

from monitor.alerts.receivers.alertmanager import Alertmanager
from monitor.alerts.receivers.names import name_of
from monitor.alerts.receivers.opening import receivers
from monitor.alerts.text import teller
from monitor.config.alerts import AlertsSettings
from monitor.config.decode import suggestion
from monitor.errors import UsageError
from monitor.model import Catalogue
from monitor.outcome import Outcome

TEST_S = 60


async def tried(settings: AlertsSettings, catalogue: Catalogue, name: str, *, url: str, host: str) -> Outcome:
    """What the receiver said to a test message. Raises UsageError when none is called so."""
    ways = {name_of(address): address for address in settings.alertmanagers}
    now_ms = round(time.time() * 1000)
    if name in ways:
        return await _try_alertmanager(settings, ways[name])
    by_name = {one.name: one for one in settings.receivers}
    if name not in by_name:
        known = [*ways, *by_name]
        near = suggestion(name, known) if known else "; `alerts:` of the configuration names none"
        raise UsageError(f"no receiver is called {name!r}{near}")
    language = by_name[name].language or catalogue.languages[0]
    message = teller(language, catalogue.zone).test(name, at_ms=now_ms, link=url)
    async with receivers(settings.receivers, host=host) as opened:
        return await opened.send(name, message, key=f"continuity-test-{now_ms}")


async def _try_alertmanager(settings: AlertsSettings, url: str) -> Outcome:
    """An alert of severity `info`, over in a minute."""
    ends = datetime.now(UTC) + timedelta(seconds=TEST_S)
    alert = {
        "labels": {"alertname": "ContinuityTest", "severity": "info", "team": settings.team},
        "annotations": {"summary": "Test of the continuity monitor; nothing is wrong"},
        "endsAt": ends.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    async with aiohttp.ClientSession(trust_env=False) as session:
        return await Alertmanager(url, settings, session).post([alert])
