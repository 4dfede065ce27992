"""What follows through dependencies: a change made anew from its instant on equals everything made anew."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.effective import everything, needed, reached, rederive
from monitor.judge.timeline import Step, apply, diff, squeeze, value_at
from monitor.model import (
    Catalogue,
    Channel,
    ChannelKind,
    Check,
    Dependency,
    Effect,
    Service,
    System,
    Verdict,
    Version,
)
from probes.catalogue import from_url

ASK = from_url("http://127.0.0.1:1/")
FIRST_MS = 1_000_000


def system(slug: str, *needs: Dependency) -> System:
    subject = f"system:{slug}"
    return System(slug=slug, checks=(Check(subject=subject, ask=ASK),), depends=needs)


def service(slug: str, *needs: Dependency, own: bool = True) -> Service:
    subject = f"service:{slug}/web"
    checks = (Check(subject=subject, ask=ASK),) if own else ()
    web = Channel(subject=subject, slug="web", kind=ChannelKind.WEB, checks=checks, depends=needs)
    return Service(slug=slug, channels=(web,))


def on(slug: str, effect: Effect = Effect.BLOCKS) -> Dependency:
    return Dependency(system=f"system:{slug}", effect=effect)


def version(catalogue: Catalogue, *, serial: int = 1, valid_from_ms: int = FIRST_MS) -> Version:
    return Version(serial=serial, sha256="", valid_from_ms=valid_from_ms, catalogue=catalogue)


GOVERNMENT = Catalogue(
    systems=(system("network"), system("identity", on("network")), system("mail")),
    services=(
        service("passport", on("identity"), on("mail", Effect.SLOWS)),
        service("licence", on("mail", Effect.NONE)),
        service("permit", on("identity"), own=False),
    ),
)
SUBJECTS = sorted(everything(GOVERNMENT))
MEASURED = [s for s in SUBJECTS if s.startswith("system:") or (s.endswith("/web") and "permit" not in s)]


def test_a_broken_system_reaches_what_it_blocks_through_other_systems() -> None:
    found = reached([GOVERNMENT], ["system:network"])
    assert found == {
        "system:network", "system:identity", "service:passport/web", "service:passport",
        "service:permit/web", "service:permit",
    }  # fmt: skip


def test_a_service_names_the_system_at_the_root_of_its_outage() -> None:
    up = {subject: [Step(FIRST_MS, Verdict.UP)] for subject in MEASURED}
    down = {"system:network": [*up["system:network"], Step(FIRST_MS + 5_000, Verdict.DOWN, "timeout")]}
    made = rederive([version(GOVERNMENT)], set(SUBJECTS), measured=up | down, effective={}, from_ms=FIRST_MS)
    told = [(s.at_ms, s.verdict, s.reason, s.cause) for s in made["service:permit"]]
    assert told == [
        (FIRST_MS, Verdict.UP, "ok", ""),
        (FIRST_MS + 5_000, Verdict.DOWN, "dependency", "system:network"),
    ]


def test_each_instant_is_judged_by_the_version_in_force() -> None:
    """The dependency is dropped while the system is down: from then on its own evidence counts."""
    free = Catalogue(systems=(system("identity"),), services=(service("passport"),))
    bound = Catalogue(systems=(system("identity"),), services=(service("passport", on("identity")),))
    measured = {
        "system:identity": [Step(FIRST_MS, Verdict.DOWN, "timeout")],
        "service:passport/web": [Step(FIRST_MS, Verdict.UP)],
    }
    made = rederive(
        [version(bound), version(free, serial=2, valid_from_ms=FIRST_MS + 60_000)],
        {"service:passport/web", "service:passport", "system:identity"},
        measured=measured,
        effective={},
        from_ms=FIRST_MS,
    )
    assert [(s.at_ms, s.verdict) for s in made["service:passport"]] == [
        (FIRST_MS, Verdict.DOWN),
        (FIRST_MS + 60_000, Verdict.UP),
    ]


def test_a_removed_service_ends_when_the_version_without_it_begins() -> None:
    versions = [
        version(Catalogue(services=(service("passport"),))),
        version(Catalogue(services=(service("licence"),)), serial=2, valid_from_ms=FIRST_MS + 60_000),
    ]
    measured = {"service:passport/web": [Step(FIRST_MS, Verdict.UP)]}
    made = rederive(versions, {"service:passport"}, measured=measured, effective=measured, from_ms=FIRST_MS)
    last = made["service:passport"][-1]
    assert (last.at_ms, last.verdict, last.reason) == (FIRST_MS + 60_000, Verdict.UNKNOWN, "not_measured")


instants = st.integers(0, 40).map(lambda beat: FIRST_MS + beat * 1000)
verdicts = st.sampled_from(list(Verdict))
timelines = st.dictionaries(instants, verdicts, max_size=6).map(
    lambda found: squeeze(Step(at, found[at], found[at].value) for at in sorted(found))
)


@settings(max_examples=150, deadline=None)
@given(
    old=st.fixed_dictionaries(dict.fromkeys(MEASURED, timelines)),
    new=st.dictionaries(st.sampled_from(MEASURED), timelines, min_size=1, max_size=3),
)
def test_a_change_made_anew_from_its_instant_equals_everything_made_anew(
    old: dict[str, list[Step]], new: dict[str, list[Step]]
) -> None:
    versions = [version(GOVERNMENT)]
    everyone = set(SUBJECTS)
    standing = rederive(versions, everyone, measured=old, effective={}, from_ms=FIRST_MS)
    now = old | new
    touched = {s: diff(old[s], new[s], FIRST_MS) for s in new}
    touched = {subject: found for subject, found in touched.items() if found}
    if touched:
        from_ms = min(found.from_ms for found in touched.values())
        subjects = reached([GOVERNMENT], touched)
        need = needed([GOVERNMENT], subjects)
        partial = rederive(
            versions,
            subjects,
            measured={s: now.get(s, []) for s in need.measured},
            effective={s: standing[s] for s in need.effective},
            from_ms=from_ms,
        )
        for subject, steps in partial.items():
            standing[subject] = apply(standing[subject], diff(standing[subject], steps, from_ms))
    full = rederive(versions, everyone, measured=now, effective={}, from_ms=FIRST_MS)
    assert {s: _told(standing[s]) for s in SUBJECTS} == {s: _told(full[s]) for s in SUBJECTS}


def _told(steps: list[Step]) -> list[tuple[str, str]]:
    """What a timeline says at every second."""
    seconds = range(FIRST_MS, FIRST_MS + 45_000, 1000)
    return [(value_at(steps, second).verdict, value_at(steps, second).reason) for second in seconds]
