"""`work`: planned work, outages of one's own and faults of others, from a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from monitor.cli.base import config_option, continuity, count_of, json_option, print_json, settings_of

by_option = click.option("--by", required=True, help="Your name, as audit and report print it.")
number_argument = click.argument("number", type=click.IntRange(min=1))


@continuity.group()
def work() -> None:
    """Announce work, end it, and rule on what counts.

    \b
    Examples:
      continuity work announce identity --from 2026-12-04T22:00 --to 2026-12-05T01:00 \\
          --why "New servers" --by Amal
      continuity work list
      continuity work extend 12 --to 2026-12-05T03:00 --by Amal
    """


@work.command()
@click.argument("subjects", nargs=-1, required=True)
@click.option("--from", "start", required=True, help="When it begins (catalogue's zone).")
@click.option("--to", "end", required=True, help="When it ends, itself not included.")
@click.option("--why", required=True, help="What is done, and why.")
@click.option("--filing", type=click.Choice(["work", "outage", "fault"]), default="work", show_default=True)
@click.option("--system", default="", help="Of a fault: the system of another entity that it lies in.")
@click.option("--repeat", type=click.Choice(["once", "weekly", "monthly"]), default="once", show_default=True)
@click.option("--times", default="", help="How many times, when it comes again.")
@click.option("--public-en", default="", help="What the public is told, in English.")
@click.option("--public-ar", default="", help="What the public is told, in Arabic.")
@click.option("--phone", default="", help="Telephone on duty.")
@click.option("--preview", is_flag=True, help="Only say what it takes.")
@by_option
@config_option
@json_option
def announce(
    config: Path, *, start: str, end: str, preview: bool, by: str, as_json: bool, **sent: Any
) -> None:
    """Announce work on SUBJECTS: systems, services, or service/channel.

    \b
    Example:
      continuity work announce identity --from 2026-12-04T22:00 --to 2026-12-05T01:00 \\
          --why "New servers" --by Amal
    """
    from monitor.commands import work

    given = {**sent, "subjects": list(sent["subjects"]), "from": start, "to": end}
    found = work.work(settings_of(config), "announced", given, by=by, preview=preview)
    if as_json:
        print_json(found)
        return
    click.echo(
        f"takes the last remote channel of {count_of(len(found['services_without_remote']), 'service')}, "
        f"touches {count_of(len(found['services']), 'service')} of {', '.join(found['entities']) or 'nobody'}"
    )
    for number in found["numbers"]:
        click.echo(f"announced as {number}")


@work.command(name="list")
@config_option
@json_option
def list_(config: Path, *, as_json: bool) -> None:
    """List what was announced, what begins last first.

    \b
    Example:
      continuity work list --json
    """
    from monitor.commands import work

    found = work.work(settings_of(config), "listed")
    if as_json:
        print_json(found)
        return
    for each in found:
        click.echo(_line(each))


@work.command()
@number_argument
@config_option
def show(number: int, config: Path) -> None:
    """Print all that is known of one announcement, as JSON.

    \b
    Example:
      continuity work show 12
    """
    from monitor.commands import work

    print_json(work.work(settings_of(config), "shown", number))


@work.command()
@number_argument
@click.option("--to", "end", required=True, help="When it ends now.")
@by_option
@config_option
def extend(number: int, config: Path, *, end: str, by: str) -> None:
    """Announce that it takes longer.

    \b
    Example:
      continuity work extend 12 --to 2026-12-05T03:00 --by Amal
    """
    _act(config, number, "extend", by=by, end=end)


@work.command()
@number_argument
@click.option("--rolled-back", is_flag=True, help="All is as it was before.")
@by_option
@config_option
def finish(number: int, config: Path, *, rolled_back: bool, by: str) -> None:
    """Say that it is over now.

    \b
    Example:
      continuity work finish 12 --by Amal
    """
    _act(config, number, "roll-back" if rolled_back else "finish", by=by)


@work.command()
@number_argument
@by_option
@config_option
def cancel(number: int, config: Path, *, by: str) -> None:
    """Call it off before it begins.

    \b
    Example:
      continuity work cancel 12 --by Amal
    """
    _act(config, number, "cancel", by=by)


@work.command()
@number_argument
@click.option("--why", required=True, help="The committee's reason.")
@by_option
@config_option
def approve(number: int, config: Path, *, why: str, by: str) -> None:
    """Let it stand, for the committee: it is left out of figures.

    \b
    Example:
      continuity work approve 12 --why "A security fix" --by Huda
    """
    _act(config, number, "approve", by=by, why=why)


@work.command()
@number_argument
@click.option("--why", required=True, help="The committee's reason.")
@by_option
@config_option
def reject(number: int, config: Path, *, why: str, by: str) -> None:
    """Let it count, for the committee.

    \b
    Example:
      continuity work reject 12 --why "It could have waited" --by Huda
    """
    _act(config, number, "reject", by=by, why=why)


def _act(config: Path, number: int, act: str, **given: str) -> None:
    from monitor.commands import work

    click.echo(_line(work.work(settings_of(config), "acted", number, act, **given)))


def _line(each: dict[str, Any]) -> str:
    when, where = f"{each['from']} to {each['to']}", f"{each['state']}, {each['standing']}"
    return f"{each['number']:>5}  {when}  {where}  {each['why']}"
