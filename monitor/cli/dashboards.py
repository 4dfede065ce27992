"""`dashboards` writes what Grafana, Prometheus and Alertmanager read, or pushes dashboards to a Grafana."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from monitor.cli.base import continuity, json_option, print_json
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.grafana.push import Step

COLOURS = {"created": "green", "changed": "yellow"}
zone_option = click.option("--zone", help="Time zone of the dashboards, such as Asia/Bahrain.")
week_option = click.option(
    "--week-start", type=click.Choice(("saturday", "sunday", "monday")), help="First day of their week."
)


@continuity.group()
def dashboards() -> None:
    """Dashboards, rules and configuration for a Grafana, Prometheus and Alertmanager of yours.

    \b
    Examples:
      continuity dashboards write /tmp/continuity
      continuity dashboards push --url https://grafana.example --token env:GRAFANA_TOKEN --dry-run
    """


@dashboards.command("write")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@zone_option
@week_option
def write_files(folder: Path, *, zone: str | None, week_start: str | None) -> None:
    """Write every file into DIR, to be copied to where they are read. docs/grafana.md says where.

    \b
    Example:
      continuity dashboards write /tmp/continuity --zone Asia/Bahrain --week-start sunday
    """
    from monitor.grafana.files import Wanted, write

    for path in write(folder, Wanted(_known(zone), week_start)):
        click.echo(str(path))


@dashboards.command("push")
@click.option("--url", required=True, help="Where Grafana is, such as https://grafana.example.")
@click.option("--token", required=True, metavar="env:NAME|file:PATH", help="Where the token for it is.")
@click.option("--folder", default="continuity", show_default=True, help="Uid of the folder.")
@click.option("--title", default="Service continuity", show_default=True, help="Title of the folder.")
@click.option("--prometheus", metavar="URL", help="Make or change a data source for this Prometheus too.")
@click.option(
    "--postgres",
    metavar="DSN",
    help="The same for this database, as postgresql://grafana@host:5432/continuity.",
)
@click.option("--postgres-password", metavar="env:NAME|file:PATH", help="Where its password is.")
@zone_option
@week_option
@click.option("--dry-run", is_flag=True, help="Show what differs; change nothing.")
@json_option
def push_them(
    url: str,
    token: str,
    *,
    folder: str,
    title: str,
    prometheus: str | None,
    postgres: str | None,
    postgres_password: str | None,
    zone: str | None,
    week_start: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Bring the dashboards of a Grafana to ours. Again, it changes nothing; cut off, it goes on.

    The token is of a service account with the role Editor, or Admin where data sources are to be made.

    \b
    Examples:
      continuity dashboards push --url https://grafana.example --token env:GRAFANA_TOKEN --dry-run
      continuity dashboards push --url https://grafana.example --token file:/run/secrets/grafana \\
        --prometheus http://prometheus:9090
    """
    from monitor.grafana.client import Client
    from monitor.grafana.files import Wanted
    from monitor.grafana.files import dashboards as ours
    from monitor.grafana.push import Plan, push
    from probes.contract import resolve_secret

    sources = [*_prometheus(prometheus), *_postgres(postgres, postgres_password)]
    plan = Plan(folder, title, sources, ours(Wanted(_known(zone), week_start)))
    client = Client(url, resolve_secret(_reference("--token", token)))
    done = []
    for step in push(client, plan, dry_run=dry_run):
        done.append(step)
        if not as_json:
            _tell(step, dry_run=dry_run)
    if as_json:
        print_json({"dry_run": dry_run, "steps": [step._asdict() for step in done]})
    else:
        fates = Counter(step.fate for step in done)
        click.echo(", ".join(f"{number} {fate}" for fate, number in fates.items()), err=True)


def _tell(step: Step, *, dry_run: bool) -> None:
    would = "would be " if dry_run and step.fate != "same" else ""
    click.echo(f"{would}{click.style(step.fate, fg=COLOURS.get(step.fate))}\t{step.what}")
    if dry_run:
        for line in step.difference:
            click.echo(f"  {line}")


def _reference(option: str, text: str) -> str:
    if not text.startswith(("env:", "file:")):
        raise UsageError(
            f"{option} takes env:NAME or file:/path, never the secret itself: others see commands"
        )
    return text


def _known(zone: str | None) -> str | None:
    from zoneinfo import ZoneInfo

    try:
        return None if zone is None else ZoneInfo(zone).key
    except (KeyError, ValueError, OSError) as error:
        raise UsageError(f"no time zone is called {zone!r}; one is called Asia/Dubai") from error


def _prometheus(url: str | None) -> list[dict[str, Any]]:
    if url is None:
        return []
    how = {"httpMethod": "POST", "timeInterval": "15s"}
    return [
        {
            "uid": "continuity-prometheus", "name": "Continuity Prometheus", "type": "prometheus",
            "access": "proxy", "url": url, "isDefault": False, "jsonData": how,
        }
    ]  # fmt: skip


def _postgres(dsn: str | None, password: str | None) -> list[dict[str, Any]]:
    from probes.contract import resolve_secret

    if dsn is None:
        return []
    parts = urlsplit(dsn)
    if parts.scheme not in ("postgres", "postgresql") or not parts.hostname or parts.password:
        raise UsageError(
            "--postgres must be as postgresql://grafana@host:5432/continuity; "
            "--postgres-password says where the password is"
        )
    source: dict[str, Any] = {
        "uid": "continuity-postgres", "name": "Continuity PostgreSQL", "type": "postgres", "access": "proxy",
        "url": f"{parts.hostname}:{parts.port or 5432}", "user": parts.username or "grafana",
        "isDefault": False,
        "jsonData": {"database": parts.path.strip("/"), "postgresVersion": 1500, "sslmode": "prefer"},
    }  # fmt: skip
    if password is not None:
        source["secureJsonData"] = {"password": resolve_secret(_reference("--postgres-password", password))}
    return [source]
