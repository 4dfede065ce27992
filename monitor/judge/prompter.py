"""Has questions asked at once, beside the loop that found them: Kafka away delays no look."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from monitor.errors import StreamUnavailable
from monitor.judge.questions import Question
from monitor.lifetime import Stop
from monitor.log import Log
from monitor.metrics import HandlingMetrics
from monitor.stream.wire import Request

log = Log(__name__)
WAITING_MOST = 8  # looks whose questions may wait; a question is worth nothing after some seconds

Send = Callable[[Sequence[tuple[str, Request]]], Awaitable[None]]


class Prompter:
    """Sends what it is given, in order. `send` may raise StreamUnavailable: that costs one interval."""

    def __init__(self, send: Send, *, metrics: HandlingMetrics) -> None:
        self._send, self._metrics = send, metrics
        self._waiting: asyncio.Queue[list[Question]] = asyncio.Queue(WAITING_MOST)

    def ask(self, questions: Iterable[Question]) -> None:
        """Take them, or drop them when too many wait."""
        asked = list(questions)
        if asked and self._waiting.full():
            self._metrics.asked.labels("dropped").inc(len(asked))
        elif asked:
            self._waiting.put_nowait(asked)

    async def run(self, stop: Stop) -> None:
        """Until `stop`."""
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while not stop.requested:
                coming = asyncio.ensure_future(self._waiting.get())
                await asyncio.wait({coming, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    coming.cancel()
                    return
                await self._pass_on(coming.result())
        finally:
            stopping.cancel()

    async def _pass_on(self, asked: list[Question]) -> None:
        requests = [
            (one.vantage, Request(check=one.check, due_ms=one.due_ms, attempt=1, expires_ms=one.expires_ms))
            for one in asked
        ]
        try:
            await self._send(requests)
        except StreamUnavailable as error:
            log.warning("incidents.not_asked", questions=len(asked), why=str(error))
            self._metrics.asked.labels("failed").inc(len(asked))
        else:
            self._metrics.asked.labels("sent").inc(len(asked))
