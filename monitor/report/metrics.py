"""What the role `report` says of itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, Histogram


class ReportMetrics:
    """When the last report was published and the next one is due, and how long making one took."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.published_s = Gauge(
            "continuity_report_published_timestamp_seconds",
            "When the last report was published.",
            registry=registry,
        )
        self.due_s = Gauge(
            "continuity_report_due_timestamp_seconds",
            "When the next weekly report is due: the end of its week and the grace.",
            registry=registry,
        )
        self.waiting = Gauge(
            "continuity_reports_waiting",
            "Weekly reports that are due and wait for data to come in.",
            registry=registry,
        )
        self.made_s = Histogram(
            "continuity_report_seconds",
            "Time to read, make and store a report.",
            buckets=(0.1, 0.3, 1, 3, 10, 30),
            registry=registry,
        )
