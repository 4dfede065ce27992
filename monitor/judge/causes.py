"""From what holds now to troubles, one per cause: which system or service it is, and what it takes. Pure.

A system whose own check fails explains what its failing does to those that need it, however far away; the
deepest failing one is the root. What no failing system explains may still have one cause: so many of those
that need a system went down together that it is *suspected* although its own check answers. What is left is
each service's own. Unknown explains nothing and is no trouble.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import ceil

from monitor.judge.levels import BADNESS, exact
from monitor.judge.picture import ChannelShown, Picture, ServiceShown, Shown
from monitor.judge.required import silent
from monitor.judge.surroundings import Surroundings
from monitor.judge.timeline import NOT_MEASURED
from monitor.judge.troubles import Held, Seen, Sign, Trouble
from monitor.model import GOVERNMENT, Effect, Verdict

TOGETHER_MIN = 3  # fewer that went down together are no reason to suspect what they share
TOGETHER_SHARE = 0.5
FAILING = frozenset({Verdict.DOWN, Verdict.DEGRADED})


def see(
    around: Surroundings,
    picture: Picture,
    *,
    held: Mapping[str, Held] | None = None,
    certificates: Iterable[Trouble] = (),
) -> Seen:
    """The troubles of a picture, drawn with the beginnings of verdicts. `held`: open incidents by subject."""
    look = _Look(around, picture, held or {})
    found = look.troubles()
    headline = _headline(picture, found, open_already=GOVERNMENT in (held or {}))
    troubles = (*found, *headline, *certificates)
    return Seen(troubles, dict(look.well()), frozenset(look.unsure()), look.silent(troubles))


class _Look:
    """One look at a picture: what fails, and who is left without an explanation."""

    def __init__(self, around: Surroundings, picture: Picture, held: Mapping[str, Held]) -> None:
        self._around, self._picture, self._held = around, picture, held
        self._reach = around.strongest
        self._systems = {shown.system.subject: shown for shown in picture.systems.values()}
        self._owner = {
            shown.channel.subject: service
            for service in picture.services.values()
            for shown in service.channels
        }
        self._channels = {
            shown.channel.subject: shown
            for service in picture.services.values()
            for shown in service.channels
        }
        self._order = {path: place for place, path in enumerate(self._channels)}
        self._failing = {
            subject: shown.measured
            for subject, shown in self._systems.items()
            if shown.measured is not None and shown.measured.verdict in FAILING
        }
        self._left = {
            path: shown for path, shown in self._channels.items() if shown.effective.verdict in FAILING
        }

    def troubles(self) -> list[Trouble]:
        """Failing systems, what open incidents still hold, suspected systems, then each service's own."""
        roots = [subject for subject in self._failing if not self._explained(subject)]
        taken = self._shared_out(roots)
        lingering = self._lingering(taken)
        suspected = dict(self._suspects())
        found = [self._of_system(subject, taken.get(subject, [])) for subject in roots]
        found += [
            self._of_system(subject, paths, lingering=True)
            for subject, paths in lingering.items()
            if subject not in suspected
        ]
        found += [
            self._of_system(subject, [*lingering.get(subject, []), *paths], suspected=True)
            for subject, paths in suspected.items()
        ]
        return [*self._merged(found), *self._own()]

    # -- failing systems ---------------------------------------------------------------------------------

    def _explains(self, system: str, path: str, verdict: Verdict) -> bool:
        effect = self._reach.get(path, {}).get(system)
        if effect is None or system not in self._failing:
            return False
        return BADNESS[_felt(effect, self._failing[system].verdict)] >= BADNESS[verdict]

    def _explained(self, subject: str) -> bool:
        """Whether a failing system fails no worse than what a deeper failing one does to it."""
        verdict = self._failing[subject].verdict
        return any(self._explains(deeper, subject, verdict) for deeper in self._reach.get(subject, {}))

    def _shared_out(self, roots: list[str]) -> dict[str, list[str]]:
        """Every channel a root explains, under one of them: the root that leaves the fewest unexplained."""
        claims = {
            root: {
                path
                for path, shown in self._left.items()
                if self._explains(root, path, shown.effective.verdict)
            }
            for root in roots
        }
        return self._greedily(claims)

    def _greedily(self, claims: dict[str, set[str]]) -> dict[str, list[str]]:
        """Give each claimed channel to the claim that leaves the fewest unexplained, then by the path."""
        given: dict[str, list[str]] = {}
        while open_claims := {who: paths & self._left.keys() for who, paths in claims.items()}:
            most = min(open_claims, key=lambda who: (-len(open_claims[who]), who))
            if not open_claims[most]:
                break
            given[most] = self._take(open_claims[most])
        return given

    def _take(self, paths: Iterable[str]) -> list[str]:
        taken = sorted(paths, key=self._order.__getitem__)
        for path in taken:
            del self._left[path]
        return taken

    # -- open incidents and suspicion --------------------------------------------------------------------

    def _lingering(self, taken: dict[str, list[str]]) -> dict[str, list[str]]:
        """What stays with an open incident; that of a system that fails now joins what it explains."""
        found: dict[str, list[str]] = {}
        for subject, held in sorted(self._held.items()):
            if subject not in self._systems:
                continue
            kept = {
                path
                for path, shown in self._left.items()
                if held.keeps(path, shown.effective) or self._joins(subject, held, path)
            }
            if not kept:
                continue
            into = taken if subject in self._failing and not self._explained(subject) else found
            into[subject] = [*into.get(subject, []), *self._take(kept)]
        return found

    def _joins(self, subject: str, held: Held, path: str) -> bool:
        """A channel that went down with those of a suspected system, and is only confirmed later."""
        shown = self._channels[path].effective
        near = abs((shown.since_ms or 0) - held.since_ms) <= 2 * self._around.every_ms[path]
        blocked = self._reach.get(path, {}).get(subject) is Effect.BLOCKS
        return shown.verdict is Verdict.DOWN and held.down_ms > 0 and near and blocked

    def _suspects(self) -> Iterator[tuple[str, list[str]]]:
        """Systems that so many of those they block fell with, the one that explains most first."""
        while True:
            clusters = {
                subject: cluster
                for subject in self._systems
                if subject not in self._failing or self._failing[subject].verdict is not Verdict.DOWN
                if (cluster := self._cluster(subject))
            }
            if not clusters:
                return
            most = min(clusters, key=lambda subject: (-len(clusters[subject]), subject))
            yield most, self._take(clusters[most])

    def _cluster(self, subject: str) -> list[str]:
        """The channels that went down together for want of this system; none when too few did."""
        unexplained = [
            path
            for path, shown in self._channels.items()
            if shown.measured is not None
            and self._reach.get(path, {}).get(subject) is Effect.BLOCKS
            and (path in self._left or shown.effective.verdict not in FAILING)
        ]
        down = [path for path in unexplained if self._is_down(path)]
        together = self._together(down)
        enough = max(TOGETHER_MIN, ceil(len(unexplained) * TOGETHER_SHARE))
        owners, hit = self._entities(unexplained), self._entities(together)
        return together if len(together) >= enough and (len(hit) >= 2 or len(owners) < 2) else []

    def _is_down(self, path: str) -> bool:
        return path in self._left and self._left[path].effective.verdict is Verdict.DOWN

    def _together(self, paths: list[str]) -> list[str]:
        """The most of them that went down within two intervals of one another, the latest where as many."""
        within_ms = 2 * max((self._around.every_ms[path] for path in paths), default=0)
        since = sorted((self._channels[path].effective.since_ms or 0, path) for path in paths)
        best, first = (0, 0), 0
        for last, (at_ms, _) in enumerate(since):
            while at_ms - since[first][0] > within_ms:
                first += 1
            if last + 1 - first >= best[1] - best[0]:
                best = (first, last + 1)
        return [path for _, path in since[slice(*best)]]

    def _entities(self, paths: Iterable[str]) -> set[str]:
        return {self._owner[path].service.entity for path in paths}

    # -- troubles ----------------------------------------------------------------------------------------

    def _of_system(
        self, subject: str, paths: list[str], *, lingering: bool = False, suspected: bool = False
    ) -> Trouble:
        own = self._failing.get(subject)
        shown = [self._channels[path].effective for path in paths]
        if suspected or lingering:
            verdict = max((one.verdict for one in shown), key=BADNESS.__getitem__)
            since_ms = min(one.since_ms or 0 for one in shown)
        else:
            assert own is not None
            verdict, since_ms = own.verdict, own.since_ms or 0
        services = self._without(paths)
        return Trouble(
            subject=subject,
            sign=_sign(verdict, services),
            verdict=verdict,
            since_ms=since_ms,
            suspected=suspected or lingering,
            lingering=lingering,
            services=services,
            channels=tuple(paths),
            may_follow=bool(self._reach.get(subject)),
            systems=tuple(
                other
                for other in self._failing
                if other != subject and self._explains(subject, other, self._failing[other].verdict)
            ),
        )

    def _merged(self, found: list[Trouble]) -> list[Trouble]:
        """One per subject: a system that is slow by its own check and suspected of worse is suspected."""
        last: dict[str, Trouble] = {}
        for trouble in found:
            first = last.get(trouble.subject)
            last[trouble.subject] = trouble if first is None else _joined(first, trouble)
        return list(last.values())

    def _without(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Services that cannot be got remotely, one of whose channels that count is among these."""
        owners = [self._owner[path] for path in paths if _counts(self._channels[path])]
        return tuple(dict.fromkeys(one.service.subject for one in owners if one.available is False))

    def _own(self) -> Iterator[Trouble]:
        """What is left, per service. A channel that follows a system that is well again waits for derive."""
        for service in self._picture.services.values():
            own = [shown for shown in service.channels if self._is_own(shown)]
            if own:
                yield self._of_service(service, own)

    def _is_own(self, shown: ChannelShown) -> bool:
        failing = shown.measured is not None and shown.measured.verdict in FAILING
        return failing and shown.channel.subject in self._left

    def _of_service(self, service: ServiceShown, own: list[ChannelShown]) -> Trouble:
        said = [shown.measured for shown in own if shown.measured is not None]
        verdict = max((one.verdict for one in said), key=BADNESS.__getitem__)
        paths = tuple(shown.channel.subject for shown in own)
        services = self._without(paths)
        return Trouble(
            subject=service.service.subject,
            sign=_sign(verdict, services),
            verdict=verdict,
            since_ms=min(one.since_ms or 0 for one in said),
            services=services,
            channels=paths,
            may_follow=any(self._reach.get(path) for path in paths),
        )

    def well(self) -> Iterator[tuple[str, int]]:
        """(path, since) of all that is up: systems, by their own checks where they have any, and channels."""
        for path, shown in self._said():
            if shown.verdict is Verdict.UP and shown.since_ms is not None:
                yield path, shown.since_ms

    def silent(self, troubles: Iterable[Trouble]) -> frozenset[str]:
        """Subjects of those that nobody is to be told of now."""
        states = {path: one.excluded for path, one in self._systems.items()}
        states |= {path: one.excluded for path, one in self._channels.items()}
        states |= {one.service.subject: one.excluded for one in self._picture.services.values()}
        excluded = {path: state for path, state in states.items() if state is not None}
        return frozenset(one.subject for one in troubles if silent(one.subject, one.channels, excluded))

    def unsure(self) -> Iterator[str]:
        """Of these nobody can tell now; what was never measured, or no longer is, is none of them."""
        for path, shown in self._said():
            if shown.verdict is Verdict.UNKNOWN and shown.reason != NOT_MEASURED:
                yield path
        if self._picture.headline.met is None:
            yield GOVERNMENT

    def _said(self) -> Iterator[tuple[str, Shown]]:
        for subject, system in self._systems.items():
            yield subject, system.measured or system.effective
        for path, channel in self._channels.items():
            yield path, channel.effective


def _felt(effect: Effect, verdict: Verdict) -> Verdict:
    return verdict if effect is Effect.BLOCKS else Verdict.DEGRADED


def _counts(shown: ChannelShown) -> bool:
    return shown.channel.remote and shown.channel.completes


def _sign(verdict: Verdict, services: tuple[str, ...]) -> Sign:
    if services:
        return Sign.UNAVAILABLE
    return Sign.DOWN if verdict is Verdict.DOWN else Sign.DEGRADED


def _joined(first: Trouble, second: Trouble) -> Trouble:
    services = tuple(dict.fromkeys((*first.services, *second.services)))
    verdict = max(first.verdict, second.verdict, key=BADNESS.__getitem__)
    return Trouble(
        subject=first.subject,
        sign=_sign(verdict, services),
        verdict=verdict,
        since_ms=min(first.since_ms, second.since_ms),
        suspected=second.suspected,
        services=services,
        channels=tuple(dict.fromkeys((*first.channels, *second.channels))),
        systems=first.systems,
        may_follow=first.may_follow,
    )


def _headline(picture: Picture, found: list[Trouble], *, open_already: bool) -> Iterator[Trouble]:
    """Under the target by several causes together; one cause that does it alone is its own trouble."""
    head = picture.headline
    if head.met is not False:
        return
    numerator, denominator = head.counted
    needed = exact(head.target) * denominator
    if not open_already and any(numerator + len(one.services) >= needed for one in found):
        return
    since = sorted(
        service.effective.since_ms or 0 for service in picture.services.values() if service.available is False
    )
    crossed_ms = since[min(head.most_unavailable, len(since) - 1)] if since else 0
    yield Trouble(GOVERNMENT, Sign.HEADLINE, Verdict.DOWN, crossed_ms, may_follow=True)
