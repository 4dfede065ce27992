"""`send` sends transactions out of files: straight to Kafka, or over HTTP to a monitor."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from monitor.cli.base import Failed, config_option, continuity, count_of, json_option, print_json, settings_of
from monitor.cli.sources import try_source
from monitor.errors import ConfigError, MonitorError, UsageError

if TYPE_CHECKING:
    from monitor.judge.accepting import Offers
    from monitor.sending.place import Places
    from monitor.sending.run import Moved, Source, Tally
    from monitor.sending.ways import Way

FORMATS = ("ndjson", "csv", "log")
SHOWN = 20  # lines that were not taken


class How(NamedTuple):
    """How the files are read, as the options say."""

    format: str | None
    columns: Mapping[str, str]
    constants: Mapping[str, str]
    mapping: Path | None


class To(NamedTuple):
    """Where the events go: over HTTP where there is a `url`, else to the Kafka of the settings."""

    url: str | None
    token: str | None
    config: Path


def _pairs(_: click.Context, option: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    from monitor.sending.lines import FIELDS

    found = {}
    for value in values:
        field, equals, text = value.partition("=")
        if not equals or field not in FIELDS:
            raise click.BadParameter(f"{value!r}: write FIELD=…, where FIELD is of {', '.join(FIELDS)}")
        found[field] = text
    return found


@continuity.command()
@click.argument("files", metavar="FILE...", nargs=-1)
@config_option
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="Else by the file's name: .csv, or NDJSON."
)
@click.option("--map", "columns", multiple=True, callback=_pairs, help="FIELD=COLUMN of a CSV.")
@click.option(
    "--set", "constants", multiple=True, callback=_pairs, help="FIELD=VALUE for every row of a CSV."
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path),
    help="YAML: which requests of an access log are transactions.",
)
@click.option("--url", help="Send over HTTP to the monitor at this address.")
@click.option("--token", metavar="env:NAME|file:PATH", help="Where the token for --url is.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder that remembers how far files were sent."
)
@click.option("--again", is_flag=True, help="From the beginning, also what was sent before: it counts again.")
@click.option(
    "--dry-run", is_flag=True, help="Show what would be sent, and why lines would not; send nothing."
)
@click.option("--source", help="With --dry-run, instead of FILE: how messages of this source would count.")
@click.option(
    "--last", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many of a source."
)
@json_option
def send(
    files: tuple[str, ...],
    config: Path,
    *,
    form: str | None,
    columns: Mapping[str, str],
    constants: Mapping[str, str],
    mapping: Path | None,
    url: str | None,
    token: str | None,
    data: Path | None,
    again: bool,
    dry_run: bool,
    source: str | None,
    last: int,
    as_json: bool,
) -> None:
    """Send the transactions in FILE (`-` is standard input), and remember how far that came.

    The same command again sends only what was added. Exit code 1 when some lines were not taken; each is
    named on standard error. What a field means is in docs/sending.md.

    \b
    Examples:
      continuity send transactions.ndjson
      continuity send june.csv --map at=finished --set channel=web
      continuity send /var/log/nginx/access.log --mapping nginx.yaml --dry-run
      continuity send events.ndjson --url https://monitor.example --token env:MONITOR_TOKEN
      continuity send --dry-run --source portal --last 100
    """
    if source is not None:
        if files or not dry_run:
            raise UsageError("--source only shows how its messages would count: with --dry-run, without FILE")
        try_source(config, source, last=last, as_json=as_json)
        return
    how, to = How(form, columns, constants, mapping), To(url, token, config)
    _check_usage(files, how, to)
    folder = (data or settings_of(config).data_folder) / "sending"
    tally = _run(files, how, to, folder, again=again, dry_run=dry_run)
    _tell(tally, dry_run=dry_run, as_json=as_json)
    if tally.refused:
        raise click.exceptions.Exit(1)


def _check_usage(files: Sequence[str], how: How, to: To) -> None:
    if not files:
        raise UsageError("name a FILE, or `-` for standard input")
    if files.count("-") > 1:
        raise UsageError("`-` is standard input: it can be read once")
    if (to.url is None) != (to.token is None):
        raise UsageError(
            "--url and --token go together: --token env:NAME or file:/path says where the token is"
        )
    if to.token is not None and not to.token.startswith(("env:", "file:")):
        raise UsageError(
            "--token takes env:NAME or file:/path, never the token itself: others see command lines"
        )
    if how.format == "log" and how.mapping is None:
        raise UsageError("an access log needs --mapping: which requests are transactions")
    if how.mapping is not None and how.format not in (None, "log"):
        raise UsageError("--mapping is for an access log")


def _run(files: Sequence[str], how: How, to: To, folder: Path, *, again: bool, dry_run: bool) -> Tally:
    import asyncio

    from monitor import log
    from monitor.lifetime import Stop, stopping_on_signals
    from monitor.sending.place import Places
    from monitor.sending.run import Sending, Tally, show

    log.hush()
    tally, places = Tally(), Places(folder)

    async def all_of_them() -> None:
        stop = Stop()
        async with _way(to, dry_run=dry_run) as way:
            with stopping_on_signals(stop):
                for name in files:
                    with (
                        _opened(name, how, places, again=again, stopped=lambda: stop.requested) as source,
                        _progress(source) as moved,
                    ):
                        if dry_run:
                            await show(source, way, tally, stop, moved)
                        else:
                            with _saying_where(source):
                                await Sending(source, way, places, tally, stop).run(moved)
                    if stop.requested:
                        raise Failed(f"stopped; {_where(source)}")

    try:
        asyncio.run(all_of_them())
    except Failed as stopped:
        _tell_failed(tally)
        raise stopped
    return tally


@contextmanager
def _saying_where(source: Source) -> Iterator[None]:
    try:
        yield
    except MonitorError as error:
        raise MonitorError(f"{error}\n{_where(source)}") from error


def _where(source: Source) -> str:
    if not source.is_file:
        return "what standard input held cannot be read again: send it anew, with the same ids"
    if source.place.line == 1:
        return f"nothing of {source.name} was sent"
    return f"{source.name} was sent up to line {source.place.line - 1}; the same command goes on from there"


@asynccontextmanager
async def _way(to: To, *, dry_run: bool) -> AsyncIterator[Way]:
    from monitor.sending.ways import Nowhere, ToGateway, ToKafka

    settings = settings_of(to.config)
    ahead_s = settings.transactions.ahead_s
    offers = _offers(to.config) if to.url is None else None  # a gateway knows its own catalogue
    if dry_run:
        yield Nowhere(offers, ahead_s=ahead_s)
    elif to.url is not None and to.token is not None:
        import aiohttp

        from monitor.config.settings import secret

        async with aiohttp.ClientSession() as session:
            yield ToGateway(session, to.url, secret(to.token), ahead_s=ahead_s)
    else:
        from monitor.addresses import kafka_of
        from monitor.stream.send import open_sender

        async with open_sender(kafka_of(settings)) as sender:
            yield ToKafka(sender, offers, ahead_s=ahead_s)


def _offers(config: Path) -> Offers | None:
    """What the catalogue of this folder offers; None, said on standard error, where there is none to read."""
    from monitor.config.load import load
    from monitor.judge.accepting import Offers

    try:
        return Offers(load(config).catalogue)
    except ConfigError as error:
        why = f"{error.problems[0]}\nservices and channels are not checked here: no catalogue could be read"
        click.echo(why, err=True)
        return None


@contextmanager
def _opened(
    name: str, how: How, places: Places, *, again: bool, stopped: Callable[[], bool]
) -> Iterator[Source]:
    from monitor.sending.lines import Csv, ndjson
    from monitor.sending.pipe import Pipe
    from monitor.sending.run import open_file, standard_input
    from monitor.sending.weblog import Weblog, read_mapping

    form = how.format or (
        "log" if how.mapping else "csv" if Path(name).suffix in (".csv", ".tsv") else "ndjson"
    )
    if form != "csv" and (how.columns or how.constants):
        raise UsageError(f"--map and --set are for CSV; {name} is read as {form} (--format says otherwise)")
    read = Weblog(read_mapping(how.mapping)) if how.mapping else ndjson
    source = (
        standard_input(Pipe(sys.stdin.fileno(), stopped), read)
        if name == "-"
        else open_file(Path(name), read, places, again=again)
    )
    with closing(source.file):
        if form == "csv":
            source.with_csv(lambda header: Csv(header, columns=how.columns, constants=how.constants))
        yield source


@contextmanager
def _progress(source: Source) -> Iterator[Moved]:
    """A bar on a terminal, on standard error; nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda offset: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(source.name, total=source.size, completed=source.place.offset)
        yield lambda offset: progress.update(task, completed=offset)


