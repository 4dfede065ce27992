"""`report deliver`, `deliveries`, `drafts` and `sign-off`: reports on their way to people."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from monitor.cli.base import config_option, json_option, print_lines, settings_of
from monitor.cli.report import entity_option, report

COLOURS = {"sent": "green", "waiting": "yellow", "failed": "red", "dropped": "white"}


@report.command()
@click.argument("label")
@entity_option
@click.option("--to", metavar="NAME", help="Only to this recipient.")
@click.option("--by", help="Who asks; the name you are signed in with here when absent.")
@config_option
def deliver(label: str, *, entity: str | None, to: str | None, by: str | None, config: Path) -> None:
    """Send a published report again, its last version; the role `report` does it.

    \b
    Examples:
      continuity report deliver 2026-W47
      continuity report deliver 2026-W47 --to committee
    """
    from monitor.commands import reports

    asked_by = by or getpass.getuser()
    names = reports.send_again(settings_of(config), label, entity=entity, to=to, by=asked_by)
    click.echo(f"{label} will be sent to {', '.join(names)}; `continuity report deliveries` says when it was")


@report.command()
@click.argument("label", required=False)
@config_option
@json_option
def deliveries(label: str | None, *, config: Path, as_json: bool) -> None:
    """Print what became of each report on its way to each recipient, the newest first.

    \b
    Examples:
      continuity report deliveries
      continuity report deliveries 2026-W47 --json
    """
    from monitor.commands import reports

    rows = reports.deliveries(settings_of(config), label=label)
    print_lines(rows, _line, as_json=as_json, none="nothing was sent so far")


def _line(row: Any) -> str:
    state = click.style(f"{row.state:<7}", fg=COLOURS[row.state])
    which = f"{row.label} {row.scope} version {row.version}" + (", draft" if row.stage == "draft" else "")
    tries = f" after {row.tries} tries" if row.tries > 1 else ""
    return f"{_at(row.done_ms or row.due_ms)}  {state}  {which}  {row.recipient}  {row.said}{tries}"


def _at(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


@report.command()
@config_option
@json_option
def drafts(config: Path, *, as_json: bool) -> None:
    """List the drafts that wait for their reviewers, and when they are published by themselves.

    \b
    Example:
      continuity report drafts
    """
    from monitor.commands import reports

    print_lines(reports.drafts(settings_of(config)), _draft, as_json=as_json, none="no draft waits")


def _draft(row: Any) -> str:
    until = _at(row.review_until_ms)
    return f"{row.label}\t{row.scope}\tversion {row.version}\tuntil {until}\t{row.sha256}"


@report.command(name="sign-off")
@click.argument("label")
@entity_option
@click.option("--by", required=True, help="Your name, as the audit keeps it.")
@click.option(
    "--sha256", required=True, metavar="HEX", help="Of the draft you read, its first 16 digits at least."
)
@config_option
def sign_off(label: str, *, entity: str | None, by: str, sha256: str, config: Path) -> None:
    """Publish a draft as it is, before its time is over.

    The SHA-256 stands at the end of every edition, and in `continuity report drafts`. A draft that was made
    anew since, with a reply of an entity, has another one and is not published.

    \b
    Example:
      continuity report sign-off 2026-W47 --by "Fatima Saleh" --sha256 3f1c0a9be2d84c57
    """
    from monitor.commands import reports

    draft = reports.sign_off(settings_of(config), label, entity=entity, by=by, sha256=sha256)
    click.echo(f"published {draft.label} of {draft.scope}, version {draft.version}, {draft.sha256}")
