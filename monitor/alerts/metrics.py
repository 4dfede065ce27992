"""What a notifier says of itself."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class NotifyMetrics:
    """Deliveries by receiver. Label sets exist from the start at 0 (T19)."""

    def __init__(self, registry: CollectorRegistry, receivers: Iterable[str]) -> None:
        self.sent = Counter(
            "continuity_deliveries_sent", "Messages a receiver has taken.", ["receiver"], registry=registry
        )
        self.failed = Counter(
            "continuity_deliveries_failed",
            "Tries that a receiver did not take, for a while or for good.",
            ["receiver"],
            registry=registry,
        )
        self.undelivered = Gauge(
            "continuity_notices_undelivered",
            "Messages tried in vain or overdue, and those given up within the hour.",
            registry=registry,
        )
        self.delay_s = Histogram(
            "continuity_delivery_delay_seconds",
            "From a message's being written to its being taken.",
            buckets=(0.5, 1, 2, 5, 15, 60, 300, 3_600),
            registry=registry,
        )
        self.dead_man_at = Gauge(
            "continuity_dead_man_timestamp_seconds",
            "When the dead-man address last answered; 0 is never.",
            registry=registry,
        )
        for receiver in receivers:
            self.sent.labels(receiver)
            self.failed.labels(receiver)
