"""Every dashboard keeps the house rules: one source each, no ratio made anew, words beside colours."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from prometheus_client import CollectorRegistry

from dashboards import looks
from monitor import metrics
from monitor.alerts.metrics import NotifyMetrics
from monitor.exporter import availability, budgets
from monitor.exporter.state import FAMILIES
from monitor.public.metrics import ServeMetrics, WriteMetrics
from monitor.report.delivery.metrics import DeliveryMetrics
from monitor.report.metrics import ReportMetrics
from tests.dashboards.asked import BOARDS, Query, of_panels, panels, queries, variables

NAMES = sorted(BOARDS)
OF_PANELS = of_panels()
STATE = {family.name for family in FAMILIES} | {*availability.HELP, *budgets.HELP, budgets.OPEN}
SOURCES = {"prometheus": "${datasource}", "postgres": "${database}"}
PLURAL = re.compile(r"\bcontinuity_[a-z_]+")


def of_role_metrics() -> set[str]:
    """Sample names of every metric that a role says of itself."""
    registry = CollectorRegistry()
    metrics.ProbeMetrics(registry, vantage="main")
    metrics.IngestMetrics(registry, topic="t", reasons=["r"])
    metrics.CountMetrics(registry, topics=["t"], reasons=["r"])
    for made in ("DeriveMetrics", "GatewayMetrics", "WatchMetrics", "AccountingMetrics", "HandlingMetrics"):
        getattr(metrics, made)(registry)
    metrics.Pulse(registry, version="1", roles="all")
    ReportMetrics(registry)
    DeliveryMetrics(registry, ["chair"])
    NotifyMetrics(registry, ["desk"])
    ServeMetrics(registry)
    WriteMetrics(registry)
    suffixes = {
        "counter": ("_total",),
        "gauge": ("",),
        "histogram": ("_bucket", "_sum", "_count"),
        "info": ("_info",),
    }
    return {family.name + suffix for family in registry.collect() for suffix in suffixes[family.type]}


def prometheus() -> list[Query]:
    return [one for one in OF_PANELS if one.source == "prometheus"]


def test_uids_are_stable_short_and_each_its_own() -> None:
    uids = {name: BOARDS[name]["uid"] for name in NAMES}
    assert uids == {name: f"continuity-{name}" for name in NAMES}
    assert all(len(uid) <= 40 for uid in uids.values())


@pytest.mark.parametrize("name", NAMES)
def test_nobody_edits_it_in_grafana_and_its_zone_and_week_are_said(name: str) -> None:
    board = BOARDS[name]
    said = board["editable"], board["timezone"], board["weekStart"], board["schemaVersion"]
    assert said == (False, "Asia/Dubai", "monday", 39)


@pytest.mark.parametrize("name", NAMES)
def test_every_panel_has_a_title_a_description_a_unit_and_its_own_number(name: str) -> None:
    board = BOARDS[name]
    bare = [
        panel["title"]
        for panel in panels(board)
        if not (panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"])
    ]
    again = [number for number, count in Counter(one["id"] for one in board["panels"]).items() if count > 1]
    assert (bare, again) == ([], [])


@pytest.mark.parametrize("name", NAMES)
def test_no_two_panels_lie_on_each_other_and_none_over_the_edge(name: str) -> None:
    taken: Counter[tuple[int, int]] = Counter()
    for panel in BOARDS[name]["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        taken.update(
            (x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])
        )
    assert [place for place, count in taken.items() if count > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_query_goes_to_the_source_that_is_chosen(name: str) -> None:
    asked = queries(name)
    assert {"datasource", "database", "job", "instance"} <= set(variables(BOARDS[name]))
    assert [one.where for one in asked if one.uid != SOURCES[one.source]] == []


def test_every_selector_is_of_the_chosen_jobs_and_instances() -> None:
    loose = [
        (one.where, found)
        for one in prometheus()
        for found in re.findall(r"\bcontinuity_[a-z_]+(?!\w)(?:\{[^}]*\})?", one.text)
        if '{job=~"$job", instance=~"$instance"' not in found
    ]
    assert loose == []


def test_every_rate_is_over_the_interval_that_suits_the_scrapes() -> None:
    ranges = {found for one in prometheus() for found in re.findall(r"\[([^\]]+)\]", one.text)}
    assert ranges == {"$__rate_interval"}


def test_what_every_replica_says_alike_counts_once() -> None:
    """T48: each selector of /metrics/state stands in `max without (instance, pod …)`, or in its rate."""
    twice = [
        (one.where, name)
        for one in prometheus()
        for before, name in re.findall(r"(\S*\s?\(?(?:rate\()?)(continuity_[a-z_]+)\{", one.text)
        if name in STATE
        and 'topic!=""' not in one.text  # a reader's own clock has the name of all of theirs together
        and not re.search(
            r"max without \(instance, pod(, verdict)?\) \((rate\()?" + re.escape(name) + r"\{", one.text
        )
    ]
    assert twice == []


def test_every_metric_asked_for_is_one_that_somebody_exports() -> None:
    asked = {name for one in prometheus() for name in PLURAL.findall(one.text)}
    assert asked - STATE - of_role_metrics() == set()


def test_t20_availability_is_never_made_in_promql() -> None:
    """T10, T18 too: no ratio is divided or averaged in PromQL; figures come from the database, as texts."""
    made = [one.where for one in prometheus() if re.search(r"\bavg\b|avg_over_time| / ", one.text)]
    assert made == []


def test_what_a_person_chooses_is_quoted_in_sql() -> None:
    bare = [
        (one.where, found)
        for name in NAMES
        for one in queries(name)
        if one.source == "postgres"
        for found in re.findall(r"\$(?!__)\w+|\$\{\w+\}", one.text)
    ]
    assert bare == []


def test_states_have_the_colours_of_the_pages_and_words_beside_them() -> None:
    from pathlib import Path

    style = (Path(looks.__file__).parents[1] / "monitor/web/static/style.css").read_text()
    light = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style[: style.index("prefers-color-scheme")]))
    ours = {word: colour for word, _, colour in looks.STATES}
    assert ours == {word: _first(style, word) for word in ours}, light
    assert all(len(text.split(" ", 1)[0]) == 1 and len(text) > 3 for _, text, _ in looks.STATES)


def _first(style: str, word: str) -> str:
    found = re.search(rf"--{word}: (#[0-9a-f]{{6}});", style)
    assert found, word
    return found[1]


def test_timelines_show_unknown_and_maintenance_by_colour_and_text() -> None:
    for name in NAMES:
        for panel in panels(BOARDS[name]):
            if panel["type"] == "state-timeline":
                shown = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
                assert (shown["2"]["text"], shown["4"]["text"]) == ("? Unknown", "◆ Maintenance")
                assert len({each["color"] for each in shown.values()}) == len(looks.STATES)


def test_the_ladder_leads_down_and_up_and_keeps_time_and_variables() -> None:
    """Government to entity to service to channel to vantage point, and back."""
    for name, below in (("government", "entity"), ("entity", "service"), ("service", "service")):
        text = str(BOARDS[name]["panels"])
        [*found] = re.findall(rf"/d/continuity-{below}\?([^'\"]+)", text)
        assert found, f"{name} leads to no {below}"
        for each in found:
            for kept in (
                "${__url_time_range}",
                "${datasource:queryparam}",
                "${database:queryparam}",
                "${job:queryparam}",
            ):
                assert kept in each
    for name in NAMES:
        assert all(link["includeVars"] and link["keepTime"] for link in BOARDS[name]["links"])
    rungs = str(BOARDS["service"]["panels"])
    assert ("var-channel=" in rungs, "var-vantage=" in rungs) == (True, True)


def test_a_link_goes_to_a_dashboard_there_is_with_a_variable_it_has() -> None:
    for name in NAMES:
        for uid, query in re.findall(r"/d/([a-z-]+)\?([^'\"]+)", str(BOARDS[name]["panels"])):
            [there] = [board for board in BOARDS.values() if board["uid"] == uid]
            assert set(re.findall(r"var-(\w+)=", query)) <= set(variables(there)), (name, uid)


def test_the_first_row_of_government_has_three_numbers_the_target_and_the_age_of_the_data() -> None:
    """T47: the age of the data stands in Grafana's first row too."""
    board = BOARDS["government"]
    first = [panel["title"] for panel in panels(board) if panel["gridPos"]["y"] == 1]
    assert first == [
        "Available",
        "Not available",
        "Unknown",
        "Share available",
        "Allowed at once",
        "Target",
        "Age of the data",
    ]
