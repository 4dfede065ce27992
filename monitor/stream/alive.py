"""A client of Kafka that will never answer again is noticed and replaced, not waited for.

aiokafka works by background tasks and does not look after them: one that died of something unforeseen leaves
a client that waits for ever and logs nothing. One such thing is known: uvloop says RuntimeError where asyncio
says nothing of a connection closed just now, and a broker's restart then ends the task that learns who leads.
"""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

from monitor.errors import StreamUnavailable

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


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """End it, also where a background task died: ending would raise what that died of, and leave the rest."""
    try:
        _forget_the_dead(consumer._client)
        await consumer.stop()
    finally:
        await consumer._client.close()


async def stop_producer(producer: AIOKafkaProducer) -> None:
    """The same for a producer."""
    try:
        _forget_the_dead(producer.client)
        await producer.stop()
    finally:
        await producer.client.close()


def _forget_the_dead(client: AIOKafkaClient) -> None:
    if client._sync_task is not None and client._sync_task.done():
        client._sync_task = None
