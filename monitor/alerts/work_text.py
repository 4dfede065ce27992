"""The text of a message of work: a title of at most 60 characters, then one line each. Pure."""

from __future__ import annotations

from functools import lru_cache

from monitor.alerts.text import Message, Said, Teller
from monitor.alerts.work import WorkStory, WorkTopic
from monitor.judge.exclusions import APPLIED, Filing
from monitor.language import Ltr


@lru_cache(maxsize=16)
def work_teller(language: str, zone: str) -> WorkTeller:
    """Whoever writes messages of work in a language, with the clock of a zone."""
    return WorkTeller(language, zone)


class WorkTeller(Teller):
    """Writes of work, in the words of all messages."""

    def work(self, story: WorkStory, topic: str, *, thread: str, at_ms: int, link: str) -> Message:
        """What is said at `at_ms`; of a topic that this program does not know, that there is news."""
        if topic not in WorkTopic.__members__.values():
            return self.news(topic, thread, at_ms=at_ms, link=link)
        known = WorkTopic(topic)
        lines = [
            self._line("when", self._when(story, at_ms)),
            self._line("why", " ".join(story.exclusion.why.split())),
            self._line("affected", self._affected(story.services, story.entities)),
            self._line("still", story.details.still.get(self.language) or self._say("work.still_not_said")),
            self._line("counts", self._counts(story)),
            self._line("call", Ltr(story.details.phone) if story.details.phone else self._say("call.none")),
            self._line("open", self._url(link)),
            self._say(
                "line.last",
                number=Ltr(thread),
                kind=self._say(f"kind.{_key(known, story)}"),
                zone=Ltr(self.zone),
            ),
        ]
        if known is WorkTopic.ENDING:
            lines.insert(0, self._say("work.asks"))
        return Message(self._work_title(story, known, at_ms), tuple(lines))

    def _work_title(self, story: WorkStory, topic: WorkTopic, at_ms: int) -> str:
        begins_ms, ends_ms = story.exclusion.range
        if topic in (WorkTopic.ENDING, WorkTopic.EXTENDED):
            shown_ms = ends_ms
        else:
            shown_ms = begins_ms if topic in (WorkTopic.ANNOUNCED, WorkTopic.CANCELLED) else at_ms
        values: dict[str, str] = {
            "word": self._say(f"word.{_key(topic, story)}"),
            "at": self._moment(shown_ms, at_ms),
        }
        if story.services:
            values["services"] = self._say("services", n=len(story.services))
        name = story.names[0].get(self.language) if story.names else story.exclusion.why
        return self._cut("title.counted" if story.services else "title.plain", name, **values)

    def _when(self, story: WorkStory, at_ms: int) -> Said:
        from_ms, to_ms = story.exclusion.range
        return self._say("work.when", start=self._moment(from_ms, at_ms), end=self._moment(to_ms, at_ms))

    def _counts(self, story: WorkStory) -> Said:
        counts = "left_out" if story.standing in APPLIED else story.standing.value
        return self._say(f"work.counts.{counts}")


def _key(topic: WorkTopic, story: WorkStory) -> str:
    """Planned work has its own words; what else is filed is a report."""
    if topic is WorkTopic.ANNOUNCED and story.exclusion.filing is not Filing.WORK:
        return f"{topic.value}.{story.exclusion.filing.value}"
    return topic.value
