"""Burn alerts: an error budget that burns faster than a promise allows, over a long window and a short one.

Figures of calendar periods come from the store; this looks at what happens now (T20). Thresholds come with
the metrics, derived from each target, so that these files are the same for every catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.alert import EVERY_S, Alert, Said, span
from dashboards.own import REPLICAS
from monitor.objectives import WINDOWS, Rung

EVENTS_MIN = 20
"""Transactions that a long window must hold before their failures say anything (T17)."""

SLOWLY_S = 120
SPANS = sorted({length for window in WINDOWS.values() for length in window[:2]})
QUICK = [length for length in SPANS if length <= 3600]
SLOW = [length for length in SPANS if length > 3600]
ON = "on (job, service, objective)"
WAITS_S = {Rung.FAST: (60, 300), Rung.MEDIUM: (300, 900), Rung.SLOW: (900, 3600)}
"""How long it must hold, and how long it is kept."""

GOOD, COUNTED = "continuity_objective_good_seconds", "continuity_objective_counted_seconds"
TOTAL = "continuity_transactions_total"


def recorded(length_s: int) -> str:
    """The series of the bad share of a window."""
    return f"continuity:objective_bad:ratio{span(length_s)}"


def recordings(spans: list[int]) -> Iterator[dict[str, object]]:
    """The bad share of these windows: of time, and of transactions."""
    for length_s in spans:
        yield {"record": recorded(length_s), "expr": _of_time(length_s)}
        yield {
            "record": recorded(length_s),
            "expr": _of_transactions(length_s),
            "labels": {"objective": "completion"},
        }


def _of_time(length_s: int) -> str:
    """Nothing before there is a whole window of data (T27), nor where less than half of it counted."""
    counted, good = (_gained(name, length_s) for name in (COUNTED, GOOD))
    return f"clamp_min(\n  ({counted})\n    - ({good}), 0)\n/\n  ({counted} >= {length_s // 2})"


def _gained(name: str, length_s: int) -> str:
    now = f"{REPLICAS} ({name})"
    return f"{now} - {REPLICAS} ({name} offset {span(length_s)})"


def _of_transactions(length_s: int) -> str:
    least = f">= {EVENTS_MIN}" if length_s in [window.long_s for window in WINDOWS.values()] else "> 0"
    return (
        f"{_ended('failed', length_s)}\n/\n  ({_ended('completed|failed', length_s)} {least})\n"
        "and on (job, service)\n"
        f'  {REPLICAS} (continuity_objective_ratio{{objective="completion"}})\n'
        "and on (job, service)\n"
        f"  {REPLICAS} ({TOTAL} offset {span(length_s)})"
    )


def _ended(outcomes: str, length_s: int) -> str:
    within = f'{TOTAL}{{outcome=~"{outcomes}"}}[{span(length_s)}]'
    return f"sum without (channel, outcome) ({REPLICAS} (increase({within})))"


def _over(length_s: int, rung: Rung) -> str:
    threshold = f'{REPLICAS} (continuity_objective_burn_threshold_ratio{{burn="{rung.value}"}})'
    return f"{recorded(length_s)} > {ON} {threshold}"


def _named(language: str, headline: str) -> str:
    """The service by its name in a language, or by its slug."""
    info = "max without (instance, pod) (continuity_service_info{service='%s'})"
    name = f'{{{{ . | first | label "{language}" }}}}'
    found = (
        f'{{{{ with printf "{info}" $labels.service | query }}}}{name}'
        "{{ else }}{{ $labels.service }}{{ end }}"
    )
    return f"{{{{ if $labels.service }}}}{found}{{{{ else }}}}{headline}{{{{ end }}}}"


WORDS_AR = (
    '{{ if eq $labels.objective "latency" }}سرعة الاستجابة'
    '{{ else if eq $labels.objective "completion" }}إتمام المعاملات{{ else }}التوافر{{ end }}'
)


def _burning(rung: Rung) -> Alert:
    window, (for_s, keep_s) = WINDOWS[rung], WAITS_S[rung]
    hours = window.long_s // 3600
    over_ar = {1: "الساعة الأخيرة", 6: "الساعات الست الأخيرة", 72: "الأيام الثلاثة الأخيرة"}[hours]
    over = {1: "hour", 6: "6 hours", 72: "3 days"}[hours]
    bad = "{{ $value | humanizePercentage }}"
    return Alert(
        name="ContinuityBudgetBurning",
        expr=f"({_over(window.long_s, rung)})\nand {ON}\n({_over(window.short_s, rung)})",
        severity="warning",
        for_s=for_s,
        keep_s=keep_s,
        labels={"burn": rung.value},
        en=Said(
            f"{_named('name', 'Headline')}: {bad} bad in the last {over} ({{{{ $labels.objective }}}})",
            f"The error budget of this objective burns faster than it may, and still did in the last "
            f"{span(window.short_s)}. The page *Objectives* shows what is left of it and how long it lasts.",
        ),
        ar=Said(
            f"{_named('name_ar', 'المؤشر العام')}: {bad} دون المستهدف خلال {over_ar} ({WORDS_AR})",
            "تُستهلك حصة الأعطال المسموح بها لهذا المستهدف أسرع مما ينبغي وما زال ذلك مستمرًا. صفحة "
            "المستهدفات تعرض ما بقي منها وكم يكفي.",
        ),
    )


BURNING = tuple(_burning(rung) for rung in Rung)
INCIDENT_OPEN = Alert(
    name="ContinuityIncidentOpen",
    expr=f"{REPLICAS} (continuity_service_incident_open) > 0",
    severity="info",
    for_s=0,  # never sent: it must be there before a budget burns, which it holds back in Alertmanager
    en=Said(
        f"An open incident touches {_named('name', '')}",
        "Its own or that of what it needs. While it is open, alerts on the budgets of this service are held "
        "back.",
    ),
    ar=Said(
        f"حادث مفتوح يمس {_named('name_ar', '')}",
        "حادث في الخدمة نفسها أو فيما تعتمد عليه. ما دام مفتوحًا تُحجب تنبيهات حصص أعطالها.",
    ),
    watches=("continuity_service_incident_open",),
)


def groups() -> list[dict[str, object]]:
    """Recording rules first, then what reads them."""
    alerts = [each.rule() for each in (*BURNING, INCIDENT_OPEN)]
    return [
        {"name": "continuity-slow-windows", "interval": span(SLOWLY_S), "rules": [*recordings(SLOW)]},
        {"name": "continuity-objectives", "interval": span(EVERY_S), "rules": [*recordings(QUICK), *alerts]},
    ]
