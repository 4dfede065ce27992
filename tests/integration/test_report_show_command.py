"""`continuity report show --figure`: how a figure was counted, in a terminal, on a real database."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from click.testing import CliRunner, Result

from monitor.cli import continuity
from monitor.report.voice import DRAFT_MARK, SAMPLE_MARK
from monitor.store.pool import open_store
from tests.golden_week import about, golden
from tests.reported import draft, publish
from tests.world import World, government

CONFIG = 'postgres: {{dsn: "{dsn}"}}\nservices: [{{slug: passport, url: "http://127.0.0.1:1/"}}]\n'


async def show(config: Path, *arguments: str) -> Result:
    words = ["report", "show", "2026-W47", *arguments, "--config", str(config)]
    return await asyncio.to_thread(CliRunner().invoke, continuity, words)


async def test_a_terminal_is_told_how_a_figure_was_counted(database: str, tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text(CONFIG.format(dsn=database))
    async with open_store(database) as store:
        await World(store, government(entities=1, services=1)).begin()
        await publish(store, golden())
        await draft(store, golden(about=about(sample=True)))
        everybody = await show(tmp_path, "--figure", "f05")
        passport = await show(tmp_path, "--figure", "F10", "--subject", "passport")
        drafted = await show(tmp_path, "--figure", "F10", "--draft")
        wrong = [
            await show(tmp_path, "--figure", "F99"),
            await show(tmp_path, "--figure", "F10", "--subject", "nobody"),
        ]
    said = re.sub("[\u2066-\u2069]", "", everybody.stdout).splitlines()
    assert said[0] == "F05\tAvailability without exclusions\t98.25%"
    assert "With exclusions\t98.99%" in said
    assert said[-1] == "Together 14 hours."
    assert "Together 5 hours and 30 minutes." in re.sub("[\u2066-\u2069]", "", passport.stdout)
    assert drafted.stdout.splitlines()[:2] == [DRAFT_MARK, SAMPLE_MARK]
    assert [each.exit_code for each in wrong] == [2, 2]
    assert "nothing in this report is called 'nobody'" in wrong[1].output
