"""`report reply`, `replies` and `withdraw-reply`: what entities answer about a period."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from monitor.cli.base import config_option, json_option, print_lines, settings_of
from monitor.cli.report import report


@report.command()
@click.argument("label")
@click.option("--entity", required=True, help="The entity that answers.")
@click.option(
    "--text", "texts", required=True, multiple=True, help="In Arabic or English; again in the other language."
)
@click.option(
    "--about",
    default="",
    metavar="F07|INC-…|SUBJECT@INSTANT",
    help="A figure, an incident or an outage; the period as a whole when absent.",
)
@click.option("--by", required=True, help="Your name, as report and audit print it.")
@config_option
def reply(label: str, *, entity: str, texts: tuple[str, ...], about: str, by: str, config: Path) -> None:
    """Enter what an entity answers about a period, on its behalf.

    It is frozen in every report that is made from then on, and put at once into a draft that is in review.

    \b
    Examples:
      continuity report reply 2026-W47 --entity health --about F07 --by Amal --text "Two clinics were closed."
      continuity report reply 2026-W47 --entity health --about INC-2026-0007 --by Amal --text "انقطع التيار."
    """
    from monitor.commands import reports

    number = reports.reply(settings_of(config), label, entity=entity, about=about, texts=texts, by=by)
    click.echo(f"reply {number} of {entity} about {label} is kept")


@report.command()
@click.argument("label")
@click.option("--entity", help="Only of this entity.")
@config_option
@json_option
def replies(label: str, *, entity: str | None, config: Path, as_json: bool) -> None:
    """List what entities answered about a period, withdrawn replies too.

    \b
    Example:
      continuity report replies 2026-W47 --entity health
    """
    from monitor.commands import reports

    rows = reports.replies(settings_of(config), label, entity=entity)
    print_lines(rows, _line, as_json=as_json, none="no replies")


def _line(row: Any) -> str:
    about = row.code or row.incident or (f"{row.subject}@{_at(row.began_ms)}" if row.subject else "-")
    gone = f"\twithdrawn {_at(row.withdrawn_ms)} by {row.withdrawn_by}" if row.withdrawn_by else ""
    text = " / ".join(each for each in (row.en, row.ar) if each)
    return f"{row.number}\t{row.entity}\t{about}\t{_at(row.said_ms)}\t{row.by}\t{text}{gone}"


def _at(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


@report.command(name="withdraw-reply")
@click.argument("number", type=click.IntRange(1))
@click.option("--by", required=True, help="Your name, as the audit keeps it.")
@config_option
def withdraw_reply(number: int, *, by: str, config: Path) -> None:
    """Withdraw a reply; what is published keeps it, what is frozen from then on does not have it.

    \b
    Example:
      continuity report withdraw-reply 12 --by "Fatima Saleh"
    """
    from monitor.commands import reports

    reports.withdraw_reply(settings_of(config), number, by=by)
    click.echo(f"reply {number} is withdrawn")
