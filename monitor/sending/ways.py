"""The two ways out: straight to Kafka, or over HTTP to a monitor's gateway."""

from __future__ import annotations

import gzip
import time
from collections.abc import Sequence
from typing import Protocol

import aiohttp
import msgspec

from monitor.errors import BadMessage, BufferFull, MonitorError, StreamUnavailable
from monitor.judge.accepting import Offers, check_values
from monitor.judge.counting import span
from monitor.sending.lines import Item
from monitor.stream.send import Sender

REQUEST_S = 30.0
PATH = "/api/v1/transactions"


class Failed(msgspec.Struct, frozen=True):
    """A line that was not taken; line 0 stands for `count` lines that nobody named."""

    line: int
    why: str
    count: int = 1


class Away(MonitorError):
    """Not now: try the same again after `after_s` seconds."""

    def __init__(self, why: str, after_s: float = 0.0) -> None:
        self.after_s = after_s
        super().__init__(why)


class Way(Protocol):
    """Where events go."""

    def check(self, item: Item) -> str:
        """Why it would not be taken, as far as that can be told here; "" when it may be."""

    async def deliver(self, items: Sequence[Item]) -> list[Failed]:
        """Returns once it is acknowledged, with what was not taken. Raises Away."""


class Checks:
    """What can be told of an event before it is sent. Without `offers` the catalogue is not known here."""

    def __init__(self, offers: Offers | None, *, ahead_s: float) -> None:
        self._offers, self._ahead_s = offers, ahead_s

    def check(self, item: Item) -> str:
        assert item.event is not None
        within = span(int(time.time() * 1000), ahead_s=self._ahead_s)
        try:
            if self._offers is None:
                check_values(item.event, within)
            else:
                self._offers.check(item.event, within)
        except BadMessage as error:
            return str(error)
        return ""


class ToKafka(Checks):
    """Straight to Kafka: what is wrong is found here, nobody answers."""

    def __init__(self, sender: Sender, offers: Offers | None, *, ahead_s: float) -> None:
        super().__init__(offers, ahead_s=ahead_s)
        self._sender = sender

    async def deliver(self, items: Sequence[Item]) -> list[Failed]:
        try:
            await self._sender.send([(item.event.service, item.value) for item in items if item.event])
        except (StreamUnavailable, BufferFull) as error:
            raise Away(str(error)) from error
        return []


class Nowhere(Checks):
    """For showing what would be sent."""

    async def deliver(self, items: Sequence[Item]) -> list[Failed]:
        raise AssertionError("nothing is to be sent")


class Taken(msgspec.Struct):
    """The gateway's answer, or its problem: how many were refused, and the first of them."""

    accepted: int = 0
    refused: int = 0
    failed: list[Failed] = []
    detail: str = ""


class ToGateway(Checks):
    """Over HTTP, as NDJSON in gzip."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, *, ahead_s: float) -> None:
        super().__init__(None, ahead_s=ahead_s)
        self._session, self._url = session, url.rstrip("/").removesuffix(PATH) + PATH
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
        }

    async def deliver(self, items: Sequence[Item]) -> list[Failed]:
        body = gzip.compress(b"\n".join(item.value for item in items), compresslevel=1)
        limit = aiohttp.ClientTimeout(total=REQUEST_S)
        try:
            async with self._session.post(
                self._url, data=body, headers=self._headers, timeout=limit, allow_redirects=False
            ) as answer:
                return self._heard(answer, _read(await answer.read()), items)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Away(f"{self._url}: {type(error).__name__}: {error}") from error

    def _heard(self, answer: aiohttp.ClientResponse, said: Taken, items: Sequence[Item]) -> list[Failed]:
        if answer.status in (202, 422):
            named = [Failed(items[one.line - 1].line, one.why) for one in said.failed]
            left = said.refused - len(named)
            return [*named, Failed(0, "refused too", left)] if left > 0 else named
        why = f"{self._url} answered {answer.status}: {said.detail or answer.reason}"
        if answer.status in (408, 429) or answer.status >= 500:
            after = answer.headers.get("Retry-After", "")
            raise Away(why, float(after) if after.isdigit() else 0.0)
        raise MonitorError(why)


def _read(body: bytes) -> Taken:
    try:
        return msgspec.json.decode(body, type=Taken)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Taken()
