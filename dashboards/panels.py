"""The kinds of panels: a number, lines, a timeline of states, a table, a graph of who needs whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders import common as parts
from grafana_foundation_sdk.builders import nodegraph, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataTransformerConfig,
    DynamicConfigValue,
    ValueMapping,
)
from grafana_foundation_sdk.models.dashboard import Panel as PanelModel

from dashboards import looks
from dashboards.looks import option

Queries = Sequence[Builder[Dataquery]]
Panel = Builder[PanelModel]
WIDE = 24
NO_DATA = "no data"


class Column(NamedTuple):
    """A column of a table: its heading, unit, link, and how its values are shown."""

    title: str = ""
    unit: str = ""
    link: str = ""
    mappings: Sequence[ValueMapping] = ()
    width: int = 0
    decimals: int | None = None


def number(
    title: str,
    says: str,
    query: Builder[Dataquery],
    *,
    unit: str = "short",
    colour: str = looks.PLAIN,
    steps: Sequence[tuple[float, str]] = (),
    mappings: Sequence[ValueMapping] = (),
    width: int = 4,
    height: int = 4,
    link: str = "",
    decimals: int | None = None,
    none: str = NO_DATA,
) -> stat.Panel:
    """One number on its colour, or on the colour of the step it has reached."""
    panel = (
        stat.Panel()
        .title(title)
        .description(says)
        .unit(unit)
        .span(width)
        .height(height)
        .with_target(query)
        .reduce_options(parts.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
        .color_mode(common.BigValueColorMode.BACKGROUND)
        .graph_mode(common.BigValueGraphMode.NONE)
        .text_mode(common.BigValueTextMode.VALUE)
        .mappings([*mappings, *looks.nothing(none)])
        .no_value(none)
        .color_scheme(looks.by_steps())
        .thresholds(looks.steps(colour, *steps))
    )
    if decimals is not None:
        panel.decimals(decimals)
    return panel.data_links([_link(title, link)]) if link else panel


def lines(
    title: str,
    says: str,
    queries: Queries,
    *,
    unit: str,
    width: int = 12,
    height: int = 8,
    stacked: bool = False,
    colours: Mapping[str, str] | None = None,
    bands: Mapping[str, str] | None = None,
    least: float | None = 0,
) -> timeseries.Panel:
    """Series over time. `bands`: an upper line filled down to its lower one."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(says)
        .unit(unit)
        .span(width)
        .height(height)
        .targets([*queries])
        .fill_opacity(60 if stacked else 0)
        .show_points(common.VisibilityMode.NEVER)
        .legend(_legend())
        .tooltip(parts.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI))
        .no_value(NO_DATA)
    )
    if least is not None:
        panel.axis_soft_min(least)
    if stacked:
        panel.stacking(parts.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
    for name, colour in (colours or {}).items():
        panel.override_by_name(name, [option("color", {"mode": "fixed", "fixedColor": colour})])
    for upper, lower in (bands or {}).items():
        filled = [option("custom.fillBelowTo", lower), option("custom.fillOpacity", 20)]
        panel.override_by_name(upper, [*filled, option("custom.lineWidth", 0)])
        panel.override_by_name(lower, [option("custom.lineWidth", 0)])
    return panel


def _legend() -> parts.VizLegendOptions:
    shown = parts.VizLegendOptions().show_legend(True).display_mode(common.LegendDisplayMode.LIST)
    return shown.placement(common.LegendPlacement.BOTTOM)


def timeline(
    title: str, says: str, queries: Queries, *, width: int = WIDE, height: int = 8
) -> statetimeline.Panel:
    """States over time, each with its word; a row a series."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(says)
        .unit("short")
        .span(width)
        .height(height)
        .targets([*queries])
        .mappings(looks.states())
        .thresholds(looks.steps(looks.UNKNOWN))
        .show_value(common.VisibilityMode.AUTO)
        .merge_values(True)
        .row_height(0.85)
        .fill_opacity(90)
        .line_width(0)
        .align_value(common.TimelineValueAlignment.LEFT)
        .legend(_legend())
        .no_value(NO_DATA)
        .override_by_field_type("number", [option("custom.spanNulls", True)])
        .override_by_name("Announced work", [option("custom.spanNulls", False)])
    )


def rows(
    title: str,
    says: str,
    query: Builder[Dataquery],
    columns: Mapping[str, Column],
    *,
    width: int = 12,
    height: int = 8,
    none: str = "none",
) -> table.Panel:
    """A table with these columns in this order."""
    panel = (
        table.Panel()
        .title(title)
        .description(says)
        .unit("short")
        .span(width)
        .height(height)
        .with_target(query)
        .no_value(none)
        .show_header(True)
        .cell_height(common.TableCellHeight.SM)
        .with_transformation(DataTransformerConfig(id_val="organize", options=_organised(columns)))
    )
    for field, column in columns.items():
        panel.override_by_name(column.title or field, _shown(column))
    return panel


def _organised(columns: Mapping[str, Column]) -> dict[str, object]:
    return {
        "indexByName": {field: place for place, field in enumerate(columns)},
        "renameByName": {field: column.title for field, column in columns.items() if column.title},
        "excludeByName": {"Time": True},
    }


def _shown(column: Column) -> list[DynamicConfigValue]:
    found = [option("unit", column.unit or "string")]
    if column.width:
        found.append(option("custom.width", column.width))
    if column.decimals is not None:
        found.append(option("decimals", column.decimals))
    if column.link:
        found.append(option("links", [{"title": f"Open {column.title}", "url": column.link}]))
    if column.mappings:
        found.append(option("mappings", [*column.mappings]))
        found.append(option("custom.cellOptions", {"type": "color-background", "mode": "basic"}))
        found.append(option("custom.displayMode", "color-background"))  # as Grafana 9 calls it
    return found


def graph(title: str, says: str, nodes: Builder[Dataquery], edges: Builder[Dataquery]) -> nodegraph.Panel:
    """Who needs whom."""
    panel = nodegraph.Panel().title(title).description(says).unit("short").span(WIDE).height(12)
    return panel.targets([nodes, edges])


def _link(title: str, url: str) -> DashboardLink:
    return DashboardLink(title).url(url).type(DashboardLinkType.LINK)
