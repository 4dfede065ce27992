"""`objectives` prints what is promised and what is left of each error budget."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from monitor.cli.base import config_option, continuity, json_option, print_json, settings_of

MINUTE_S = 60


@continuity.command()
@click.argument("service", required=False)
@click.option("--at-risk", is_flag=True, help="Only those not met, or used up before their period ends.")
@config_option
@json_option
def objectives(service: str | None, config: Path, *, at_risk: bool, as_json: bool) -> None:
    """Print the objectives of SERVICE, or of all services and the headline, the riskiest first.

    Exit code 1 when one of those printed is at risk.

    \b
    Examples:
      continuity objectives
      continuity objectives passport-renewal
      continuity objectives --at-risk --json
    """
    from monitor.commands import figures

    found = figures.objectives(settings_of(config), service)
    found = [one for one in found if one["at_risk"] or not at_risk]
    if as_json:
        print_json(found)
    elif not found:
        click.echo("no objective is at risk" if at_risk else "nothing is promised")
    for one in [] if as_json else found:
        for line in _lines(one):
            click.echo(line)
    if any(one["at_risk"] for one in found):
        raise click.exceptions.Exit(1)


def _lines(one: dict[str, Any]) -> list[str]:
    whose = one["service"] or "headline"
    lines = [f"{whose}: {one['objective']}, target {one['target'] * 100:g} %"]
    for each in one["budgets"]:
        if each["good_percent"] is None:
            lines.append(f"  {each['period']:<8} {each['says'].replace('_', ' ')}")
            continue
        met = "met" if each["met"] else "NOT MET"
        ends = f", used up at {each['used_up_at']}" if each["used_up_at"] else ""
        left, whole = (_amount(each[key], one["unit"]) for key in ("left", "budget"))
        share = f"({each['left_percent'] or 'n/a'} %)"
        lines.append(
            f"  {each['period']:<8} {each['good_percent']} % {met}; left {left} of {whole} {share}{ends}"
        )
    return lines


def _amount(number: float, unit: str) -> str:
    return f"{number / MINUTE_S:.1f} min" if unit == "seconds" else f"{number:.0f} transactions"
