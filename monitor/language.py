"""How a language speaks: messages with six plural forms, and every number, date and name isolated (T22).

Each room that speaks to people keeps its own messages, `<language>.yaml` in a folder of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import yaml
from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from monitor.model import Text

LANGUAGES = ("en", "ar")
RIGHT_TO_LEFT = frozenset({"ar"})
_BABEL = {"en": "en_GB", "ar": "ar_AE"}  # ar_AE: Arabic words with Western digits
_FSI, _LRI, _PDI = "\u2068", "\u2066", "\u2069"

Message = str | dict[str, str]


class Ltr(str):
    """Text that reads left to right wherever it stands: a number, a date, an id, an address."""

    __slots__ = ()


@lru_cache
def messages_in(folder: Path, language: str) -> Mapping[str, Message]:
    """Every message of a language by its key; a message with a count is a dict of plural forms."""
    text = (folder / f"{language}.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Message] = yaml.load(text, yaml.CSafeLoader)  # a tenth of the time of `safe_load`
    return loaded


class Speaker:
    """One language, its messages and one time zone. `text` speaks HTML, `plain` attributes and JSON."""

    def __init__(self, language: str, *, zone: str, messages: Mapping[str, Message]) -> None:
        self.language, self.zone = language, ZoneInfo(zone)
        self.direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
        self._messages = messages
        self._locale = Locale.parse(_BABEL[language])

    def knows(self, key: str) -> bool:
        """False for a word that a newer program stored."""
        return key in self._messages

    def text(self, key: str, **values: object) -> Markup:
        """The message as HTML; each value is escaped and isolated in a `bdi`."""
        parts = Markup()
        for literal, field, _, _ in Formatter().parse(self._form(key, values)):
            parts += escape(literal)
            if field:
                parts += self.isolated(values[field])
        return parts

    def plain(self, key: str, **values: object) -> str:
        """The message as plain text; each value is isolated by Unicode's isolates."""
        parts = []
        for literal, field, _, _ in Formatter().parse(self._form(key, values)):
            parts.append(literal)
            if field:
                parts.append(self._plain_isolated(values[field]))
        return "".join(parts)

    def isolated(self, value: object) -> Markup:
        """A value as HTML that no surrounding text can reorder."""
        if isinstance(value, Markup):
            return Markup("<bdi>{}</bdi>").format(value)
        if isinstance(value, int):
            value = self.number(value)
        if isinstance(value, Ltr):
            return Markup('<bdi dir="ltr">{}</bdi>').format(str(value))
        return Markup("<bdi>{}</bdi>").format(value)

    def _plain_isolated(self, value: object) -> str:
        if isinstance(value, int):
            value = self.number(value)
        if self.direction == "ltr" and isinstance(value, Ltr):
            return str(value)
        return f"{_LRI if isinstance(value, Ltr) else _FSI}{value}{_PDI}"

    def _form(self, key: str, values: Mapping[str, object]) -> str:
        message = self._messages[key]
        if isinstance(message, str):
            return message
        count = values["n"]
        assert isinstance(count, int), f"{key} counts by n"
        return message.get(self._locale.plural_form(count), message["other"])

    def number(self, value: int) -> Ltr:
        """12,345: Western digits in either language."""
        return Ltr(format_decimal(value, locale="en_GB"))

    def name(self, text: Text, fallback: str) -> Markup:
        """A name in this language, or in the other one marked as such, or the fallback (a slug)."""
        shown = text.get(self.language) or fallback
        spoken = self.language if (text.ar if self.language == "ar" else text.en) else _other(self.language)
        lang = Markup("") if spoken == self.language else Markup(' lang="{}"').format(spoken)
        return Markup("<bdi{}>{}</bdi>").format(lang, shown)

    def plain_name(self, text: Text, fallback: str) -> str:
        return text.get(self.language) or fallback

    def local(self, ms: int) -> datetime:
        """The instant on the catalogue's clock."""
        return datetime.fromtimestamp(ms / 1000, UTC).astimezone(self.zone)

    def clock(self, ms: int) -> Ltr:
        """12:00:05."""
        return Ltr(f"{self.local(ms):%H:%M:%S}")

    def hour(self, ms: int) -> Ltr:
        """12:00, for axes."""
        return Ltr(f"{self.local(ms):%H:%M}")

    def moment(self, ms: int, *, now_ms: int) -> str:
        """The hour when it is today's, the date with the hour otherwise."""
        at = self.local(ms)
        if at.date() == self.local(now_ms).date():
            return self.clock(ms)
        written: str = format_datetime(at, self.plain("format.moment"), locale=self._locale)
        return written if self.direction == "rtl" else Ltr(written)

    def date(self, day: date) -> str:
        """4 December 2026."""
        written: str = format_date(day, self.plain("format.date"), locale=self._locale)
        return written if self.direction == "rtl" else Ltr(written)

    def zone_name(self, ms: int) -> Ltr:
        """UTC+4, as people write it."""
        offset = self.local(ms).utcoffset()
        assert offset is not None
        minutes = int(offset.total_seconds() // 60)
        hours, rest = divmod(abs(minutes), 60)
        return Ltr(f"UTC{'+' if minutes >= 0 else '-'}{hours}" + (f":{rest:02d}" if rest else ""))

    def duration(self, ms: int) -> Markup:
        """The two largest units, as HTML: 3 days 4 hours."""
        parts = [self.text(f"duration.{unit}", n=count) for unit, count in _units(ms)]
        return escape(self.plain("duration.join")).join(parts)


def _other(language: str) -> str:
    return "en" if language == "ar" else "ar"


def _units(ms: int) -> list[tuple[str, int]]:
    seconds = max(0, ms) // 1000
    days, seconds = divmod(seconds, 86_400)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    parts = [("days", days), ("hours", hours), ("minutes", minutes), ("seconds", seconds)]
    first = next((i for i, (_, count) in enumerate(parts) if count), 3)
    return [part for part in parts[first : first + 2] if part[1]] or [("seconds", 0)]
