"""What Prometheus evaluates: files of rules, each with one group."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.alert import EVERY_S, Alert, Said, span
from dashboards.burn import BURNING, INCIDENT_OPEN, groups
from dashboards.given_out import GIVEN_OUT
from dashboards.own import FLOW, LEFT_OUT, OWN, PROBING, TELLING, WORLD, own
from dashboards.written import yaml_text

FOLDER = "prometheus/rules"
OURS = (*WORLD, *FLOW, *PROBING, *TELLING, *GIVEN_OUT)

WATCHDOG = Alert(
    name="ContinuityWatchdog",
    expr="vector(1)",
    severity="info",
    for_s=0,  # it always fires: whoever no longer hears it knows that alerts do not arrive
    labels=OWN,
    en=Said(
        "Alerts arrive",
        "This one always fires. When it stops arriving, Prometheus or Alertmanager no longer tells anybody "
        "anything.",
    ),
    ar=Said(
        "التنبيهات تصل",
        "هذا التنبيه قائم دائمًا. إذا انقطع فإن Prometheus أو Alertmanager لم يعد يبلّغ أحدًا بشيء.",
    ),
)


def absence(metrics: Sequence[str]) -> Alert:
    """The other half of every alert: without its metric it would keep silent for ever."""
    missing = [
        f'label_replace({_missing(metric)}, "metric", "{metric}", "", "")' for metric in sorted(set(metrics))
    ]
    return own(
        "ContinuityMetricAbsent",
        "\nor ".join(missing),
        "critical",
        Said(
            "No sample of {{ $labels.metric }}",
            "The alerts that watch it are blind. Its process is gone, or Prometheus does not reach it.",
        ),
        Said(
            "لا توجد أي قيمة للمؤشر {{ $labels.metric }}",
            "التنبيهات التي تراقبه لا ترى شيئًا: إما أن عمليته توقفت أو أن Prometheus لا يصل إليها.",
        ),
        for_s=300,
        keep_s=60,
    )


def _missing(metric: str) -> str:
    """A role that nobody runs is not missed; one that ran within the week is."""
    return f"absent({metric})" + (f" and count(present_over_time({metric}[7d]))" * (metric in LEFT_OUT))


def alerts() -> list[Alert]:
    """Every alert, in the order of the files."""
    return [*_ourselves(), *BURNING, INCIDENT_OPEN]


def _ourselves() -> list[Alert]:
    watched = [metric for alert in (*OURS, INCIDENT_OPEN) for metric in alert.watches]
    return [*OURS, absence(watched), WATCHDOG]


def files() -> dict[str, str]:
    """The files of rules by path."""
    ours = [each.rule() for each in _ourselves()]
    group = {"name": "continuity-monitor", "interval": span(EVERY_S), "rules": ours}
    return {
        f"{FOLDER}/monitor.yaml": yaml_text({"groups": [group]}),
        f"{FOLDER}/objectives.yaml": yaml_text({"groups": groups()}),
    }
