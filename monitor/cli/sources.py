"""`send --dry-run --source` shows how messages of a source would count, before any of them does."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from monitor.cli.base import count_of, print_json

WELL = ("counted", "repeated", "ignored")
COLOURS = {"counted": "green", "repeated": "yellow", "ignored": "yellow"}


def try_source(config: Path, source: str, *, last: int, as_json: bool) -> None:
    """Print one line for each of the newest `last` messages of a source; nothing is sent and nothing stored.

    Exit code 1 when one of them would be set aside. Raises UsageError when no source is called so,
    ConfigError, StreamUnavailable.
    """
    from monitor.commands import streams

    tried = streams.try_source(config, source, last=last)
    if as_json:
        print_json([each._asdict() for each in tried])
    else:
        for each in tried:
            fate = click.style(each.fate, fg=COLOURS.get(each.fate, "red"))
            click.echo(f"{each.partition}/{each.offset}\t{fate}\t{each.says}")
        fates = Counter(each.fate for each in tried)
        said = ", ".join(f"{number} {fate}" for fate, number in fates.most_common()) or "the topic is empty"
        click.echo(f"{count_of(len(tried), 'message')}: {said}", err=True)
    if any(each.fate not in WELL for each in tried):
        raise click.exceptions.Exit(1)
