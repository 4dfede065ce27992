"""What a prober costs while it keeps its beats, how late they begin, and how exact its first byte is then."""

from __future__ import annotations

import statistics

from benchmarks import wire
from benchmarks.probing import Prober, Window, bare, targets_of
from benchmarks.table import Row, share_below, spread, times
from benchmarks.targets import Targets
from monitor.model import Check

TARGETS, MANY = 1_300, 10_000
CPU_MS = {"plain": 0.75, "TLS": 1.8, "1,000/s": 0.45}
LATE_MS = {TARGETS: 5, MANY: 10}


def rows(quick: bool) -> list[Row]:
    """Three loads in turn on one prober; the baseline asks the same targets right after each."""
    runs, seconds, settle_s = (1, 3.0, 1.5) if quick else (3, 6.0, 6.0)
    found: list[Row] = []
    with Targets() as targets, Prober() as prober:
        plain = targets_of(targets, TARGETS, every_s=5.0, delays_ms=wire.DELAYS_MS)
        prober.use(plain, settle_s=settle_s + 3.0)  # the process has only just begun
        targets.seen()
        windows = prober.windows(runs, seconds)
        seen = targets.seen()
        baseline = bare(plain, runs=runs, seconds=seconds / 2)
        found += [_cost("plain", windows, baseline), _lateness(plain, windows, baseline)]
        found.append(wire.row(wire.errors(windows, seen), wire.raw(targets, rate=260, seconds=2.0), rate=260))

        tls = targets_of(targets, TARGETS, every_s=5.0, delays_ms=wire.DELAYS_MS, tls=True)
        prober.use(tls, settle_s=settle_s)
        windows = prober.windows(runs, seconds)
        baseline = bare(tls, runs=runs, seconds=seconds / 2, ca=targets.certificate)
        found.insert(1, _cost("TLS", windows, baseline))

        many = targets_of(targets, MANY, every_s=10.0)
        prober.use(many, settle_s=settle_s)
        windows = prober.windows(max(1, runs - 1), 5.0 if quick else 10.0)
        baseline = bare(many, runs=runs, seconds=seconds / 2)
        found.insert(2, _cost("1,000/s", windows, baseline))
        found.insert(4, _lateness(many, windows, baseline))
    return found


def _cost(load: str, windows: list[Window], baseline: list[dict[str, float]]) -> Row:
    ours = [window.cpu_ms for window in windows]
    bares = [run["cpu_s"] / max(1.0, run["made"]) * 1000 for run in baseline]
    rate = statistics.median(window.rate for window in windows)
    where = "1,000/s, plain" if load == "1,000/s" else f"260/s over {TARGETS:,} targets, {load}"
    middle = statistics.median(ours)
    return Row(
        what=f"CPU per HTTP probe at {where}",
        budget=f"≤ {CPU_MS[load]} ms",
        measured=f"{spread(ours, 'ms')} at {rate:.0f}/s",
        baseline=f"bare protocol {spread(bares, 'ms')}, {times(middle, statistics.median(bares))}",
        within=middle <= CPU_MS[load],
        note=f"{MANY:,} checks every 10 s" if load == "1,000/s" else "",
    )


def _lateness(checks: list[Check], windows: list[Window], baseline: list[dict[str, float]]) -> Row:
    late_ms = [float(one.late_ms) for window in windows for one in window.asked]
    p99_ms, kept = share_below(late_ms, 0.99), min(window.kept for window in windows)
    budget_ms = LATE_MS[len(checks)]
    return Row(
        what=f"start lateness, {len(checks):,} checks every {checks[0].every_s:.0f} s, p99",
        budget=f"≤ {budget_ms} ms",
        measured=(
            f"{p99_ms:.0f} ms (median {share_below(late_ms, 0.5):.0f}, most {max(late_ms, default=0):.0f}); "
            f"{kept:.1%} kept"
        ),
        baseline=f"bare protocol {spread([run['late_ms'] for run in baseline], 'ms', digits=1)}",
        within=p99_ms <= budget_ms,
        note="in whole milliseconds, as observations carry it",
    )
