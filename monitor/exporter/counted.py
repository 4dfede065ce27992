"""Transactions in /metrics/state: lines of one service, from the snapshot that the pages show too."""

from __future__ import annotations

from typing import Protocol

from monitor.facts import ServiceCounts
from monitor.judge.findings import DROP, FAILURE_RATE, SILENCE, SURGE
from monitor.model import Service, TransactionOutcome

OUTCOMES = tuple(outcome.value for outcome in TransactionOutcome)
KINDS = (SILENCE, DROP, FAILURE_RATE, SURGE)


class Counted(Protocol):
    """The counts of all services at one moment."""

    @property
    def until_ms(self) -> int | None: ...

    def told(self, service: Service) -> ServiceCounts: ...


def counted_parts(service: Service, told: ServiceCounts) -> tuple[bytes, ...]:
    """Lines by part: totals, expected with its band, missed, findings."""
    label = f'service="{service.slug}"'
    begin = f'continuity_transactions_total{{{label},channel="'
    totals = [
        f'{begin}{channel.slug}",outcome="{outcome}"}} {count}'
        for channel, ended in zip(service.channels, told.ended, strict=True)
        for outcome, count in zip(OUTCOMES, ended, strict=True)
    ]
    findings = [
        f'continuity_findings_open{{{label},kind="{kind}"}} {told.findings.count(kind)}' for kind in KINDS
    ]
    return tuple(
        "".join(f"{line}\n" for line in lines).encode()
        for lines in (
            totals,
            _gauge(f"continuity_transactions_expected{{{label}}}", told.expected),
            _gauge(f"continuity_transactions_expected_low{{{label}}}", told.band and told.band[0]),
            _gauge(f"continuity_transactions_expected_high{{{label}}}", told.band and told.band[1]),
            _gauge(f"continuity_transactions_missed{{{label}}}", told.missed),
            findings,
        )
    )


def _gauge(name: str, value: float | None) -> list[str]:
    """No sample where nobody knows (T2)."""
    return [] if value is None else [f"{name} {value:.6g}"]
