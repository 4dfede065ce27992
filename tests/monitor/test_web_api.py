"""The API: what it answers, how it pages, what it refuses, and that its description says all of it."""

from __future__ import annotations

import json
import re
from typing import Any

import aiohttp
import pytest
from openapi_spec_validator import validate

from monitor.model import Verdict
from monitor.store.read import place_now
from monitor.store.tokens import Role
from monitor.web.api.openapi import document
from monitor.web.app import api_routes
from monitor.web.cursors import decode_place, encode_place
from tests.acting import sign_in
from tests.golden_week import about, golden
from tests.reported import draft, publish
from tests.serving import Served, serving, until

Json = dict[str, Any]


def test_the_description_is_valid_openapi() -> None:
    validate(json.loads(json.dumps(document())))


def test_every_route_is_described_and_every_description_is_a_route() -> None:
    routes = {(route.path, route.method.lower()) for route in api_routes()}
    described = {(path, method) for path, methods in document()["paths"].items() for method in methods}
    assert routes == described


async def test_every_answer_has_what_its_description_requires(database: str) -> None:
    async with serving(database) as served:
        await served.world.attempts("service:s0001/web", hours=0.1)
        await served.world.service_falls("s0001")
        made = await served.world.incident("service:s0001", channels=("service:s0001/web",))
        await publish(served.store, golden())
        await draft(served.store, golden(about=about(version=2)))
        await sign_in(served, role=Role.COMMITTEE)
        work = await served.world.work("service:s0002", from_s=-60, to_s=3600)
        paths = document()["paths"]
        for path, methods in paths.items():
            if path.endswith("/events") or "get" not in methods:
                continue
            asked = path.replace("services/{slug}", "services/s0001").replace("{slug}", "payments")
            asked = asked.replace("exclusions/{number}", f"exclusions/{work}")
            asked = asked.replace("{number}", made.number)
            asked = asked.replace("{label}", "2026-W47").replace("{form}", "json").replace("{code}", "F05")
            asked += "?subject=service:s0001" if path.endswith("observations") else ""
            asked += "?subject=service:s0001&period=7d" if "/availability" in path else ""
            schema = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            assert missing(schema, await served.json(asked)) == [], path


def missing(schema: Json, value: Any, at: str = "") -> list[str]:
    """Required properties that a value lacks, and those it has that nobody described."""
    if "$ref" in schema:
        return missing(document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], value, at)
    if "oneOf" in schema:
        return [] if value is None else missing(schema["oneOf"][0], value, at)
    if "allOf" in schema:
        return [each for part in schema["allOf"] for each in missing(part, value, at)]
    if schema.get("type") == "array":
        return [each for item in value for each in missing(schema["items"], item, f"{at}[]")]
    found = [f"{at}.{name}" for name in schema.get("required", []) if name not in value]
    for name, inner in schema.get("properties", {}).items():
        if name in value and value[name] is not None:
            found += missing(inner, value[name], f"{at}.{name}")
    return found


async def test_page_api_and_metric_say_the_same_headline(database: str) -> None:
    """One function computes it; three readers print it."""
    async with serving(database) as served:
        await served.world.service_falls("s0001")
        await until(lambda: served.live.picture is not None and served.live.picture.headline.unavailable == 1)
        said = await served.json("/api/v1/continuity")
        metrics, page = await served.text("/metrics/state"), await served.text("/")
    assert (said["required"], said["available"], said["not_available"], said["unknown"]) == (12, 11, 1, 0)
    assert (said["ratio_percent"], said["target_met"], said["most_unavailable"]) == ("91.6", False, 0)
    assert "continuity_services_remotely_available 11\n" in metrics
    assert "91.6%" in page


