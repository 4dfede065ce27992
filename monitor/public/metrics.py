"""What the public pages tell of themselves: the role that serves them, and the loop that writes them."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

STATUSES = ("200", "301", "304", "404", "405", "503")


class ServeMetrics:
    """Of the role `public`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "continuity_public_requests", "Requests answered, by status.", ["status"], registry=registry
        )
        self.status = {status: self._requests.labels(status) for status in STATUSES}
        self.as_of_s = Gauge(
            "continuity_public_as_of_timestamp_seconds",
            "The hour of the data of the version that is served; 0 without one.",
            registry=registry,
        )


class WriteMetrics:
    """Of the loop that writes the folder."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.written_s = Gauge(
            "continuity_public_written_timestamp_seconds",
            "When the folder was last replaced; 0 before.",
            registry=registry,
        )
        self.write_s = Histogram(
            "continuity_public_write_duration_seconds",
            "Time to make and write a version.",
            registry=registry,
            buckets=(0.1, 0.3, 1, 3, 10),
        )
        self.failures = Counter(
            "continuity_public_write_failures", "Versions that could not be written.", registry=registry
        )
