"""`continuity send FILE`: what of a file goes to Kafka, where it goes on, and what is said of the rest."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from monitor.cli import continuity
from monitor.demo import embedded
from monitor.stream.kafka import Kafka, ensure_topics
from tests.conftest import in_thread
from tests.integration.monitor_process import super_user
from tests.integration.test_send import stored
from tests.monitor.test_gateway import door

ROOT = Path(__file__).parents[2]
AT = datetime.now(UTC).replace(microsecond=0)
GOOD: dict[str, Any] = {
    "service": "passport", "channel": "web", "outcome": "completed", "at": AT.isoformat()
}  # fmt: skip
CATALOGUE = "services: [{slug: passport, url: 'https://p.example'}, {slug: tax, url: 'https://t.example'}]\n"


@pytest.fixture
def kafka(kafka_server: embedded.Kafka, topic_prefix: str) -> Kafka:
    found = super_user(kafka_server, topic_prefix)
    in_thread(ensure_topics(found, vantages=[]))
    return found


@pytest.fixture
def config(tmp_path: Path, kafka_server: embedded.Kafka, kafka: Kafka) -> Path:
    """A folder with a catalogue, the way to Kafka, and a data folder of its own."""
    settings = {
        "kafka": {
            "bootstrap": [kafka.bootstrap],
            "security": kafka.security.lower(),
            "mechanism": kafka.mechanism,
            "user": kafka.user,
            "password": f"file:{kafka_server.password_file}",
            "topic_prefix": kafka.topic_prefix,
        },
        "data": str(tmp_path / "data"),
    }
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "monitor.yaml").write_text(json.dumps(settings))
    (folder / "services.yaml").write_text(CATALOGUE)
    return folder


def send(*arguments: str | Path, config: Path) -> Result:
    given = ["send", *map(str, arguments), "--config", str(config)]
    return CliRunner().invoke(continuity, given, catch_exceptions=False)


def command(*arguments: str | Path, config: Path) -> list[str]:
    return [sys.executable, "-m", "monitor", "send", *map(str, arguments), "--config", str(config)]


def there(kafka: Kafka) -> list[dict[str, Any]]:
    """Every event in Kafka, by its id."""
    found: list[dict[str, Any]] = []

    async def read() -> None:
        for records in (await stored(kafka)).values():
            for key, value in records:
                event = json.loads(value)
                assert key == event["service"]
                found.append(event)

    in_thread(read())
    return sorted(found, key=lambda event: str(event["id"]))


def until(true: Callable[[], bool], *, within_s: float = 30.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def lines(*events: object) -> str:
    return "".join(json.dumps(event) + "\n" for event in events)


def test_lines_go_to_kafka_with_ids_and_the_same_command_sends_only_what_was_added(
    tmp_path: Path, config: Path, kafka: Kafka
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(lines({**GOOD, "id": "own", "extra": 1}, GOOD))
    first = send(file, config=config)
    with file.open("a") as more:
        more.write(lines({**GOOD, "outcome": "failed"}))
    second, third = send(file, config=config), send(file, config=config)
    found = there(kafka)
    assert [first.exit_code, second.exit_code, third.exit_code] == [0, 0, 0]
    said = ["2 events sent, 0 not\n", "1 event sent, 0 not\n", "0 events sent, 0 not\n"]
    assert [first.stdout, second.stdout, third.stdout] == said
    base = found[0]["id"].rpartition("-")[0]
    assert [event["id"] for event in found] == [f"{base}-2", f"{base}-3", "own"]
    assert found[2]["extra"] == 1


def test_what_cannot_count_is_named_by_file_and_line_and_the_rest_is_sent(
    tmp_path: Path, config: Path, kafka: Kafka
) -> None:
    file = tmp_path / "events.ndjson"
    bad = [{**GOOD, "service": "pasport"}, {**GOOD, "channel": "kiosk"}, {**GOOD, "count": 0}]
    old = {**GOOD, "at": (AT - timedelta(days=101)).isoformat()}
    file.write_text(
        lines(*bad, old) + "{\n\n" + lines({**GOOD, "id": "good"}) + "x" * 70_000 + "\n" + lines(GOOD)
    )
    result = send(file, config=config)
    assert result.exit_code == 1
    assert result.stdout == "2 events sent, 6 not, 1 passed over\n"
    said = result.stderr.splitlines()
    assert [line.split(": ")[0] for line in said] == [f"{file}:{number}" for number in (1, 2, 3, 4, 5, 8)]
    reasons = "no service 'pasport'|it has web|`count` is 0|more than 100 days ago|truncated|longer than"
    assert all(why in line for line, why in zip(said, reasons.split("|"), strict=True)), said
    assert len(there(kafka)) == 2


def test_of_many_mistakes_the_first_are_named_and_the_rest_counted(tmp_path: Path, config: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("{\n" * 50)
    result = send(file, config=config)
    assert result.stderr.splitlines()[-1] == "and 30 more"
    assert len(result.stderr.splitlines()) == 21


def test_csv_is_read_by_its_header_by_named_columns_and_with_constants(
    tmp_path: Path, config: Path, kafka: Kafka
) -> None:
    file = tmp_path / "june.csv"
    at = AT.isoformat()
    file.write_text(
        f'\ufeffwhen;"service";state;number;note\r\n{at};passport;completed;7;"two\r\nlines"\r\n'
        f"{at};passport;nonsense;1;\r\n;;;;\r\n{at};tax;failed;;\r\n"
    )
    given = ("--map", "at=when", "--map", "outcome=state", "--map", "count=number", "--set", "channel=web")
    result, again = send(file, *given, config=config), send(file, *given, config=config)
    assert (result.exit_code, result.stdout) == (1, "2 events sent, 1 not, 1 passed over\n")
    assert result.stderr.startswith(f"{file}:4: Invalid enum value 'nonsense'")
    assert (again.exit_code, again.stdout) == (0, "0 events sent, 0 not\n")
    assert sorted((event["service"], event.get("count", 1)) for event in there(kafka)) == [
        ("passport", 7), ("tax", 1)
    ]  # fmt: skip


def test_a_csv_without_a_column_that_is_needed_says_how_to_name_it(tmp_path: Path, config: Path) -> None:
    file = tmp_path / "june.csv"
    file.write_text("service,channel,when\n")
    result = send(file, config=config)
    assert result.exit_code == 2
    assert "no column 'outcome'" in result.stderr
    assert "--map outcome=COLUMN or --set outcome=VALUE" in result.stderr


LOG = """\
10.0.0.1 - - [{at}] "POST /passport/apply?step=4 HTTP/1.1" 201 512 "-" "Mozilla/5.0"
10.0.0.2 - ann [{at}] "GET /passport/apply HTTP/1.1" 200 99 "-" "Mozilla/5.0"
10.0.0.3 - - [{at}] "POST /tax/v2/returns HTTP/2.0" 503 12
10.0.0.4 - - [{at}] "POST /tax/v2/returns HTTP/2.0" 409 12 "-" "-" 0.4
10.0.0.5 - - [{at}] "-" 400 0 "-" "-"
10.0.0.6 - - [{at}] "GET /favicon.ico HTTP/1.1" 200 9 "-" "-"
not a line of a log
10.0.0.7 - - [99/Foo/2026:10:00:00 +0400] "POST /passport/apply HTTP/1.1" 200 9 "-" "-"
"""
MAPPING = """\
match:
  - {path: /passport/, methods: [POST], service: passport}
  - {regex: '^/tax/v\\d+/returns$', service: tax, channel: web}
