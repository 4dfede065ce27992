"""Puts together what there is to tell of an incident: the picture, the newest attempts, what was missed."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from monitor import links
from monitor.alerts.story import Story, checks_of, evidence_of, story_of
from monitor.alerts.text import Links, Message, Teller, teller
from monitor.alerts.work import WorkStory, work_story
from monitor.alerts.work_text import WorkTeller, work_teller
from monitor.facts import ExclusionRow
from monitor.judge.incidents import Incident, Topic
from monitor.judge.missed import Estimate
from monitor.judge.outlook import Outlook
from monitor.judge.reading import exclusion_of
from monitor.judge.reckon import together
from monitor.model import Catalogue
from monitor.store import deliveries, exclusions, expected
from monitor.store.evidence import last_good, newest
from monitor.store.pool import Store

decode = msgspec.json.Decoder(Incident).decode


class Context(NamedTuple):
    """What every message needs to know of this installation."""

    url: str  # of the pages, without a slash at the end
    key: bytes  # that links are signed with

    def incident(self, number: str) -> str:
        return f"{self.url}/incidents/{number}" if number else self.url

    def work(self, number: int) -> str:
        return f"{self.url}/planned-work/{number}"

    def acknowledge(self, incident: Incident, receiver: str) -> str:
        """A link by which this receiver may acknowledge this incident, for a day."""
        expires_s = int(time.time()) + links.ACKNOWLEDGE_S
        link = links.Link(links.ACKNOWLEDGE, incident.number, receiver, incident.reopened, expires_s)
        return f"{self.url}/acknowledge/{links.signed(link, self.key)}"


async def context(store: Store, url: str) -> Context:
    """With the key of this database, made when it has none yet. Raises StoreUnavailable."""
    fresh = secrets.token_bytes(links.KEY_BYTES)
    return Context(url, await deliveries.signing_key(store, links.ACKNOWLEDGE, fresh=fresh))


class Gatherer:
    """Reads what messages say. Its picture is as fresh as its last refresh."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._outlook = Outlook(store)
        self.ready = False

    async def refresh(self) -> bool:
        """False before the first catalogue. Raises StoreUnavailable."""
        self.ready = await self._outlook.refresh()
        return self.ready

    @property
    def catalogue(self) -> Catalogue:
        return self._outlook.around.catalogue

    @property
    def now_ms(self) -> int:
        """PostgreSQL's clock at the last refresh."""
        return self._outlook.now_ms

    def teller(self, language: str | None) -> Teller:
        """Whoever writes in that language, or in the catalogue's first."""
        return teller(language or self.catalogue.languages[0], self.catalogue.zone)

    def work_teller(self, language: str | None) -> WorkTeller:
        """The same of work."""
        return work_teller(language or self.catalogue.languages[0], self.catalogue.zone)

    async def story(self, incident: Incident, *, closing: bool) -> Story:
        """Everything of one incident. Raises StoreUnavailable."""
        picture = self._outlook.picture
        checks = checks_of(picture, incident)
        pairs = [(check.key, vantage) for check in checks for vantage in check.vantages]
        seen = [] if closing else await newest(self._store, pairs)
        good_ms = {} if closing else await last_good(self._store, [check.key for check in checks])
        return story_of(
            picture,
            incident,
            evidence=evidence_of(seen, good_ms, sign=incident.sign),
            missed=await self._missed(incident) if closing else None,
        )

    async def work(self, number: int) -> WorkStory | None:
        """Everything of what was filed under that number. Raises StoreUnavailable."""
        row = await exclusions.one(self._store, number)
        if row is None:
            return None
        return self.work_of(row, extended=await exclusions.extended(self._store, [number]))

    def work_of(self, row: ExclusionRow, *, extended: Collection[int] = ()) -> WorkStory:
        return work_story(self._outlook.around, exclusion_of(row), extended=extended, now_ms=self.now_ms)

    async def _missed(self, incident: Incident) -> Estimate | None:
        """Of every channel that it touched, while it lasted; None where nothing is known."""
        channels = [
            channel.subject
            for service in self.catalogue.services
            for channel in service.channels
            if service.subject in incident.services or channel.subject in incident.channels
        ]
        until_ms = incident.well_ms or incident.closed_ms or self.now_ms
        rows = await expected.missed(
            self._store, from_ms=incident.since_ms, to_ms=until_ms, subjects=channels
        )
        return together(rows) if rows else None


def written(told: Teller, story: Story, topic: str, *, why: str, at_ms: int, links: Links) -> Message:
    """The message; of a topic that this program does not know, that there is news."""
    if topic not in Topic.__members__.values():
        name = story.name.get(told.language) or story.slug
        return told.news(topic, name, at_ms=at_ms, link=links.incident)
    return told.message(story, Topic(topic), why=why, at_ms=at_ms, links=links)
