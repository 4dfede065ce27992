"""A week of five services whose every figure is worked out by hand, here in the text.

Monday 16 to Sunday 22 November 2026 in Dubai, 168 hours. `visa` was removed on Sunday at midnight after 144
hours; `vehicle` moved from the interior to transport on Thursday at midnight. In hours:

    service    up     degraded  down  unknown  maintenance  together
    passport   162.5            5.5                          168
    id-card    166.5            1.5                          168
    visa       142    2                                      144
    licence    161              1              6             168
    vehicle    156                    12                     168
    all        788    2         8     12       6             816

Down: the identity system on Wednesday from 10:00 to 11:30 took passport and id-card (2 × 1.5); passport by
itself from Thursday 22:00 to Friday 02:00 (4); licence on Friday from 00:00 to 07:00, of which work announced
in time covers the first six hours and the seventh is an overrun (1).

All: (788 + 2) / (788 + 2 + 8) = 790/798 = 98.9974… %, cut: 98.99. Without exclusions 790/804 = 98.2587… %.
Coverage 798/810 = 98.5185… %. The week before: 840 hours, 21 of them down (passport): 819/840 = 97.5 %. The
change is 98.99 − 97.50 = +1.49 points. Mean time to restore: (1.5 + 1.5 + 4 + 1) / 4 = 2 hours.

Missed: expected 20 + 10 + 10 = 40, seen 2 + 0 + 1 = 3, so 37. 90 % of a Poisson count of mean 40 lies from
30 to 51 (P(≤ 29) = 0.043, P(≤ 30) = 0.062; P(≤ 50) = 0.947, P(≤ 51) = 0.960): from 27 to 48. The identity
system alone: 30 expected, 3 seen: 27; mean 30 lies from 21 to 39: from 18 to 36. Passport alone at night: 10
expected, none seen; mean 10 lies from 5 to 15.

In intervals, each once with all its services: the degraded two hours of visa; identity's hour and a half of
two services; passport's night of 4 hours; licence's 6 hours of announced work, in which it was down, and the
hour after; vehicle's 12 unknown hours. Down 2 × 1.5 + 4 + 1 = 8; without exclusions 8 + 6 = 14 hours, of
which licence's 7 are the longest, and (1.5 + 1.5 + 4 + 7) / 4 = 3.5 hours the mean. Coverage without
exclusions: 804/816 = 98.5294… %.

Transactions, of passport alone: 1,500 of 1,600 completed (93.75 %, cut: 93.7), 1,520 of 1,600 the week before
(95.0): −1.3 points. Remote: 1,500 of 1,600 (93.7), 1,400 of 1,600 before (87.5): +6.2 points.

By transactions: 18 an hour are usual on the websites of passport and id-card, 3,024 a week each. Of them
18 × 162.5 = 2,925 and 18 × 166.5 = 2,997 fell into time in which the service was available: 5922/6048 =
97.9166… %; passport alone 96.726… %, id-card 99.107… %.

At risk: id-card promised 99.11 %. It was down for eight hours on 28 October, too, so in the 28 days that end
with the week for 9.5 of 672 hours; 0.89 % of them are 5.9808 hours, and (5.9808 − 9.5)/5.9808 = −58.841… % is
left, cut downwards: −58.85. In the quarter 9.5 of 1,272 hours are 0.746… %, and at the week's rate, 1.5 hours
in 168, the 10.15 hours that are left of 19.65 last for 1,136 hours, longer than the 936 to come: no risk.

Certificates: of the two that were seen, licence's ends eight days after the week, within the 30 of the
setting, and vehicle's 200 days after it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from monitor.facts import Ended, Finding, Membership, Missed, Place
from monitor.judge.accounts import Accounts, Belonging, belonging
from monitor.judge.exclusions import Exclusion
from monitor.judge.figures import When
from monitor.judge.timeline import Step
from monitor.judge.uptake import Tally, tally
from monitor.judge.weighted import Weighted
from monitor.model import (
    GOVERNMENT,
    Catalogue,
    Channel,
    ChannelKind,
    Dependency,
    Entity,
    ExclusionKind,
    Service,
    System,
    Text,
    Verdict,
)
from monitor.objectives import Indicator, Objective
from monitor.report.document import About, AtRisk, Document, Terms
from monitor.report.facts import Ending, Facts, Noted, Week
from monitor.report.numbers import build
from monitor.report.objectives import objectives
from monitor.report.times import utc
from tests.world import check

HOUR_MS, DAY_MS, WEEK_MS = 3_600_000, 86_400_000, 7 * 86_400_000
NAMES = {
    "passport": Text(en="Passport renewal", ar="تجديد جواز السفر"),
    "id-card": Text(en="Identity card", ar="بطاقة الهوية"),
    "visa": Text(en="Visit visa", ar="تأشيرة زيارة"),
    "licence": Text(en="Driving licence", ar="رخصة القيادة"),
    "vehicle": Text(en="Vehicle registration", ar="تسجيل المركبات"),
}


def at(text: str) -> int:
    """`18T10:00`: that day and hour of November 2026 in Dubai, in Unix ms."""
    return int(datetime.fromisoformat(f"2026-11-{text}+04:00").timestamp() * 1000)


START_MS, END_MS = at("16T00:00"), at("23T00:00")
LONG_AGO_MS = START_MS - 20 * WEEK_MS
OCTOBER_28_MS = START_MS - 19 * DAY_MS

EXPECTED = {
    "F01": "98.99", "F02": "95", "F03": "yes", "F04": "+1.49", "F05": "98.25", "F06": "98.51",
    "F07": "5", "F08": "4", "F09": "0",
    "F10": "28800", "F11": "7200", "F12": "43200", "F13": "21600",
    "F14": "4", "F15": "14400", "F16": "7200",
    "F17": "37", "F18": "8.0", "F19": "1600", "F20": "93.7", "F21": "-1.3", "F22": "93.7", "F23": "+6.2",
    "F24": "1", "F25": "1", "F26": "1", "F27": "1",
    "F28": "1", "F29": "1", "F30": "3", "F31": "97.91", "F32": "1",
}  # fmt: skip
"""Of all services together, by code."""

OTHERWISE = {"F01": "98.25", "F05": "98.99", "F06": "98.52", "F10": "50400", "F15": "25200", "F16": "12600"}
"""Of all services, without exclusions (F05: with them), where that is another figure."""

INTERVALS = [
    ("degraded", "17T08:00", "17T10:00", "slow", "", (), ("visa",)),
    ("down", "18T10:00", "18T11:30", "dependency", "system:identity", (), ("id-card", "passport")),
    ("down", "19T22:00", "20T02:00", "timeout", "", (), ("passport",)),
    ("maintenance", "20T00:00", "20T06:00", "connect_refused", "", (1,), ("licence",)),
    ("down", "20T06:00", "20T07:00", "connect_refused", "", (), ("licence",)),
    ("unknown", "21T00:00", "21T12:00", "silence", "", (), ("vehicle",)),
]
"""State, from, to, reason, cause, announcements, services; the oldest first."""

EXPECTED_OF = {
    # 162.5/168 = 96.726…; the week before 147/168 = 87.5
    "service:passport": {
        "F01": "96.72", "F03": "yes", "F04": "+9.22", "F10": "19800", "F17": "28", "F31": "96.72",
    },
    # 166.5/168 = 99.1071… is under its objective of 99.11, which printed digits alone would not show
    "service:id-card": {
        "F01": "99.10", "F02": "99.11", "F03": "no", "F04": "-0.90", "F17": "9.0", "F31": "99.10",
    },
    "service:visa": {"F01": "100", "F03": "yes", "F11": "7200", "F14": "0"},
    # 161/162 = 99.382…; 161/168 = 95.833…
    "service:licence": {"F01": "99.38", "F05": "95.83", "F13": "21600", "F10": "3600", "F15": "3600"},
    # nothing measured was lost; 156/168 = 92.857…
    "service:vehicle": {"F01": "100", "F06": "92.85", "F12": "43200"},
    # 168 + 168 + 144 + 72 hours: 545/552 = 98.7318…; at the end three services are its own
    "entity:interior": {"F01": "98.73", "F07": "3", "F08": "2", "F10": "25200"},
    # 168 + 96 hours: 245/246 = 99.5934…; 246/258 = 95.348…; 84 of 96 hours of vehicle are too few
    "entity:transport": {"F01": "99.59", "F06": "95.34", "F07": "2", "F08": "1", "F09": "1"},
}  # fmt: skip


def catalogues() -> list[Catalogue]:
    """As it is at the end, and as it was before `visa` was removed."""
    services = {slug: _service(slug, entity) for slug, entity in OWNERS.items()}
    system = System(slug="identity", name=Text(en="National identity", ar="الهوية الوطنية"))
    before = Catalogue(
        zone="Asia/Dubai",
        languages=("en", "ar"),
        entities=(
            Entity(slug="interior", name=Text(en="Ministry of Interior", ar="وزارة الداخلية")),
            Entity(slug="transport", name=Text(en="Ministry of Transport", ar="وزارة النقل")),
        ),
        systems=(system,),
        services=tuple(services.values()),
    )
    after = Catalogue(
        zone="Asia/Dubai",
        languages=("en", "ar"),
        entities=before.entities,
        systems=(system,),
        services=tuple(each for slug, each in services.items() if slug != "visa"),
    )
    return [after, before]


OWNERS = {
    "passport": "interior",
    "id-card": "interior",
    "visa": "interior",
    "licence": "transport",
    "vehicle": "transport",
}


def _service(slug: str, entity: str) -> Service:
    kinds = {"passport": ("web", "app", "service_centre")}.get(slug, ("web",))
    needs = (Dependency(system="system:identity"),) if slug in ("passport", "id-card") else ()
    own = (Objective(indicator=Indicator.AVAILABILITY, target=0.9911),) if slug == "id-card" else ()
    return Service(
        slug=slug,
        name=NAMES[slug],
        entity=entity,
        objectives=own,
        channels=tuple(
            Channel(
                subject=path,
                slug=kind,
                kind=ChannelKind(kind),
                remote=kind != "service_centre",
                depends=needs if kind != "service_centre" else (),
                checks=(check(path),) if f"{path}/main" in CERTIFICATES else (),
            )
            for kind in kinds
            for path in (f"service:{slug}/{kind}",)
        ),
    )


def memberships() -> list[Membership]:
    """Who belonged to whom, when."""
    pairs = [
        Membership(f"entity:{slug}", GOVERNMENT, LONG_AGO_MS, None) for slug in ("interior", "transport")
    ]
    for slug, entity in OWNERS.items():
        since_ms, until_ms = LONG_AGO_MS, at("22T00:00") if slug == "visa" else None
        if slug == "vehicle":
            pairs.append(Membership("service:vehicle", "entity:interior", since_ms, at("19T00:00")))
            since_ms = at("19T00:00")
        pairs.append(Membership(f"service:{slug}", f"entity:{entity}", since_ms, until_ms))
    return pairs


STEPS: dict[str, list[tuple[int, str, str, str]]] = {
    "service:passport": [
        (at("11T00:00"), "down", "timeout", ""),
        (at("11T21:00"), "up", "ok", ""),
        (at("18T10:00"), "down", "dependency", "system:identity"),
        (at("18T11:30"), "up", "ok", ""),
        (at("19T22:00"), "down", "timeout", ""),
        (at("20T02:00"), "up", "ok", ""),
    ],
    "service:id-card": [
        (OCTOBER_28_MS, "down", "timeout", ""),
        (OCTOBER_28_MS + 8 * HOUR_MS, "up", "ok", ""),
        (at("18T10:00"), "down", "dependency", "system:identity"),
        (at("18T11:30"), "up", "ok", ""),
    ],
    "service:visa": [(at("17T08:00"), "degraded", "slow", ""), (at("17T10:00"), "up", "ok", "")],
    "service:licence": [(at("20T00:00"), "down", "connect_refused", ""), (at("20T07:00"), "up", "ok", "")],
    "service:vehicle": [(at("21T00:00"), "unknown", "silence", ""), (at("21T12:00"), "up", "ok", "")],
    "service:passport/service_centre": [],
    "system:identity": [(at("18T10:00"), "down", "timeout", ""), (at("18T11:30"), "up", "ok", "")],
}
"""(ms, verdict, reason, cause) each; up since long before."""


def timelines() -> dict[str, list[Step]]:
    return {
        subject: [Step(LONG_AGO_MS, Verdict.UP, "ok"), *(Step(ms, Verdict(v), r, c) for ms, v, r, c in steps)]
        for subject, steps in STEPS.items()
    }


def exclusions() -> list[Exclusion]:
    """In time; prolonged at 05:30 without notice; the evening before; and half an hour after it began."""
    return [
        _exclusion(1, "licence", "20T00:00", "20T06:00", announced="17T00:00"),
        _exclusion(2, "licence", "20T06:00", "20T07:00", announced="20T05:30", extends=1, down=True),
        _exclusion(3, "visa", "17T08:00", "17T10:00", announced="16T20:00"),
        _exclusion(4, "id-card", "18T10:00", "18T12:00", announced="18T10:30", down=True),
    ]


def _exclusion(
    number: int,
    slug: str,
    start: str,
    end: str,
    *,
    announced: str,
    extends: int | None = None,
    down: bool = False,
) -> Exclusion:
    return Exclusion(
        id=number,
        kind=ExclusionKind.MAINTENANCE,
        subjects=(f"service:{slug}",),
        from_ms=at(start),
        to_ms=at(end),
        why="new certificates",
        announced_at_ms=at(announced),
        announced_by="desk",
        extends=extends,
        down=(f"service:{slug}",) if down else (),
    )


def missed() -> list[Missed]:
    """Expected and seen of each outage, without spread beyond chance."""
    return [
        _missed("passport", "18T10:00", "18T11:30", expected=20, seen=2, made_up=(6, 4, 8)),
        _missed("passport", "19T22:00", "20T02:00", expected=10, seen=0, made_up=(0, 0, 0)),
        _missed("id-card", "18T10:00", "18T11:30", expected=10, seen=1, made_up=(2, 1, 3)),
    ]


def _missed(
    slug: str, began: str, ended: str, *, expected: float, seen: int, made_up: tuple[float, float, float]
) -> Missed:
    return Missed(
        subject=f"service:{slug}",
        began_ms=at(began),
        ended_ms=at(ended),
        expected=expected,
        seen=seen,
        missed=expected - seen,
        low=0.0,
        high=0.0,
        own=expected,
        shared=0.0,
        made_up=made_up[0],
        made_up_low=made_up[1],
        made_up_high=made_up[2],
        made_up_done=True,
        as_of_ms=END_MS,
    )


CERTIFICATES = {
    "service:licence/web/main": END_MS + 8 * DAY_MS,
    "service:vehicle/web/main": END_MS + 200 * DAY_MS,
}
"""When they end, by the check that saw them."""

BY_KIND = {"web": Ended(900, 60, 40), "app": Ended(500, 0, 0), "service_centre": Ended(100, 0, 0)}
BY_KIND_BEFORE = {"web": Ended(920, 80, 0), "app": Ended(400, 0, 0), "service_centre": Ended(200, 0, 0)}
"""Transactions of passport by kind of channel: completed, failed, abandoned."""


def counted() -> dict[str, Tally]:
    return _tallied(BY_KIND)


def counted_before() -> dict[str, Tally]:
    return _tallied(BY_KIND_BEFORE)


def _tallied(ended: dict[str, Ended]) -> dict[str, Tally]:
    service = catalogues()[0].services_by_subject["service:passport"]
    paths = {f"service:passport/{kind}": each for kind, each in ended.items()}
    return {service.subject: tally(service, paths, known=dict.fromkeys(paths, LONG_AGO_MS), to_ms=END_MS)}


def findings() -> list[Finding]:
    """One advisory, and one that is only shown."""
    return [
        _finding(1, "service:vehicle/web", "silence", "advisory", at("21T01:00"), at("21T12:00")),
        _finding(2, "service:visa/web", "drop", "shown", at("17T08:00"), at("17T10:00")),
    ]


def _finding(number: int, subject: str, kind: str, level: str, began_ms: int, ended_ms: int) -> Finding:
    return Finding(
        place=Place(1, number),
        subject=subject,
        kind=kind,
        level=level,
        began_ms=began_ms,
        ended_ms=ended_ms,
        probability=1e-6,
        expected=12.4,
        seen=0,
        known_at_ms=began_ms,
        withdrawn_at_ms=None,
    )


def about(*, scope: str = GOVERNMENT, version: int = 1, sample: bool = False) -> About:
    name = Text(en="Government", ar="الحكومة")
    return About(
        kind="week",
        label="2026-W47",
        scope=scope,
        slug=scope.partition(":")[2] or scope,
        name=name,
        government=name,
        first=date(2026, 11, 16),
        last=date(2026, 11, 22),
        began=utc(START_MS),
        ended=utc(END_MS),
        zone="Asia/Dubai",
        week_start="monday",
        as_of=utc(at("23T01:00")),
        version=version,
        catalogue=7,
        catalogue_sha256="0" * 64,
        method="1",
        software="0.1.0",
        sample=sample,
        languages=("en", "ar"),
    )


def terms(**changed: object) -> Terms:
    given: dict[str, object] = {
        "target": "95", "missing": "exclude", "degraded_counts": True, "coverage_gate": "90", "decimals": 2,
        "notice_s": 86_400.0, "grace_s": 3600.0, "deadline_s": 21_600.0, "late_horizon_s": 172_800.0,
        "interval": "90", "certificates_days": 30,
    }  # fmt: skip
    return Terms(**(given | changed))  # type: ignore[arg-type]


def facts(**changed: object) -> Facts:
    """All of it, as it would be read from the store."""
    accounts = Accounts(
        timelines=timelines(),
        belonging=belonging(memberships()),
        exclusions=exclusions(),
        notice_ms=DAY_MS,
    )
    when, before = When(START_MS, END_MS, END_MS), When(START_MS - WEEK_MS, START_MS, END_MS)
    figures, figures_before = accounts.figures(when), accounts.figures(before)
    given: dict[str, object] = {
        "about": about(),
        "terms": terms(),
        "when": when,
        "catalogues": catalogues(),
        "accounts": accounts,
        "services": [f"service:{slug}" for slug in OWNERS],
        "entities": ["entity:interior", "entity:transport"],
        "owners": {f"service:{slug}": f"entity:{entity}" for slug, entity in OWNERS.items()},
        "figures": figures,
        "before": figures_before,
        "weeks": [
            Week("2026-W45", When(START_MS - 2 * WEEK_MS, START_MS - WEEK_MS, END_MS), None),
            Week("2026-W46", before, figures_before[GOVERNMENT]),
            Week("2026-W47", when, figures[GOVERNMENT]),
        ],
        "objectives": objectives(catalogues(), [f"service:{slug}" for slug in OWNERS]),
        "counted": counted(),
        "counted_before": counted_before(),
        "weighted": {
            "service:passport": Weighted(available=2925.0, unavailable=99.0),
            "service:id-card": Weighted(available=2997.0, unavailable=27.0),
        },
        "at_risk": [
            AtRisk(
                subject="service:id-card",
                name=NAMES["id-card"],
                indicator="availability",
                target="99.11",
                period="28d",
                met=False,
                left="-58.85",
                used_up=None,
            )
        ],
        "missed": missed(),
        "findings": findings(),
        "incidents": [
            Noted(
                "INC-2026-0007", "system:identity", at("18T10:00"), at("18T11:30"), ("Certificates renewed.",)
            )
        ],
        "certificates": [Ending(check, ends_ms) for check, ends_ms in CERTIFICATES.items()],
    }
    return Facts(**(given | changed))  # type: ignore[arg-type]


def golden(**changed: object) -> Document:
    """The report of that week."""
    return build(facts(**changed))


def golden_of_transport(*, scope: str = "entity:transport") -> Document:
    """The report of transport alone: `licence`, and `vehicle` from Thursday on."""
    given = facts().accounts
    when, own = When(START_MS, END_MS, END_MS), given.belonging.services["entity:transport"]
    exists = Belonging(given.belonging.exists, {scope: own})
    accounts = replace(given, belonging=exists)
    return golden(
        about=about(scope=scope),
        accounts=accounts,
        services=sorted(own),
        entities=[],
        owners=dict.fromkeys(own, scope),
        figures={
            scope: accounts.figure(scope, when),
            **{each: accounts.leaf(each, when, within=ranges) for each, ranges in own.items()},
        },
        before={},
        weeks=(),
    )
