"""What the documents say is there: rooms, files, commands, and the shortest catalogue."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from monitor.cli import continuity
from monitor.config.load import load

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rooms() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "monitor").glob("*/__init__.py"))


@pytest.mark.parametrize("room", rooms())
def test_every_room_has_its_paragraph_in_the_map(room: str) -> None:
    assert f"**monitor/{room}/**" in text("ARCHITECTURE.md") or f"**monitor/{room}**" in text(
        "ARCHITECTURE.md"
    )


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_a_document_names_exists(document: str) -> None:
    named = re.findall(r"`((?:monitor|probes|tests|config|docs|benchmarks)/[\w./-]+)`", text(document))
    missing = [name for name in named if "NNNN" not in name and not (ROOT / name).exists()]
    assert missing == []


def commands() -> list[list[str]]:
    """The words after `continuity` in each example of the README."""
    found = re.findall(r"bin/continuity ([^\n#`]+)", text("README.md"))
    return [line.split() for line in found]


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_of_the_readme_exists_with_its_options(words: list[str]) -> None:
    command: click.Command = continuity
    rest = list(words)
    while isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    known = {option for parameter in command.params for option in parameter.opts}
    assert command is not continuity
    assert {word for word in rest if word.startswith("--")} <= known


def test_the_shortest_catalogue_of_the_readme_is_complete(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", text("README.md"), re.DOTALL)
    (tmp_path / "monitor.yaml").write_text(example)
    [service] = load(tmp_path, environ={}).catalogue.services
    [channel] = service.channels
    assert (service.slug, channel.remote, channel.completes, [c.every_s for c in channel.checks]) == (
        "passport",
        True,
        True,
        [30.0],
    )


def test_every_make_target_of_the_documents_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", text("Makefile"), re.MULTILINE))
    named = {word for name in DOCUMENTS for word in re.findall(r"`?make ([a-z]+)`?", text(name))}
    assert named <= targets, named - targets
