"""*Weekly uptime*: the figures of calendar periods as the report prints them, and their course."""

from __future__ import annotations

from dashboards import looks
from dashboards.board import (
    ENTITY,
    GOVERNMENT,
    SERVICE,
    WEEKLY,
    Row,
    board,
    chosen,
    field,
    listed,
    sources,
    to,
)
from dashboards.figures import COLUMNS, SHOWN
from dashboards.panels import Column, Panel, lines, rows
from dashboards.queries import Sql

PERIOD, START, ZONE = "${period:sqlstring}", "${start:sqlstring}", "${zone:sqlstring}"
THIS = f"zone = {ZONE} and period = {PERIOD} and start = {START}::timestamptz"
KINDS = ("week", "month", "quarter", "year", "day")


def dashboard() -> str:
    """Its JSON."""
    zones = "select distinct zone from grafana.availability order by 1"
    starts = (
        "select to_char(start at time zone zone, 'YYYY-MM-DD') as __text, start::text as __value\n"
        "from (select distinct start, zone from grafana.availability\n"
        f"       where zone = {ZONE} and period = {PERIOD} order by start desc limit 120) s"
    )
    return board(
        WEEKLY,
        "Weekly uptime",
        "Availability of calendar periods, from the same stored figures as the weekly report.",
        variables=[
            *sources("continuity_services_required"),
            chosen("zone", "Zone", zones),
            listed("period", "Period", *KINDS),
            chosen("start", "Begins", starts, in_order=True),
        ],
        rows=[
            Row("The period", _totals()),
            Row("Each service and system", _each()),
            Row("Transactions", _transactions()),
            Row("Course", _course()),
        ],
        up=("Government", GOVERNMENT),
        since="now-90d",
    )


def _of(kinds: str, order: str) -> Sql:
    return Sql(
        f"select s.name, s.slug, s.kind, {COLUMNS}\n"
        "from grafana.availability a join grafana.subject s on s.subject = a.subject\n"
        f"where {THIS} and s.kind in ({kinds})\norder by {order}"
    )


def _totals() -> list[Panel]:
    return [
        rows(
            "Government and entities",
            "Sums of the seconds of all their services, with and without what is excluded. Percentages are "
            "the stored ones, cut and never rounded up.",
            _of("'government', 'entity'", "s.kind desc, a.availability nulls last, s.name"),
            {
                "kind": Column("Kind", width=110),
                "name": Column("Name", link=to(ENTITY, entity=field("slug"))),
                "slug": Column("slug"),
                **SHOWN,
            },
            width=24,
            height=10,
            none="no figure of this period",
        ),
    ]


def _each() -> list[Panel]:
    return [
        rows(
            "Services",
            "Each service, the lowest first.",
            _of("'service'", "a.availability nulls last, s.name"),
            {
                "kind": Column("Kind", width=110),
                "name": Column("Service", link=to(SERVICE, service=field("slug"))),
                "slug": Column("slug"),
                **SHOWN,
            },
            width=24,
            height=12,
            none="no figure of this period",
        ),
        rows(
            "Shared systems",
            "Each shared system, the lowest first.",
            _of("'system'", "a.availability nulls last, s.name"),
            {"kind": Column("Kind", width=110), "name": Column("System"), "slug": Column("slug"), **SHOWN},
            width=24,
            height=9,
            none="no figure of this period",
        ),
    ]


def _transactions() -> list[Panel]:
    within = (
        f'hour >= {START}::timestamptz and hour < (select "end" from grafana.availability\n'
        f"  where {THIS} and subject = 'government')"
    )
    return [
        rows(
            "Transactions of the period",
            "Counted by the hour of the event, by entity and how they ended.",
            Sql(
                "select e.name, t.entity as slug,\n"
                "       sum(count) filter (where outcome = 'completed') as completed,\n"
                "       sum(count) filter (where outcome = 'failed') as failed,\n"
                "       sum(count) filter (where outcome = 'abandoned') as abandoned\n"
                "from grafana.counted_hour t left join grafana.entity e on e.slug = t.entity\n"
                f"where {within}\ngroup by 1, 2 order by completed desc nulls last"
            ),
            {
                "name": Column("Entity", link=to(ENTITY, entity=field("slug"))),
                "slug": Column("slug"),
                "completed": Column("Completed", "locale"),
                "failed": Column("Failed", "locale"),
                "abandoned": Column("Abandoned", "locale"),
            },
            width=24,
            none="nothing was counted",
        ),
    ]


def _course() -> list[Panel]:
    return [
        lines(
            "Availability of the government, period by period",
            "Each point is a stored figure at the beginning of its period; where there is none, there is no "
            "point. The line at the target is the target over all services at once.",
            [
                Sql(
                    "select start as \"time\", 'availability' as metric, availability::float8 as value\n"
                    f"from grafana.availability where subject = 'government' and zone = {ZONE}\n"
                    f"  and period = {PERIOD} and $__timeFilter(start)\n"
                    "union all\n"
                    "select start, 'target', (select 100 * target from grafana.policy)::float8\n"
                    f"from grafana.availability where subject = 'government' and zone = {ZONE}\n"
                    f"  and period = {PERIOD} and $__timeFilter(start)\n"
                    "order by 1",
                    series=True,
                )
            ],
            unit="percent",
            width=24,
            height=9,
            least=None,
            colours={"availability": looks.PLAIN, "target": looks.UNKNOWN},
        ),
    ]
