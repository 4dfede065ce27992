"""A catalogue whose checks say what a test says: what follows is derived as derive does, and looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.facts import Clocks, Standing
from monitor.judge.causes import see
from monitor.judge.effective import everything, rederive
from monitor.judge.exclusions import Exclusion
from monitor.judge.picture import Facts, Picture, draw
from monitor.judge.required import excluded_at
from monitor.judge.surroundings import Surroundings
from monitor.judge.timeline import Step, squeeze, value_at
from monitor.judge.troubles import Held, Seen
from monitor.model import (
    Catalogue,
    ChannelKind,
    Dependency,
    Effect,
    Entity,
    ExclusionKind,
    Policy,
    Service,
    System,
    Verdict,
    Version,
    stream_key,
)
from tests.world import channel, check

UP, DEGRADED, DOWN, UNKNOWN = Verdict.UP, Verdict.DEGRADED, Verdict.DOWN, Verdict.UNKNOWN
BEGAN_MS = 1_790_000_000_000  # 2026-09-21T14:13:20Z
MINUTE_MS = 60_000
DAY_S = 86_400
PLACE = ("test", 0)

Need = tuple[str, Effect] | str


def system(slug: str, *needs: Need, checked: bool = True) -> System:
    subject = f"system:{slug}"
    checks = (check(subject),) if checked else ()
    return System(
        slug=slug, checks=checks, depends=tuple(Dependency(system=s, effect=e) for s, e in on(needs))
    )


def on(needs: Sequence[Need]) -> list[tuple[str, Effect]]:
    """(path of the system, effect) of each need; a slug alone blocks."""
    pairs = [(need, Effect.BLOCKS) if isinstance(need, str) else need for need in needs]
    return [(f"system:{slug}", effect) for slug, effect in pairs]


def service(slug: str, *needs: Need, entity: str = "a", app: Sequence[Need] | None = None) -> Service:
    """One website with a check of its own; with `app`, an app beside it, with its own check and needs."""
    kinds = [(ChannelKind.WEB, needs)] + ([(ChannelKind.APP, tuple(app))] if app is not None else [])
    made = []
    for kind, those in kinds:
        pairs = [(need, Effect.BLOCKS) if isinstance(need, str) else need for need in those]
        made.append(channel(slug, kind, needs=pairs))
    return Service(slug=slug, entity=entity, channels=tuple(made))


def catalogue(*parts: System | Service, policy: Policy | None = None) -> Catalogue:
    services = tuple(part for part in parts if isinstance(part, Service))
    return Catalogue(
        policy=policy or Policy(target=0.01),
        entities=tuple(Entity(slug=slug) for slug in sorted({one.entity for one in services})),
        systems=tuple(part for part in parts if isinstance(part, System)),
        services=services,
    )


class Scene:
    """Everything measured is up from the beginning; `says` changes that from an instant on."""

    def __init__(self, made: Catalogue) -> None:
        self.version = Version(serial=1, sha256="", valid_from_ms=BEGAN_MS, catalogue=made)
        self.around = Surroundings(self.version)
        self.exclusions: list[Exclusion] = []
        self.measured: dict[str, list[Step]] = {
            owner.subject: [Step(BEGAN_MS, UP)] for owner in self.around.owners() if owner.checks
        }

    def says(self, subject: str, verdict: Verdict, *, at_s: float) -> None:
        """The checks of a subject say so from then on."""
        reason = "ok" if verdict is UP else "timeout"
        step = Step(BEGAN_MS + round(at_s * 1000), verdict, reason)
        self.measured[subject] = squeeze([*self.measured[subject], step])

    def under_work(self, *subjects: str, from_s: float, to_s: float, announced_s: float = -DAY_S) -> None:
        """Planned work on these, announced a day before the scene begins unless said otherwise."""
        self.exclusions.append(
            Exclusion(
                id=len(self.exclusions) + 1,
                kind=ExclusionKind.MAINTENANCE,
                subjects=subjects,
                from_ms=BEGAN_MS + round(from_s * 1000),
                to_ms=BEGAN_MS + round(to_s * 1000),
                why="new certificates",
                announced_at_ms=BEGAN_MS + round(announced_s * 1000),
                announced_by="desk",
            )
        )

    def picture(self, *, at_s: float, behind: bool = False) -> Picture:
        now_ms = BEGAN_MS + round(at_s * 1000)
        subjects = everything(self.version.catalogue)
        effective = rederive([self.version], subjects, measured=self.measured, effective={}, from_ms=BEGAN_MS)
        rows = {("measured", path): _row("measured", path, s, now_ms) for path, s in self.measured.items()}
        rows |= {("effective", path): _row("effective", path, s, now_ms) for path, s in effective.items()}
        until_ms = now_ms - (3_600_000 if behind else 0)
        facts = Facts(
            rows,
            {stream_key(path): PLACE for path in self.measured},
            Clocks({PLACE: until_ms}, now_ms, now_ms),
            excluded=excluded_at(self.version.catalogue, self.exclusions, now_ms),
        )
        return draw(self.around, facts, now_ms=now_ms)

    def see(self, *, at_s: float, held: Mapping[str, Held] | None = None, behind: bool = False) -> Seen:
        return see(self.around, self.picture(at_s=at_s, behind=behind), held=held)


def _row(layer: str, path: str, steps: Sequence[Step], now_ms: int) -> Standing:
    """What stands at `now_ms`, since the verdict is this one."""
    last = value_at(steps, now_ms)
    since_ms = last.at_ms
    for step in reversed([step for step in steps if step.at_ms <= now_ms]):
        if step.verdict is not last.verdict:
            break
        since_ms = step.at_ms
    return Standing(layer, path, since_ms, last.verdict.value, last.reason, last.cause)
