"""`public`: the public's pages as files for any host, and what an operator tells the public."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from monitor.cli.base import config_option, continuity, settings_of


@continuity.group()
def public() -> None:
    """Look after the public's pages.

    \b
    Example:
      continuity public export /var/www/status
    """


@public.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@config_option
def export(folder: Path, config: Path) -> None:
    """Write the pages as of now, for a host that is not ours: DIR/current is what it serves.

    The files are replaced at once, so it may be called again while they are read.

    \b
    Examples:
      continuity public export /var/www/status
      continuity public export out && rsync -a --delete out/current/ host:/var/www/status/
    """
    from monitor.commands import public

    files = public.export(settings_of(config), folder)
    click.echo(f"wrote {files} files; serve {folder / 'current'}")


@public.command()
@click.argument("incident", metavar="INCIDENT")
@click.option("--ar", default="", help="The text in Arabic.")
@click.option("--en", default="", help="The text in English.")
@click.option("--next", "clock", metavar="HH:MM", help="Promise the next update for then.")
@click.option(
    "--by", default=getpass.getuser, show_default="who is signed in here", help="The name it is signed with."
)
@config_option
def say(incident: str, *, ar: str, en: str, clock: str | None, by: str, config: Path) -> None:
    """Tell the public more about an incident than the fixed sentences, and publish it at once.

    A text in every published language, or none: then only the fixed sentences are published. The name is kept
    with it and not published.

    \b
    Examples:
      continuity public say INC-2026-0412 --next 14:45
      continuity public say INC-2026-0412 --ar "نعمل على إعادتها" --en "We are working on it"
    """
    from monitor.commands import public

    public.say(settings_of(config), incident, ar=ar, en=en, clock=clock, by=by)
    click.echo(f"published; the public reads it within a minute ({incident})")