async def test_services_are_filtered_by_verdict_and_entity(database: str) -> None:
    async with serving(database) as served:
        await served.world.service_falls("s0001")
        await until(lambda: served.live.picture is not None and served.live.picture.headline.unavailable == 1)
        down = await served.json("/api/v1/services?verdict=down")
        owned = await served.json("/api/v1/services?entity=e02")
    slugs = [[item["slug"] for item in answer["items"]] for answer in (down, owned)]  # type: ignore[attr-defined]
    assert slugs == [["s0001"], ["s0002", "s0006", "s0010"]]


async def test_a_service_tells_measured_from_derived(database: str) -> None:
    async with serving(database) as served:
        await served.world.system_falls("payments")
        await until(lambda: served.live.picture is not None and served.live.picture.headline.unavailable > 0)
        answer: Json = await served.json("/api/v1/services/s0000")
    web, centre = answer["channels"][0], answer["channels"][-1]
    assert (web["measured"]["verdict"], web["verdict"], web["cause"], web["derived"]) == (
        "up",
        "down",
        "system:payments",
        True,
    )
    assert centre["own_check"] is (centre["slug"] == "web")


async def test_observations_come_page_by_page_each_once(database: str) -> None:
    async with serving(database) as served:
        await served.world.attempts("service:s0001/web", hours=0.5)
        seen: list[str] = []
        path, following = "/api/v1/observations?subject=service:s0001&limit=25", ""
        while following is not None:
            page: Json = await served.json(path + (f"&cursor={following}" if following else ""))
            seen += [item["due"] for item in page["items"]]
            following = page["next"]
    assert (len(seen), len(set(seen)), seen) == (60, 60, sorted(seen, reverse=True))


async def test_observations_are_filtered_by_outcome_and_time(database: str) -> None:
    async with serving(database) as served:
        await served.world.attempts("service:s0001/web", hours=0.5, down_s=(300, 0))
        page: Json = await served.json("/api/v1/observations?check=service:s0001/web/main&outcome=down")
    assert (len(page["items"]), {item["reason"] for item in page["items"]}) == (10, {"status"})


async def test_changes_since_a_cursor_come_once_and_in_order(database: str) -> None:
    async with serving(database) as served:
        first: Json = await served.json("/api/v1/changes")
        await served.world.service_falls("s0001")
        second: Json = await served.json(f"/api/v1/changes?since={first['next']}&limit=2")
        third: Json = await served.json(f"/api/v1/changes?since={second['next']}")
        fourth: Json = await served.json(f"/api/v1/changes?since={third['next']}")
    subjects = [item["subject"] for item in second["items"] + third["items"]]
    assert (subjects, fourth["items"], fourth["next"]) == (
        ["service:s0001/web", "service:s0001/web", "service:s0001/app", "service:s0001"],
        [],
        third["next"],
    )


async def test_t43_a_change_committed_late_is_not_missed_by_whoever_read_a_later_one(database: str) -> None:
    """The row with the lower id commits last; a cursor by id would have passed it."""
    async with serving(database) as served:
        start = encode_place(await place_now(served.store))
        async with served.store.connection() as slow, slow.transaction():
            await _insert(slow, "service:s0001")
            await served.world.change("effective", "service:s0002", Verdict.DOWN, reason="timeout")
            during: Json = await served.json(f"/api/v1/changes?since={start}")
        after: Json = await served.json(f"/api/v1/changes?since={during['next']}")
    assert during["items"] == []
    assert [item["subject"] for item in after["items"]] == ["service:s0001", "service:s0002"]


async def _insert(connection: Any, subject: str) -> None:
    await connection.execute(
        "insert into change (layer, subject, at, verdict, reason, cause, evidence, serial) "
        "values ('effective', $1, now(), 'down', 'timeout', '', '[]', 1)",
        subject,
    )


