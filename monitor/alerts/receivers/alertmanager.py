"""Alertmanager's API v2: hands over all alerts at once, and says whether they were taken."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

import aiohttp

from monitor.alerts.alerts import Alert
from monitor.alerts.receivers.names import name_of
from monitor.config.alerts import AlertsSettings
from monitor.outcome import Fate, Outcome, of_status, seconds_asked
from probes.contract import SecretUnavailable, resolve_secret

POST_S = 5.0  # less than half of the lease under which it is done


class Alertmanager:
    """One of them. Credentials are read when they are needed, so that they may be changed."""

    def __init__(self, url: str, settings: AlertsSettings, session: aiohttp.ClientSession) -> None:
        self.url, self.name = url.rstrip("/"), name_of(url)
        self._settings, self._session = settings, session

    async def post(self, alerts: Sequence[Alert]) -> Outcome:
        """Hand them over, within a deadline. Never raises for what the other side does."""
        try:
            headers, trust = self._authorization(), self._trust()
        except (SecretUnavailable, OSError) as error:  # its text names the reference only
            return Outcome(Fate.PASSING, f"credentials: {error}")
        try:
            async with (
                asyncio.timeout(POST_S),
                self._session.post(
                    f"{self.url}/api/v2/alerts",
                    json=alerts,
                    headers=headers,
                    ssl=trust,
                    allow_redirects=False,
                ) as response,
            ):
                return of_status(response.status, wait_s=seconds_asked(response.headers.get("Retry-After")))
        except TimeoutError:
            return Outcome(Fate.PASSING, f"no answer within {POST_S:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Outcome(Fate.PASSING, type(error).__name__)

    def _authorization(self) -> dict[str, str]:
        given = self._settings
        if given.alertmanager_token:
            return {"Authorization": f"Bearer {resolve_secret(given.alertmanager_token)}"}
        if given.alertmanager_user:
            password = resolve_secret(given.alertmanager_password) if given.alertmanager_password else ""
            return {"Authorization": aiohttp.encode_basic_auth(given.alertmanager_user, password)}
        return {}

    def _trust(self) -> ssl.SSLContext | bool:
        ca = self._settings.alertmanager_ca
        return ssl.create_default_context(cafile=ca) if ca else True
