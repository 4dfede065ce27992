"""Every metric a role exports about itself, once. The state of the world is exporter/state.py's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info

from probes.contract import Reason

FAILURE_REASONS = tuple(reason.value for reason in Reason if reason is not Reason.OK)
KIND_NAMES = ("http", "tls", "tcp", "dns", "icmp")


class ProbeMetrics:
    """What a prober asked. Label sets exist from the start at 0."""

    def __init__(self, registry: CollectorRegistry, *, vantage: str) -> None:
        self.attempts = Counter(
            "continuity_probe_attempts", "Attempts made.", ["kind", "vantage"], registry=registry
        )
        self.failures = Counter(
            "continuity_probe_failures",
            "Attempts that were not simply up, by reason.",
            ["kind", "vantage", "reason"],
            registry=registry,
        )
        self.duration_s = Histogram(
            "continuity_probe_duration_seconds",
            "Time an attempt took.",
            ["kind"],
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
            registry=registry,
        )
        self.late_s = Histogram(
            "continuity_schedule_lateness_seconds",
            "How late a beat started.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 1, 10),
            registry=registry,
        )
        self.missed = Counter("continuity_missed_beats", "Beats that passed unasked.", registry=registry)
        self.checks = Gauge("continuity_checks_owned", "Checks this prober owns now.", registry=registry)
        self.in_flight = Gauge("continuity_probes_in_flight", "Attempts under way.", registry=registry)
        self.buffer_depth = Gauge(
            "continuity_buffer_observations", "Observations on disk, not yet in Kafka.", registry=registry
        )
        self.buffer_bytes = Gauge("continuity_buffer_bytes", "Size of the buffer on disk.", registry=registry)
        self.buffer_age_s = Gauge(
            "continuity_buffer_oldest_age_seconds",
            "Age of the oldest observation on disk.",
            registry=registry,
        )
        self.buffer_dropped = Counter(
            "continuity_buffer_dropped",
            "Observations given up because the buffer was full.",
            registry=registry,
        )
        self.skew_s = Gauge(
            "continuity_clock_skew_seconds", "This clock minus the broker's.", registry=registry
        )
        self.requests = Counter(
            "continuity_probe_requests", "Requests of other vantage points.", ["fate"], registry=registry
        )
        for kind in KIND_NAMES:
            self.attempts.labels(kind, vantage)
            self.duration_s.labels(kind)
            for reason in FAILURE_REASONS:
                self.failures.labels(kind, vantage, reason)
        for fate in ("asked", "expired", "not_ours"):
            self.requests.labels(fate)


class StreamMetrics:
    """What every reader of a topic says; readers in one process share it."""

    _made: ClassVar[WeakKeyDictionary[CollectorRegistry, StreamMetrics]] = WeakKeyDictionary()

    def __init__(self, registry: CollectorRegistry) -> None:
        self.dead_letters = Counter(
            "continuity_dead_letters", "Records set aside.", ["topic", "reason"], registry=registry
        )
        self.lag = Gauge(
            "continuity_stream_lag_records",
            "Records not yet read.",
            ["topic", "partition"],
            registry=registry,
        )
        self.stopped = Gauge(
            "continuity_stream_stopped",
            "Partitions that wait for `continuity stream accept`.",
            ["topic", "partition"],
            registry=registry,
        )

    @classmethod
    def of(cls, registry: CollectorRegistry) -> StreamMetrics:
        """Those of this registry, made when first asked for."""
        if registry not in cls._made:
            cls._made[registry] = cls(registry)
        return cls._made[registry]


class IngestMetrics:
    """What ingest stored and judged. Label sets exist from the start at 0 (T19)."""

    def __init__(self, registry: CollectorRegistry, *, topic: str, reasons: Sequence[str]) -> None:
        stream = StreamMetrics.of(registry)
        self.dead_letters, self.lag, self.stopped = stream.dead_letters, stream.lag, stream.stopped
        self.stored = Counter("continuity_observations_stored", "Observations stored.", registry=registry)
        self.repeated = Counter(
            "continuity_observations_repeated", "Observations that were already stored.", registry=registry
        )
        self.late = Counter(
            "continuity_observations_late", "Rows that came after their time was judged.", registry=registry
        )
        self.changes = Counter(
            "continuity_changes", "Changes written or withdrawn.", ["layer"], registry=registry
        )
        self.fenced = Counter(
            "continuity_fence_broken",
            "Batches forgotten because another consumer moved the offset.",
            registry=registry,
        )
        self.judged_until_s = Gauge(
            "continuity_judged_until_timestamp_seconds",
            "The partition's clock.",
            ["partition"],
            registry=registry,
        )
        self.batch_s = Histogram(
            "continuity_ingest_batch_seconds",
            "Time to store and judge a batch.",
            buckets=(0.005, 0.01, 0.03, 0.1, 0.3, 1, 3),
            registry=registry,
        )
        for layer in ("vantage", "check", "measured", "effective"):
            self.changes.labels(layer)
        for reason in reasons:
            self.dead_letters.labels(topic, reason)


class CountMetrics:
    """What count added up. Label sets exist from the start at 0 (T19)."""

    def __init__(self, registry: CollectorRegistry, *, topics: Sequence[str], reasons: Sequence[str]) -> None:
        stream = StreamMetrics.of(registry)
        self.dead_letters, self.lag, self.stopped = stream.dead_letters, stream.lag, stream.stopped
        self.counted = Counter(
            "continuity_transactions_counted", "Transactions counted.", ["topic"], registry=registry
        )
        self.repeated = Counter(
            "continuity_transactions_repeated",
            "Messages whose id was seen already.",
            ["topic"],
            registry=registry,
        )
        self.fenced = Counter(
            "continuity_count_fence_broken",
            "Batches forgotten because another consumer moved the offset.",
            registry=registry,
        )
        self.counted_until_s = Gauge(
            "continuity_counted_until_timestamp_seconds",
            "Up to when everything that reached the partition is counted.",
            ["topic", "partition"],
            registry=registry,
        )
        self.batch_s = Histogram(
            "continuity_count_batch_seconds",
            "Time to count and store a batch.",
            buckets=(0.005, 0.01, 0.03, 0.1, 0.3, 1, 3),
            registry=registry,
        )
        self.delay_s = Histogram(
            "continuity_transaction_delay_seconds",
            "From an event to its count: the last event of each batch.",
            buckets=(0.5, 1, 2, 5, 15, 60, 300, 3_600, 86_400),
            registry=registry,
        )
        self.folded = Counter(
            "continuity_count_foldings", "Hours made anew from their minutes.", registry=registry
        )
        for topic in topics:
            self.counted.labels(topic)
            self.repeated.labels(topic)
            for reason in reasons:
                self.dead_letters.labels(topic, reason)


class DeriveMetrics:
    """What the leader of derive did."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.leads = Gauge("continuity_leader", "1 while this process leads.", ["role"], registry=registry)
        self.reload_ok = Gauge(
            "continuity_config_last_reload_successful", "1 when the last edit was taken.", registry=registry
        )
        self.reload_at = Gauge(
            "continuity_config_last_reload_success_timestamp_seconds",
            "When an edit was last taken.",
            registry=registry,
        )
        self.serial = Gauge(
            "continuity_catalogue_serial", "Version of the catalogue in force.", registry=registry
        )
        self.changes = Counter(
            "continuity_derived_changes", "Effective changes written or withdrawn.", registry=registry
        )


