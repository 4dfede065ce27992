"""*The monitor itself*: whether it asks, reads, judges and shows in time; its faults are no service's."""

from __future__ import annotations

from dashboards import looks
from dashboards.board import MONITOR, Row, board, sources
from dashboards.panels import Column, Panel, lines, number, rows
from dashboards.queries import ask, ask_now, rate, selected

COUNTED, TOPIC = "continuity_counted_until_timestamp_seconds", 'topic!=""'


def dashboard() -> str:
    """Its JSON."""
    return board(
        MONITOR,
        "The monitor itself",
        "Whether the monitor asks, reads, judges and shows in time. What fails here is no service's fault.",
        variables=sources("continuity_build_info"),
        rows=[
            Row("Alive", _alive()),
            Row("Asking", _asking()),
            Row("Reading and judging", _judging()),
            Row("Counting", _counting()),
            Row("Telling and accounting", _telling()),
            Row("Messages, reports, public pages", _given_out()),
        ],
    )


def slowest(metric: str, by: str = "") -> str:
    """The 99th percentile of a histogram."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile(0.99, sum by ({labels}) ({rate(metric + '_bucket')}))"


def _alive() -> list[Panel]:
    return [
        rows(
            "Processes",
            "Every process that Prometheus reaches, with its roles and version.",
            ask_now(f"max by (roles, version, instance) ({selected('continuity_build_info')})", table=True),
            {
                "roles": Column("Roles"),
                "instance": Column("Instance"),
                "version": Column("Version"),
                "Value": Column("Answers", mappings=looks.yes_or_no(yes="● yes", no="✕ no"), width=110),
            },
            none="no process answers",
        ),
        number(
            "Last edit taken",
            "Whether the last edit of the catalogue was taken, by the leader. A refused one changes nothing.",
            ask_now(f"min({selected('continuity_config_last_reload_successful')})"),
            mappings=looks.yes_or_no(yes="● yes", no="✕ refused"),
            colour=looks.UNKNOWN,
        ),
        number(
            "Catalogue",
            "The version of the catalogue in force.",
            ask_now(f"max({selected('continuity_catalogue_serial')})"),
        ),
        number(
            "Edit taken before",
            "How long ago an edit of the catalogue was last taken.",
            ask_now(f"time() - max({selected('continuity_config_last_reload_success_timestamp_seconds')})"),
            unit="dtdurations",
        ),
        lines(
            "Event loop, worst delay",
            "How late the loop of each process ran lately. Late loops ask late and read late.",
            [
                ask(
                    f"max by (job, instance) ({selected('continuity_event_loop_lag_seconds')})",
                    "{{instance}}",
                )
            ],
            unit="s",
        ),
        lines(
            "Wait for a database connection, 99th percentile",
            "How long the processes waited for a connection of their pools.",
            [ask(slowest("continuity_database_wait_seconds", "instance"), "{{instance}}")],
            unit="s",
        ),
    ]


def _asking() -> list[Panel]:
    return [
        lines(
            "Attempts a second",
            "Checks asked, by vantage point and kind.",
            [
                ask(
                    f"sum by (vantage, kind) ({rate('continuity_probe_attempts_total')})",
                    "{{vantage}} {{kind}}",
                )
            ],
            unit="cps",
        ),
        lines(
            "Attempts that were not simply up, a second",
            "By reason; `internal` and `overloaded` are our own doing.",
            [ask(f"sum by (reason) ({rate('continuity_probe_failures_total')}) > 0", "{{reason}}")],
            unit="cps",
        ),
        lines(
            "Lateness of beats, 99th percentile",
            "How late attempts began after their beat was due.",
            [ask(slowest("continuity_schedule_lateness_seconds", "instance"), "{{instance}}")],
            unit="s",
        ),
        lines(
            "Time an attempt took, 99th percentile",
            "From its beginning to its answer or deadline, by kind.",
            [ask(slowest("continuity_probe_duration_seconds", "kind"), "{{kind}}")],
            unit="s",
        ),
        lines(
            "Beats that passed unasked, a second",
            "Each becomes part of a recorded gap and is *unknown*.",
            [ask(f"sum by (instance) ({rate('continuity_missed_beats_total')})", "{{instance}}")],
            unit="cps",
        ),
        lines(
            "Checks owned and under way",
            "How the checks are shared among the probers, and how many are being asked.",
            [
                ask(f"sum by (instance) ({selected('continuity_checks_owned')})", "owned by {{instance}}"),
                ask(f"sum({selected('continuity_probes_in_flight')})", "under way", ref="B"),
            ],
            unit="short",
        ),
        lines(
            "Waiting on the probers' disks",
            "Observations that are not yet in Kafka; they follow when it is back.",
            [ask(f"sum by (instance) ({selected('continuity_buffer_observations')})", "{{instance}}")],
            unit="short",
        ),
        lines(
            "Oldest of them, and given up",
            "Age of the oldest observation on disk, and observations given up a second because it was full.",
            [
                ask(f"max({selected('continuity_buffer_oldest_age_seconds')})", "age"),
                ask(f"sum({rate('continuity_buffer_dropped_total')})", "given up a second", ref="B"),
            ],
            unit="s",
        ),
        lines(
            "Size of the buffers",
            "What the probers keep on disk.",
            [ask(f"sum by (instance) ({selected('continuity_buffer_bytes')})", "{{instance}}")],
            unit="bytes",
        ),
        lines(
            "Clock skew",
            "Each prober's clock minus the broker's.",
            [ask(f"max by (instance) ({selected('continuity_clock_skew_seconds')})", "{{instance}}")],
            unit="s",
            least=None,
        ),
        lines(
            "Requests between vantage points, a second",
            "What became of requests to look at once as well.",
            [ask(f"sum by (fate) ({rate('continuity_probe_requests_total')})", "{{fate}}")],
            unit="cps",
        ),
    ]


def _judging() -> list[Panel]:
    return [
        lines(
            "Records not yet read",
            "How far each reader is behind the end of its topic.",
            [ask(f"sum by (topic) ({selected('continuity_stream_lag_records')})", "{{topic}}")],
            unit="short",
        ),
        lines(
            "Oldest clock of a partition",
            "How long ago the partition that is furthest behind was judged up to.",
            [
                ask(
                    f"time() - min({selected('continuity_judged_until_timestamp_seconds')} > 0)",
                    "judged until",
                )
            ],
            unit="s",
        ),
        lines(
            "Stored, repeated and late, a second",
            "Observations as they were stored; repeated ones count once, late ones are judged again.",
            [
                ask(f"sum({rate('continuity_observations_stored_total')})", "stored"),
                ask(f"sum({rate('continuity_observations_repeated_total')})", "repeated", ref="B"),
                ask(f"sum({rate('continuity_observations_late_total')})", "late", ref="C"),
            ],
            unit="cps",
        ),
        lines(
            "Changes a second",
            "Changes written or withdrawn by layer, and those that follow through dependencies.",
            [
                ask(f"sum by (layer) ({rate('continuity_changes_total')})", "{{layer}}"),
                ask(f"sum({rate('continuity_derived_changes_total')})", "derived", ref="B"),
            ],
            unit="cps",
        ),
        lines(
            "Time of a batch, 99th percentile",
            "To store and judge what was read at once.",
            [ask(slowest("continuity_ingest_batch_seconds"), "batch")],
            unit="s",
        ),
        lines(
            "Set aside, stopped and forgotten",
            "Records set aside a second, partitions that wait for `continuity stream accept`, and batches a "
            "second forgotten because somebody else moved the offset.",
            [
                ask(f"sum({rate('continuity_dead_letters_total')})", "set aside a second"),
                ask(f"sum({selected('continuity_stream_stopped')})", "partitions stopped", ref="B"),
                ask(f"sum({rate('continuity_fence_broken_total')})", "batches forgotten a second", ref="C"),
            ],
            unit="short",
        ),
    ]


def _counting() -> list[Panel]:
    return [
        lines(
            "Transactions counted a second",
            "By topic, with those whose id was seen already.",
            [
                ask(f"sum by (topic) ({rate('continuity_transactions_counted_total')})", "{{topic}}"),
                ask(f"sum({rate('continuity_transactions_repeated_total')})", "repeated", ref="B"),
            ],
            unit="cps",
        ),
        lines(
            "From an event to its count, 99th percentile",
            "The last event of each batch.",
            [ask(slowest("continuity_transaction_delay_seconds"), "delay")],
            unit="s",
        ),
        lines(
            "Time of a batch, 99th percentile",
            "To count and store what was read at once, and batches a second that were forgotten.",
            [
                ask(slowest("continuity_count_batch_seconds"), "batch"),
                ask(f"sum({rate('continuity_count_fence_broken_total')})", "forgotten a second", ref="B"),
            ],
            unit="s",
        ),
        lines(
            "Oldest clock of the counters, and hours folded",
            "How long ago everything that reached a topic was counted up to; hours made anew a second.",
            [
                ask(f"time() - min by (topic) ({selected(COUNTED, TOPIC)} > 0)", "{{topic}}"),
                ask(f"sum({rate('continuity_count_foldings_total')})", "hours folded a second", ref="B"),
            ],
            unit="s",
        ),
        lines(
            "Patterns",
            "Channels whose usual pattern is known, and those that wait to be made anew.",
            [
                ask(f"max({selected('continuity_patterns')})", "known"),
                ask(f"max({selected('continuity_patterns_waiting')})", "waiting", ref="B"),
            ],
            unit="short",
        ),
        lines(
            "Time of a look at what is usual, 99th percentile",
            "To hold every channel's last minutes against its pattern.",
            [ask(slowest("continuity_look_seconds"), "look")],
            unit="s",
        ),
        lines(
            "Findings a second, and events under way",
            "Times that counts were found not to be as usual, by level; HTTP events not yet acknowledged.",
            [
                ask(f"sum by (level) ({rate('continuity_findings_total')})", "{{level}}"),
                ask(f"sum({selected('continuity_gateway_in_flight_events')})", "events under way", ref="B"),
            ],
            unit="short",
        ),
        lines(
            "Taken over HTTP a second",
            "Transaction events that Kafka has acknowledged, and those that were not passed on, by reason.",
            [
                ask(f"sum({rate('continuity_gateway_events_total')})", "acknowledged"),
                ask(f"sum by (reason) ({rate('continuity_gateway_failures_total')})", "{{reason}}", ref="B"),
            ],
            unit="cps",
        ),
    ]


def _telling() -> list[Panel]:
    return [
        lines(
            "Leaders",
            "Who leads each role; more than one at a time would be a fault.",
            [ask(f"sum by (role) ({selected('continuity_leader')})", "{{role}}")],
            unit="short",
        ),
        lines(
            "Incidents last looked at",
            "How long ago the leader last looked.",
            [ask(f"time() - max({selected('continuity_incidents_looked_timestamp_seconds')} > 0)", "looked")],
            unit="s",
        ),
        lines(
            "Open incidents and messages",
            "Open incidents by severity, and messages put into the outbox a second.",
            [
                ask(f"sum by (severity) ({selected('continuity_incidents_open')})", "{{severity}}"),
                ask(f"sum({rate('continuity_notices_total')})", "messages a second", ref="B"),
            ],
            unit="short",
        ),
        lines(
            "Figures complete until",
            "How long ago that is.",
            [
                ask(
                    f"time() - max({selected('continuity_accounted_until_timestamp_seconds')} > 0)",
                    "accounted",
                )
            ],
            unit="s",
        ),
        lines(
            "Time to bring the figures up to date, 99th percentile",
            "One pass of accounting.",
            [ask(slowest("continuity_accounting_pass_seconds"), "pass")],
            unit="s",
        ),
        lines(
            "Figures stored a second",
            "Figures made anew.",
            [ask(f"sum({rate('continuity_figures_written_total')})", "figures")],
            unit="cps",
        ),
    ]


def _given_out() -> list[Panel]:
    since = f"max({selected('continuity_report_deliveries_waiting_since_timestamp_seconds')})"
    return [
        lines(
            "Messages a second",
            "Messages that receivers took, and tries that they did not take.",
            [
                ask(f"sum by (receiver) ({rate('continuity_deliveries_sent_total')})", "{{receiver}} took"),
                ask(
                    f"sum by (receiver) ({rate('continuity_deliveries_failed_total')})",
                    "{{receiver}} did not",
                    ref="B",
                ),
            ],
            unit="cps",
        ),
        lines(
            "Messages not delivered",
            "Tried in vain or overdue, and those given up within the hour.",
            [ask(f"max({selected('continuity_notices_undelivered')})", "not delivered")],
            unit="short",
        ),
        lines(
            "From a message to its being taken, 99th percentile",
            "From its being written to a receiver's taking it.",
            [ask(slowest("continuity_delivery_delay_seconds"), "delay")],
            unit="s",
        ),
        lines(
            "Weekly reports that wait",
            "Reports that are due and wait for data to come in, and drafts that wait for their reviewers.",
            [
                ask(f"max({selected('continuity_reports_waiting')})", "waiting"),
                ask(f"max({selected('continuity_report_drafts_waiting')})", "with reviewers", ref="B"),
            ],
            unit="short",
        ),
        lines(
            "Deliveries of reports",
            "Reports and drafts not delivered yet, and those given up within seven days.",
            [
                ask(f"max({selected('continuity_report_deliveries_waiting')})", "waiting"),
                ask(f"max({selected('continuity_report_deliveries_given_up')})", "given up", ref="B"),
            ],
            unit="short",
        ),
        lines(
            "Longest wait for a report",
            "How long the delivery that has waited longest has waited; 0 when none waits.",
            [ask(f"(time() - {since}) * ({since} > bool 0)", "wait")],
            unit="s",
        ),
        lines(
            "Age of the public pages",
            "How long ago what is served to the public was so.",
            [ask(f"time() - min({selected('continuity_public_as_of_timestamp_seconds')} > 0)", "age")],
            unit="s",
        ),
        lines(
            "Requests of the public a second",
            "By status.",
            [ask(f"sum by (status) ({rate('continuity_public_requests_total')})", "{{status}}")],
            unit="cps",
        ),
    ]
