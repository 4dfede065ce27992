"""Weeks that are not like others: the golden one as it would be had everything been otherwise."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from monitor.facts import Membership
from monitor.judge.accounts import Accounts, belonging
from monitor.judge.exclusions import Exclusion
from monitor.judge.figures import When
from monitor.judge.timeline import Step
from monitor.model import GOVERNMENT, ExclusionKind, Text, Verdict
from monitor.report.document import Document
from tests.golden_week import (
    DAY_MS,
    END_MS,
    HOUR_MS,
    LONG_AGO_MS,
    OWNERS,
    START_MS,
    catalogues,
    golden,
    memberships,
    timelines,
)


def all_along(verdict: str, reason: str = "ok") -> dict[str, list[Step]]:
    """Every service was so for all of the time."""
    return {f"service:{slug}": [Step(LONG_AGO_MS, Verdict(verdict), reason)] for slug in OWNERS}


def accounts(**changed: Any) -> dict[str, Any]:
    """The golden week's facts with other timelines, memberships or exclusions."""
    made = Accounts(
        timelines=changed.get("timelines", timelines()),
        belonging=belonging(changed.get("memberships", memberships())),
        exclusions=changed.get("exclusions", ()),
        notice_ms=DAY_MS,
    )
    when = When(START_MS, END_MS, END_MS)
    return {"accounts": made, "figures": made.figures(when), "before": {}, "weeks": (), "missed": ()}


def unmeasured() -> Document:
    """Nothing was measured, and no transaction counted."""
    return golden(**accounts(timelines=all_along("unknown", "silence")), counted={}, counted_before={})


def in_maintenance() -> Document:
    """Everything was down in work that had been announced a week before, from end to end."""
    announced = Exclusion(
        id=1,
        kind=ExclusionKind.MAINTENANCE,
        subjects=tuple(f"service:{slug}" for slug in OWNERS),
        from_ms=START_MS,
        to_ms=END_MS,
        why="move of the data centre",
        announced_at_ms=START_MS - 7 * DAY_MS,
        announced_by="desk",
    )
    return golden(**accounts(timelines=all_along("down", "timeout"), exclusions=[announced]))


def of_one_service() -> Document:
    """There is passport and nobody else."""
    only = [Membership("service:passport", GOVERNMENT, LONG_AGO_MS, None)]
    return golden(
        **accounts(memberships=only), services=["service:passport"], entities=[], owners={}, certificates=()
    )


def too_little_known() -> Document:
    """Known for 150 of 168 hours: 89.2… %."""
    late = {
        f"service:{slug}": [
            Step(LONG_AGO_MS, Verdict.UNKNOWN, "silence"),
            Step(START_MS + 18 * HOUR_MS, Verdict.UP, "ok"),
        ]
        for slug in OWNERS
    }
    return golden(**accounts(timelines=late))


def renamed() -> Document:
    """passport is called travel-document by the last version of the catalogue."""
    after, before = catalogues()
    passport = after.services_by_subject["service:passport"]
    name = Text(en="Travel document", ar="وثيقة السفر")
    called = replace(passport, slug="travel-document", name=name, was=("passport",))
    others = tuple(each for each in after.services if each.slug != "passport")
    return golden(catalogues=[replace(after, services=(called, *others)), before])
