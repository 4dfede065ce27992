"""`continuity report deliver`, `deliveries`, `drafts` and `sign-off`, on a real database."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from monitor.cli import continuity
from monitor.report.files import FORMATS
from monitor.report.voice import DRAFT_MARK
from monitor.store import reports
from monitor.store.pool import open_store
from tests import reported
from tests.golden_week import golden
from tests.world import World, government

LABEL = "2026-W47"
CONFIG = """
postgres: {{dsn: "{dsn}"}}
services: [{{slug: passport, url: "http://127.0.0.1:1/"}}]
report:
  review_s: 3600
  delivery:
    recipients:
      - {{name: chair, folder: /nowhere, reviews: true}}
      - {{name: archive, folder: /nowhere}}
"""


@pytest.fixture
def config(database: str, tmp_path: Path) -> Path:
    (tmp_path / "monitor.yaml").write_text(CONFIG.format(dsn=database))
    return tmp_path


async def command(config: Path, *arguments: str) -> Result:
    words = ["report", *arguments, "--config", str(config)]
    return await asyncio.to_thread(CliRunner().invoke, continuity, words)


@pytest.mark.parametrize("language", ["ar", "en"])
async def test_a_draft_is_printed_or_written_as_a_file_that_says_so(
    config: Path, database: str, tmp_path: Path, language: str
) -> None:
    out = ("--language", language, "--out", str(tmp_path / "out"))
    async with open_store(database) as store:
        await World(store, government(entities=1, services=1)).begin()
        unseen = await command(config, "show", LABEL, "--draft")
        frozen = await reported.draft(store, golden())
        shown = await command(config, "show", LABEL, "--draft", "--language", language)
        published = await command(config, "show", LABEL)
        wrong = await command(config, "show", LABEL, "--draft", "--version", "1")
        made = [await command(config, "show", LABEL, "--draft", "--format", form, *out) for form in FORMATS]
    files = {Path(each.stdout.strip()) for each in made}
    assert shown.stdout.startswith(f"{DRAFT_MARK}\n")
    assert [each.exit_code for each in (unseen, shown, published, wrong)] == [2, 0, 2, 2]
    assert f"no draft {LABEL} of government waits" in unseen.output
    assert all(file.stem.endswith("-DRAFT") and file.stat().st_size for file in files)
    assert {file.suffix: file for file in files}[".json"].read_bytes() == frozen


async def test_a_draft_is_listed_signed_off_sent_and_sent_again(config: Path, database: str) -> None:
    async with open_store(database) as store:
        await World(store, government(entities=1, services=1)).begin()
        frozen = await reported.draft(store, golden())
        listed = await command(config, "drafts")
        [_, _, _, _, sha256] = listed.stdout.strip().split("\t")
        unseen = await command(config, "sign-off", LABEL, "--by", "Fatima", "--sha256", "0" * 64)
        signed = await command(config, "sign-off", LABEL, "--by", "Fatima", "--sha256", sha256)
        assert await reports.document(store, scope="government", label=LABEL) == frozen
        twice = await command(config, "sign-off", LABEL, "--by", "Fatima", "--sha256", sha256)
        again = await command(config, "deliver", LABEL, "--to", "archive", "--by", "desk")
        wrong = await command(config, "deliver", LABEL, "--to", "archives")
        rows = json.loads((await command(config, "deliveries", LABEL, "--json")).stdout)
        told = await command(config, "deliveries")
    assert listed.stdout.startswith(f"{LABEL}\tgovernment\tversion 1\tuntil ")
    assert signed.stdout.startswith(f"published {LABEL} of government, version 1, ")
    assert again.stdout.startswith(f"{LABEL} will be sent to archive")
    assert [(row["recipient"], row["stage"], row["state"]) for row in rows] == [
        ("archive", "published", "waiting"),
        ("chair", "published", "waiting"),
    ]
    assert f"waiting  {LABEL} government version 1  chair" in told.stdout
    assert [each.exit_code for each in (listed, signed, again)] == [0, 0, 0]
    assert (unseen.exit_code, twice.exit_code, wrong.exit_code) == (2, 2, 2)
    assert "read it before you sign" in unseen.output
    assert "did you mean `archive`?" in wrong.output


async def test_a_reply_is_entered_on_behalf_listed_and_withdrawn_once(config: Path, database: str) -> None:
    async with open_store(database) as store:
        catalogue = government(entities=1, services=1)
        await World(store, catalogue).begin()
        [entity] = catalogue.entities
        given = ("reply", LABEL, "--entity", entity.slug, "--by", "Fatima")
        both = ("--text", "A router.", "--text", "عطل في الموجّه.")
        kept = await command(config, *given, "--about", "F10", *both)
        twice = await command(config, *given, "--text", "A router.", "--text", "Another.")
        wrong = await command(config, *given, "--about", "F99", "--text", "A router.")
        withdrawn = [await command(config, "withdraw-reply", "1", "--by", "Amal") for _ in range(2)]
        listed = await command(config, "replies", LABEL, "--entity", entity.slug)
        [row] = json.loads((await command(config, "replies", LABEL, "--json")).stdout)
    assert kept.stdout == f"reply 1 of {entity.slug} about {LABEL} is kept\n"
    assert (row["en"], row["ar"]) == ("A router.", "عطل في الموجّه.")
    assert (row["code"], row["on_behalf"]) == ("F10", True)
    assert "F10\t" in listed.stdout
    assert "withdrawn" in listed.stdout
    assert [each.exit_code for each in (kept, twice, wrong, *withdrawn, listed)] == [0, 2, 2, 0, 2, 0]
    assert "is no figure, no incident" in wrong.output