outcomes: {2xx: completed, 409: abandoned, 5xx: failed}
"""


def test_an_access_log_is_read_by_a_mapping_and_most_of_it_passed_over(
    tmp_path: Path, config: Path, kafka: Kafka
) -> None:
    log, mapping = tmp_path / "access.log", tmp_path / "nginx.yaml"
    here = AT.astimezone().strftime("%d/%b/%Y:%H:%M:%S %z")
    log.write_text(LOG.format(at=here))
    mapping.write_text(MAPPING)
    result = send(log, "--mapping", mapping, config=config)
    assert (result.exit_code, result.stdout) == (1, "3 events sent, 2 not, 3 passed over\n")
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == [f"{log}:7", f"{log}:8"]
    found = there(kafka)
    assert sorted((event["service"], event["outcome"]) for event in found) == [
        ("passport", "completed"), ("tax", "abandoned"), ("tax", "failed")
    ]  # fmt: skip
    assert {datetime.fromisoformat(event["at"]) for event in found} == {AT}


def test_a_mistaken_mapping_is_named_by_its_place_and_nothing_is_sent(tmp_path: Path, config: Path) -> None:
    mapping, log = tmp_path / "nginx.yaml", tmp_path / "access.log"
    log.write_text("")
    mapping.write_text("match:\n  - {servce: tax}\n  - {service: tax}\n  - {service: tax, regex: '('}\n")
    unknown = send(log, "--mapping", mapping, config=config)
    mapping.write_text(mapping.read_text().replace("servce: tax", "service: tax, path: /"))
    empty = send(log, "--mapping", mapping, config=config)
    assert (unknown.exit_code, empty.exit_code) == (1, 1)
    assert f"{mapping}:2:6: unknown key `servce`; did you mean" in unknown.stderr
    assert f"{mapping}:3:5: a rule needs `path` or `regex`" in empty.stderr
    assert f"{mapping}:4:27: is no regular expression" in empty.stderr


def test_a_dry_run_shows_what_would_be_sent_and_sends_and_remembers_nothing(
    tmp_path: Path, config: Path, kafka: Kafka
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(lines(GOOD, {**GOOD, "count": 4}, {**GOOD, "outcome": "done"}))
    shown, read = send(file, "--dry-run", config=config), send(file, "--dry-run", "--json", config=config)
    assert shown.exit_code == read.exit_code == 1
    assert shown.stdout.splitlines()[0] == "passport\tweb\tcompleted\t5"
    assert shown.stdout.splitlines()[-1] == "2 events would be sent, 1 not"
    assert f"{file}:3: Invalid enum value 'done'" in shown.stderr
    assert json.loads(read.stdout) == {
        "sent": 0, "refused": 1, "passed_over": 0, "would_send": 2,
        "counts": [{"service": "passport", "channel": "web", "outcome": "completed", "transactions": 5}],
    }  # fmt: skip
    assert (there(kafka), (tmp_path / "data").exists()) == ([], False)


def test_a_rotated_file_goes_on_under_its_new_name_and_a_replaced_one_begins_anew(
    tmp_path: Path, config: Path, kafka: Kafka
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(lines({**GOOD, "id": "1"}))
    send(file, config=config)
    with file.open("a") as more:
        more.write(lines({**GOOD, "id": "2"}))
    file.rename(tmp_path / "events.ndjson.1")
    file.write_text(lines({**GOOD, "id": "3"}))
    result = send(tmp_path / "events.ndjson.1", file, config=config)
    assert result.stdout == "2 events sent, 0 not\n"
    assert [event["id"] for event in there(kafka)] == ["1", "2", "3"]


def test_a_last_line_without_its_end_is_sent_when_whole_and_else_left_for_later(
    tmp_path: Path, config: Path, kafka: Kafka
) -> None:
    file = tmp_path / "events.ndjson"
    whole = lines({**GOOD, "id": "1"}, {**GOOD, "id": "2"})
    file.write_text(whole[:-30])
    early = send(file, config=config)
    file.write_text(whole.rstrip())
    late = send(file, config=config)
    assert (early.exit_code, early.stdout) == (1, "1 event sent, 1 not\n")
    assert "and has no end yet" in early.stderr
    assert (late.exit_code, late.stdout) == (0, "1 event sent, 0 not\n")
    assert [event["id"] for event in there(kafka)] == ["1", "2"]


def test_again_sends_from_the_beginning_with_other_ids(tmp_path: Path, config: Path, kafka: Kafka) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(lines(GOOD))
    send(file, config=config)
    assert send(file, "--again", config=config).stdout == "1 event sent, 0 not\n"
    assert len({event["id"] for event in there(kafka)}) == 2


def progress(tmp_path: Path) -> int:
    """Bytes that are known to be sent."""
    states = [json.loads(file.read_text()) for file in (tmp_path / "data" / "sending").glob("*.json")]
    return sum(state["offset"] for state in states)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill -9", "Ctrl-C"])
def test_a_run_that_was_ended_goes_on_where_it_was_and_every_event_is_there_under_one_id(
    tmp_path: Path, config: Path, kafka: Kafka, number: signal.Signals
) -> None:
    file, events = tmp_path / "events.ndjson", 120_000
    file.write_text(lines(GOOD) * events)
    with subprocess.Popen(
        command(file, config=config), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        until(lambda: progress(tmp_path) > 0)
        process.send_signal(number)
        _, said = process.communicate(timeout=60)
    sent_bytes = progress(tmp_path)
    result = send(file, config=config)
    ids = Counter(event["id"] for event in there(kafka))
    assert (result.exit_code, 0 < sent_bytes < file.stat().st_size) == (0, True)
    assert len(ids) == events
    if number == signal.SIGINT:
        line = sent_bytes // len(lines(GOOD))
        where = f"stopped; {file} was sent up to line {line}; the same command goes on from there\n"
        assert (process.returncode, said) == (1, where)
        assert set(ids.values()) == {1}


def test_standard_input_is_sent_as_it_comes_and_a_stop_is_heard_while_it_waits(
    tmp_path: Path, config: Path, kafka: Kafka
) -> None:
    with subprocess.Popen(
        command("-", config=config), cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(lines(GOOD, GOOD))
        process.stdin.flush()
        until(lambda: len(there(kafka)) == 2)
        process.send_signal(signal.SIGINT)
        until(lambda: process.poll() is not None)
        assert process.stderr is not None
        assert (process.returncode, "standard input" in process.stderr.read()) == (1, True)
    assert len({event["id"] for event in there(kafka)}) == 2


def test_a_broker_that_is_away_is_waited_for(
    tmp_path: Path, config: Path, kafka: Kafka, kafka_server: embedded.Kafka
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(lines(GOOD) * 5)
    kafka_server.stop()
    try:
        process = subprocess.Popen(
            command(file, config=config), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        until(lambda: (tmp_path / "data" / "sending").exists())  # it has begun
    finally:
        kafka_server.start()
    said = process.communicate(timeout=60)
    assert (process.returncode, *said) == (0, "5 events sent, 0 not\n", "")
    assert len(there(kafka)) == 5


async def test_over_http_the_gateway_names_what_it_does_not_take(
    tmp_path: Path, database: str, kafka: Kafka
) -> None:
    file, empty = tmp_path / "events.ndjson", tmp_path / "nowhere"
    good = {**GOOD, "service": "s0001"}
    file.write_text(lines({**good, "id": "1"}, {**good, "service": "nowhere"}, good))
    async with door(database, kafka) as way:
        given = command(
            file, "--url", way.served.url, "--token", "env:GIVEN", "--data", tmp_path, config=empty
        )
        first = await run(given, GIVEN=way.secret)
        wrong = await run([*given, "--again"], GIVEN="ct_wrong")
    assert first == (1, "2 events sent, 1 not\n", f"{file}:2: no service 'nowhere' in the catalogue\n")
    assert wrong[0] == 1
    assert "answered 401: the token is unknown or revoked" in wrong[2]
    assert len([key for records in (await stored(kafka)).values() for key, _ in records]) == 2


async def run(given: list[str], **environ: str) -> tuple[int, str, str]:
    """Exit code and what was printed, away from this loop."""
    done = await asyncio.to_thread(
        subprocess.run,
        given,
        cwd=ROOT,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


WRONG = [
    ((), "name a FILE"),
    (("-", "-"), "read once"),
    (("a.ndjson", "--url", "http://m.example"), "go together"),
    (("a.ndjson", "--url", "http://m.example", "--token", "ct_secret"), "never the token itself"),
    (("a.log", "--format", "log"), "needs --mapping"),
    (("a.csv", "--mapping", "m.yaml", "--format", "csv"), "is for an access log"),
    (("a.csv", "--map", "nothing=x"), "write FIELD="),
]


@pytest.mark.parametrize(("given", "why"), WRONG)
def test_a_wrong_call_says_how_it_is_called_rightly(given: tuple[str, ...], why: str, tmp_path: Path) -> None:
    result = send(*given, config=tmp_path)
    assert result.exit_code == 2
    assert why in " ".join(result.stderr.split())
    assert "ct_secret" not in result.output


def test_a_file_that_is_not_there_is_said(config: Path, tmp_path: Path) -> None:
    result = send(tmp_path / "absent.ndjson", config=config)
    assert (result.exit_code, "cannot be read: No such file" in result.stderr) == (1, True)