GATEWAY_REASONS = (
    "unreadable",
    "schema",
    "absurd",
    "unknown_service",
    "unknown_channel",
    "not_allowed",
    "full",
    "away",
)


class GatewayMetrics:
    """What the web role passed from HTTP to Kafka."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.events = Counter(
            "continuity_gateway_events",
            "Transaction events that Kafka has acknowledged.",
            registry=registry,
        )
        self.failures = Counter(
            "continuity_gateway_failures",
            "Events that were not passed on, and requests that could not be read, by reason.",
            ["reason"],
            registry=registry,
        )
        self.in_flight = Gauge(
            "continuity_gateway_in_flight_events",
            "Events taken and not yet acknowledged.",
            registry=registry,
        )
        for reason in GATEWAY_REASONS:
            self.failures.labels(reason)


class WatchMetrics:
    """What the leader of derive holds against what is usual."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.patterns = Gauge(
            "continuity_patterns", "Channels whose usual pattern is known.", registry=registry
        )
        self.waiting = Gauge(
            "continuity_patterns_waiting", "Channels whose pattern is to be made anew.", registry=registry
        )
        self.findings = Counter(
            "continuity_findings",
            "Times that counts were found not to be as usual, at each level reached.",
            ["kind", "level"],
            registry=registry,
        )
        self.look_s = Histogram(
            "continuity_look_seconds",
            "Time to hold every channel's last minutes against its pattern.",
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10),
            registry=registry,
        )
        for kind in ("silence", "drop", "failure_rate"):
            for level in ("advisory", "incident"):
                self.findings.labels(kind, level)
        self.findings.labels("surge", "shown")


class AccountingMetrics:
    """What the keeper of the figures did."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.figures = Counter("continuity_figures_written", "Figures stored.", registry=registry)
        self.pass_s = Histogram(
            "continuity_accounting_pass_seconds",
            "Time to bring the figures up to date.",
            buckets=(0.03, 0.1, 0.3, 1, 3, 10, 30),
            registry=registry,
        )
        self.until_s = Gauge(
            "continuity_accounted_until_timestamp_seconds",
            "Every figure is complete up to here.",
            registry=registry,
        )


class HandlingMetrics:
    """The incidents, as their leader keeps them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._open = Gauge(
            "continuity_incidents_open", "Open incidents, by severity.", ["severity"], registry=registry
        )
        self.notices = Counter(
            "continuity_notices",
            "Messages put into the outbox, by severity.",
            ["severity"],
            registry=registry,
        )
        for severity in ("warning", "critical"):
            self.notices.labels(severity)
        self.asked = Counter(
            "continuity_dependency_requests",
            "Checks of systems to be asked at once because something that needs them failed.",
            ["result"],
            registry=registry,
        )
        for result in ("sent", "failed", "dropped"):
            self.asked.labels(result)
        self.looked_at = Gauge(
            "continuity_incidents_looked_timestamp_seconds",
            "When they were last looked at.",
            registry=registry,
        )
        self.show_open({})

    def show_open(self, numbers: Mapping[str, int]) -> None:
        """How many are open, by severity; none where this process does not lead."""
        for severity in ("info", "warning", "critical"):
            self._open.labels(severity).set(numbers.get(severity, 0))


class Pulse:
    """What every role says of itself: build, event-loop lag, waits for the database."""

    def __init__(self, registry: CollectorRegistry, *, version: str, roles: str) -> None:
        Info("continuity_build", "This program.", registry=registry).info(
            {"version": version, "roles": roles}
        )
        self.loop_lag_s = Gauge(
            "continuity_event_loop_lag_seconds", "Worst delay of the event loop lately.", registry=registry
        )
        self.database_waits_s = Histogram(
            "continuity_database_wait_seconds",
            "Time to get a connection.",
            buckets=(0.001, 0.01, 0.1, 1, 10),
            registry=registry,
        )
