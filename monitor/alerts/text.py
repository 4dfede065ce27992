"""The text of a message: a title of at most 60 characters, then one line each, in either language. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from monitor.alerts.story import Evidence, Story
from monitor.judge.incidents import Topic
from monitor.judge.levels import exact
from monitor.judge.seconds import format_percent
from monitor.judge.troubles import Sign
from monitor.language import Ltr, Speaker, messages_in
from monitor.model import Text, Verdict

LOCALE = Path(__file__).parent / "locale"
TITLE_MAX = 60
NAMES_MAX = 3
PEOPLE_MAX = 2
TIMED_OUT = frozenset({"timeout", "dns_timeout"})
_RTL = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
SEPARATOR = " · "


class Said(str):
    """Text that is in the message's own language already: it is not isolated once more."""

    __slots__ = ()


class _Speaker(Speaker):
    """Plain text for phones: an isolate only where it keeps something from being reordered."""

    def _plain_isolated(self, value: object) -> str:
        if isinstance(value, int):
            value = self.number(value)
        if isinstance(value, Said) or (self.direction == "ltr" and not _RTL.search(str(value))):
            return str(value)
        return super()._plain_isolated(value)


class Message(NamedTuple):
    """A title and its lines, as plain text."""

    title: str
    lines: tuple[str, ...]

    @property
    def body(self) -> str:
        return "\n".join(self.lines)


class Links(NamedTuple):
    """Where a message leads; "" for nowhere."""

    incident: str
    acknowledge: str = ""


@lru_cache(maxsize=16)
def teller(language: str, zone: str) -> Teller:
    """Whoever writes messages in a language, with the clock of a zone."""
    return Teller(language, zone)


