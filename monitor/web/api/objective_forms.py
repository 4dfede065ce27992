"""What the API and the command line say of objectives and their budgets, and what OpenAPI says of that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from monitor.judge.budget import Budget
from monitor.judge.budgets import Held
from monitor.judge.periods import Kind
from monitor.judge.seconds import Says
from monitor.objectives import Indicator, Rung
from monitor.web.api.schema import (
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    Json,
    enum_of,
    list_of,
    object_of,
    or_null,
    query,
    ref,
)
from monitor.web.times import rfc3339

SECONDS, TRANSACTIONS = "seconds", "transactions"


def objective(held: Held, decimals: int) -> Json:
    """One objective and its budgets. Without a service it is the headline's."""
    given = held.objective
    return {
        "service": held.service.slug if held.service else None,
        "objective": held.name,
        "target": given.target,
        "unit": TRANSACTIONS if given.indicator is Indicator.COMPLETION else SECONDS,
        "at_risk": held.at_risk,
        "burn_thresholds": {
            rung.value: None if (share := given.threshold(rung)) is None else float(share) for rung in Rung
        },
        "budgets": [_budget(kind, one, decimals) for kind, one in held.budgets.items()],
    }


def _budget(kind: Kind, one: Budget, decimals: int) -> Json:
    size = 1 if one.objective.indicator is Indicator.COMPLETION else 1000
    known = one.account.says is Says.FIGURE
    return {
        "period": kind.value,
        "from": rfc3339(one.when.start_ms),
        "to": rfc3339(one.when.end_ms),
        "as_of": rfc3339(one.when.stop_ms),
        "says": one.account.says.value,
        "met": one.met,
        "good_percent": one.good_percent(decimals),
        "good": one.account.good / size,
        "counted": one.account.counted / size,
        "budget": one.whole / size,
        "spent": one.spent / size,
        "left": one.left / size if known else None,
        "left_percent": one.left_percent(decimals),
        "burn": one.burn,
        "used_up_at": rfc3339(one.used_up_ms),
    }


def objectives(found: Iterable[Held], decimals: int) -> list[Json]:
    return [objective(one, decimals) for one in found]


def schemas() -> Json:
    """Components of the document."""
    share = {"type": ["number", "null"]}
    return {
        "Budget": object_of(
            period={"type": "string", "enum": [Kind.DAYS_28.value, Kind.QUARTER.value]},
            **{"from": INSTANT, "to": INSTANT},
            as_of={**INSTANT, "description": "Counted up to here."},
            says=enum_of(Says),
            met={**or_null(FLAG), "description": "Decided on exact milliseconds; null without a figure."},
            good_percent={**or_null(TEXT), "description": "Cut, never rounded up."},
            good=NUMBER,
            counted=NUMBER,
            budget={**NUMBER, "description": "What may be bad until the period ends."},
            spent=NUMBER,
            left={**or_null(NUMBER), "description": "Negative when overspent."},
            left_percent=or_null(TEXT),
            burn={**or_null(NUMBER), "description": "In the last 7 days; 1 spends exactly the budget."},
            used_up_at={**or_null(INSTANT), "description": "At that rate; null when it lasts."},
        ),
        "Objective": object_of(
            service={**or_null(TEXT), "description": "Null: the government's headline."},
            objective={"type": "string", "enum": ["headline", *(each.value for each in Indicator)]},
            target=NUMBER,
            unit={"type": "string", "enum": [SECONDS, TRANSACTIONS]},
            at_risk={**FLAG, "description": "Not met, or used up before the period ends."},
            burn_thresholds=object_of(**{rung.value: share for rung in Rung}),
            budgets=list_of(ref("Budget")),
        ),
        "Objectives": object_of(
            as_of=or_null(INSTANT), catalogue_serial={"type": "integer"}, items=list_of(ref("Objective"))
        ),
    }


def paths(get: Any) -> Json:
    """Paths of the document, made by its `get`."""
    return {
        "/api/v1/objectives": get(
            "objectives",
            "What is promised and what is left of the budgets, the riskiest first.",
            ref("Objectives"),
            parameters=[
                query("service", TEXT, "Only those of this service (its slug)."),
                query(
                    "at_risk", {"type": "string", "enum": ["true", "false"]}, "Only those at risk, or not."
                ),
            ],
        )
    }
