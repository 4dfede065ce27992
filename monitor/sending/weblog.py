"""Access logs of nginx and Apache (combined or common format) as transactions, by a mapping in YAML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated

import msgspec

from monitor.config.decode import BAD, Reading, decode
from monitor.config.source import read
from monitor.errors import ConfigError, Problem
from monitor.model import TransactionOutcome
from monitor.sending.lines import Item, Name, Raw, made, too_long
from monitor.stream.wire import Transaction

Meta = msgspec.Meta
MONTHS = {
    "Jan": 1, "Feb": 2, "Mar": 3, "Apr": 4, "May": 5, "Jun": 6,
    "Jul": 7, "Aug": 8, "Sep": 9, "Oct": 10, "Nov": 11, "Dec": 12,
}  # fmt: skip
LINE = re.compile(
    rb"^\S+ \S+ .+? \[(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\] "
    rb'"(?:([A-Z]+) (\S+)[^"]*|[^"]*)" (\d{3}) '
)
STATUSES = ("1xx", "2xx", "3xx", "4xx", "5xx")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests that are a transaction of one service; the first rule that fits decides."""

    path: Annotated[str, Meta(description="Beginning of the path.", examples=["/passport/apply"])] = ""
    regex: Annotated[str, Meta(description="Found in the path, when `path` does not say enough.")] = ""
    methods: Annotated[tuple[str, ...], Meta(description="Only these; all without it.")] = ()
    service: Annotated[str, Meta(description="Slug of the service.", min_length=1)]
    channel: Annotated[str, Meta(description="Slug of its channel.", min_length=1)] = "web"


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of an access log is a transaction."""

    match: Annotated[tuple[Rule, ...], Meta(description="Rules, the first that fits decides.")]
    outcomes: Annotated[
        dict[str, TransactionOutcome],
        Meta(description="Outcome by class of status (2xx) or status (409); others are passed over."),
    ] = msgspec.field(
        default_factory=lambda: {
            "2xx": TransactionOutcome.COMPLETED,
            "3xx": TransactionOutcome.COMPLETED,
            "5xx": TransactionOutcome.FAILED,
        }
    )


def read_mapping(path: Path) -> Mapping:
    """Raises ConfigError with every mistake of the file."""
    reading = Reading()
    node, problems = read(path)
    mapping = decode(node, Mapping, reading) if node is not None else BAD
    if isinstance(mapping, Mapping):
        _hold(mapping, reading)
    problems += reading.problems
    if problems or not isinstance(mapping, Mapping):
        raise ConfigError(problems or [Problem(str(path), 1, 1, "is empty; it needs `match`")])
    return mapping


def _hold(mapping: Mapping, reading: Reading) -> None:
    for rule in mapping.match:
        if not rule.path and not rule.regex:
            reading.say("a rule needs `path` or `regex`", rule)
        try:
            re.compile(rule.regex)
        except re.error as error:
            reading.say(f"is no regular expression: {error}", rule, "regex")
    for status in mapping.outcomes:
        if status not in STATUSES and not (status.isdigit() and len(status) == 3):
            reading.say(
                f"`{status}` is no status: write 200 or one of {', '.join(STATUSES)}", mapping, "outcomes"
            )


class Weblog:
    """Reads the lines of a log. What fits no rule is passed over: most requests are no transaction."""

    def __init__(self, mapping: Mapping) -> None:
        self._rules = [(re.compile(rule.regex), rule) for rule in mapping.match]
        self._outcomes = mapping.outcomes

    def __call__(self, lines: Iterator[Raw], name: Name) -> Iterator[Item]:
        for raw in lines:
            yield self._item(raw, name) if raw.text.strip() else Item(raw.number, raw.end)

    def _item(self, raw: Raw, name: Name) -> Item:
        found = LINE.match(raw.text)
        if found is None or too_long(raw):
            return Item(raw.number, raw.end, why_not="no line of the combined or common log format")
        *time, method, target, status = (each.decode(errors="replace") for each in found.groups(b""))
        rule = self._rule(method, target.partition("?")[0])
        outcome = self._outcomes.get(status) or self._outcomes.get(f"{status[0]}xx")
        if rule is None or outcome is None:
            return Item(raw.number, raw.end)
        try:
            at = _time(time)
        except (KeyError, ValueError):
            return Item(raw.number, raw.end, why_not="its time is none")
        event = Transaction(service=rule.service, channel=rule.channel, outcome=outcome, at=at)
        return made(raw, event, name)

    def _rule(self, method: str, path: str) -> Rule | None:
        for regex, rule in self._rules:
            fits = path.startswith(rule.path) and (not rule.regex or regex.search(path))
            if fits and (not rule.methods or method in rule.methods):
                return rule
        return None


def _time(parts: list[str]) -> datetime:
    day, month, year, hour, minute, second, sign, hours, minutes = parts
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    zone = timezone(-offset if sign == "-" else offset)
    return datetime(int(year), MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=zone)
