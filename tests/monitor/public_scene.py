"""A government whose checks say what a test says, as the public pages are given it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from monitor.facts import Day, Said
from monitor.judge.exclusions import Exclusion
from monitor.judge.incidents import Incident
from monitor.judge.troubles import Sign
from monitor.model import (
    Catalogue,
    Channel,
    ChannelKind,
    Entity,
    ExclusionKind,
    PublicRules,
    Service,
    Severity,
    Text,
    Verdict,
)
from monitor.public.publishing import Reaching
from monitor.public.told import Given
from tests.monitor.scene import BEGAN_MS, Scene
from tests.world import check

MINUTE_S, MINUTE_MS, DAY_MS = 60.0, 60_000, 86_400_000
WEB, APP, CALL, CENTRE = ("service:passport/web", "service:passport/app", "service:passport/call-centre", "x")
PHONE = "+000 800 555 0199"
Says = tuple[str, Verdict, float]


def passport() -> Service:
    """A website, an app and a call centre that complete it, each with a check of its own; a centre beside."""
    offers = [
        (ChannelKind.WEB, "https://passport.example/renew"),
        (ChannelKind.APP, "https://apps.example/passport"),
        (ChannelKind.CALL_CENTRE, f"tel:{PHONE.replace(' ', '%20')}"),
    ]
    channels = [
        Channel(subject=path, slug=kind.value, kind=kind, url=url, checks=(check(path),))
        for (kind, url) in offers
        for path in [f"service:passport/{kind.value.replace('_', '-')}"]
    ]
    centre = Channel(
        subject="service:passport/service-centre",
        slug="service-centre",
        kind=ChannelKind.SERVICE_CENTRE,
        remote=False,
    )
    name = Text(en="Passport renewal", ar="تجديد جواز السفر")
    return Service(
        slug="passport", name=name, entity="civil", known_as=("الباسبور",), channels=(*channels, centre)
    )


def government(*more: Service, rules: PublicRules | None = None) -> Catalogue:
    made = Catalogue(
        government=Text(en="Sample Government", ar="حكومة تجريبية"),
        languages=("ar", "en"),
        zone="Asia/Dubai",
        entities=(Entity(slug="civil", name=Text(en="Civil Registry", ar="السجل المدني")),),
        services=(passport(), *more),
    )
    return replace(made, policy=replace(made.policy, public=rules)) if rules else made


def given(
    *says: Says,
    at_s: float = 3600.0,
    catalogue: Catalogue | None = None,
    behind: bool = False,
    incidents: Iterable[Incident] = (),
    said: Iterable[Said] = (),
    exclusions: Iterable[Exclusion] = (),
    days: dict[str, Sequence[Day]] | None = None,
) -> Given:
    """What is known `at_s` seconds after everything began, when the checks said so."""
    scene = Scene(catalogue or government())
    for subject, verdict, from_s in says:
        scene.says(subject, verdict, at_s=from_s)
    return Given(
        picture=scene.picture(at_s=at_s, behind=behind),
        now_ms=ms(at_s),
        incidents=tuple(incidents),
        exclusions=Reaching().of(scene.around, tuple(exclusions)),
        said=tuple(said),
        days=days or {},
    )


def ms(at_s: float) -> int:
    return BEGAN_MS + round(at_s * 1000)


def incident(
    *channels: str,
    number: str = "INC-2026-0001",
    since_s: float,
    known_s: float | None = None,
    services: tuple[str, ...] = (),
    subject: str = "system:secret-core",
    **more: Any,
) -> Incident:
    opened_ms = ms(since_s if known_s is None else known_s)
    base: dict[str, Any] = {
        "sign": Sign.UNAVAILABLE if services else Sign.DOWN,
        "verdict": Verdict.DOWN,
        "severity": Severity.CRITICAL,
    }
    return Incident(
        number=number,
        subject=subject,
        since_ms=ms(since_s),
        opened_ms=opened_ms,
        raised_ms=opened_ms,
        services=services,
        channels=channels,
        **(base | more),
    )


def said(at_s: float, *, ar: str = "", en: str = "", next_s: float | None = None, number: str = "") -> Said:
    due_ms = None if next_s is None else ms(next_s)
    return Said(number or "INC-2026-0001", ar, en, due_ms, ms(at_s), "Secret Operator")


def work(
    *subjects: str, from_s: float, to_s: float, number: int = 1, extends: int | None = None, **more: Any
) -> Exclusion:
    return Exclusion(
        id=number,
        kind=ExclusionKind.MAINTENANCE,
        subjects=subjects or ("service:passport",),
        from_ms=ms(from_s),
        to_ms=ms(to_s),
        why="secret reason of the work",
        announced_at_ms=ms(from_s) - 2 * DAY_MS,
        announced_by="Secret Coordinator",
        extends=extends,
        **more,
    )


def day(ago: int, *, down_ms: int = 0, at_s: float = 3600.0, says: str = "figure", **more: Any) -> Day:
    """A day of the passport service, `ago` days before the one of `at_s`; midnight in Dubai."""
    zone_ms = 4 * 3_600_000
    start_ms = (ms(at_s) + zone_ms) // DAY_MS * DAY_MS - zone_ms - ago * DAY_MS
    rest = dict.fromkeys(("degraded_ms", "unknown_ms", "maintenance_ms", "out_of_hours_ms"), 0)
    spent = {"up_ms": DAY_MS - down_ms} | rest | more
    availability = f"{(DAY_MS - down_ms) * 10_000 // DAY_MS / 100:.2f}" if says == "figure" else None
    return Day("service:passport", start_ms, says, availability, down_ms=down_ms, **spent)
