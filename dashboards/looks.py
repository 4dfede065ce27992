"""How things look in Grafana: each state has the colour, shape and word it has on the monitor's pages."""

from __future__ import annotations

from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    MatcherConfig,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)

UP, DEGRADED, UNKNOWN, DOWN = "#19704a", "#8f5600", "#52606f", "#b3201b"
MAINTENANCE, OUT_OF_HOURS, PLAIN = "#5b4a9c", "#4d6470", "#0b5672"
STATES = (
    ("up", "● Up", UP),
    ("degraded", "▲ Degraded", DEGRADED),
    ("unknown", "? Unknown", UNKNOWN),
    ("down", "✕ Down", DOWN),
    ("maintenance", "◆ Maintenance", MAINTENANCE),
    ("out_of_hours", "○ Out of hours", OUT_OF_HOURS),
)
"""Word, what is shown, colour; a state's place is its number in timelines."""

FILINGS = (("outage", "✕ Outage, filed", DOWN), ("fault", "✕ Fault elsewhere, filed", DOWN))
"""What people file of what failed: no state of anything, and no maintenance."""

SEVERITIES = (("info", "Info", UNKNOWN), ("warning", "▲ Warning", DEGRADED), ("critical", "✕ Critical", DOWN))


def _map(pairs: list[tuple[str, str, str]]) -> ValueMap:
    return ValueMap(
        {
            value: ValueMappingResult(text=text, color=colour, index=index)
            for index, (value, text, colour) in enumerate(pairs)
        }
    )


def states() -> list[ValueMapping]:
    """Numbers and words of states as their word with its shape and colour."""
    by_number = [(str(number), text, colour) for number, (_, text, colour) in enumerate(STATES)]
    return [_map([*by_number, *STATES])]


def filings() -> list[ValueMapping]:
    """What was announced or filed, in the same way."""
    return [_map([*STATES, *FILINGS])]


def severities() -> list[ValueMapping]:
    """Severities in the same way."""
    return [_map([*SEVERITIES])]


def yes_or_no(*, yes: str, no: str, bad: bool = False) -> list[ValueMapping]:
    """1 and 0, and true and false, as words; `bad` is whether yes is the worse."""
    good, other = (DOWN, UP) if bad else (UP, DOWN)
    return [_map([("1", yes, good), ("0", no, other), ("true", yes, good), ("false", no, other)])]


def nothing(text: str) -> list[ValueMapping]:
    """What is shown for a missing value: an absent figure is not a zero (T2)."""
    match = SpecialValueMap()
    match.options.match = SpecialValueMatch.NULL_AND_NAN
    match.options.result = ValueMappingResult(text=text, color=UNKNOWN, index=99)
    return [match]


def fixed(colour: str) -> FieldColor:
    """One colour whatever the value."""
    return FieldColor().mode(FieldColorModeId.FIXED).fixed_color(colour)


def by_steps() -> FieldColor:
    """The colour of the step that the value has reached."""
    return FieldColor().mode(FieldColorModeId.THRESHOLDS)


def steps(first: str, *then: tuple[float, str]) -> ThresholdsConfig:
    """Colours by value: the first from below, each other from its value on."""
    reached = [Threshold(value=None, color=first), *(Threshold(value=at, color=to) for at, to in then)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(reached)


def for_field(name: str) -> MatcherConfig:
    """The column or series of that name."""
    return MatcherConfig(id_val="byName", options=name)


def option(name: str, value: object) -> DynamicConfigValue:
    """One option of a column or series."""
    return DynamicConfigValue(id_val=name, value=value)
