"""What all commands share: the group, the exit codes, the options, how JSON is printed."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.errors import ConfigError, MonitorError, StoreUnavailable, StreamUnavailable, UsageError

if TYPE_CHECKING:  # importing it takes a time that `--help` should not
    from monitor.config.settings import Settings


class Failed(click.ClickException):
    """Found problems: they are printed as they are, on stderr, and the exit code is 1."""

    exit_code = 1

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True, file=file)


class Commands(click.Group):
    """Turns the expected faults into messages and exit codes; a bug keeps its trace."""

    def invoke(self, ctx: click.Context) -> Any:
        from probes.contract import SecretUnavailable

        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise click.UsageError(str(error)) from error
        except ConfigError as error:
            raise Failed(
                f"{error}\n{count_of(len(error.problems), 'mistake')}; nothing was started"
            ) from error
        except (MonitorError, SecretUnavailable) as error:
            away = isinstance(error, StoreUnavailable | StreamUnavailable)
            hint = f"\n`{program()} check --connect` says what is missing" if away else ""
            raise Failed(f"continuity: {error}{hint}") from error


config_option = click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    default=Path("config"),
    envvar="CONTINUITY_CONFIG",
    show_default=True,
    show_envvar=True,
    help="Folder (or one file) of the configuration.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program to read.")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="continuity-monitor", prog_name="continuity")
def continuity() -> None:
    """Tells at any minute which services people can get remotely.

    \b
    Examples:
      continuity try https://passport.example      watch an address of your own
      continuity check config                      name every mistake in the configuration
      continuity run all                           run the monitor
      continuity demo                              run it with sample services, on this machine alone
    """


def program() -> str:
    """How a person calls this program from here: by its name when that is on PATH, else by where it is."""
    own = Path(sys.prefix, "bin", "continuity")
    if shutil.which("continuity") or not own.exists():
        return "continuity"
    return str(own.relative_to(Path.cwd()) if own.is_relative_to(Path.cwd()) else own)


def settings_of(config: Path) -> Settings:
    """How this installation runs. Raises ConfigError."""
    from monitor.config.load import load_settings

    return load_settings(config)


def print_lines(rows: Sequence[Any], line: Callable[[Any], str], *, as_json: bool, none: str) -> None:
    """Rows as JSON, or one line each; `none` is said on standard error where there are none."""
    if as_json:
        print_json([row._asdict() for row in rows])
        return
    for row in rows:
        click.echo(line(row))
    if not rows:
        click.echo(none, err=True)


def print_json(value: Any) -> None:
    """Indented JSON on standard output."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2)
    click.echo(text.decode())


def count_of(number: int, noun: str) -> str:
    """`1 mistake`, `2 mistakes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
