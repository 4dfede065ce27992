"""Who is told what by Alertmanager. Rosters stay there, or in the paging tool behind the addresses."""

from __future__ import annotations

from dashboards.written import yaml_text

PAGING = "https://paging.example"
ZONE = "Asia/Riyadh"
WORKING = {"weekdays": ["sunday:thursday"], "times": [{"start_time": "08:00", "end_time": "15:00"}]}
INCIDENT = 'incident=~".+"'
"""Only messages of our own outbox carry the number of an incident."""

Route = dict[str, object]


def files() -> dict[str, str]:
    """The configuration by its path."""
    return {"alertmanager/alertmanager.yaml": yaml_text(config())}


def config() -> dict[str, object]:
    """All of it. Every receiver is an address to put in place of the example."""
    return {
        "route": {
            "receiver": "operations",
            "group_by": ["alertname", "service", "objective"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": [_watchdog(), _ourselves(), _shown_only(), _incidents(), _warnings()],
        },
        "inhibit_rules": _inhibitions(),
        "receivers": [
            {"name": "nobody"},
            *(
                {
                    "name": name,
                    "webhook_configs": [{"url": f"{PAGING}/{name}", "send_resolved": name != "dead-man"}],
                }
                for name in ("dead-man", "platform-team", "on-call", "operations")
            ),
        ],
        "time_intervals": [{"name": "working-hours", "time_intervals": [{**WORKING, "location": ZONE}]}],
    }


def _watchdog() -> Route:
    """Told every minute, to something that cries when it hears nothing."""
    return {
        "receiver": "dead-man",
        "matchers": ['alertname="ContinuityWatchdog"'],
        "group_wait": "0s",
        "group_interval": "1m",
        "repeat_interval": "50s",
    }


def _ourselves() -> Route:
    """What is wrong with the monitor is the platform team's, and nobody else's."""
    return {
        "receiver": "platform-team",
        "matchers": ['component="monitor"'],
        "group_by": ["alertname"],
        "repeat_interval": "4h",
    }


def _shown_only() -> Route:
    return {"receiver": "nobody", "matchers": ['severity="info"']}


def _incidents() -> Route:
    """One group an incident, told at once: the monitor has waited for its cause already.

    It is sent again every minute, and that must not become a message: the repeat is a day away.
    """
    return {
        "receiver": "operations",
        "matchers": [INCIDENT],
        "group_by": ["incident", "severity"],
        "group_wait": "0s",
        "group_interval": "10s",
        "repeat_interval": "24h",
        "routes": [
            {"receiver": "on-call", "matchers": ['severity="critical"']},
            {"matchers": ['severity="warning"'], "active_time_intervals": ["working-hours"]},
        ],
    }


def _warnings() -> Route:
    """Burn alerts: they are looked at in working hours, and wake nobody."""
    return {"matchers": ['severity="warning"'], "active_time_intervals": ["working-hours"]}


def _inhibitions() -> list[Route]:
    """A budget that burns because of an open incident is that incident's, of the service or of its cause.

    ContinuityIncidentOpen fires for every service that an open incident touches. An incident that became
    critical ends its warning: that is no recovery, and nobody reads of one.
    """
    burning = 'alertname="ContinuityBudgetBurning"'
    graver = {"source_matchers": [INCIDENT, 'severity="critical"']}
    return [
        {**graver, "target_matchers": [INCIDENT, 'severity="warning"'], "equal": ["incident"]},
        {"source_matchers": [INCIDENT], "target_matchers": [burning], "equal": ["service"]},
        {
            "source_matchers": ['alertname="ContinuityIncidentOpen"'],
            "target_matchers": [burning],
            "equal": ["service"],
        },
    ]
