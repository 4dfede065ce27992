"""A client of Kafka that will never answer again is noticed and replaced, not waited for.

aiokafka works by background tasks and does not look after them: one that died of something unforeseen leaves
a client that waits for ever and logs nothing. One such thing is known: uvloop says RuntimeError where asyncio
says nothing of a connection closed just now, and a broker's restart then ends the task that learns who leads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaConnectionError

from monitor.errors import StreamUnavailable
from monitor.log import Log

log = Log(__name__)

_send = AIOKafkaConnection.send


def _say_closed(connection: Any, request: Any, expect_response: bool = True) -> Any:
    """`AIOKafkaConnection.send`, with one word for a connection that is closed, whatever the event loop."""
    try:
        return _send(connection, request, expect_response)
    except RuntimeError as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"{connection.host}:{connection.port}: {error}") from error


AIOKafkaConnection.send = _say_closed


def look_after_consumer(consumer: AIOKafkaConsumer) -> None:
    """Raises StreamUnavailable when this client cannot go on: open another."""
    fetcher = consumer._fetcher
    _alive(consumer._client._sync_task, fetcher and fetcher._fetch_task)


def look_after_producer(producer: AIOKafkaProducer) -> None:
    """Raises StreamUnavailable when this client cannot go on: open another."""
    _alive(producer.client._sync_task, producer._sender and producer._sender.sender_task)


def _alive(*tasks: Any) -> None:
    for task in tasks:
        if task is not None and task.done():
            why = "it was cancelled" if task.cancelled() else repr(task.exception())
            raise StreamUnavailable(f"Kafka: {task.get_coro().__qualname__} ended: {why}")


async def stop_consumer(consumer: AIOKafkaConsumer, *, within_s: float) -> None:
    """End it, also with a broker that is away, and leave nothing of it behind.

    What is left after `within_s` seconds is cut off: a heartbeat that went on would keep our partitions from
    whoever is to read them next.
    """
    coordinator, fetcher = consumer._coordinator, consumer._fetcher
    tasks = [fetcher and fetcher._fetch_task]
    if isinstance(coordinator, GroupCoordinator):
        tasks += [coordinator._coordination_task, coordinator._heartbeat_task]
        tasks += [coordinator._commit_refresh_task]
    await _end(consumer.stop, consumer._client, tasks, within_s=within_s)


async def stop_producer(producer: AIOKafkaProducer, *, within_s: float) -> None:
    """The same for a producer; an idempotent one would wait for ever for a broker that is away."""
    sender = producer._sender
    await _end(producer.stop, producer.client, [sender and sender.sender_task], within_s=within_s)


async def stop_admin(admin: AIOKafkaAdminClient, *, within_s: float) -> None:
    """The same for a client that asks about the cluster."""
    await _end(admin.close, admin._client, [], within_s=within_s)


async def _end(
    stop: Callable[[], Coroutine[Any, Any, None]],
    client: AIOKafkaClient,
    tasks: Iterable[asyncio.Task[None] | None],
    *,
    within_s: float,
) -> None:
    """Stop in a task of its own and wait only so long: aiokafka takes a cancellation for its own doing, and
    goes on waiting, so a deadline around it holds nothing.
    """
    if client._sync_task is not None and client._sync_task.done():
        client._sync_task = None  # ending would raise what it died of, and leave the rest
    for work in (stop, client.close):
        stopping = asyncio.ensure_future(work())
        done, _ = await asyncio.wait([stopping], timeout=within_s)
        if not done:
            log.warning("kafka.cut_off", what=work.__qualname__)
        for task in (stopping, *tasks):
            if task is not None and not task.done():
                task.cancel()
        stopping.add_done_callback(_seen)


def _seen(task: asyncio.Task[None]) -> None:
    """Whatever a client said at its end concerns nobody any more."""
    if not task.cancelled():
        task.exception()
