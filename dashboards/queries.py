"""What panels ask: Prometheus for what is so now, PostgreSQL's views for figures, intervals and incidents."""

from __future__ import annotations

from grafana_foundation_sdk.builders.prometheus import Dataquery as PrometheusBuilder
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PROMETHEUS = DataSourceRef(type_val="prometheus", uid="${datasource}")
POSTGRES = DataSourceRef(type_val="postgres", uid="${database}")
WHERE = 'job=~"$job", instance=~"$instance"'
RATE = "$__rate_interval"
FROM, TO = "$__timeFrom()", "$__timeTo()"
EVERY_VERDICT = ("degraded", "unknown", "down")  # 1, 2, 3; up is 0


class Sql(Dataquery, Builder[Dataquery]):
    """A question to PostgreSQL: a table of rows, or series of numbers by `time` and `metric`."""

    def __init__(self, text: str, *, ref: str = "A", series: bool = False) -> None:
        self._payload: dict[str, object] = {
            "refId": ref,
            "datasource": POSTGRES,
            "format": "time_series" if series else "table",
            "rawQuery": True,
            "editorMode": "code",
            "rawSql": text,
        }

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        """As Grafana keeps it."""
        return self._payload


def ask(expr: str, legend: str = "", *, ref: str = "A") -> Builder[Dataquery]:
    """A PromQL expression over the time of the dashboard."""
    return (PrometheusBuilder().expr(expr).legend_format(legend or "__auto").range().ref_id(ref)).datasource(
        PROMETHEUS
    )


def ask_now(expr: str, legend: str = "", *, ref: str = "A", table: bool = False) -> Builder[Dataquery]:
    """A PromQL expression at the end of that time."""
    asked = PrometheusBuilder().expr(expr).legend_format(legend or "__auto").instant().ref_id(ref)
    return asked.format(PromQueryFormat.TABLE if table else PromQueryFormat.TIME_SERIES).datasource(
        PROMETHEUS
    )


def selected(metric: str, *matchers: str) -> str:
    """The series of a metric that the dashboard's job and instance choose."""
    return f"{metric}{{{', '.join((WHERE, *matchers))}}}"


def state(metric: str, *matchers: str) -> str:
    """Of /metrics/state: every replica of `web` says the same, and counts once (T48)."""
    return f"max without (instance, pod) ({selected(metric, *matchers)})"


def rate(metric: str, *matchers: str) -> str:
    """A second; of a counter that one process keeps."""
    return f"rate({selected(metric, *matchers)}[{RATE}])"


def state_rate(metric: str, *matchers: str) -> str:
    """A second; of a counter that every replica of `web` shows."""
    return f"max without (instance, pod) ({rate(metric, *matchers)})"


def code(metric: str, *matchers: str) -> str:
    """The verdict as a number: 0 up, 1 degraded, 2 unknown, 3 down."""
    said = (selected(metric, *matchers, f'verdict="{verdict}"') for verdict in EVERY_VERDICT)
    each = (f"max without (instance, pod, verdict) ({one})" for one in said)
    return " + ".join(f"{number} * {one}" for number, one in enumerate(each, start=1))


def named(expr: str, *matchers: str) -> str:
    """The same with the service's entity and name."""
    info = state("continuity_service_info", *matchers)
    return f"({expr}) * on (job, service) group_left (entity, name) {info}"


def timeline(subjects: str, *, layer: str, label: str, ref: str = "A") -> Sql:
    """Verdicts over the dashboard's time of the subjects that a select gives; `label` names a row."""
    return Sql(
        f'select "time", {label} as metric, code as value\n'
        f"from grafana.timeline(array({subjects}), '{layer}', {FROM}, {TO}) t\n"
        "left join grafana.subject s on s.subject = regexp_replace(t.subject, '/[^/]*@.*', '')\n"
        "order by 1",
        ref=ref,
        series=True,
    )


def announced(subjects: str, *, ref: str = "B") -> Sql:
    """Announced work that touches those subjects, as one more row."""
    return Sql(
        "select \"time\", 'Announced work' as metric, code as value\n"
        f"from grafana.announced(array({subjects}), {FROM}, {TO})\norder by 1",
        ref=ref,
        series=True,
    )
