"""`incident` and `shift`: what people handle, under the name of whoever types."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from monitor.cli.base import config_option, continuity, json_option, print_json, settings_of

by_option = click.option(
    "--by", default=getpass.getuser, show_default="who is signed in here", help="The name it is signed with."
)


@continuity.group()
def incident() -> None:
    """Open, note, close, list and show incidents.

    \b
    Examples:
      continuity incident list
      continuity incident show INC-2026-0412
      continuity incident open payments "Receipts are not printed" --severity critical
      continuity incident note INC-2026-0412 "The provider is changing a disk"
    """


@incident.command("list")
@click.option("--closed", is_flag=True, help="Those closed last instead of the open ones.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@config_option
@json_option
def list_(config: Path, *, closed: bool, limit: int, as_json: bool) -> None:
    """List open incidents, the gravest first.

    \b
    Example:
      continuity incident list --closed --limit 10
    """
    from monitor.commands import incidents

    found = incidents.listed(settings_of(config), closed=closed, limit=limit)
    if as_json:
        print_json(found)
        return
    for one in found:
        click.echo(_line(one))
    if not found:
        click.echo("no incident is open" if not closed else "none was closed so far")


@incident.command()
@click.argument("number")
@config_option
@json_option
def show(number: str, config: Path, *, as_json: bool) -> None:
    """Show one incident and its timeline.

    \b
    Example:
      continuity incident show INC-2026-0412 --json
    """
    from monitor.commands import incidents

    _print(incidents.one(settings_of(config), number), as_json=as_json)


@incident.command("open")
@click.argument("subject")
@click.argument("title")
@click.option(
    "--severity", type=click.Choice(["critical", "warning", "info"]), default="warning", show_default=True
)
@click.option("--verdict", type=click.Choice(["down", "degraded"]), default="down", show_default=True)
@click.option("--since", default="", help="When it began, such as 2026-11-25T19:40; now when absent.")
@by_option
@config_option
@json_option
def open_(config: Path, *, by: str, as_json: bool, **sent: str) -> None:
    """Open an incident about SUBJECT (a system or service, or `government`), for what no check sees.

    \b
    Example:
      continuity incident open payments "Receipts are not printed" --severity critical --by "Night desk"
    """
    from monitor.commands import incidents

    _print(incidents.opened(settings_of(config), sent, by=by), as_json=as_json)


@incident.command()
@click.argument("number")
@click.argument("text")
@by_option
@config_option
@json_option
def note(number: str, text: str, config: Path, *, by: str, as_json: bool) -> None:
    """Add TEXT to the timeline.

    \b
    Example:
      continuity incident note INC-2026-0412 "The provider is changing a disk"
    """
    from monitor.commands import incidents

    _print(incidents.noted(settings_of(config), number, text, by=by), as_json=as_json)


@incident.command()
@click.argument("number")
@click.option("--summary", help="What happened and what was learned.")
@by_option
@config_option
@json_option
def close(number: str, config: Path, *, summary: str | None, by: str, as_json: bool) -> None:
    """Close an incident that a person opened.

    \b
    Example:
      continuity incident close INC-2026-0412 --summary "A printer queue was full"
    """
    from monitor.commands import incidents

    _print(incidents.closed(settings_of(config), number, by=by, summary=summary), as_json=as_json)


def _print(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    click.echo(_line(found))
    for line in found["timeline"]:
        signed = f" {line['author']}:" if line["author"] else ""
        click.echo(f"  {line['at'][:19]}Z {line['kind']}{signed} {line['text']}".rstrip())


def _line(one: dict[str, Any]) -> str:
    """INC-2026-0412 critical failing system:identity since …, acknowledged by Night desk."""
    who = f", acknowledged by {one['acknowledged_by']}" if one["acknowledged_by"] else ""
    title = f": {one['title']}" if one["title"] else ""
    suspected = " (suspected)" if one["suspected"] and one["ruling"] != "confirmed" else ""
    about = f"{one['number']} {one['severity']} {one['state']} {one['subject']}{suspected}"
    return f"{about} since {one['since'][:19]}Z{who}{title}"


@continuity.command()
@click.option("--since", default="", help="Such as 19:00 (the last one), or 2026-11-25T19:00.")
@click.option("--hand-over", "text", help="Sign this note for the next shift.")
@by_option
@config_option
@json_option
def shift(config: Path, *, since: str, text: str | None, by: str, as_json: bool) -> None:
    """Print a shift: incidents opened, closed and open, planned work, what is unknown or not delivered.

    Without --since: from the last hand-over, or twelve hours ago.

    \b
    Examples:
      continuity shift --since 19:00
      continuity shift --since 19:00 --hand-over "The provider calls back at 06:00" --by "Night desk"
    """
    from monitor.commands import incidents

    found = incidents.shift(settings_of(config), since, text=text, by=by)
    if as_json:
        print_json(found)
        return
    for line in _shift_lines(found):
        click.echo(line)


def _shift_lines(found: dict[str, Any]) -> Iterator[str]:
    yield f"shift from {found['since'][:19]}Z to {found['until'][:19]}Z"
    yield f"opened {len(found['opened'])}, closed {len(found['closed'])}, still open {len(found['open'])}"
    yield from _part("still open", [_line(one) for one in found["open"]])
    yield from _part("closed", [_line(one) for one in found["closed"]])
    yield from _part("planned work, now and in the next 12 hours", [_work_line(row) for row in found["work"]])
    yield from _part(
        "no longer measured",
        [f"{one['subject']} since {(one['since'] or '?')[:19]}Z" for one in found["unknown"]],
    )
    if found["not_delivered"] is not None:
        lines = [f"{one['receiver']}: {one['said']}" for one in found["not_delivered"]]
        yield from _part("not delivered", lines)
    notes = [f"{one['author']} at {one['at'][:19]}Z: {one['text']}" for one in found["hand_overs"]]
    yield from _part("hand-over", notes)


def _part(heading: str, lines: list[str]) -> Iterator[str]:
    yield f"{heading}:" if lines else f"{heading}: none"
    yield from (f"  {line}" for line in lines)


def _work_line(row: dict[str, Any]) -> str:
    return f"{row['from'][:19]}Z to {row['to'][:19]}Z {', '.join(row['subjects'])}: {row['why']}"
