"""`check` names every mistake of a configuration; `try` makes a first one out of addresses."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.asking import ask_all, exit_by, print_table
from monitor.cli.base import Failed, continuity, count_of, json_option, print_json, program
from monitor.errors import ConfigError, Problem, UsageError

if TYPE_CHECKING:
    from monitor.config.settings import Settings
    from monitor.model import Catalogue

ONE = {
    "entities": "entity",
    "shared systems": "shared system",
    "platforms": "platform",
    "services": "service",
    "checks": "check",
}


@continuity.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("config"))
@click.option(
    "--connect", is_flag=True, help="Also sign in to Kafka and PostgreSQL, and say what is missing."
)
@json_option
def check(folder: Path, *, connect: bool, as_json: bool) -> None:
    """Name every mistake in the configuration of FOLDER (default: config).

    Nothing is started. Warnings do not change the exit code.

    \b
    Examples:
      continuity check
      continuity check services/transport.yaml
      continuity check config --connect
    """
    from monitor.config.load import load

    try:
        loaded = load(folder)
    except ConfigError as error:
        if not as_json:
            raise Failed(f"{error}\n{count_of(len(error.problems), 'mistake')}") from error
        print_json({"ok": False, "problems": [_problem(each) for each in error.problems]})
        raise click.exceptions.Exit(1) from error
    lines = _connected(loaded.settings) if connect else []
    ok = all(line["ok"] for line in lines)
    if as_json:
        problems = [_problem(each) for each in loaded.warnings]
        counts = _counts(loaded.catalogue)
        print_json({"ok": ok, "problems": problems, "counts": counts, "connect": lines})
    else:
        for warning in loaded.warnings:
            click.echo(str(warning), err=True)
        click.echo(f"{folder}: no mistakes; {_counted(_counts(loaded.catalogue))}")
        for line in lines:
            click.echo(f"OK    {line['what']}" if line["ok"] else f"FAIL  {line['what']}: {line['remedy']}")
    if not ok:
        raise click.exceptions.Exit(1)


def _connected(settings: Settings) -> list[dict[str, Any]]:
    from monitor.commands import setting_up

    return [
        {"ok": line.ok, "what": line.what, "remedy": line.remedy}
        for line in setting_up.connect_report(settings)
    ]


def _problem(problem: Problem) -> dict[str, Any]:
    return problem._asdict()


def _counts(catalogue: Catalogue) -> dict[str, int]:
    platforms = sum(system.kind == "platform" for system in catalogue.systems)
    return {
        "entities": len(catalogue.entities),
        "shared systems": len(catalogue.systems) - platforms,
        "platforms": platforms,
        "services": len(catalogue.services),
        "checks": len(catalogue.checks),
    }


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name if count != 1 else ONE[name]}" for name, count in counts.items())


@continuity.command(name="try")
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("my-services"),
    show_default=True,
    help="Folder to write the configuration to.",
)
@click.option("--force", is_flag=True, help="Write over a configuration that is there.")
def try_(urls: tuple[str, ...], folder: Path, *, force: bool) -> None:
    """Write a configuration from addresses, check it, and ask each once.

    \b
    Examples:
      continuity try https://passport.example https://tax.example/login
      continuity try tcp://mail.example:25 --into mail
    """
    from monitor.config.load import load
    from monitor.config.starter import catalogue_from_urls, normal

    for url in urls:
        try:
            normal(url)
        except ValueError as error:
            raise UsageError(f"{url}: {error}") from error
    file = folder / "monitor.yaml"
    if file.exists() and not force:
        raise UsageError(f"{file} is there already: choose another folder with --into, or say --force")
    text = catalogue_from_urls(urls)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; choose another --into") from error
    loaded = load(folder)
    click.echo(f"wrote {file}: {_counted(_counts(loaded.catalogue))}")
    asked = ask_all(loaded.catalogue.checks.values())
    print_table(asked)
    name, data = program(), Path("data") / folder.resolve().name
    click.echo(f"\nRun the monitor on it with\n\n    {name} run all --config {folder}\n")
    click.echo("It needs Kafka and PostgreSQL, and this says whether they are there:\n")
    click.echo(f"    {name} check {folder} --connect\n")
    click.echo("To see it first, with a Kafka and a PostgreSQL of its own on this machine:\n")
    click.echo(f"    {name} demo --config {folder} --data {data}\n")
    exit_by(asked)