async def test_a_withdrawn_change_comes_again_and_says_when(database: str) -> None:
    async with serving(database) as served:
        await served.world.change("effective", "service:s0001", Verdict.DOWN, reason="timeout")
        start = encode_place(await place_now(served.store))
        async with served.store.transaction() as connection:
            await connection.execute(
                "update change set withdrawn_at = now(), tx = pg_current_xact_id() "
                "where subject = 'service:s0001' and verdict = 'down'"
            )
        answer: Json = await served.json(f"/api/v1/changes?since={start}")
    assert [(item["subject"], item["withdrawn_at"] is not None) for item in answer["items"]] == [
        ("service:s0001", True)
    ]


@pytest.mark.parametrize(
    ("path", "status", "detail"),
    [
        ("services/nothing", 404, "no service 'nothing' in the catalogue"),
        ("services?verdict=fine", 400, "`verdict` must be one of up, degraded, unknown, down"),
        ("observations", 400, "give `check` (a check's path) or `subject` (a service, channel or system)"),
        ("observations?subject=service:x", 404, "no check belongs to 'service:x' in the catalogue"),
        ("observations?subject=service:s0001&limit=0", 400, "`limit` must be from 1 to 500"),
        (
            "observations?subject=service:s0001&from=yesterday",
            400,
            "`from` must be an RFC 3339 instant such as 2026-11-15T08:00:00Z",
        ),
        (
            "observations?subject=service:s0001&from=2020-01-01T00:00:00Z",
            400,
            "`from` must be before `to`, by at most 35 days",
        ),
        (
            "observations?subject=service:s0001&cursor=!",
            400,
            "`cursor` must be a `next` that this API gave",
        ),
        ("changes?since=zzzz", 400, "`since` must be a `next` or `cursor` that this API gave"),
        ("nothing", 404, ""),
    ],
)
async def test_what_cannot_be_answered_is_a_problem_that_says_why(
    database: str, path: str, status: int, detail: str
) -> None:
    async with serving(database) as served, served.http.get(f"{served.url}/api/v1/{path}") as answer:
        problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["status"], problem["detail"]) == (status, status, detail)
    assert problem["instance"] == f"/api/v1/{path.partition('?')[0]}"


async def test_times_are_rfc_3339_in_utc(database: str) -> None:
    async with serving(database) as served:
        said = await served.json("/api/v1/services/s0001")
    assert all(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(said[name]))
        for name in ("as_of", "since")
    )


async def test_events_say_hello_beat_and_name_what_changed(database: str) -> None:
    async with serving(database) as served, served.http.get(f"{served.url}/api/v1/events") as stream:
        events = Events(stream)
        hello = await events.next("hello")
        await events.next("heartbeat")
        await served.world.service_falls("s0001")
        changed = await events.until_named("s0001")
    assert hello["as_of"]
    assert changed["revision"] != hello["revision"]


async def test_an_events_id_is_a_cursor_of_changes(database: str) -> None:
    async with serving(database) as served, served.http.get(f"{served.url}/api/v1/events") as stream:
        events = Events(stream)
        await events.next("hello")
        assert decode_place(events.last_id) == served.live._place


class Events:
    """Reads a stream of server-sent events."""

    def __init__(self, stream: aiohttp.ClientResponse) -> None:
        self._stream, self.last_id = stream, ""

    async def any(self) -> tuple[str, Json]:
        name, data = "", ""
        while line := (await self._stream.content.readline()).decode().strip():
            field, _, value = line.partition(": ")
            name = value if field == "event" else name
            data = value if field == "data" else data
            self.last_id = value if field == "id" else self.last_id
        return name, json.loads(data)

    async def next(self, wanted: str) -> Json:
        while True:
            name, data = await self.any()
            if name == wanted:
                return data

    async def until_named(self, slug: str) -> Json:
        while True:
            data = await self.next("changes")
            if slug in data["services"]:
                return data


async def test_health_and_readiness_are_told_apart(database: str) -> None:
    async with serving(database) as served:
        found: list[Served] = [served]
        assert await found[0].json("/healthz") == {"status": "alive"}
        assert await found[0].json("/readyz") == {"status": "ready"}
