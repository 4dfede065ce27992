"""`alerts` tries receivers, explains who would be told, and prints what became of every message."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from monitor.cli.base import config_option, continuity, json_option, print_json, print_lines, settings_of

if TYPE_CHECKING:
    from monitor.store.deliveries import Told

COLOURS = {"sent": "green", "waiting": "yellow", "failed": "red", "dropped": "white"}


@continuity.group()
def alerts() -> None:
    """Who is told of incidents: try a receiver, explain a service, read the delivery log.

    \b
    Example:
      continuity alerts test on-call
    """


@alerts.command()
@click.argument("receiver")
@config_option
def test(receiver: str, config: Path) -> None:
    """Send RECEIVER a test message, and say what became of it; exit code 1 when it was not taken.

    RECEIVER is a name under `alerts: {receivers: …}`, or `alertmanager/host:port`.

    \b
    Examples:
      continuity alerts test on-call
      continuity alerts test alertmanager/127.0.0.1:9093
    """
    from monitor.commands import alerts

    taken, said = alerts.try_receiver(config, receiver)
    click.echo(f"{receiver}: {said}", err=not taken)
    if not taken:
        raise click.exceptions.Exit(1)


@alerts.command()
@click.argument("service")
@config_option
@json_option
def explain(service: str, config: Path, *, as_json: bool) -> None:
    """Say who would be told if SERVICE failed now, when, who would not and why, and what is open.

    \b
    Examples:
      continuity alerts explain passport-renewal
      continuity alerts explain passport-renewal --json
    """
    from monitor.commands import alerts

    found = alerts.explained(config, service)
    if as_json:
        print_json(found)
        return
    click.echo(f"{service}, of {found['entity'] or 'no entity'}")
    for severity, signs in found["table"].items():
        click.echo(f"\n{severity}: {', '.join(signs) or 'nothing'}")
        for line in (one for one in found["receivers"] if one["severity"] == severity):
            mark = click.style("told", fg="green") if line["told"] else click.style("not ", fg="yellow")
            click.echo(f"  {mark}  {line['receiver']}: {line['says']}")
    if found["causes"]:
        click.echo(f"\ntold once instead, when they fail: {', '.join(found['causes'])}")
    for one in found["open"]:
        who = f"acknowledged by {one['acknowledged_by']}" if one["acknowledged_by"] else "not acknowledged"
        click.echo(f"\nopen now: {one['number']} {one['severity']}, {one['subject']}, {who}")
    if not found["open"]:
        click.echo("\nopen now: no incident")


@alerts.command()
@click.option("--incident", help="Only of this one, such as INC-2026-0001.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Lines at most.")
@config_option
@json_option
def log(config: Path, *, incident: str | None, limit: int, as_json: bool) -> None:
    """Print what became of each message to each receiver, the newest first.

    \b
    Examples:
      continuity alerts log
      continuity alerts log --incident INC-2026-0001 --json
    """
    from monitor.commands import alerts

    rows = alerts.delivery_log(settings_of(config), incident=incident, limit=limit)
    print_lines(rows, _line, as_json=as_json, none="no message so far")


def _line(row: Told) -> str:
    at = datetime.fromtimestamp((row.done_ms or row.due_ms) / 1000, UTC)
    state = click.style(f"{row.state:<7}", fg=COLOURS[row.state])
    why = row.topic if row.why == "notice" else f"{row.topic}, {row.why}"
    tries = f" after {row.tries} tries" if row.tries > 1 else ""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}  {state}  {row.incident}  {row.receiver}  {why}  {row.said}{tries}"
