"""`continuity report weekly`, `month`, `quarter`, `range`, `list` and `show`, on a real database."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import continuity
from monitor.report.document import decode
from monitor.report.voice import Voice
from monitor.store import report_deliveries, reports
from monitor.store.pool import open_store
from tests import golden_week as golden
from tests.integration import golden_store
from tests.reported import publish

LABEL = "2026-W47"
CONFIG = """
postgres: {{dsn: "{dsn}"}}
services: [{{slug: passport, url: "http://127.0.0.1:1/"}}]
report:
  delivery:
    recipients: [{{name: archive, folder: /nowhere}}]
"""
A4, PROJECTOR = "595", "959"


@pytest.fixture
def config(database: str, tmp_path: Path) -> Path:
    (tmp_path / "monitor.yaml").write_text(CONFIG.format(dsn=database))
    return tmp_path


def info(pdf: Path) -> str:
    return subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, timeout=30, check=True).stdout


async def command(config: Path, *arguments: str) -> Result:
    words = ["report", *arguments, "--config", str(config)]
    return await asyncio.to_thread(CliRunner().invoke, continuity, words)


@pytest.mark.parametrize(
    ("words", "label"),
    [
        (("weekly", "--week", LABEL), LABEL),
        (("month", "2026-10"), "2026-10"),
        (("quarter", "2026-Q3"), "2026-Q3"),
        (("range", "2026-11-10", "2026-11-19"), "2026-11-10_2026-11-19"),
    ],
)
async def test_a_report_of_an_entity_is_published_once_listed_and_read(
    config: Path, database: str, words: tuple[str, ...], label: str
) -> None:
    options = ("--entity", "interior", "--incomplete", "--by", "desk")
    async with open_store(database) as store:
        await golden_store.write(store)
        made = await command(config, *words, *options)
        twice = await command(config, *words, *options)
        listed = await command(config, "list", "--json")
        shown = await command(config, "show", label, "--entity", "interior")
        text = await reports.document(store, scope="entity:interior", label=label)
        await command(config, *words, *options, "--correct", "reported late")
        corrected = await reports.versions(store, scope="entity:interior", label=label)
    assert text is not None
    document = decode(text)
    assert made.stdout.startswith(f"published {label} of interior, version 1\n")
    assert (twice.exit_code, "is published already, as version 1" in twice.output) == (2, True)
    [line] = json.loads(listed.stdout)
    assert (line["label"], line["scope"]) == (label, "entity:interior")
    assert shown.stdout.startswith(str(Voice("en", document).sentence))
    assert f"F01\t{Voice('en', document).plain('F01.name')}\t" in shown.stdout
    assert [each.version for each in corrected] == [2, 1]


async def test_the_week_of_everybody_is_planned_for_whoever_is_sent_it(config: Path, database: str) -> None:
    async with open_store(database) as store:
        await golden_store.write(store)
        await command(config, "weekly", "--week", LABEL, "--entity", "interior", "--incomplete")
        none = await report_deliveries.log(store)
        await command(config, "weekly", "--week", LABEL, "--incomplete")
        planned = await report_deliveries.log(store)
    assert none == []
    assert [(row.recipient, row.label, row.state) for row in planned] == [("archive", LABEL, "waiting")]


@pytest.mark.skipif(shutil.which("pdfinfo") is None, reason="poppler-utils is not installed")
@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize(("paper", "width"), [("a4", A4), ("projector", PROJECTOR)])
async def test_a_report_is_written_as_a_pdf_in_either_language_on_either_paper(
    config: Path, database: str, tmp_path: Path, language: str, paper: str, width: str
) -> None:
    async with open_store(database) as store:
        await golden_store.write(store)
        await publish(store, golden.golden())
    options = ("--format", "pdf", "--language", language, "--paper", paper, "--out", str(tmp_path / "out"))
    done = await command(config, "show", LABEL, *options)
    [made] = (tmp_path / "out").iterdir()
    said = info(made)
    on = "" if paper == "a4" else "-projector"
    assert (done.exit_code, done.stdout.strip()) == (0, str(made))
    assert made.name == f"continuity-{LABEL}-government-v1-{language}{on}.pdf"
    assert re.search(rf"Page size: +{width}", said)
    assert Voice(language, golden.golden()).title in said
