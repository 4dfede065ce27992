"""POST /api/v1/transactions: who may send, what is accepted, and what every refusal says."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from monitor.demo import embedded
from monitor.demo.embedded import Postgres
from monitor.demo.kafka import free_port
from monitor.errors import StoreUnavailable
from monitor.metrics import GatewayMetrics
from monitor.store import tokens
from monitor.store.pool import open_store
from monitor.store.tokens import Role
from monitor.stream.kafka import Kafka, ensure_topics
from monitor.stream.send import open_sender
from monitor.stream.wire import decode_transaction
from monitor.web.bodies import BODY_MOST_BYTES, EXPANDED_MOST_BYTES, NDJSON
from monitor.web.gateway import FAILED_SHOWN, VERIFIED_S, Gateway, KnownTokens
from tests.integration.monitor_process import super_user
from tests.integration.monitor_process import until as eventually
from tests.integration.test_send import stored
from tests.serving import Served, serving

Json = dict[str, Any]
PATH = "/api/v1/transactions"
NOW = datetime.now(timezone(timedelta(hours=4))).isoformat()
GOOD: Json = {"service": "s0001", "channel": "web", "outcome": "completed", "at": NOW}


@pytest.fixture
async def kafka(kafka_server: embedded.Kafka, topic_prefix: str) -> Kafka:
    found = super_user(kafka_server, topic_prefix)
    await ensure_topics(found, vantages=[])
    return found


class Door:
    """A web role with its gateway, and a token to send with."""

    def __init__(self, served: Served, registry: CollectorRegistry) -> None:
        self.served, self._registry = served, registry
        self.secret = ""

    async def token(self, name: str, role: Role = Role.SENDER, *, entities: tuple[str, ...] = ()) -> str:
        return await tokens.create_token(self.served.store, name, role=role, entities=entities)

    async def post(
        self,
        body: bytes | object,
        *,
        media: str = "application/json",
        secret: str | None = None,
        **headers: str,
    ) -> tuple[int, Json, aiohttp.typedefs.LooseHeaders]:
        """Status, answer and headers of one POST."""
        given = {"Content-Type": media, **{name.replace("_", "-"): text for name, text in headers.items()}}
        if secret := self.secret if secret is None else secret:
            given["Authorization"] = f"Bearer {secret}"
        data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode())
        async with self.served.http.post(self.served.url + PATH, data=data, headers=given) as answer:
            return answer.status, await answer.json(content_type=None), answer.headers

    def count(self, name: str, **labels: str) -> float:
        return self._registry.get_sample_value(f"continuity_gateway_{name}", labels) or 0.0


@asynccontextmanager
async def door(database: str, kafka: Kafka, *, most_events: int = 250_000) -> AsyncIterator[Door]:
    registry = CollectorRegistry()
    async with open_sender(kafka, most_events=most_events) as sender:

        def gateway(store: Any) -> Gateway:
            return Gateway(sender, store, GatewayMetrics(registry))

        async with serving(database, gateway=gateway) as served:
            made = Door(served, registry)
            made.secret = await made.token("counter")
            yield made


def lines(*events: object) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


async def there(kafka: Kafka) -> list[tuple[str, Json]]:
    """Every event in Kafka with its key."""
    return [(key, json.loads(value)) for records in (await stored(kafka)).values() for key, value in records]


async def test_one_event_is_in_kafka_under_its_service_when_the_answer_comes(
    database: str, kafka: Kafka
) -> None:
    async with door(database, kafka) as way:
        status, answer, _ = await way.post({**GOOD, "id": "a-1"})
        assert (status, answer) == (202, {"accepted": 1, "refused": 0, "failed": []})
        assert await there(kafka) == [("s0001", {**GOOD, "id": "a-1"})]
        assert way.count("events_total") == 1
        assert way.count("in_flight_events") == 0


async def test_an_array_and_lines_are_taken_too_and_every_event_can_be_read(
    database: str, kafka: Kafka
) -> None:
    events = [{**GOOD, "service": f"s{n:04d}", "id": str(n)} for n in range(12)]
    async with door(database, kafka) as way:
        array = await way.post(events)
        ndjson = await way.post(b"\n" + lines(*events).replace(b"\n", b"\r\n\r\n"), media=NDJSON)
    assert (array[0], array[1]["accepted"]) == (ndjson[0], ndjson[1]["accepted"]) == (202, 12)
    found = await stored(kafka)
    read = [(key, decode_transaction(value)) for records in found.values() for key, value in records]
    assert len(read) == 24
    assert all(key == event.service for key, event in read)


async def test_gzip_is_taken_also_in_several_members(database: str, kafka: Kafka) -> None:
    body = gzip.compress(lines(GOOD, GOOD)) + gzip.compress(lines(GOOD))
    async with door(database, kafka) as way:
        status, answer, _ = await way.post(body, media=NDJSON, Content_Encoding="gzip")
    assert (status, answer["accepted"]) == (202, 3)


BAD = [
    ({"outcome": "done"}, "Invalid enum value 'done' - at `$.outcome`"),
    ({"at": "2026-11-25T09:00:00"}, "timezone"),
    ({"count": 0}, "`count` is 0; it must be from 1"),
    ({"count": -4}, "`count` is -4; it must be from 1"),
    ({"duration_ms": -1}, "`duration_ms` is -1; it must be from 0 to"),
    ({"id": "x" * 201}, "`id` has 201 characters; at most 200"),
    ({"at": "2990-01-01T00:00:00Z"}, "in the future"),
    ({"at": "2001-01-01T00:00:00Z"}, "more than 100 days ago"),
    ({"schema": 2}, "schema 2; this version reads 1"),
    ({"service": "pasport"}, "no service 'pasport' in the catalogue"),
    ({"channel": "kiosk"}, "no channel 'kiosk' of s0001 in the catalogue; it has app, service_centre, web"),
]


async def test_every_line_that_cannot_count_is_named_with_what_is_wrong_and_the_others_are_taken(
    database: str, kafka: Kafka
) -> None:
    body = lines(GOOD, *({**GOOD, **wrong} for wrong, _ in BAD)) + b"{not json\n" + lines(GOOD)
    async with door(database, kafka) as way:
        status, answer, _ = await way.post(body, media=NDJSON)
        by_reason = {
            reason: way.count("failures_total", reason=reason)
            for reason in ("unreadable", "schema", "absurd", "unknown_service", "unknown_channel")
        }
    assert (status, answer["accepted"], answer["refused"]) == (202, 2, len(BAD) + 1)
    assert [one["line"] for one in answer["failed"]] == [*range(2, len(BAD) + 3)]
    for one, (_, why) in zip(answer["failed"], BAD, strict=False):
        assert why in one["why"]
    assert by_reason == {
        "unreadable": 3, "schema": 1, "absurd": 6, "unknown_service": 1, "unknown_channel": 1
    }  # fmt: skip
    assert len(await there(kafka)) == 2


async def test_a_line_that_is_two_values_is_no_event(database: str, kafka: Kafka) -> None:
    two = lines(GOOD).strip() + b" " + lines(GOOD)
    async with door(database, kafka) as way:
        status, answer, _ = await way.post(two, media=NDJSON)
    assert (status, answer["failed"][0]["line"]) == (422, 1)
    assert await there(kafka) == []


async def test_nothing_accepted_is_a_problem_that_names_the_lines_and_the_list_is_bounded(
    database: str, kafka: Kafka
) -> None:
    async with door(database, kafka) as way:
        status, answer, headers = await way.post([{**GOOD, "service": "nowhere"}] * 150)
    assert (status, headers["Content-Type"]) == (422, "application/problem+json")
    assert (answer["refused"], len(answer["failed"])) == (150, FAILED_SHOWN)
    assert answer["detail"] == "line 1: no service 'nowhere' in the catalogue (and 149 more)"


REFUSED = [
    (b"", {}, 400, "there is no event"),
    (b"[]", {}, 400, "there is no event"),
    (b"[{]", {}, 400, "no JSON array"),
    (b"{}", {"media": "text/plain"}, 415, "application/x-ndjson"),
    (b"{}", {"Content_Encoding": "br"}, 415, "Content-Encoding: gzip"),
    (b"{}", {"Content_Encoding": "gzip"}, 400, "gzip is broken"),
    (gzip.compress(b"[]")[:-6], {"Content_Encoding": "gzip"}, 400, "gzip ends too early"),
    (b"", {"Content_Encoding": "gzip"}, 400, "gzip ends too early"),
    (b" " * (BODY_MOST_BYTES + 1), {}, 413, f"more than {BODY_MOST_BYTES} bytes"),
    (
        gzip.compress(b" " * (EXPANDED_MOST_BYTES + 1)),
        {"Content_Encoding": "gzip"},
        413,
        f"more than {EXPANDED_MOST_BYTES} bytes when expanded",
    ),
    (b"[" + b"0," * 100_000 + b"0]", {}, 413, "at most 100000 in one request"),
]


async def test_a_body_that_cannot_be_read_is_refused_with_what_would_be_right(
    database: str, kafka: Kafka
) -> None:
    async with door(database, kafka) as way:
        for body, more, expected, why in REFUSED:
            status, answer, headers = await way.post(body, **more)  # type: ignore[arg-type]
            assert (status, headers["Content-Type"]) == (expected, "application/problem+json"), answer
            assert why in answer["detail"]
        assert way.count("failures_total", reason="unreadable") == len(REFUSED)


async def test_a_chunked_body_without_a_length_is_bounded_too(database: str, kafka: Kafka) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(2 * BODY_MOST_BYTES // 65_536):
            yield b" " * 65_536

    async with door(database, kafka) as way:
        headers = {"Authorization": f"Bearer {way.secret}", "Content-Type": "application/json"}
        try:
            async with way.served.http.post(way.served.url + PATH, data=endless(), headers=headers) as answer:
                assert answer.status == 413
        except aiohttp.ClientConnectionError:
            pass  # it was cut before all was sent: as good
        assert way.count("failures_total", reason="unreadable") == 1


async def test_without_a_token_or_with_another_role_nothing_is_taken(database: str, kafka: Kafka) -> None:
    async with door(database, kafka) as way:
        statuses = {role: (await way.post(GOOD, secret=await way.token(role, role)))[0] for role in Role}
        nobody, unknown = await way.post(GOOD, secret=""), await way.post(GOOD, secret="ct_guess")
    assert statuses == {
        Role.VIEWER: 403, Role.COORDINATOR: 403, Role.OPERATOR: 202, Role.COMMITTEE: 403, Role.SENDER: 202
    }  # fmt: skip
    for status, answer, headers in (nobody, unknown):
        assert (status, answer["status"]) == (401, 401)
        assert headers["WWW-Authenticate"].startswith("Bearer")
    assert len(await there(kafka)) == 2


async def test_a_token_of_an_entity_sends_only_for_its_services(database: str, kafka: Kafka) -> None:
    async with door(database, kafka) as way:
        secret = await way.token("e01-desk", entities=("e01",))
        both = lines(GOOD, {**GOOD, "service": "s0002"})
        status, answer, _ = await way.post(both, media=NDJSON, secret=secret)
    assert (status, answer["accepted"]) == (202, 1)
    assert answer["failed"] == [{"line": 2, "why": "this token may not send for 's0002'"}]
    assert [key for key, _ in await there(kafka)] == ["s0001"]


async def test_a_session_may_send_from_our_own_pages_only(database: str, kafka: Kafka) -> None:
    async with door(database, kafka) as way:
        async with way.served.http.get(way.served.url + "/sign-in") as page:
            field = re.search(r'name="csrf" value="([^"]+)"', await page.text())
        assert field
        form = {"token": way.secret, "csrf": field[1]}
        async with way.served.http.post(way.served.url + "/sign-in", data=form):
            pass
        ours = await way.post(GOOD, secret="", Origin=way.served.url)
        theirs = await way.post(GOOD, secret="", Origin="https://elsewhere.example")
    assert (ours[0], theirs[0]) == (202, 403)


async def test_sending_is_not_throttled_as_other_writes_are_but_guessing_tokens_is(
    database: str, kafka: Kafka
) -> None:
    async with door(database, kafka) as way:
        sent = await asyncio.gather(*(way.post(GOOD) for _ in range(200)))
        guessed = [(await way.post(GOOD, secret=f"ct_{n}"))[0] for n in range(45)]  # a minute may turn once
    assert {status for status, *_ in sent} == {202}
    assert set(guessed) == {401, 429}


async def test_a_full_buffer_is_429_and_says_when_to_come_back(database: str, kafka: Kafka) -> None:
    async with door(database, kafka, most_events=5) as way:
        status, answer, headers = await way.post([GOOD] * 6)
        after = await way.post([GOOD] * 5)
        assert way.count("failures_total", reason="full") == 6
    assert (status, answer["title"], headers["Retry-After"]) == (429, "Full", "1")
    assert after[0] == 202


async def test_kafka_away_is_503_and_says_to_send_it_again(database: str) -> None:
    nowhere = Kafka(bootstrap=f"127.0.0.1:{free_port()}")
    async with door(database, nowhere) as way:
        status, answer, headers = await way.post([GOOD] * 3)
        assert way.count("failures_total", reason="away") == 3
    assert (status, headers["Retry-After"]) == (503, "5")
    assert "with the same ids" in answer["detail"]


async def test_a_revoked_token_sends_no_more_within_seconds(database: str, kafka: Kafka) -> None:
    async with door(database, kafka) as way:
        assert (await way.post(GOOD))[0] == 202
        await tokens.revoke_token(way.served.store, "counter")

        async def refused() -> bool:
            return (await way.post(GOOD))[0] == 401

        await eventually(refused, within_s=VERIFIED_S + 20)


async def test_many_that_ask_for_one_token_are_one_question_and_a_verified_one_outlives_the_database(
    database: str, postgres_server: Postgres
) -> None:
    asked: list[float] = []
    async with open_store(database, size=2, waited=asked.append) as store:
        secret = await tokens.create_token(store, "counter", role=Role.SENDER)
        known, before = KnownTokens(store, verified_s=0), len(asked)
        found = await asyncio.gather(*(known.holder(secret) for _ in range(50)))
        assert len(asked) == before + 1
        await asyncio.to_thread(postgres_server.stop)
        try:
            assert await known.holder(secret) == found[0]
            with pytest.raises(StoreUnavailable):
                await known.holder("ct_never_seen")
        finally:
            await asyncio.to_thread(postgres_server.start)
    assert {one and one.name for one in found} == {"counter"}
