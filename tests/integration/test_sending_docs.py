"""Every sender in docs/sending.md is run as it stands there, and its events are in Kafka afterwards."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from monitor.config.load import load
from monitor.demo import embedded
from monitor.metrics import GatewayMetrics
from monitor.model import Catalogue
from monitor.store import tokens
from monitor.store.pool import Store
from monitor.store.tokens import Role
from monitor.stream.kafka import Kafka, ensure_topics
from monitor.stream.send import open_sender
from monitor.stream.wire import TRANSACTIONS, decode_transaction
from monitor.web.gateway import Gateway
from tests.conftest import KCAT_PASSWORD, KCAT_USER, Allow
from tests.integration.monitor_process import super_user
from tests.integration.parts import program
from tests.integration.test_send import stored
from tests.serving import serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sending.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
CATALOGUE = "services: [{slug: passport-renewal, url: 'https://passport.example'}]\n"
RUN_WITHIN_S = 300.0  # a first `go run` compiles its library, on a machine that may be busy


EXAMPLES = {
    "curl": ("sh", "curl", 1),
    "continuity send, NDJSON": ("sh", "send transactions.ndjson", 2),
    "continuity send, CSV": ("sh", "send counter.csv", 2),
    "continuity send, access log": ("sh", "send access.log", 2),
    "kcat": ("sh", "kcat", 1),
    "Python over Kafka": ("python", "aiokafka", 3),
    "Python": ("python", "urllib", 3),
    "Java": ("java", "HttpClient", 3),
    "Go": ("go", "net/http", 3),
}
TOOLS = {"curl": "curl", "kcat": "kcat", "Java": "java", "Go": "go"}


def code(name: str) -> str:
    language, word, _ = EXAMPLES[name]
    [found] = [text for kind, text in BLOCKS if kind == language and word in text]
    return found


def command(name: str, folder: Path) -> list[str]:
    """How a person would run this block."""
    language = EXAMPLES[name][0]
    file = folder / {"sh": "send.sh", "python": "send.py", "java": "Send.java", "go": "send.go"}[language]
    file.write_text(code(name), encoding="utf-8")
    runs = {"sh": ["sh", "-eu"], "python": [sys.executable], "java": ["java"], "go": ["go", "run"]}
    return [*runs[language], file.name]


def files(folder: Path) -> None:
    """What the blocks about files read."""
    at = datetime.now(UTC)
    event = {"service": "passport-renewal", "channel": "web", "outcome": "completed", "at": at.isoformat()}
    (folder / "transactions.ndjson").write_text(2 * (json.dumps(event) + "\n"))
    (folder / "counter.csv").write_text(
        f"finished,result\n{at.isoformat()},failed\n{at.isoformat()},abandoned\n"
    )
    line = f'10.0.0.1 - - [{at:%d/%b/%Y:%H:%M:%S %z}] "%s HTTP/1.1" 200 9 "-" "-"\n'
    asked = ("POST /passport/submit", "GET /passport/submit", "PUT /passport/v2/submit?step=3", "GET /")
    (folder / "access.log").write_text("".join(line % each for each in asked))
    bin_ = folder / "bin"
    bin_.mkdir()
    (bin_ / "continuity").write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m monitor "$@"\n'
    )
    (bin_ / "continuity").chmod(0o755)


def environment(folder: Path, kafka: Kafka, **more: str) -> dict[str, str]:
    kcat = folder / "kcat.conf"
    kcat.write_text(
        f"security.protocol={kafka.security}\nsasl.mechanism=PLAIN\n"
        f"sasl.username={KCAT_USER}\nsasl.password={KCAT_PASSWORD}\n"
    )
    sign_in = {
        "security_protocol": kafka.security,
        "sasl_mechanism": kafka.mechanism,
        "sasl_plain_username": kafka.user,
        "sasl_plain_password": kafka.password,
    }
    return {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "HOME": os.environ["HOME"],  # where Go keeps what it compiled before
        "KCAT_CONFIG": str(kcat),
        "KAFKA": kafka.bootstrap,
        "KAFKA_SIGN_IN": json.dumps(sign_in),
        "TOPIC": kafka.topic(TRANSACTIONS),
        **more,
    }


def catalogue(folder: Path) -> Catalogue:
    file = folder / "catalogue.yaml"
    file.write_text(CATALOGUE)
    return load(file, environ={}).catalogue


@pytest.mark.parametrize("name", EXAMPLES)
async def test_a_sender_of_the_page_works_as_it_stands_there(
    name: str, database: str, kafka_server: embedded.Kafka, topic_prefix: str, allow: Allow, tmp_path: Path
) -> None:
    if name in TOOLS:
        program(TOOLS[name])
    kafka = super_user(kafka_server, topic_prefix)
    await ensure_topics(kafka, vantages=[])
    await allow(KCAT_USER, topic=topic_prefix, operations=("write",))
    files(tmp_path)

    def gateway(store: Store) -> Gateway:
        return Gateway(sender, store, GatewayMetrics(CollectorRegistry()))

    async with (
        open_sender(kafka) as sender,
        serving(database, catalogue(tmp_path), gateway=gateway) as served,
    ):
        secret = await tokens.create_token(served.store, "desk", role=Role.SENDER)
        env = environment(tmp_path, kafka, MONITOR_URL=served.url, MONITOR_TOKEN=secret)
        for _ in range(2 if name in ("curl", "Python") else 1):
            code, said = await run(command(name, tmp_path), env, tmp_path)
            assert code == 0, said
    found = [
        (key, decode_transaction(value))
        for records in (await stored(kafka)).values()
        for key, value in records
    ]
    assert {key for key, _ in found} == {"passport-renewal"}
    assert len({event.id for _, event in found}) == EXAMPLES[name][2]


async def run(words: list[str], env: dict[str, str], folder: Path) -> tuple[int, str]:
    """Exit code and everything printed."""
    done = await asyncio.to_thread(
        subprocess.run, words, cwd=folder, env=env, timeout=RUN_WITHIN_S, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def test_every_block_of_the_page_is_run_by_a_test() -> None:
    run_here = {code(name) for name in EXAMPLES}
    others = [text for kind, text in BLOCKS if text not in run_here]
    assert len(others) == 1
    decode_transaction(others[0].encode())  # the one event at the top


def test_every_option_that_the_page_names_exists() -> None:
    from monitor.cli import continuity

    options = {option for parameter in continuity.commands["send"].params for option in parameter.opts}
    shell = " ".join(text for kind, text in BLOCKS if kind == "sh" and "continuity send" in text)
    assert set(re.findall(r" (--[a-z-]+)", shell)) <= options