class Teller:
    """Writes messages in one language. A value that could be reordered is isolated (T22)."""

    def __init__(self, language: str, zone: str) -> None:
        self.language, self.zone = language, zone
        self._speaker = _Speaker(language, zone=zone, messages=messages_in(LOCALE, language))

    # -- whole messages ----------------------------------------------------------------------------------

    def message(self, story: Story, topic: Topic, *, why: str, at_ms: int, links: Links) -> Message:
        """What is said at `at_ms`. `why`: notice, second or reminder."""
        if topic is Topic.RESOLVED:
            return self._resolved(story, at_ms=at_ms, links=links)
        if topic is Topic.UPDATE_MISSED:
            return self._update_missed(story, at_ms=at_ms, links=links)
        kind = topic.value if why == "notice" else why
        lines = [
            self._line("evidence", self._evidence(story, at_ms)),
            self._line("affected", self._affected(story.services, story.entities)),
            self._line("still", self._still(story)),
            self._line("call", self._call(story)),
            self._line("open", self._open(story, links)),
            self._last(story, kind),
        ]
        return Message(self._title(story, topic, why, at_ms), tuple(lines))

    def _resolved(self, story: Story, *, at_ms: int, links: Links) -> Message:
        one = story.incident
        well_ms = one.well_ms or one.closed_ms or at_ms
        duration = self.duration(well_ms - one.since_ms)
        lasted = [
            self._say(
                "lasted.from_to",
                duration=duration,
                start=self._moment(one.since_ms, at_ms),
                end=self._moment(well_ms, at_ms),
            )
        ]
        if one.failures > 1:
            lasted.append(self._say("lasted.again", times=self._say("times", n=one.failures)))
        if one.reopened:
            lasted.append(self._say("lasted.reopened", times=self._say("times", n=one.reopened)))
        lines = [
            self._line("lasted", Said(SEPARATOR.join(lasted))),
            self._line("missed", self._missed(story)),
            self._line("open", self._open(story, links._replace(acknowledge=""))),
            self._last(story, "resolved"),
        ]
        title = self._fit(
            "title.over", story, word=self._say("word.over"), at=self._clock(well_ms), duration=duration
        )
        return Message(title, tuple(lines))

    def _update_missed(self, story: Story, *, at_ms: int, links: Links) -> Message:
        lines = (
            self._say("update_missed.line"),
            self._line("affected", self._affected(story.services, story.entities)),
            self._line("open", self._open(story, links._replace(acknowledge=""))),
            self._last(story, Topic.UPDATE_MISSED.value),
        )
        word = self._say("word.update_missed")
        return Message(self._fit("title.plain", story, word=word, at=self._clock(at_ms)), lines)

    def test(self, receiver: str, *, at_ms: int, link: str) -> Message:
        """To try a receiver."""
        lines = (
            self._say("test.line"),
            self._line("open", self._url(link)),
            self._say("line.last", number=Ltr(receiver), kind=self._say("kind.test"), zone=Ltr(self.zone)),
        )
        return Message(self._say("title.test", at=self._clock(at_ms)), lines)

    def news(self, topic: str, name: str, *, at_ms: int, link: str) -> Message:
        """Of a kind that this program does not know: that there is something, and where."""
        lines = (
            self._say("news.line", topic=Ltr(topic)),
            self._line("open", self._url(link)),
            self._say("line.last_plain", kind=self._say("kind.news"), zone=Ltr(self.zone)),
        )
        return Message(self._cut("title.news", name, at=self._clock(at_ms)), lines)

    # -- the title ---------------------------------------------------------------------------------------

    def _title(self, story: Story, topic: Topic, why: str, at_ms: int) -> str:
        one = story.incident
        if one.sign is Sign.CERTIFICATE:
            word = self._say("word.certificate")
        else:
            verdict = "degraded" if one.verdict is Verdict.DEGRADED else "down"
            named = one.sign is Sign.REPORTED and story.kind == "government"
            word = self._say(f"word.{verdict}.{'service' if named else story.kind}")
        if why == "reminder":
            word = self._say("word.reminder", word=word)
        elif topic is Topic.AGAIN:
            word = self._say("word.again", word=word)
        since_ms = one.since_ms if topic is Topic.FIRST and why == "notice" else at_ms
        counted = bool(story.kind == "system" and one.services)
        values: dict[str, str] = {"word": word, "at": self._clock(since_ms)}
        if counted:
            values["services"] = self._say("services", n=len(one.services))
        return self._fit("title.counted" if counted else "title.plain", story, **values)

    def _fit(self, key: str, story: Story, **values: str) -> str:
        return self._cut(key, story.name.get(self.language) or story.slug, **values)

    def _cut(self, key: str, name: str, **values: str) -> str:
        """The message, its name cut so that the whole is no longer than a title may be."""
        whole = self._say(key, name=name, **values)
        over = len(whole) - TITLE_MAX
        if over <= 0:
            return whole
        return self._say(key, name=f"{name[: max(len(name) - over - 1, 1)].rstrip()}…", **values)

    # -- the lines ---------------------------------------------------------------------------------------

    def _evidence(self, story: Story, at_ms: int) -> str:
        one, found = story.incident, story.evidence
        if one.sign is Sign.REPORTED:
            return self._say("evidence.reported", who=one.by, what=" ".join(one.title.split()))
        if one.sign is Sign.HEADLINE:
            return self._say(
                "evidence.headline",
                available=story.available,
                required=story.required,
                target=self._target(story.target),
            )
        if one.sign is Sign.CERTIFICATE and found and found.certificate_ms is not None:
            return self._say("evidence.certificate", at=self._moment(found.certificate_ms, at_ms))
        if one.suspected:
            return self._say("evidence.suspected")
        if found is None:
            return self._say("evidence.none")
        return self._measured(found, at_ms)

    def _measured(self, found: Evidence, at_ms: int) -> str:
        if not found.failing:
            return self._say("evidence.well")
        values: dict[str, object] = {
            "failing": found.failing,
            "locations": self._say("locations", n=found.of),
            "reason": self._reason(found.reason),
        }
        if found.reason in TIMED_OUT:
            values["after"] = self.duration(max(round(found.took_ms), 1000))
            said = self._say("evidence.failing_after", **values)
        else:
            said = self._say("evidence.failing", **values)
        if found.good_ms is None:
            return said
        good = self._say("evidence.good", at=self._moment(found.good_ms, at_ms, seconds=True))
        return Said(self._say("list.separator").join((said, good)))

    def _affected(self, services: Sequence[Text], entities: int) -> str:
        if not services:
            return self._say("affected.none")
        names = [self._name(name) for name in services[:NAMES_MAX]]
        listed = Said(self._say("list.comma").join(names))
        if more := len(services) - len(names):
            listed = self._say("affected.more", names=listed, n=more)
        return self._say(
            "affected.services",
            services=self._say("services", n=len(services)),
            entities=self._say("entities", n=entities),
            names=listed,
        )

    def _still(self, story: Story) -> str:
        if not story.services:
            return self._say("still.not_asked")
        if not story.still_services:
            return self._say("still.none")
        kinds = [
            self._say("still.kind", kind=self._say(f"channel.{kind.value}"), n=count)
            for kind, count in story.still
        ]
        return self._say(
            "still.kinds",
            services=self._say("services", n=story.still_services),
            kinds=Said(self._say("list.comma").join(kinds)),
        )

    def _call(self, story: Story) -> str:
        reachable = [one for one in story.people if one.phone or one.mail][:PEOPLE_MAX]
        people = [
            self._say(
                "call.person",
                who=one.name.get(self.language) or one.role.get(self.language),
                phone=Ltr(one.phone or one.mail),
            )
            for one in reachable
        ]
        return Said(self._say("list.comma").join(people)) if people else self._say("call.none")

    def _open(self, story: Story, links: Links) -> str:
        ways = [self._url(links.incident)]
        if story.runbook:
            ways.append(self._say("open.runbook", url=self._url(story.runbook)))
        if links.acknowledge:
            ways.append(self._say("open.acknowledge", url=self._url(links.acknowledge)))
        return Said(SEPARATOR.join(ways))

    def _missed(self, story: Story) -> str:
        found = story.missed
        if found is None:
            return self._say("missed.unknown")
        low, high = found.whole
        return self._say("missed.range", missed=round(found.value), low=low, high=high)

    def _last(self, story: Story, kind: str) -> str:
        number = Ltr(story.incident.number)
        return self._say("line.last", number=number, kind=self._say(f"kind.{kind}"), zone=Ltr(self.zone))

    # -- words -------------------------------------------------------------------------------------------

    def _say(self, key: str, **values: object) -> Said:
        return Said(self._speaker.plain(key, **values))

    def _line(self, key: str, what: str) -> str:
        return self._say(f"line.{key}", what=what)

    def _name(self, name: Text) -> str:
        return name.get(self.language)

    def _reason(self, reason: str) -> str:
        key = f"reason.{reason}"
        return self._say(key) if self._speaker.knows(key) else Ltr(reason)

    def _url(self, url: str) -> Said:
        """An address, which programs look for in the text: a space keeps it apart from the isolate's end."""
        return Said(url) if self.language == "en" else Said(f"\u2066{url} \u2069")

    def _clock(self, ms: int) -> Ltr:
        return self._speaker.hour(ms)

    def _moment(self, ms: int, now_ms: int, *, seconds: bool = False) -> str:
        """The hour when it is today's, with the date otherwise."""
        if self._speaker.local(ms).date() == self._speaker.local(now_ms).date():
            return self._speaker.clock(ms) if seconds else self._speaker.hour(ms)
        return self._speaker.moment(ms, now_ms=now_ms)

    def _target(self, share: float) -> Ltr:
        exactly = exact(share)
        percent = format_percent(exactly.numerator, exactly.denominator, 1) or ""
        return Ltr(f"{percent.removesuffix('.0')}%")

    def duration(self, ms: int) -> Said:
        """At most two units: 40 s, 65 min, 2 h 5 min."""
        seconds = max(ms, 0) // 1000
        if seconds < 100:
            return self._say("duration.seconds", n=seconds)
        if seconds < 7200:
            return self._say("duration.minutes", n=seconds // 60)
        hours, minutes = seconds // 3600, seconds % 3600 // 60
        said = [self._say("duration.hours", n=hours)]
        if minutes:
            said.append(self._say("duration.minutes", n=minutes))
        return Said(self._say("duration.join").join(said))