def _tell(tally: Tally, *, dry_run: bool, as_json: bool) -> None:
    _tell_failed(tally)
    counts = [
        {"service": service, "channel": channel, "outcome": outcome, "transactions": count}
        for (service, channel, outcome), count in sorted(tally.counts.items())
    ]
    if as_json:
        what = {
            "sent": 0 if dry_run else tally.sent,
            "refused": tally.refused,
            "passed_over": tally.passed_over,
        }
        print_json({**what, "would_send": tally.sent if dry_run else 0, "counts": counts})
        return
    for line in counts if dry_run else []:
        click.echo("\t".join(str(value) for value in line.values()))
    if dry_run and tally.first:
        click.echo("first messages:")
        click.echo(b"\n".join(tally.first).decode())
    done = "would be sent" if dry_run else "sent"
    rest = f", {tally.passed_over} passed over" if tally.passed_over else ""
    click.echo(f"{count_of(tally.sent, 'event')} {done}, {tally.refused} not{rest}")


def _tell_failed(tally: Tally) -> None:
    """The first lines that were not taken, as file:line: reason."""
    for file, failed in tally.failed[:SHOWN]:
        place = f"{file}:{failed.line}" if failed.line else file
        click.echo(
            f"{place}: {failed.why}" + (f" ({failed.count} lines)" if failed.count > 1 else ""), err=True
        )
    if tally.refused > SHOWN:
        click.echo(f"and {tally.refused - SHOWN} more", err=True)
