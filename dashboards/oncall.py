"""*On-call*: open incidents, what fails now, what is planned, and what was closed."""

from __future__ import annotations

from dashboards import looks
from dashboards.board import GOVERNMENT, ON_CALL, SERVICE, Row, board, field, sources, to
from dashboards.government import age
from dashboards.panels import Column, Panel, number, rows
from dashboards.queries import FROM, TO, Sql, ask_now, named, state

INCIDENT = {
    "number": Column("Incident", width=130),
    "severity": Column("Severity", mappings=looks.severities(), width=110),
    "name": Column("What"),
    "verdict": Column("Worst", mappings=looks.states(), width=120),
    "suspected": Column("Cause", width=100),
    "services_taken": Column("Services", "short", width=90),
    "since": Column("Since", "dateTimeAsLocal", width=170),
    "lasted": Column("Lasted", "dtdurations", width=110),
    "acknowledged_by": Column("Acknowledged by", width=150),
}
FIELDS = (
    "number, severity, name, verdict,\n"
    "       case when suspected then 'suspected' else 'confirmed' end as suspected,\n"
    "       services_taken, since, extract(epoch from coalesce(closed_at, now()) - since) as lasted,\n"
    "       acknowledged_by"
)


def dashboard() -> str:
    """Its JSON."""
    return board(
        ON_CALL,
        "On-call",
        "What somebody should look at now: incidents, services that cannot be had, findings, planned work.",
        variables=sources("continuity_services_required"),
        rows=[Row("Open", _open()), Row("Failing now", _failing()), Row("Work and before", _work())],
        up=("Government", GOVERNMENT),
        since="now-12h",
    )


def _count(where: str) -> Sql:
    return Sql(f"select count(*) as incidents from grafana.incident where closed_at is null and {where}")


def _open() -> list[Panel]:
    return [
        number(
            "Critical",
            "Open incidents that wake somebody.",
            _count("severity = 'critical'"),
            colour=looks.UP,
            steps=[(1, looks.DOWN)],
        ),
        number(
            "Warnings",
            "Open incidents for working hours.",
            _count("severity = 'warning'"),
            colour=looks.UP,
            steps=[(1, looks.DEGRADED)],
        ),
        number(
            "Not acknowledged",
            "Open incidents above info that nobody has in hand.",
            _count("severity <> 'info' and acknowledged_at is null"),
            colour=looks.UP,
            steps=[(1, looks.DOWN)],
        ),
        number(
            "Services not available",
            "Services that cannot be had remotely now.",
            ask_now(f"sum({state('continuity_service_verdict', _is('down'))})"),
            colour=looks.UP,
            steps=[(1, looks.DOWN)],
        ),
        number(
            "Services unknown",
            "Services of which nobody can tell: look at *The monitor itself*.",
            ask_now(f"sum({state('continuity_service_verdict', _is('unknown'))})"),
            colour=looks.UP,
            steps=[(1, looks.UNKNOWN)],
        ),
        age(),
        rows(
            "Open incidents",
            "One row a cause, the gravest and newest first. A cause is suspected until its own check fails.",
            Sql(
                f"select {FIELDS}\nfrom grafana.incident where closed_at is null\n"
                "order by array_position(array['critical', 'warning', 'info'], severity), since desc"
            ),
            INCIDENT,
            width=24,
            none="no open incident",
        ),
    ]


def _is(verdict: str) -> str:
    return f'verdict="{verdict}"'


def _failing() -> list[Panel]:
    down = f"{named(state('continuity_service_verdict', _is('down')))} == 1"
    findings = f"{state('continuity_findings_open')} > 0"
    ends = f"{state('continuity_certificate_expiry_timestamp_seconds')} - time()"
    return [
        rows(
            "Services down",
            "Services that cannot be had remotely now.",
            ask_now(f"max by (service, name, entity) ({down})", table=True),
            {
                "name": Column("Service", link=to(SERVICE, service=field("service"))),
                "service": Column("service"),
                "entity": Column("Entity"),
                "Value": Column("Down", mappings=looks.yes_or_no(yes="✕ Down", no="", bad=True), width=100),
            },
            width=8,
            none="none",
        ),
        rows(
            "Transactions not as usual",
            "Services where counts are silent, low, high, or fail more than usual.",
            ask_now(f"max by (service, kind) ({findings})", table=True),
            {
                "service": Column("service", link=to(SERVICE, service=field("service"))),
                "kind": Column("Kind"),
                "Value": Column("Channels", "short"),
            },
            width=8,
            none="all as usual",
        ),
        rows(
            "Certificates that end within 30 days",
            "Certificates seen on channels, the first to end on top.",
            ask_now(f"sort(min by (service, channel) ({ends}) < 2592000)", table=True),
            {
                "service": Column("service", link=to(SERVICE, service=field("service"))),
                "channel": Column("Channel"),
                "Value": Column("Ends in", "dtdurations"),
            },
            width=8,
            none="none",
        ),
        rows(
            "Alerts that fire",
            "What Prometheus holds firing, the watchdog among it: without it nobody watches the watcher.",
            ask_now(
                'max by (alertname, severity) (ALERTS{alertname=~"Continuity.*", alertstate="firing"})',
                table=True,
            ),
            {
                "severity": Column("Severity", mappings=looks.severities(), width=110),
                "alertname": Column("Alert"),
            },
            width=24,
            height=6,
            none="not even the watchdog: the rules are not loaded",
        ),
    ]


def _work() -> list[Panel]:
    return [
        rows(
            "Announced work and filings, now and in the next 12 hours",
            "Maintenance and hours off that touch somebody, as announced, and outages and faults that people "
            "filed.",
            Sql(
                'select e.start, e."end", e.kind, e.why, e.announced_by,\n'
                "       string_agg(coalesce(s.name, e.subject), ', ') as what, e.stands\n"
                "from grafana.exclusion e left join grafana.subject s on s.subject = e.subject\n"
                "where e.\"end\" > now() and e.start < now() + interval '12 hours'\n"
                'group by e.id, e.start, e."end", e.kind, e.why, e.announced_by, e.stands\n'
                "order by e.start"
            ),
            {
                "start": Column("From", "dateTimeAsLocal", width=170),
                "end": Column("To", "dateTimeAsLocal", width=170),
                "kind": Column("Kind", mappings=looks.filings(), width=170),
                "what": Column("What"),
                "why": Column("Why"),
                "announced_by": Column("By", width=130),
                "stands": Column("Stands", width=110),
            },
            width=24,
            height=6,
            none="no work announced",
        ),
        rows(
            "Closed in this time",
            "Incidents that were closed, newest first.",
            Sql(
                f"select {FIELDS}\nfrom grafana.incident\n"
                f"where state = 'closed' and closed_at between {FROM} and {TO}\n"
                "order by closed_at desc limit 200"
            ),
            INCIDENT,
            none="none",
        ),
        rows(
            "What was done",
            "The timelines of the incidents of this time: what happened, and what people wrote.",
            Sql(
                "select at, incident, kind, author, text from grafana.incident_note\n"
                f"where at between {FROM} and {TO} order by at desc, incident limit 500"
            ),
            {
                "at": Column("When", "dateTimeAsLocal", width=170),
                "incident": Column("Incident", width=130),
                "kind": Column("What", width=120),
                "author": Column("Who", width=120),
                "text": Column("Note"),
            },
            none="nothing in this time",
        ),
    ]
