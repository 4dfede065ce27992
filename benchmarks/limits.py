"""Where a prober's limits are: probes it keeps on their beats, and what hung and endless targets cost it."""

from __future__ import annotations

from benchmarks import wire
from benchmarks.probing import Prober, bare, check, targets_of
from benchmarks.processes import Highest, Tool, memory_mb, quiet
from benchmarks.table import Row, share_below
from benchmarks.targets import Targets

KEPT = 0.99
MOST = {"plain": 2_000, "TLS": 600}
STEPS = {"plain": (1_000, 1_500, 2_000, 2_500, 3_000, 4_000), "TLS": (300, 450, 600, 800, 1_000, 1_300)}
EVERY_S = 2.0
HUNG_LATE_MS = 5
ENDLESS_MB = 10
BODY_BYTES = 64 * 1024 * 1024  # the largest cap a check can have


def rows(quick: bool) -> list[Row]:
    """One prober: first what must not disturb it, then how much it can do."""
    with Targets() as targets, Prober() as prober:
        found = [*_hung(prober, targets, quick), _endless(prober, targets, quick)]
        found += [_most(prober, targets, load, quick) for load in MOST if not quick or load == "plain"]
    return found


def _hung(prober: Prober, targets: Targets, quick: bool) -> list[Row]:
    healthy = targets_of(targets, 100, every_s=5.0, delays_ms=wire.DELAYS_MS)
    hung = [check(90_000 + n, targets.url("never/x", number=n), every_s=5.0, within_s=3.0) for n in range(6)]
    prober.use([*healthy, *hung], settle_s=1.0 if quick else 6.0)
    targets.seen()
    window = prober.window(6.0 if quick else 20.0, later_ms=4_000)
    seen = targets.seen()
    names = {one.key for one in hung}
    late_ms = [float(one.late_ms) for one in window.asked if one.check not in names]
    hung_kept = len(window.asked) - len(late_ms)
    raw_ms = wire.raw(targets, rate=20, seconds=2.0 if quick else 10.0)
    first_byte = wire.row(wire.errors([window], seen), raw_ms, rate=20)
    p99_ms = share_below(late_ms, 0.99)
    run = bare(healthy, runs=1, seconds=2.0 if quick else 10.0)[0]
    lateness = Row(
        what="100 healthy targets beside 6 that never answer, time-out 3 s, every 5 s: lateness p99",
        budget=f"≤ {HUNG_LATE_MS} ms",
        measured=f"{p99_ms:.0f} ms; {len(window.asked)} of {window.due} beats asked, {hung_kept} hung",
        baseline=f"bare protocol, the 100 alone, {run['late_ms']:.1f} ms",
        within=p99_ms <= HUNG_LATE_MS,
    )
    return [first_byte, lateness]


def _endless(prober: Prober, targets: Targets, quick: bool) -> Row:
    healthy = targets_of(targets, 100, every_s=5.0, delays_ms=wire.DELAYS_MS)
    pouring = check(91_000, targets.url("endless/x"), every_s=2.0, within_s=1.5, body_bytes_max=BODY_BYTES)
    prober.use(healthy, settle_s=0.5)
    before_mb = memory_mb(prober.pid)
    with Highest(prober.pid) as most:
        prober.use([*healthy, pouring], settle_s=2.0)
        quiet(1.0 if quick else 10.0)
    grown_mb = most.mb - before_mb
    with Tool("keeper", url=targets.url("endless/x"), seconds=0.5) as keeper:
        kept_mb = keeper.said()
    return Row(
        what="memory while a target sends an endless body",
        budget=f"≤ {ENDLESS_MB} MB more",
        measured=f"{grown_mb:.1f} MB more, to {most.mb:.0f} MB",
        baseline=f"a client that keeps it: {kept_mb:.0f} MB more in 0.5 s",
        within=grown_mb <= ENDLESS_MB,
        note="with the largest cap on the body that a check can have, 64 MiB",
    )


def _most(prober: Prober, targets: Targets, load: str, quick: bool) -> Row:
    """Step up while the beats are kept, down where not even the budget is."""
    steps = [rate for rate in STEPS[load] if not quick or rate == MOST[load]]
    kept: dict[int, float] = {}
    best = 0
    for rate in sorted(steps, key=lambda rate: (rate < MOST[load], abs(rate - MOST[load]))):
        if (rate > MOST[load] and best < MOST[load]) or (rate < MOST[load] and best > rate):
            continue
        if rate > MOST[load] and max(kept) > best:
            continue  # a lower one was too much already
        prober.use(targets_of(targets, round(rate * EVERY_S), every_s=EVERY_S, tls=load == "TLS"))
        kept[rate] = prober.window(3.0 if quick else 6.0).kept
        best = rate if kept[rate] >= KEPT else best
    said = ", ".join(f"{rate:,}: {share:.1%}" for rate, share in sorted(kept.items()))
    return Row(
        what=f"most probes a second one process keeps on its beats (≥ 99 %), {load}",
        budget=f"≥ {MOST[load]:,}",
        measured=f"{best:,}/s ({said})" if best else f"under {min(kept):,}/s ({said})",
        baseline=_bare_at(targets, max(kept), load),
        within=best >= MOST[load],
        note="kept: begun within 100 ms of its beat and answered; targets and broker share the machine",
    )


def _bare_at(targets: Targets, rate: int, load: str) -> str:
    checks = targets_of(targets, round(rate * EVERY_S), every_s=EVERY_S, tls=load == "TLS")
    run = bare(checks, runs=1, seconds=3.0, ca=targets.certificate if load == "TLS" else None)[0]
    return f"bare protocol at {rate:,}/s: {run['made'] / 3:.0f}/s done, p99 {run['late_ms']:.0f} ms late"
