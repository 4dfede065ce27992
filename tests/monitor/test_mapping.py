"""Messages of others become transactions by their mapping, or say where and why they do not."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.config.load import load
from monitor.config.transactions import Place, Source
from monitor.errors import BadMessage
from monitor.judge.mapping import Mapped, Mapping
from monitor.model import TransactionOutcome

SOURCE = Source(
    name="portal",
    topic="portal.orders",
    service=Place(path="order.kind", values={"PASS-01": "passport"}),
    channel=Place(constant="web"),
    outcome=Place(path="status", values={"OK": "completed", "200": "completed", "PENDING": "ignored"}),
    time="createdAt",
    id="order.numbers.0",
    count="n",
    duration_ms="took",
)
MESSAGE = {
    "order": {"kind": "PASS-01", "numbers": [17, 18]},
    "status": "OK",
    "createdAt": "2026-11-25T12:00:00+04:00",
}
AT = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)


def read(message: Any, **changed: Any) -> Mapped | None:
    source = msgspec.structs.replace(SOURCE, **changed)
    return Mapping(source).event(message if isinstance(message, bytes) else msgspec.json.encode(message))


def why(message: Any, **changed: Any) -> str:
    with pytest.raises(BadMessage) as caught:
        read(message, **changed)
    assert caught.value.reason == "unreadable"
    return str(caught.value)


def test_each_part_is_taken_from_its_place_and_means_what_its_values_say() -> None:
    assert read(MESSAGE) == Mapped("17", "passport", "web", TransactionOutcome.COMPLETED, AT, 1, None)


def test_what_is_counted_already_and_how_long_each_took() -> None:
    found = read(MESSAGE | {"n": 12.0, "took": 80})
    assert found is not None
    assert (found.count, found.duration_ms) == (12, 80)


def test_a_number_means_what_its_digits_say() -> None:
    found = read(MESSAGE | {"status": 200})
    assert found is not None
    assert found.outcome is TransactionOutcome.COMPLETED


def test_a_value_without_a_meaning_stands_as_it_is() -> None:
    found = read(MESSAGE | {"order": {"kind": "visa"}, "status": "failed"})
    assert found is not None
    assert (found.service, found.id, found.outcome) == ("visa", "", TransactionOutcome.FAILED)


def test_what_the_mapping_ignores_is_no_transaction() -> None:
    assert read(MESSAGE | {"status": "PENDING"}) is None


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("rfc3339", "2026-11-25T08:00:00Z"),
        ("unix", 1_795_593_600),
        ("unix", "1795593600"),
        ("unix_ms", 1_795_593_600_000),
        ("unix_ms", 1.7955936e12),
    ],
)
def test_times_are_read_as_the_source_writes_them(form: str, written: Any) -> None:
    found = read(MESSAGE | {"createdAt": written}, time_format=form)
    assert found is not None
    assert found.at == AT


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("rfc3339", "2026-11-25T08:00:00"),
        ("rfc3339", 1_795_593_600),
        ("unix", "today"),
        ("unix", "NaN"),
        ("unix_ms", 1e300),
        ("unix_ms", None),
        ("unix_ms", [1]),
    ],
)
def test_a_time_in_another_form_is_named(form: str, written: Any) -> None:
    assert why(MESSAGE | {"createdAt": written}, time_format=form).startswith("createdAt: ")


def test_every_other_mistake_is_named_by_its_place() -> None:
    bare = {key: value for key, value in MESSAGE.items() if key != "order"}
    assert why(bare) == "nothing lies at order.kind, which is the service"
    assert why(MESSAGE | {"status": "LOST"}) == (
        'status: "LOST" is none of completed, failed, abandoned, ignored; say in `values` what it means'
    )
    assert why(MESSAGE | {"n": 1.5}) == "n: 1.5 is no whole number"
    assert why(MESSAGE | {"n": True}) == "n: true is no number"
    assert why(MESSAGE | {"took": "long"}) == 'took: "long" is no number'
    assert why(MESSAGE | {"order": {"kind": {}}}) == "order.kind: {} is no text and no number"
    assert why(b"<order/>").startswith("no JSON: ")


def test_the_identity_is_that_of_the_event() -> None:
    mapping = Mapping(SOURCE)
    assert mapping.identity(msgspec.json.encode(MESSAGE)) == ("passport", "17")
    assert mapping.identity(msgspec.json.encode(MESSAGE | {"status": "PENDING"})) == ("", "")


def test_the_example_of_the_documents_is_read_as_they_say(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "sources.md").read_text(encoding="utf-8")
    [configuration] = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    [message] = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    (tmp_path / "monitor.yaml").write_text(configuration)
    [source] = load(tmp_path, environ={}).settings.transactions.sources
    found = Mapping(source).event(message.encode())
    assert found == Mapped("4711", "passport", "web", TransactionOutcome.COMPLETED, AT, 1, None)
