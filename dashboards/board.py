"""A dashboard's frame: its variables, links that keep them and the time, and the marks over its panels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    AnnotationTarget,
    DashboardCursorSync,
    DashboardLink,
    DashboardLinkType,
    Panel,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards import looks
from dashboards.queries import FROM, POSTGRES, PROMETHEUS, TO, Sql

ZONE, WEEK_START = "Asia/Dubai", "monday"
"""Of the sample catalogue; `dashboards push` and `write` put another in their place."""

SCHEMA = 39
"""The newest schema that Grafana 9 to 12 all load as it is; newer Grafanas bring it up to date themselves."""

TAG = "continuity"
MARKS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Incidents", ("incident",), looks.DOWN),
    ("Announced work", ("maintenance", "out_of_hours"), looks.MAINTENANCE),
    ("Outages and faults that people filed", ("outage", "fault"), looks.DEGRADED),
)
"""What lies over every panel: kinds of grafana.mark, and their colour."""
GOVERNMENT, ENTITY, SERVICE = "continuity-government", "continuity-entity", "continuity-service"
SYSTEMS, ON_CALL, WEEKLY = "continuity-systems", "continuity-on-call", "continuity-weekly"
MONITOR = "continuity-monitor"
KEPT = "&".join(
    (
        "${__url_time_range}",
        *(f"${{{name}:queryparam}}" for name in ("datasource", "database", "job", "instance")),
    )
)


class Row(NamedTuple):
    """A heading and the panels under it."""

    title: str
    panels: Sequence[Builder[Panel]]


class _Target(AnnotationTarget):
    """A question to PostgreSQL as the target of marks; the SDK's model knows only Grafana's own store."""

    def __init__(self, query: Sql) -> None:
        super().__init__()
        self._query = query

    def to_json(self) -> dict[str, object]:
        return self._query.to_json()


def to(uid: str, **variables: str) -> str:
    """The address of another dashboard with the time and sources of this one, and these variables set."""
    more = "".join(f"&var-{name}={value}" for name, value in variables.items())
    return f"/d/{uid}?{KEPT}{more}"


def field(name: str) -> str:
    """The value of a column in the row that is clicked."""
    return f"${{__data.fields.{name}}}"


def sources(metric: str) -> list[Builder[VariableModel]]:
    """Where data come from. Jobs and instances are those that have `metric`."""
    return [
        builders.DatasourceVariable("datasource").label("Prometheus").type("prometheus"),
        builders.DatasourceVariable("database").label("PostgreSQL").type("postgres"),
        _several("job", "Job", f"label_values({metric}, job)"),
        _several("instance", "Instance", f'label_values({metric}{{job=~"$job"}}, instance)'),
    ]


def _several(name: str, label: str, query: str) -> builders.QueryVariable:
    made = _asked(name, label, query).datasource(PROMETHEUS).multi(True).include_all(True).all_value(".*")
    return made.current(VariableOption(selected=True, text="All", value="$__all"))


def _asked(name: str, label: str, query: str) -> builders.QueryVariable:
    made = builders.QueryVariable(name).label(label).query(query).sort(VariableSort.ALPHABETICAL_ASC)
    return made.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)


def chosen(
    name: str, label: str, query: str, *, several: bool = False, in_order: bool = False
) -> builders.QueryVariable:
    """A variable whose values a select gives, by name or `in_order` of the select; the first is chosen."""
    made = _asked(name, label, query).datasource(POSTGRES)
    if in_order:
        made.sort(VariableSort.DISABLED)
    if not several:
        return made
    made.multi(True).include_all(True)
    return made.current(VariableOption(selected=True, text="All", value="$__all"))


def listed(name: str, label: str, *values: str) -> builders.CustomVariable:
    """A variable with fixed values, the first of them chosen."""
    options = [VariableOption(selected=value == values[0], text=value, value=value) for value in values]
    made = builders.CustomVariable(name).label(label).values(",".join(values)).options(options)
    return made.current(options[0])


def board(
    uid: str,
    title: str,
    says: str,
    *,
    variables: Sequence[Builder[VariableModel]],
    rows: Sequence[Row],
    marks: str = "true",
    up: tuple[str, str] | None = None,
    since: str = "now-6h",
) -> str:
    """The JSON of a dashboard. `marks`: which rows of grafana.mark lie over it; `up`: the rung above."""
    made = (
        builders.Dashboard(title)
        .uid(uid)
        .description(says)
        .tags([TAG])
        .readonly()
        .timezone(ZONE)
        .week_start(WEEK_START)
        .time(since, "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .variables([*variables])
        .annotations([_marks(*mark, marks) for mark in MARKS])
        .links(_links(up))
    )
    number = 1
    for row in rows:
        made.with_row(builders.Row(row.title).id(number))
        for number, panel in enumerate(row.panels, start=number + 1):  # noqa: B020 - goes on counting
            made.with_panel(_numbered(panel, number))
        number += 1
    built = made.build()
    built.schema_version = SCHEMA
    return json.dumps(built, cls=JSONEncoder, indent=1, ensure_ascii=False) + "\n"


class _numbered(Builder[Panel]):  # noqa: N801 - used as a function
    def __init__(self, panel: Builder[Panel], number: int) -> None:
        self._panel, self._number = panel, number

    def build(self) -> Panel:
        panel = self._panel.build()
        panel.id_val = self._number
        return panel


def _marks(name: str, kinds: tuple[str, ...], colour: str, where: str) -> builders.AnnotationQuery:
    """Marks of these kinds from their beginning to their end, read each time anew."""
    these = ", ".join(f"'{kind}'" for kind in kinds)
    query = Sql(
        'select start as time, coalesce("end", now()) as timeend, text,\n'
        "       array_to_string(tags, ',') as tags\n"
        f'from grafana.mark where kind in ({these}) and start < {TO} and coalesce("end", now()) > {FROM}\n'
        f"  and ({where})\norder by start",
        ref=kinds[0],
    )
    made = builders.AnnotationQuery().name(name).datasource(POSTGRES).enable(True)
    made.icon_color(colour)
    made._internal.target = _Target(query)
    return made


def _links(up: tuple[str, str] | None) -> list[Builder[DashboardLink]]:
    every = builders.DashboardLink("Continuity").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    links = [every.as_dropdown(True).include_vars(True).keep_time(True)]
    if up is not None:
        title, uid = up
        above = builders.DashboardLink(f"Up to {title}").type(DashboardLinkType.LINK).url(f"/d/{uid}")
        links.insert(0, above.icon("arrow-up").include_vars(True).keep_time(True))
    return [*links]
