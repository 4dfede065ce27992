"""Brings a Grafana to what is wanted, step by step: a folder, data sources, dashboards.

Each step looks first and writes only what differs, so that the same run again changes nothing, and one that
was cut off goes on where it stopped.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from monitor.grafana.files import Json, mark

CREATED, CHANGED, SAME = "created", "changed", "same"
ALIASES = {"grafana-postgresql-datasource": "postgres"}  # what newer Grafanas call it
DIFF_MAX = 60  # lines of one thing


class Api(Protocol):
    """What is asked of Grafana; None stands for what is not there (404)."""

    def folder(self, uid: str) -> Json | None: ...

    def create_folder(self, uid: str, title: str) -> None: ...

    def rename_folder(self, uid: str, title: str) -> None: ...

    def source(self, uid: str) -> Json | None: ...

    def create_source(self, source: Json) -> None: ...

    def change_source(self, uid: str, source: Json) -> None: ...

    def dashboard(self, uid: str) -> Json | None: ...

    def put_dashboard(self, dashboard: Json, *, folder: str) -> None: ...


class Step(NamedTuple):
    """What was done, or would be, and the lines that differ."""

    what: str
    fate: str  # created | changed | same
    difference: Sequence[str] = ()


class Plan(NamedTuple):
    """What is wanted."""

    folder: str  # its uid
    title: str
    sources: Sequence[Json]
    dashboards: Sequence[Json]


def push(api: Api, plan: Plan, *, dry_run: bool) -> Iterator[Step]:
    """Do what is missing; with `dry_run` only tell. Raises MonitorError where Grafana refuses."""
    yield _folder(api, plan, dry_run=dry_run)
    for source in plan.sources:
        yield _source(api, source, dry_run=dry_run)
    for dashboard in plan.dashboards:
        yield _dashboard(api, dashboard, plan.folder, dry_run=dry_run)


def _folder(api: Api, plan: Plan, *, dry_run: bool) -> Step:
    what, found = f"folder {plan.title}", api.folder(plan.folder)
    if found is None:
        if not dry_run:
            api.create_folder(plan.folder, plan.title)
        return Step(what, CREATED)
    if found["title"] == plan.title:
        return Step(what, SAME)
    if not dry_run:
        api.rename_folder(plan.folder, plan.title)
    return Step(what, CHANGED, _difference({"title": found["title"]}, {"title": plan.title}))


def _source(api: Api, source: Json, *, dry_run: bool) -> Step:
    what, found = f"data source {source['name']}", api.source(source["uid"])
    if found is None:
        if not dry_run:
            api.create_source(source)
        return Step(what, CREATED)
    wanted = _comparable_source(source)
    there = {name: _comparable_source(found).get(name) for name in wanted}
    if wanted == there and not (source.get("secureJsonData", {}).keys() - found.get("secureJsonFields", {})):
        return Step(what, SAME)
    if not dry_run:
        api.change_source(source["uid"], source)
    return Step(what, CHANGED, _difference(there, wanted))


def _comparable_source(source: Json) -> Json:
    """Without what Grafana never tells."""
    said = {name: value for name, value in source.items() if name != "secureJsonData"}
    return said | {"type": ALIASES.get(source["type"], source["type"])}


def _dashboard(api: Api, dashboard: Json, folder: str, *, dry_run: bool) -> Step:
    wanted, found = dashboard | {"revision": mark(dashboard)}, api.dashboard(dashboard["uid"])
    what = f"dashboard {dashboard['title']}"
    if found is None:
        if not dry_run:
            api.put_dashboard(wanted, folder=folder)
        return Step(what, CREATED)
    there, moved = _comparable(found["dashboard"]), found["meta"].get("folderUid") != folder
    if not moved and (there == _comparable(wanted) or _rewritten(there, wanted)):
        return Step(what, SAME)
    if not dry_run:
        api.put_dashboard(wanted, folder=folder)
    return Step(what, CHANGED, _difference(there, _comparable(wanted)))


def _comparable(dashboard: Json) -> Json:
    """Without what Grafana itself counts."""
    return {name: value for name, value in dashboard.items() if name not in ("id", "version")}


def _rewritten(there: Json, wanted: Json) -> bool:
    """Whether it is ours, brought to a newer schema by Grafana itself."""
    newer = int(there.get("schemaVersion") or 0) > int(wanted["schemaVersion"])
    return newer and there.get("revision") == wanted["revision"]


def _difference(there: Json, wanted: Json) -> list[str]:
    before, after = (_lines(each) for each in (there, wanted))
    lines = list(difflib.unified_diff(before, after, "in Grafana", "wanted", lineterm="", n=1))
    more = len(lines) - DIFF_MAX
    return [*lines[:DIFF_MAX], f"and {more} more lines"] if more > 0 else lines


def _lines(value: Any) -> list[str]:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True).splitlines()
