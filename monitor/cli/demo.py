"""`demo` runs everything on this machine, with sample services that can be made to fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from monitor.cli.base import config_option, continuity, json_option, print_json, program


def demo_options(command: Callable[..., None]) -> Callable[..., None]:
    data = click.option(
        "--data",
        type=click.Path(path_type=Path),
        default=Path("data/demo"),
        show_default=True,
        help="Folder of this demonstration.",
    )
    return data(command)


def start_options(command: Callable[..., None]) -> Callable[..., None]:
    port = click.option("--port", type=click.IntRange(0, 65535), default=8440, show_default=True)
    script = click.option("--script/--no-script", default=True, help="Let faults come and go by themselves.")
    traffic = click.option(
        "--traffic/--no-traffic", default=True, help="Let the sample services send transactions."
    )
    return config_option(demo_options(port(script(traffic(command)))))


@continuity.group(invoke_without_command=True)
@start_options
@click.pass_context
def demo(ctx: click.Context, config: Path, data: Path, *, port: int, script: bool, traffic: bool) -> None:
    """Run everything on this machine: PostgreSQL, Kafka, the monitor and sample services that can fail.

    \b
    Examples:
      continuity demo                              start it; Ctrl-C stops all of it
      continuity demo faults                       what can go wrong, and what is on
      continuity demo fault shared-system-down     let it go wrong now
      continuity demo clear                        all well again
    """
    ctx.default_map = {name: {"data": data} for name in demo.commands}  # said here, it holds for them too
    if ctx.invoked_subcommand is None:
        _start_demo(config, data, port=port, script=script, traffic=traffic)


@demo.command()
@start_options
def start(config: Path, data: Path, *, port: int, script: bool, traffic: bool) -> None:
    """Start it; the same as `continuity demo`.

    \b
    Example:
      continuity demo start --no-script
    """
    _start_demo(config, data, port=port, script=script, traffic=traffic)


def _start_demo(config: Path, data: Path, *, port: int, script: bool, traffic: bool) -> None:
    from monitor.demo import run as embedded

    code = embedded.main(config, data, port=port, script=script, traffic=traffic, program=program())
    raise click.exceptions.Exit(code)


@demo.command()
@click.argument("name")
@click.option("--for", "for_s", type=float, default=120.0, show_default=True, help="Seconds it lasts.")
@demo_options
def fault(name: str, data: Path, for_s: float) -> None:
    """Switch a fault on.

    \b
    Example:
      continuity demo fault shared-system-down --for 60
    """
    from monitor.demo import faults

    faults.trigger(data, name, for_s=for_s)
    click.echo(f"{name} is on for {for_s:g} s; `{program()} demo clear {name}` ends it")


@demo.command(name="faults")
@json_option
@demo_options
def list_faults(data: Path, *, as_json: bool) -> None:
    """List what can go wrong, and what is on.

    \b
    Example:
      continuity demo faults --json
    """
    from monitor.demo import faults

    states = faults.states(data)
    if as_json:
        print_json(states)
        return
    for state in states:
        click.echo(f"{'ON ' if state.on else 'off'}  {state.name:22} {state.about}")


@demo.command()
@click.argument("name", required=False)
@demo_options
def clear(name: str | None, data: Path) -> None:
    """Switch one fault off, or all.

    \b
    Example:
      continuity demo clear
    """
    from monitor.demo import faults

    gone = faults.clear(data, name)
    click.echo(f"ended {', '.join(gone)}" if gone else "no fault was on")
