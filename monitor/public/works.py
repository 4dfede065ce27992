"""Planned work as the public is told of it: by the services it reaches, never by what is worked on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from monitor.facts import Said
from monitor.judge.exclusions import Exclusion, Filing, upwards
from monitor.judge.work import Details
from monitor.model import Channel, ExclusionKind, Service, Text
from monitor.public.notes import Note, Saying, Work

AHEAD_MS = 30 * 86_400_000  # planned work further away is not shown yet
OVERRUN_MS = 24 * 3_600_000  # a failure that began in a maintenance is called its overrun for so long

_details = msgspec.json.Decoder(Details)


class Works:
    """What was announced as planned work. An outage that somebody filed afterwards is none."""

    def __init__(self, exclusions: Iterable[Exclusion], now_ms: int) -> None:
        self._now_ms = now_ms
        self._by_id = {each.id: each for each in exclusions}
        self._extended = {each.extends for each in self._by_id.values()}
        self._on: dict[str, list[Exclusion]] = {}
        for each in sorted(self._by_id.values(), key=lambda each: (each.range, each.id)):
            if each.kind is ExclusionKind.MAINTENANCE and each.filing is Filing.WORK:
                for subject in each.subjects:
                    self._on.setdefault(subject, []).append(each)

    def note(self, paths: Sequence[str], since_ms: int | None) -> Note | None:
        """Of maintenance that holds now on all of these, or that their failure outlasted."""
        covering = self._covering(paths)
        now_on = [each for each in covering if self._now_ms < each.range[1]]
        if now_on:
            last = max(now_on, key=lambda each: each.range[1])
            saying = Saying.OVERRUN if self._prolonged(last) else Saying.MAINTENANCE
            return Note(saying, last.range[0], until_ms=last.range[1])
        outlasted = next((each for each in covering if self._outlasted(each, since_ms)), None)
        return None if outlasted is None else Note(Saying.OVERRUN, outlasted.range[0])

    def said(self, paths: Sequence[str]) -> list[Said]:
        """What was written for the public of the maintenance that holds now on any of these."""
        found: dict[Text, Said] = {}
        for each in (one for path in paths for one in self._begun(path)):
            text = _text(each)
            if self._now_ms < each.range[1] and (text.ar or text.en):
                found[text] = Said("", text.ar, text.en, None, each.announced_at_ms, "")
        return list(found.values())

    def planned(self, service: Service) -> list[Work]:
        """What is to come of this service, or goes on; work and what prolongs it as one."""
        of: dict[int, tuple[Channel, ...]] = {each.id: () for each in self._on.get(service.subject, ())}
        whole = frozenset(of)
        for channel in service.channels:
            for each in self._on.get(channel.subject, ()):
                if each.id not in whole:
                    of[each.id] = (*of.get(each.id, ()), channel)
        found = _joined(_work(self._by_id[number], on) for number, on in of.items())
        return [each for each in found if self._shown(each)]

    def _shown(self, work: Work) -> bool:
        return self._now_ms < work.to_ms and work.from_ms <= self._now_ms + AHEAD_MS

    def _begun(self, path: str) -> Iterable[Exclusion]:
        found = (each for one in upwards(path) for each in self._on.get(one, ()))
        return (each for each in found if each.range[0] < self._now_ms)

    def _covering(self, paths: Sequence[str]) -> list[Exclusion]:
        first, *others = ({each.id for each in self._begun(path)} for path in paths)
        return [self._by_id[number] for number in sorted(first.intersection(*others))]

    def _prolonged(self, work: Exclusion) -> bool:
        """Whether what was announced first is over, and this goes on; what is not read is long over."""
        if work.extends is None:
            return False
        first = self._by_id.get(work.extends)
        return first is None or first.to_ms <= self._now_ms

    def _outlasted(self, work: Exclusion, since_ms: int | None) -> bool:
        ended = work.range[1]
        if work.finished_at_ms is not None or work.id in self._extended or since_ms is None:
            return False
        return self._now_ms - ended < OVERRUN_MS and since_ms < ended


def _joined(works: Iterable[Work]) -> list[Work]:
    """By their hours; one that begins where another of the same channels ends goes on from it."""
    found: list[Work] = []
    for each in sorted(works, key=lambda each: each[:2]):
        if each.from_ms == each.to_ms:
            continue  # called off
        number = next(
            (i for i, one in enumerate(found) if (one.to_ms, one.channels) == (each.from_ms, each.channels)),
            None,
        )
        if number is None:
            found.append(each)
        else:
            text = each.text if each.text.ar or each.text.en else found[number].text
            found[number] = each._replace(from_ms=found[number].from_ms, text=text)
    return found


def _work(each: Exclusion, channels: tuple[Channel, ...]) -> Work:
    return Work(*each.range, channels, each.announced_at_ms, _text(each))


def _text(work: Exclusion) -> Text:
    return _details.decode(work.document).public
