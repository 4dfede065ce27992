"""The fixed sentences of the public pages, as HTML and as plain text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

from babel import Locale
from babel.dates import format_date
from markupsafe import Markup, escape

from monitor.judge.opening import Usual
from monitor.language import Ltr, Message, Speaker, messages_in
from monitor.model import Channel, ChannelKind, DayName, Entity, Service
from monitor.public.notes import Note, Saying
from monitor.public.told import Told

WEEK = tuple(DayName)
LOCALE = Path(__file__).parent / "locale"
LINKS = frozenset({"http", "https", "tel", "mailto"})
_BABEL = {"en": "en_GB", "ar": "ar_AE"}
ELSEWHERE = frozenset({Saying.UNAVAILABLE, Saying.PARTLY, Saying.MAINTENANCE, Saying.OVERRUN})
_MAINTENANCE = frozenset({Saying.MAINTENANCE, Saying.OVERRUN})


def messages(language: str) -> Mapping[str, Message]:
    """Every message of the public pages by its key."""
    return messages_in(LOCALE, language)


def link_of(channel: Channel) -> str:
    """What a person may follow to the channel; empty without an address that a browser opens."""
    return channel.url if urlsplit(channel.url).scheme.lower() in LINKS else ""


def phone_of(channel: Channel) -> str:
    """The number to dial; empty where the channel is not dialled."""
    parts = urlsplit(channel.url)
    return unquote(parts.path) if parts.scheme.lower() == "tel" else ""


class Words:
    """One language at one hour: `rich` speaks HTML with links, otherwise plain text."""

    def __init__(self, language: str, *, zone: str, now_ms: int, rich: bool = True) -> None:
        self.speaker = Speaker(language, zone=zone, messages=messages(language))
        self.language, self.now_ms, self.rich = language, now_ms, rich
        self._locale = Locale.parse(_BABEL[language])

    def say(self, key: str, **values: object) -> str:
        """A message; what is put into it is isolated (T22)."""
        return self.speaker.text(key, **values) if self.rich else self.speaker.plain(key, **values)

    def at(self, ms: int) -> str:
        """The hour of an instant, with its day when it is not today's: 14:05, 14:05 on 24 November 2026."""
        clock = Ltr(f"{self.speaker.local(ms):%H:%M}")
        if self.speaker.local(ms).date() == self.speaker.local(self.now_ms).date():
            return self.say("at.today", time=clock)
        return self.dated(ms)

    def dated(self, ms: int) -> str:
        """The hour of an instant with its day, for what is read later."""
        return self.say("at.day", time=self.speaker.hour(ms), date=self.day(ms))

    def time(self, ms: int) -> str:
        """The hour alone when it is today's, for a sentence that says itself that it is one."""
        clock = self.speaker.hour(ms)
        today = self.speaker.local(ms).date() == self.speaker.local(self.now_ms).date()
        return clock if today else self.say("at.day", time=clock, date=self.day(ms))

    def opens(self, ms: int) -> str:
        """When something opens: an hour of today, of a day of the coming week, or of a date."""
        clock = self.speaker.hour(ms)
        day, today = self.speaker.local(ms).date(), self.speaker.local(self.now_ms).date()
        if day == today:
            return self.say("opens.today", time=clock)
        if (day - today).days < len(WEEK):
            return self.say("opens.week", day=self.weekday(WEEK[day.weekday()]), time=clock)
        return self.say("opens.day", date=self.day(ms), time=clock)

    def weekday(self, day: DayName) -> str:
        named: str = self._locale.days["format"]["wide"][WEEK.index(day)]
        return named

    def day(self, ms: int) -> str:
        """The local day of an instant."""
        return self.date(self.speaker.local(ms).date())

    def date(self, day: date) -> str:
        written: str = format_date(day, self.speaker.plain("format.day"), locale=self._locale)
        return written if self.speaker.direction == "rtl" else Ltr(written)

    def name(self, one: Service | Entity) -> str:
        speaker = self.speaker
        return (speaker.name if self.rich else speaker.plain_name)(one.name, one.slug)

    def state(self, saying: str) -> str:
        return self.speaker.plain(f"state.{saying}")

    def kind(self, kind: ChannelKind) -> str:
        return self.speaker.plain(f"kind.{kind.value}")

    def on(self, channel: Channel) -> str:
        return self.say(f"on.{channel.kind.value}")

    # -- sentences ---------------------------------------------------------------------------------------

    def sentences(self, told: Told) -> list[str]:
        """What is said of a service now, one paragraph a note; with where else to get it."""
        if not told.notes:
            return [self.say("say.available")]
        last = max((i for i, note in enumerate(told.notes) if note.saying in ELSEWHERE), default=None)
        return [self.note(told, note, elsewhere=number == last) for number, note in enumerate(told.notes)]

    def note(self, told: Told, note: Note, *, elsewhere: bool = True) -> str:
        """One fixed sentence, followed by where else to get it."""
        ways = self._ways(told) if elsewhere else []
        if note.saying is Saying.PARTLY:
            return self._join([self._partly(told, note), *ways])
        if note.saying is Saying.UNAVAILABLE:
            return self._join(
                [
                    self.say("say.unavailable"),
                    *([self.say("say.next", at=self.at(note.until_ms))] if note.until_ms else []),
                    *ways,
                ]
            )
        if note.saying in _MAINTENANCE:
            return self._join([*self._maintenance(note), *ways])
        if note.saying is Saying.CLOSED and note.until_ms is not None:
            return self.say("say.closed", when=self.opens(note.until_ms))
        return self.say(f"say.{note.saying.value}" if note.saying is not Saying.CLOSED else "say.closed_open")

    def _partly(self, told: Told, note: Note) -> str:
        assert note.channel is not None, "said of one channel"
        since = self.at(note.since_ms if note.since_ms is not None else self.now_ms)
        return self.say("say.partly", service=self.name(told.service), on=self.on(note.channel), at=since)

    def _maintenance(self, note: Note) -> list[str]:
        on = None if note.channel is None else self.on(note.channel)
        time = None if note.until_ms is None else self.time(note.until_ms)
        if note.saying is Saying.OVERRUN:
            stopped = [] if on is None else [self.say("say.stopped_on", on=on)]
            return [*stopped, self.say("say.overrun", time=time) if time else self.say("say.overrun_open")]
        if on is None:
            return [self.say("say.maintenance", time=time)]
        return [self.say("say.maintenance_on", on=on, time=time)]

    def _ways(self, told: Told) -> list[str]:
        if not told.ways:
            return []
        return [self.say("say.ways", ways=self._together((self.way(each) for each in told.ways), "list.or"))]

    def way(self, channel: Channel) -> str:
        """On which channel, with its link or phone number."""
        phone, link = phone_of(channel), link_of(channel)
        said = self.say("way.phone", phone=Ltr(phone)) if phone else self.say(f"way.{channel.kind.value}")
        if not (self.rich and link):
            return said
        return Markup('<a href="{}" rel="noreferrer">{}</a>').format(link, said)

    # -- usual hours -------------------------------------------------------------------------------------

    def usual_days(self, usual: Usual) -> str:
        """Days of the week in a row."""
        named = [self.weekday(day) for day in usual.days]
        if len(named) == len(WEEK):
            return self.say("hours.every")
        if len(named) == 1:
            return self.say("hours.one", day=named[0])
        key = "hours.two" if len(named) == 2 else "hours.days"
        return self.say(key, first=named[0], last=named[-1])

    def usual_span(self, usual: Usual) -> str:
        """From when to when on those days."""
        if usual.span is None:
            return self.say("hours.closed")
        begin, end = (Ltr(f"{minute // 60:02d}:{minute % 60:02d}") for minute in usual.span)
        return self.say("hours.span", start=begin, end=end)

    def names(self, services: Iterable[Service]) -> str:
        """Several names in a row."""
        return self._together((self.name(each) for each in services), "list.and")

    def _together(self, parts: Iterable[str], key: str) -> str:
        between = self.speaker.plain(key)
        return escape(between).join(parts) if self.rich else between.join(parts)

    def _join(self, sentences: list[str]) -> str:
        ended = [each if each.rstrip("\u2069").endswith(".") else each + "." for each in sentences[:-1]]
        parts = [*ended, sentences[-1]]
        return Markup(" ").join(parts) if self.rich else " ".join(parts)
