"""`run` runs roles; `migrate`, `token`, `stream` and `dead-letters` look after what they stand on."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from monitor.cli.base import config_option, continuity, count_of, json_option, print_json, settings_of
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.judge.retrying import Retried

ROLES = ("probe", "ingest", "count", "derive", "web", "notify", "report", "public", "all")
TOKEN_ROLES = ("viewer", "coordinator", "operator", "committee", "sender")


@continuity.command()
@click.argument("names", metavar="ROLE...", nargs=-1, required=True, type=click.Choice(ROLES))
@config_option
@click.option("--data", type=click.Path(path_type=Path), help="Folder of what must outlive a restart.")
def run(names: tuple[str, ...], config: Path, data: Path | None) -> None:
    """Run roles until Ctrl-C or SIGTERM: probe, ingest, count, derive, web, report, public, or all.

    `all` is two processes: the prober alone, everything else together. SIGHUP reads the configuration again.

    \b
    Examples:
      continuity run all
      continuity run probe --config /etc/continuity --data /var/lib/continuity
      continuity run ingest derive
    """
    from monitor import roles

    raise click.exceptions.Exit(roles.run(names, config=config, data=data))


@continuity.command()
@config_option
def migrate(config: Path) -> None:
    """Bring the database to this version's shape. Every role does the same when it starts.

    \b
    Example:
      continuity migrate --config /etc/continuity
    """
    from monitor.commands import setting_up

    applied = setting_up.migrate(settings_of(config))
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the database is up to date")


@continuity.group()
def token() -> None:
    """Make, list and revoke the names that may write.

    \b
    Example:
      continuity token create night-shift --role operator
    """


@token.command(name="create")
@click.argument("name")
@click.option("--role", type=click.Choice(TOKEN_ROLES), required=True, help="What it may do.")
@click.option("--entity", "entities", multiple=True, help="Only for this entity; may be given again.")
@config_option
def token_create(name: str, config: Path, *, role: str, entities: tuple[str, ...]) -> None:
    """Make a token. It is shown this once, on standard output, and stored only as a hash.

    \b
    Examples:
      continuity token create night-shift --role operator
      continuity token create transport-desk --role coordinator --entity transport
    """
    from monitor.commands import tokens

    secret = tokens.create(settings_of(config), name, role=role, entities=entities)
    click.echo(f"The token of {name}; keep it now, it is not shown again:", err=True)
    click.echo(secret)


@token.command(name="list")
@config_option
@json_option
def token_list(config: Path, *, as_json: bool) -> None:
    """List the tokens, without their secrets.

    \b
    Example:
      continuity token list --json
    """
    from monitor.commands import tokens

    _print_rows(tokens.listed(settings_of(config)), as_json=as_json, none="no tokens")


@token.command(name="revoke")
@click.argument("name")
@config_option
def token_revoke(name: str, config: Path) -> None:
    """End a token, at once.

    \b
    Example:
      continuity token revoke night-shift
    """
    from monitor.commands import tokens

    if not tokens.revoke(settings_of(config), name):
        raise UsageError(f"no token in force is called {name!r}; `continuity token list` shows them")
    click.echo(f"revoked {name}")


@continuity.group()
def stream() -> None:
    """Look after what is read from Kafka.

    \b
    Example:
      continuity stream accept continuity.observations 3
    """


@stream.command()
@click.argument("topic")
@click.argument("partition", type=click.IntRange(0))
@click.option("--force", is_flag=True, help="Also when nothing is wrong: read it again from its beginning.")
@config_option
def accept(topic: str, partition: int, *, force: bool, config: Path) -> None:
    """Read a partition on after its log was replaced or cut; it stopped until a person says so.

    Refuses a partition with which nothing is wrong, unless forced.

    \b
    Examples:
      continuity stream accept continuity.observations 3
      continuity stream accept --force continuity.observations 3
    """
    from monitor.commands import streams

    offset = streams.accept(settings_of(config), topic, partition, force=force)
    click.echo(f"{topic}/{partition} is read on from offset {offset}")


@continuity.command(name="dead-letters")
@config_option
@json_option
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="The newest.")
@click.option("--retry", is_flag=True, help="Count those of transactions that can be counted by now.")
def dead_letters(config: Path, *, as_json: bool, limit: int, retry: bool) -> None:
    """List the records that could not be read and were set aside, with the reason.

    After the catalogue (or the mapping of a source) was mended, --retry counts the transactions among them,
    each once, and says why others still cannot be; then the exit code is 1.

    \b
    Examples:
      continuity dead-letters --limit 20 --json
      continuity dead-letters --retry
    """
    from monitor.commands import streams

    if retry:
        _print_retried(streams.retry_dead_letters(settings_of(config)), as_json=as_json)
        return
    rows = streams.dead_letters(settings_of(config), limit=limit)
    _print_rows(rows, as_json=as_json, none="no records were set aside")


def _print_retried(done: Retried, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(done))
    else:
        click.echo(
            f"settled {count_of(done.letters, 'dead letter')}: {count_of(done.transactions, 'transaction')} "
            f"counted, {count_of(done.repeated, 'repeat')}"
        )
        for reason, letters in done.left.most_common():
            click.echo(f"left {letters} {reason}, such as: {done.examples[reason]}")
    if done.left:
        raise click.exceptions.Exit(1)


def _print_rows(rows: list[Any], *, as_json: bool, none: str) -> None:
    """Rows as JSON, or one line each under the names of their fields."""
    import msgspec

    tables = [row._asdict() if hasattr(row, "_asdict") else msgspec.to_builtins(row) for row in rows]
    if as_json:
        print_json(tables)
    elif not tables:
        click.echo(none)
    for line in [] if as_json or not tables else [list(tables[0]), *(row.values() for row in tables)]:
        click.echo("\t".join(_cell(value) for value in line))


def _cell(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(map(str, value))
    return "-" if value is None else str(value)
