"""What the generated dashboards hold, taken apart for tests: panels, queries, variables, marks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from dashboards.boards import boards

Json = dict[str, Any]
BOARDS: dict[str, Json] = {
    path.rsplit("/", 1)[1].removesuffix(".json"): json.loads(text) for path, text in boards().items()
}


class Query(NamedTuple):
    """A question of a panel, a variable or a mark, and where it stands."""

    where: str
    source: str  # prometheus | postgres
    text: str
    uid: str
    series: bool = False
    instant: bool = False


def panels(board: Json) -> list[Json]:
    """All but the headings."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def variables(board: Json) -> dict[str, Json]:
    return {one["name"]: one for one in board["templating"]["list"]}


def queries(name: str) -> list[Query]:
    """Every question of a dashboard."""
    board = BOARDS[name]
    return [*_of_panels(name, board), *_of_variables(name, board), *_of_marks(name, board)]


def of_panels() -> list[Query]:
    return [one for name, board in BOARDS.items() for one in _of_panels(name, board)]


def _of_panels(name: str, board: Json) -> Iterator[Query]:
    for panel in panels(board):
        for target in panel["targets"]:
            where = f"{name}: {panel['title']} {target['refId']}"
            yield _query(where, target, target["datasource"])


def _of_variables(name: str, board: Json) -> Iterator[Query]:
    for one in variables(board).values():
        if one["type"] == "query":
            source = one["datasource"]
            yield Query(f"{name}: ${one['name']}", source["type"], one["query"], source["uid"])


def _of_marks(name: str, board: Json) -> Iterator[Query]:
    for one in board["annotations"]["list"]:
        yield _query(f"{name}: {one['name']}", one["target"], one["datasource"])


def _query(where: str, target: Json, source: Json) -> Query:
    if source["type"] == "prometheus":
        return Query(where, "prometheus", target["expr"], source["uid"], instant=target.get("instant", False))
    series = target["format"] == "time_series"
    return Query(where, "postgres", target["rawSql"], source["uid"], series=series)
