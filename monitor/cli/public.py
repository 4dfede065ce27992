"""`public`: the public's pages as files for any host, and what an operator tells the public."""

from __future__ import annotations

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
    from monitor import commands

    files = commands.public_export(settings_of(config), folder)
    click.echo(f"wrote {files} files; serve {folder / 'current'}")
