"""*Government*: how many services can be had remotely now, against the target, and where they cannot."""

from __future__ import annotations

from dashboards import looks
from dashboards.board import ENTITY, GOVERNMENT, SERVICE, SYSTEMS, Row, board, field, sources, to
from dashboards.figures import figures
from dashboards.panels import Column, Panel, lines, number, rows
from dashboards.queries import ask, ask_now, code, named, state, state_rate

REQUIRED = state("continuity_services_required")
AVAILABLE = state("continuity_services_remotely_available")
UNKNOWN = state("continuity_services_unknown")
MISSING = f"{REQUIRED} - {AVAILABLE} - {UNKNOWN}"
ALLOWED = state("continuity_services_unavailable_most")
AGE = f"time() - {state('continuity_last_judged_timestamp_seconds')}"
BUDGET = state("continuity_error_budget_remaining_ratio", 'objective="headline"')
LATE_S, OLD_S = 15, 60


def dashboard() -> str:
    """Its JSON."""
    return board(
        GOVERNMENT,
        "Government",
        "How many services people can get remotely, now and lately.",
        variables=sources("continuity_services_required"),
        rows=[
            Row("Now", _now()),
            Row("Where", _where()),
            Row("Lately", _lately()),
            Row("Transactions", _done()),
        ],
    )


def _now() -> list[Panel]:
    return [
        number(
            "Available",
            "Services required now that can be had on a remote channel that completes them.",
            ask_now(AVAILABLE),
            colour=looks.UP,
            width=3,
        ),
        number(
            "Not available",
            "Services required now that cannot be had remotely. As many as *Allowed at once* says may be so.",
            ask_now(MISSING),
            colour=looks.UNKNOWN,
            steps=[(1, looks.DOWN)],
            width=3,
        ),
        number(
            "Unknown",
            "Services of which nobody can tell: our own doing, never counted as theirs.",
            ask_now(UNKNOWN),
            colour=looks.UNKNOWN,
            width=3,
        ),
        number(
            "Share available",
            "Available of those that are known, with the digits of the monitor's pages; none while too few "
            "are known. It is held against the target over all services, which is not each service's own.",
            ask_now(state("continuity_headline_ratio")),
            unit="percentunit",
            decimals=1,
            none="insufficient data",
        ),
        number(
            "Allowed at once",
            "So many of the services required now may be unavailable at once with the target still met.",
            ask_now(ALLOWED),
            width=3,
        ),
        number(
            "Target",
            "The share of services to be available remotely at once.",
            ask_now(state("continuity_headline_target_ratio")),
            unit="percentunit",
            width=3,
        ),
        age(),
    ]


def age() -> Panel:
    """How old the newest verdict is (T47)."""
    return number(
        "Age of the data",
        "Everything was judged up to so long before now. Past a minute what this page shows is history.",
        ask_now(AGE),
        unit="s",
        colour=looks.UP,
        steps=[(LATE_S, looks.DEGRADED), (OLD_S, looks.DOWN)],
        none="NOT LIVE",
    )


def by_entity(verdict: str) -> str:
    """Services of each entity with that verdict."""
    matcher = f'verdict="{verdict}"'
    return f"sum by (entity) ({named(state('continuity_service_verdict', matcher))})"


def _where() -> list[Panel]:
    wrong = f"{named(code('continuity_service_verdict'))} > 0"
    systems = f"({code('continuity_system_verdict')}) > 0"
    return [
        rows(
            "Services that are not up",
            "Every service that is down, unknown or degraded now, the worst first.",
            ask_now(f"sort_desc(max by (entity, service, name) ({wrong}))", table=True),
            {
                "Value": Column("Verdict", mappings=looks.states(), width=130),
                "name": Column("Service", link=to(SERVICE, service=field("service"))),
                "service": Column("service"),
                "entity": Column("entity", link=to(ENTITY, entity=field("entity"))),
            },
            height=9,
            none="every service is up",
        ),
        rows(
            "Entities with a service down",
            "How many services of each entity cannot be had remotely now.",
            ask_now(f"sort_desc({by_entity('down')} > 0)", table=True),
            {
                "entity": Column("entity", link=to(ENTITY, entity=field("entity"))),
                "Value": Column("Services down", unit="short"),
            },
            width=6,
            height=9,
            none="none",
        ),
        rows(
            "Systems that are not up",
            "Shared systems that are down, unknown or degraded now. What each takes is one rung below.",
            ask_now(f"sort_desc(max by (system) ({systems}))", table=True),
            {
                "system": Column("system", link=to(SYSTEMS, system=field("system"))),
                "Value": Column("Verdict", mappings=looks.states(), width=130),
            },
            width=6,
            height=9,
            none="every system is up",
        ),
    ]


def _lately() -> list[Panel]:
    return [
        lines(
            "Services required",
            "The three numbers over time. Their sum is how many were required.",
            [
                ask(AVAILABLE, "available"),
                ask(UNKNOWN, "unknown", ref="B"),
                ask(MISSING, "not available", ref="C"),
            ],
            unit="short",
            stacked=True,
            colours={"available": looks.UP, "unknown": looks.UNKNOWN, "not available": looks.DOWN},
        ),
        figures(
            "Availability of the government",
            "Sums of the seconds of all services, as in the report: with and without what is excluded. The "
            "database keeps these figures; nothing is computed here.",
            "subject = 'government'",
        ),
        lines(
            "Error budget of the headline left",
            "What is left of the service-seconds that each period may miss with the target still met.",
            [ask(f"max by (window) ({BUDGET})", "{{window}}")],
            unit="percentunit",
            width=24,
            height=6,
        ),
    ]


def _done() -> list[Panel]:
    completed = state_rate("continuity_transactions_total", 'outcome="completed"')
    return [
        lines(
            "Completed transactions a minute",
            "What people got done, over all services, beside what is usual at this hour of the week.",
            [
                ask(f"60 * sum({completed})", "completed"),
                ask(f"sum({state('continuity_transactions_expected')})", "usual", ref="B"),
            ],
            unit="short",
            colours={"completed": looks.PLAIN, "usual": looks.UNKNOWN},
        ),
        lines(
            "Missed transactions of outages that last (estimate)",
            "What people would usually have completed since each outage began, less what they did.",
            [ask(f"sum({state('continuity_transactions_missed')})", "missed (estimate)")],
            unit="short",
            colours={"missed (estimate)": looks.DOWN},
        ),
    ]
