"""What the role `report` says of the reports it sends."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge


class DeliveryMetrics:
    """Deliveries by recipient. Label sets exist from the start at 0 (T19)."""

    def __init__(self, registry: CollectorRegistry, recipients: Iterable[str]) -> None:
        self.sent = Counter(
            "continuity_report_deliveries_sent",
            "Reports and drafts a recipient has taken.",
            ["recipient"],
            registry=registry,
        )
        self.failed = Counter(
            "continuity_report_deliveries_failed",
            "Tries that a recipient did not take, for a while or for good.",
            ["recipient"],
            registry=registry,
        )
        self.waiting = Gauge(
            "continuity_report_deliveries_waiting",
            "Reports and drafts that are not delivered yet.",
            registry=registry,
        )
        self.since_s = Gauge(
            "continuity_report_deliveries_waiting_since_timestamp_seconds",
            "Since when the one that has waited longest waits to be delivered; 0 without one.",
            registry=registry,
        )
        self.given_up = Gauge(
            "continuity_report_deliveries_given_up",
            "Deliveries of the last seven days that were given up, with nothing newer to that recipient.",
            registry=registry,
        )
        self.drafts = Gauge(
            "continuity_report_drafts_waiting",
            "Drafts that wait for their reviewers.",
            registry=registry,
        )
        self.draft_until_s = Gauge(
            "continuity_report_draft_until_timestamp_seconds",
            "When the first of them is published even if nobody signs it off; 0 without one.",
            registry=registry,
        )
        for name in recipients:
            self.sent.labels(name)
            self.failed.labels(name)
