"""`probe` asks a service, a system or an address once and shows what it answered."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from monitor.cli.base import config_option, continuity, json_option, print_json
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.model import Check
    from probes.contract import Answer

WELL = ("up", "degraded")
COLOURS = {"up": "green", "degraded": "yellow", "down": "red", "unknown": "magenta"}
DEMO = Path("data/demo")
AT_ONCE = 50  # probes in flight when many are asked


class Asked(NamedTuple):
    """A check and what one attempt found."""

    name: str
    target: str
    answer: Answer


@continuity.command()
@click.argument("subject", metavar="SLUG|URL")
@config_option
@json_option
@click.option("--within", "within_s", type=click.FloatRange(0.1, 300), help="Seconds for a whole answer.")
def probe(subject: str, config: Path, *, as_json: bool, within_s: float | None) -> None:
    """Ask a service, a system or an address once, and show what it answered.

    SLUG is a service, service/channel or system of the configuration. Exit code 1 when anything is down or
    cannot be asked.

    \b
    Examples:
      continuity probe passport-renewal
      continuity probe passport-renewal/web --json
      continuity probe https://passport.example/
      continuity probe tcp://mail.example:25 --within 2
    """
    checks = [_check_of_address(subject)] if "://" in subject else _checks_of(subject, config)
    asked = ask_all(checks, within_s=within_s)
    if as_json:
        print_json([{"check": each.name, "target": each.target, "answer": each.answer} for each in asked])
    else:
        print_table(asked)
    exit_by(asked)


def _check_of_address(url: str) -> Check:
    from monitor.model import Check
    from probes.catalogue import from_url

    try:
        return Check(subject="", name=url, ask=from_url(url))
    except ValueError as error:
        raise UsageError(f"{url}: {error}") from error


def _checks_of(subject: str, config: Path) -> list[Check]:
    """Every check of what `subject` names. Raises UsageError when nothing is called so, or has no check."""
    from monitor.config.decode import suggestion
    from monitor.config.load import load

    catalogue = load(config, replace=_moved()).catalogue
    checks: dict[str, list[Check]] = {system.slug: list(system.checks) for system in catalogue.systems}
    for service in catalogue.services:
        for channel in service.channels:
            checks[f"{service.slug}/{channel.slug}"] = list(channel.checks)
        own = [check for channel in service.channels for check in channel.checks]
        checks[service.slug] = checks.get(service.slug, []) + own
    if subject not in checks:
        raise UsageError(
            f"no service or system is called {subject!r} in {config}{suggestion(subject, checks)}"
        )
    if not checks[subject]:
        raise UsageError(f"{subject} has no check of its own: what it depends on judges it")
    return checks[subject]


def _moved() -> Mapping[str, str]:
    """What a demonstration moved to free ports: of this process, or of the one that runs beside it."""
    import msgspec

    from monitor.addresses import replacements
    from monitor.demo.plan import PLAN, READY

    if given := replacements():
        return given
    try:
        plan = msgspec.json.decode((DEMO / PLAN).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError):
        return {}
    return plan.get("replace", {}) if (DEMO / READY).exists() else {}


def ask_all(checks: Iterable[Check], *, within_s: float | None = None) -> list[Asked]:
    """Every check once, many at a time, in their order; each within its own time."""
    import asyncio

    from probes.ask import Asker
    from probes.catalogue import target

    async def all_of_them() -> list[Asked]:
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(asker: Asker, check: Check) -> Asked:
            async with slots:
                answer = await asker.ask(
                    check.ask, within_s=within_s or check.within_s, objective_ms=check.objective_ms
                )
            return Asked(check.key.removeprefix("/"), target(check.ask), answer)

        async with Asker() as asker:
            return list(await asyncio.gather(*(one(asker, check) for check in checks)))

    return asyncio.run(all_of_them())


def print_table(asked: Sequence[Asked]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        "check", "outcome", "phases", "what it found", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for each in asked:
        answer = each.answer
        phases = "\n".join(f"{name} {took_ms:.1f} ms" for name, took_ms in answer.phases_ms.items())
        outcome = Text(answer.outcome.value, style=COLOURS[answer.outcome.value])
        table.add_row(Text(f"{each.name}\n{each.target}"), outcome, phases, Text(_found(answer)))
    Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(table)


def _found(answer: Answer) -> str:
    """The reason and its sentence, the status and size, each assertion that failed."""
    lines = [] if answer.reason == "ok" else [f"{answer.reason}: {answer.sentence}"]
    facts = [f"status {answer.status}"] if answer.status is not None else []
    facts += [f"{answer.size_bytes} bytes"] if answer.size_bytes is not None else []
    if answer.certificate_expires_ms is not None:
        facts.append(f"certificate until {_day(answer.certificate_expires_ms)}")
    lines += [", ".join(facts)] if facts else []
    for failed in answer.failed:
        lines.append(f"{failed.what}: expected {failed.expected}, found {failed.found or 'nothing'}")
    return "\n".join(lines)


def _day(ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()


def exit_by(asked: Iterable[Asked]) -> None:
    if any(each.answer.outcome not in WELL for each in asked):
        raise click.exceptions.Exit(1)
