"""*Systems*: what depends on each shared system, and what it takes with it when it is down."""

from __future__ import annotations

from dashboards import looks
from dashboards.board import ENTITY, GOVERNMENT, SERVICE, SYSTEMS, Row, board, chosen, field, sources, to
from dashboards.figures import figures
from dashboards.government import age
from dashboards.panels import Column, Panel, graph, number, rows, timeline
from dashboards.queries import Sql, announced, ask_now, code
from dashboards.queries import timeline as verdicts

SLUG = "${system:sqlstring}"
SUBJECT = f"(select subject from grafana.system where slug = {SLUG})"
EVERY = "select subject from grafana.system"
ITS = 'system=~"$system"'


def dashboard() -> str:
    """Its JSON."""
    systems = "select name as __text, slug as __value from grafana.system order by name"
    return board(
        SYSTEMS,
        "Systems",
        "Shared systems: how they are, what depends on them, and how far a failure of each would reach.",
        variables=[*sources("continuity_system_verdict"), chosen("system", "System", systems)],
        rows=[Row("Every system", _every()), Row("One system", _one()), Row("Who needs whom", [_graph()])],
        marks=f"subjects && array({EVERY})",
        up=("Government", GOVERNMENT),
    )


def _every() -> list[Panel]:
    return [
        timeline(
            "Verdicts of systems",
            "What each system was, with what follows from the systems it needs, change by change as stored.",
            [verdicts(EVERY, layer="effective", label="s.name")],
            height=10,
        ),
        rows(
            "How far each would reach",
            "If the system were down: services that would lose their last remote channel that completes "
            "them, entities among these, and how many channels declare to need it.",
            Sql(
                "select s.slug as system, s.name, s.kind,\n"
                "       count(distinct b.service) as services,\n"
                "       count(distinct nullif(b.entity, '')) as entities,\n"
                "       (select count(distinct dependant) from grafana.dependency d\n"
                "         where d.system = s.subject and d.kind = 'channel') as channels\n"
                "from grafana.system s left join grafana.blast b on b.system = s.subject\n"
                "group by s.subject, s.slug, s.name, s.kind order by services desc, channels desc, s.name"
            ),
            {
                "system": Column("system", link=to(SYSTEMS, system=field("system"))),
                "name": Column("Name"),
                "kind": Column("Kind"),
                "services": Column("Services lost", "short"),
                "entities": Column("Of entities", "short"),
                "channels": Column("Channels that need it", "short"),
            },
            width=24,
            height=9,
        ),
    ]


def _one() -> list[Panel]:
    return [
        number(
            "Verdict",
            "How the chosen system is now, with what follows from the systems it needs.",
            ask_now(f"max({code('continuity_system_verdict', ITS)})"),
            mappings=looks.states(),
            colour=looks.UNKNOWN,
        ),
        age(),
        rows(
            "Whom to call",
            "The contacts that the catalogue names for the system.",
            Sql(
                "select role, name, phone, mail, hours from grafana.contact\n"
                f"where kind = 'system' and slug = {SLUG}"
            ),
            {name: Column(name.capitalize()) for name in ("role", "name", "phone", "mail", "hours")},
            width=16,
            height=4,
            none="no contact in the catalogue",
        ),
        timeline(
            "Verdicts of the system",
            "The chosen system's verdict, and announced work on it as a row of its own.",
            [
                verdicts(f"select {SUBJECT}", layer="effective", label="s.name"),
                announced(f"select {SUBJECT}"),
            ],
            height=5,
        ),
        rows(
            "Services it would take",
            "Services that lose their last remote channel that completes them when the system is down.",
            Sql(
                "select s.slug as service, coalesce(s.name, s.slug) as name, b.entity\n"
                "from grafana.blast b join grafana.service s on s.slug = b.service\n"
                f"where b.system = {SUBJECT} order by b.entity, name"
            ),
            {
                "name": Column("Service", link=to(SERVICE, service=field("service"))),
                "service": Column("service"),
                "entity": Column("entity", link=to(ENTITY, entity=field("entity"))),
            },
            none="none: each has another way",
        ),
        rows(
            "What needs it",
            "Every channel and system that declares to need it, and what that does to them.",
            Sql(
                "select d.kind, coalesce(s.name, d.dependant) as name, d.effect, d.entity\n"
                "from grafana.dependency d left join grafana.subject s on s.subject = d.dependant\n"
                f"where d.system = {SUBJECT} order by d.effect, d.kind, name"
            ),
            {
                "kind": Column("Kind", width=100),
                "name": Column("Name"),
                "effect": Column("Effect", width=100),
                "entity": Column("entity", link=to(ENTITY, entity=field("entity"))),
            },
            none="nothing needs it",
        ),
        figures(
            "Availability of the system",
            "The stored figures, with and without what is excluded.",
            f"subject = {SUBJECT}",
            width=24,
        ),
    ]


def _graph() -> Panel:
    nodes = Sql(
        'select subject as id, name as title, kind as "subTitle" from grafana.system\n'
        "union all select subject, name, 'entity' from grafana.entity order by 2",
        ref="nodes",
    )
    edges = Sql(
        "select d.system || '>' || t.id as id, t.id as source, d.system as target, count(*) as \"mainStat\"\n"
        "from grafana.dependency d cross join lateral (select case when d.kind = 'system' then d.dependant\n"
        "  else (select e.subject from grafana.entity e where e.slug = d.entity) end as id) t\n"
        "where t.id is not null group by d.system, t.id order by 1",
        ref="edges",
    )
    return graph(
        "Who needs whom",
        "Entities and systems; an arrow leads to what is needed and says how many channels need it.",
        nodes,
        edges,
    )
