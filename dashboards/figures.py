"""Availability as the database keeps it: the same rows, and the same digits, as the report and the API."""

from __future__ import annotations

from dashboards.panels import Column, Panel, rows
from dashboards.queries import Sql

DURATION = "dtdurations"
COLUMNS = (
    "coalesce(availability || ' %', replace(says, '_', ' ')) as availability, "
    "coalesce(availability_without_exclusions || ' %', 'no figure') as all_counted, "
    "coalesce(coverage || ' %', 'none') as coverage, outages, down_seconds, longest_seconds, "
    "mean_restore_seconds, unknown_seconds, maintenance_seconds, as_of"
)
"""Percentages are texts: the stored digits as they are, which Grafana's own formats would round (T41)."""

SHOWN = {
    "availability": Column("Availability"),
    "all_counted": Column("All counted"),
    "coverage": Column("Coverage"),
    "outages": Column("Outages", "short"),
    "down_seconds": Column("Down", DURATION),
    "longest_seconds": Column("Longest", DURATION),
    "mean_restore_seconds": Column("To restore, mean", DURATION),
    "unknown_seconds": Column("Unknown", DURATION),
    "maintenance_seconds": Column("Maintenance", DURATION),
    "as_of": Column("Judged until", "dateTimeAsLocal"),
}
LATEST = "'day', 'week', 'month', 'quarter', 'year', '7d', '28d'"


def figures(title: str, says: str, which: str, *, width: int = 12, height: int = 8) -> Panel:
    """The figures of the periods that go on now, of the subject that `which` selects."""
    query = Sql(
        "select period, start, " + COLUMNS + " from (\n"
        "  select distinct on (period) * from grafana.availability\n"
        f"   where {which} and zone = (select zone from grafana.policy)\n"
        "   order by period, start desc) latest\n"
        f"order by array_position(array[{LATEST}], period)"
    )
    shown = {"period": Column("Period"), "start": Column("From", "dateTimeAsLocal"), **SHOWN}
    return rows(title, says, query, shown, width=width, height=height, none="no figure yet")
