"""`report` publishes, lists and writes out the committee's reports."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from monitor.cli.base import config_option, continuity, json_option, print_json, settings_of
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.config.settings import Settings

FORMATS = ("html", "pdf", "xlsx", "csv", "json")
PAPERS = ("a4", "projector")
TABLES = ("summary", "entities", "services", "weeks", "outages", "work", "intervals", "replies", "dictionary")

entity_option = click.option("--entity", help="The report of this entity instead of the government's.")


def publishing_options(command: Any) -> Any:
    """What every command that publishes takes."""
    for option in (
        entity_option,
        click.option("--correct", "why", metavar="WHY", help="Publish a correction, for this reason."),
        click.option("--by", help="Who corrects; the name you are signed in with here when absent."),
        click.option(
            "--incomplete", is_flag=True, help="Also when not all is in; the report says what is not."
        ),
        config_option,
        json_option,
    ):
        command = option(command)
    return command


@continuity.group()
def report() -> None:
    """Publish, list and write out the committee's reports.

    A published report never changes; a correction is a new version that says what changed and why. The role
    `report` publishes every week by itself.

    \b
    Examples:
      continuity report weekly
      continuity report list
      continuity report show 2026-W47 --format html --language ar --out .
    """


@report.command()
@click.option("--week", metavar="YYYY-Www", help="Such as 2026-W47; the last week that is over when absent.")
@publishing_options
def weekly(week: str | None, **options: Any) -> None:
    """Publish the report of a week now.

    \b
    Examples:
      continuity report weekly --week 2026-W47 --entity transport
      continuity report weekly --week 2026-W47 --correct "an outage was reported late"
    """
    _publish(week, **options)


@report.command()
@click.argument("month", metavar="YYYY-MM")
@publishing_options
def month(month: str, **options: Any) -> None:
    """Publish the report of a month.

    \b
    Example:
      continuity report month 2026-10
    """
    _publish(month, **options)


@report.command()
@click.argument("quarter", metavar="YYYY-Qn")
@publishing_options
def quarter(quarter: str, **options: Any) -> None:
    """Publish the report of a quarter.

    \b
    Example:
      continuity report quarter 2026-Q3
    """
    _publish(quarter, **options)


@report.command(name="range")
@click.argument("first", metavar="FIRST-DAY")
@click.argument("last", metavar="LAST-DAY")
@publishing_options
def range_(first: str, last: str, **options: Any) -> None:
    """Publish the report of any days, both in it.

    \b
    Example:
      continuity report range 2026-11-01 2026-11-10
    """
    _publish(f"{first}_{last}", **options)


def _publish(
    label: str | None,
    *,
    entity: str | None,
    why: str | None,
    by: str | None,
    incomplete: bool,
    config: Path,
    as_json: bool,
) -> None:
    from monitor.commands import reports

    document = reports.publish(
        settings_of(config), label, entity=entity, incomplete=incomplete, why=why, by=by or getpass.getuser()
    )
    about = document.about
    if as_json:
        print_json({"label": about.label, "scope": about.scope, "version": about.version})
        return
    click.echo(f"published {about.label} of {about.slug}, version {about.version}")
    for each in document.not_in:
        click.echo(f"not in yet: {each.what} after {each.until or 'nothing'}")


@report.command(name="list")
@config_option
@json_option
def list_(config: Path, *, as_json: bool) -> None:
    """List the published reports, the newest first.

    \b
    Example:
      continuity report list --json
    """
    from monitor.commands import reports

    lines = [line._asdict() for line in reports.listed(settings_of(config))]
    if as_json:
        print_json(lines)
        return
    for line in lines or [{}]:
        shown = "{label}\t{scope}\tversion {version}\t{sha256}".format(**line) if line else "no reports yet"
        click.echo(shown)


@report.command()
@click.argument("label")
@entity_option
@click.option("--version", "number", type=click.IntRange(1), help="The last one when absent.")
@click.option("--draft", is_flag=True, help="What waits for its reviewers instead of what is published.")
@click.option("--figure", "code", metavar="CODE", help="How this figure was counted, such as F10.")
@click.option("--subject", default="", help="Of --figure: of this entity or service, not of everybody.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Write it as a file of this kind.")
@click.option("--language", type=click.Choice(("ar", "en")), default="en", show_default=True)
@click.option("--table", type=click.Choice(TABLES), default="services", show_default=True, help="Of CSV.")
@click.option("--paper", type=click.Choice(PAPERS), default="a4", show_default=True, help="Of PDF.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Folder of the file."
)
@config_option
def show(
    label: str,
    *,
    entity: str | None,
    number: int | None,
    draft: bool,
    code: str | None,
    subject: str,
    form: str | None,
    language: str,
    table: str,
    paper: Literal["a4", "projector"],
    out: Path,
    config: Path,
) -> None:
    """Print the figures of a report, or how one was counted, or write it as a file; a draft says so.

    \b
    Examples:
      continuity report show 2026-W47
      continuity report show 2026-W47 --figure F10 --subject passport
      continuity report show 2026-W47 --format xlsx --language ar --out /tmp
      continuity report show 2026-W47 --format pdf --paper projector --language ar --out /tmp
      continuity report show 2026-W47 --draft --format pdf --language ar --out /tmp
    """
    text = _frozen(settings_of(config), label, entity, number, draft=draft)
    if code is not None:
        _print_counted(text, code.upper(), subject, language, draft=draft)
        return
    if form is None:
        _print_figures(text, language, draft=draft)
        return
    from monitor.report.files import file_of

    made = file_of(text, form, language, table=table, paper=paper, draft=draft)
    out.mkdir(parents=True, exist_ok=True)
    (out / made.name).write_bytes(made.body)
    click.echo(str(out / made.name))


def _frozen(given: Settings, label: str, entity: str | None, number: int | None, *, draft: bool) -> bytes:
    from monitor.commands import reports

    if not draft:
        return reports.read(given, label, entity=entity, number=number)
    if number is not None:
        raise UsageError("a draft is the only one of its label: leave out `--version`")
    return reports.draft_read(given, label, entity=entity)


def _print_counted(text: bytes, code: str, subject: str, language: str, *, draft: bool) -> None:
    from monitor.report.counting import counted_rows
    from monitor.report.document import decode
    from monitor.report.evidence import part_called
    from monitor.report.voice import Voice, marks_of

    document = decode(text)
    part = part_called(document, subject)
    if part is None:
        raise UsageError(f"nothing in this report is called {subject!r}")
    if code not in part.figures:
        raise UsageError(f"{code} is not said of {part.subject}; there are {', '.join(sorted(part.figures))}")
    voice = Voice(language, document)
    for mark in marks_of(document.about, draft=draft):
        click.echo(mark)
    [row] = counted_rows(document, voice, [code], part=part)
    click.echo(f"{code}\t{row.name}\t{row.written}\n{row.says}")
    for fact in row.facts:
        click.echo(f"{fact.label}\t{fact.text}")
    if row.intervals is not None:
        click.echo(row.intervals.title)
        for line in row.intervals.lines:
            click.echo("\t".join(line))
        click.echo(" ".join(row.intervals.notes))


def _print_figures(text: bytes, language: str, *, draft: bool) -> None:
    from monitor.report.document import decode, digest
    from monitor.report.figures import FIGURES
    from monitor.report.voice import Voice, marks_of

    document = decode(text)
    voice = Voice(language, document)
    for mark in marks_of(document.about, draft=draft):
        click.echo(mark)
    click.echo(voice.sentence)
    for code, value in document.total.figures.items():
        click.echo(f"{code}\t{voice.plain(f'{code}.name')}\t{voice.written(FIGURES[code].unit, value)}")
    click.echo(
        f"as of {document.about.as_of:%Y-%m-%dT%H:%M:%SZ}, version {document.about.version}, {digest(text)}"
    )
