"""`availability` prints the figure that page, API, metric and dashboard show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from monitor.cli.base import config_option, continuity, json_option, print_json, settings_of

PERIODS = ("day", "week", "month", "quarter", "year", "7d", "28d")
SAYS = {"no_data": "no data", "insufficient_data": "insufficient data", "not_applicable": "n/a"}
STATES = {
    "up": "up",
    "degraded": "degraded",
    "down": "down",
    "unknown": "unknown",
    "maintenance": "maintenance",
    "out_of_hours": "out of hours",
}


@continuity.command()
@click.argument("subject")
@click.option("--period", type=click.Choice(PERIODS), help="A calendar period, or so many days up to now.")
@click.option("--start", "--from", "start", help="A date in the period, or where the range begins.")
@click.option("--to", "end", help="Where the range ends, itself not included; now when absent.")
@click.option("--zone", help="Time zone of dates and periods; the catalogue's when absent.")
@config_option
@json_option
def availability(
    subject: str,
    config: Path,
    *,
    period: str | None,
    start: str | None,
    end: str | None,
    zone: str | None,
    as_json: bool,
) -> None:
    """Print how long SUBJECT was in which state, its availability and its outages.

    SUBJECT is a service, service/channel, system or entity of the catalogue, or `government`. Without a
    period or range: the last seven days. Dates begin at midnight; instants are RFC 3339.

    \b
    Examples:
      continuity availability passport-renewal
      continuity availability transport --period week --start 2026-11-16
      continuity availability government --from 2026-10-01 --to 2026-11-01 --zone Asia/Dubai --json
    """
    from monitor.commands import figures

    wanted = period or (None if start or end else "7d")
    found = figures.availability(settings_of(config), subject, period=wanted, start=start, end=end, zone=zone)
    if as_json:
        print_json(found)
    else:
        for line in _lines(found):
            click.echo(line)


def _lines(found: dict[str, Any]) -> list[str]:
    whole = found["without_exclusions"]
    terms = found["terms"]
    longest, restore = found["longest_s"], found["mean_restore_s"]
    lines = [
        f"{found['subject']}: {found['period']}, {found['from']} to {found['to']} ({found['zone']})",
        f"judged until    {found['as_of']}",
        f"availability    {_availability(found)}",
        f"  all counted   {_availability(whole)}",
        f"coverage        {_percent(found['coverage_percent'])}",
    ]
    lines += [f"{STATES[state]:<15} {_duration(spent)}" for state, spent in found["seconds"].items() if spent]
    lines.append(
        f"outages         {found['outages']}" + (f", longest {_duration(longest)}" if longest else "")
    )
    if restore is not None:
        lines.append(f"time to restore {_duration(restore)} on average")
    counted = "counts" if terms["degraded_counts"] else "does not count"
    lines.append(f"degraded {counted} as available; unknown: {terms['missing']}")
    return lines


def _availability(tally: dict[str, Any]) -> str:
    percent = tally["availability_percent"]
    return SAYS[tally["says"]] if percent is None else _percent(percent)


def _percent(text: str | None) -> str:
    return "n/a" if text is None else f"{text} %"


def _duration(seconds: float) -> str:
    """3 d 04:05:06, exact to the second that is begun."""
    whole = int(seconds)
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3600)
    clock = f"{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"
    return f"{days} d {clock}" if days else clock
