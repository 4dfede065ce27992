"""*Entity*: the services of one entity, which of them cannot be had now, and whom to call."""

from __future__ import annotations

from dashboards import looks
from dashboards.board import ENTITY, GOVERNMENT, SERVICE, Row, board, chosen, field, sources, to
from dashboards.figures import COLUMNS, SHOWN, figures
from dashboards.government import age
from dashboards.panels import Column, Panel, lines, number, rows, timeline
from dashboards.queries import Sql, ask, ask_now, code, named, state, state_rate
from dashboards.queries import timeline as verdicts

ITS = 'entity=~"$entity"'
SLUG = "${entity:sqlstring}"
SUBJECTS = f"select s.subject from grafana.service s where s.entity = {SLUG}"
TOUCHED = (
    f"subjects && array(select subject from grafana.subject where entity = {SLUG}\n"
    "                     and kind in ('entity', 'service', 'channel'))"
)


def dashboard() -> str:
    """Its JSON."""
    entities = "select name as __text, slug as __value from grafana.entity order by name"
    return board(
        ENTITY,
        "Entity",
        "The services of one entity: what can be had remotely, what cannot, and whom to call.",
        variables=[*sources("continuity_services_required"), chosen("entity", "Entity", entities)],
        rows=[
            Row("Now", [*_now(), *_services()]),
            Row("Lately", _lately()),
            Row("Transactions", _transactions()),
        ],
        marks=TOUCHED,
        up=("Government", GOVERNMENT),
    )


def of_entity(expr: str) -> str:
    """Those series that are about a service of the entity."""
    return f"({expr}) * on (job, service) group_left () {state('continuity_service_info', ITS)}"


def _services_that_are(verdict: str) -> str:
    matcher = f'verdict=~"{verdict}"'
    return f"sum({of_entity(state('continuity_service_verdict', matcher))})"


def _now() -> list[Panel]:
    return [
        number(
            "Available",
            "Services of the entity that are up or degraded on a remote channel that completes them.",
            ask_now(_services_that_are("up|degraded")),
            colour=looks.UP,
        ),
        number(
            "Not available",
            "Services of the entity that cannot be had remotely now.",
            ask_now(_services_that_are("down")),
            colour=looks.UNKNOWN,
            steps=[(1, looks.DOWN)],
        ),
        number(
            "Unknown",
            "Services of the entity of which nobody can tell: our own doing, never counted as theirs.",
            ask_now(_services_that_are("unknown")),
            colour=looks.UNKNOWN,
        ),
        age(),
        rows(
            "Whom to call",
            "The contacts that the catalogue names for the entity.",
            Sql(
                "select role, name, phone, mail, hours from grafana.contact\n"
                f"where kind = 'entity' and slug = {SLUG}"
            ),
            {name: Column(name.capitalize()) for name in ("role", "name", "phone", "mail", "hours")},
            width=8,
            height=4,
            none="no contact in the catalogue",
        ),
    ]


def _services() -> list[Panel]:
    verdict = named(code("continuity_service_verdict"), ITS)
    return [
        rows(
            "Services",
            "Every service of the entity with its verdict now, the worst first.",
            ask_now(f"sort_desc(max by (service, name) ({verdict}))", table=True),
            {
                "Value": Column("Verdict", mappings=looks.states(), width=130),
                "name": Column("Service", link=to(SERVICE, service=field("service"))),
                "service": Column("service"),
            },
            height=9,
        ),
        figures(
            "Availability of the entity",
            "Sums of the seconds of its services, as in the report, with and without what is excluded.",
            f"subject = (select subject from grafana.entity where slug = {SLUG})",
            height=9,
        ),
    ]


def _lately() -> list[Panel]:
    label = "s.name"
    return [
        timeline(
            "Verdicts of its services",
            "What each service was, change by change as stored: nothing between two scrapes is missed (T25).",
            [verdicts(SUBJECTS, layer="effective", label=label)],
            height=10,
        ),
        rows(
            "Availability of its services, last 28 days",
            "The stored figures of each service, with and without what is excluded.",
            Sql(
                f"select s.name, s.slug, {COLUMNS}\n"
                "from (select distinct on (subject) * from grafana.availability\n"
                "       where period = '28d' and zone = (select zone from grafana.policy)\n"
                "       order by subject, start desc) a\n"
                f"join grafana.service s on s.subject = a.subject where s.entity = {SLUG}\n"
                "order by a.availability nulls last, s.name"
            ),
            {
                "name": Column("Service", link=to(SERVICE, service=field("slug"))),
                "slug": Column("slug"),
                **SHOWN,
            },
            width=24,
            none="no figure yet",
        ),
    ]


def _transactions() -> list[Panel]:
    completed = state_rate("continuity_transactions_total", 'outcome="completed"')
    failed = state_rate("continuity_transactions_total", 'outcome=~"failed|abandoned"')
    return [
        lines(
            "Completed transactions a minute",
            "What people got done on its services, beside what is usual at this hour of the week.",
            [
                ask(f"60 * sum({of_entity(completed)})", "completed"),
                ask(f"sum({of_entity(state('continuity_transactions_expected'))})", "usual", ref="B"),
            ],
            unit="short",
            colours={"completed": looks.PLAIN, "usual": looks.UNKNOWN},
        ),
        lines(
            "Failed and abandoned transactions a minute",
            "Transactions on its services that people could not or did not finish.",
            [ask(f"60 * sum by (outcome) ({of_entity(failed)})", "{{outcome}}")],
            unit="short",
            colours={"failed": looks.DOWN, "abandoned": looks.DEGRADED},
        ),
    ]
