"""The Atom feed of one language: published incidents and planned work, the newest first. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import NAMESPACE_URL, uuid5
from xml.etree.ElementTree import Element, SubElement, tostring

from monitor.model import Service
from monitor.public.overview import Planned, planned
from monitor.public.status import instant
from monitor.public.told import Given, Published, Told, ended_ms, published
from monitor.public.words import Words

ATOM = "http://www.w3.org/2005/Atom"
ENTRIES_MOST = 50
NAMES_MOST = 10
NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what somebody may have typed


class Entry(NamedTuple):
    """One thing to read about."""

    id: str
    title: str
    updated_ms: int
    text: str
    link: str


def document(given: Given, told: Sequence[Told], words: Words, *, url: str) -> bytes:
    """The feed as XML. `url`: how the public reaches the pages; empty: links are relative."""
    catalogue = given.picture.catalogue
    government = words.speaker.plain_name(catalogue.government, "")
    feed = Element("feed", {"xmlns": ATOM, "xml:lang": words.language})
    _put(feed, "id", _id("feed", words.language, url))
    _put(feed, "title", words.say("feed.title", government=government))
    entries = sorted(_entries(given, told, words), key=lambda one: (-one.updated_ms, one.id))[:ENTRIES_MOST]
    _put(feed, "updated", instant(given.picture.as_of_ms or given.now_ms) or "")
    _put(SubElement(feed, "author"), "name", government)
    base = f"{url}/{words.language}/" if url else ""
    SubElement(feed, "link", {"rel": "self", "href": f"{base}feed.xml"})
    SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": f"{base}index.html"})
    for one in entries:
        entry = SubElement(feed, "entry")
        _put(entry, "id", one.id)
        _put(entry, "title", one.title)
        _put(entry, "updated", instant(one.updated_ms) or "")
        SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": base + one.link})
        _put(entry, "content", one.text)
    written: bytes = tostring(feed, encoding="utf-8", xml_declaration=True)
    return written


def _entries(given: Given, told: Sequence[Told], words: Words) -> Iterable[Entry]:
    by_subject = {one.service.subject: one.service for one in told}
    for one in published(given):
        yield from _incident(one, by_subject, words)
    for work in planned(told):
        yield _work(work, words)


def _work(work: Planned, words: Words) -> Entry:
    names, more = words.names(work.services[:NAMES_MOST]), len(work.services) - NAMES_MOST
    if more > 0:
        names = f"{names} {words.say('planned.more', n=more)}"
    text = work.text.ar if words.language == "ar" else work.text.en
    span = words.say("planned.span", start=words.dated(work.from_ms), end=words.dated(work.to_ms))
    return Entry(
        _id("work", str(work.from_ms), str(work.to_ms), work.text.en, work.text.ar, words.language),
        words.say("feed.work", names=names),
        work.announced_ms,
        "\n".join([span, text] if text else [span]),
        _page(work.services[0]) if len(work.services) == 1 else "index.html",
    )


def _incident(one: Published, services: dict[str, Service], words: Words) -> Iterable[Entry]:
    incident = one.incident
    down = [services[path] for path in incident.services if path in services]
    touched = dict.fromkeys(path.split("/", 1)[0] for path in incident.channels)
    shown = down or [services[path] for path in touched if path in services]
    if not shown:
        return
    key = "feed.down" if down else "feed.touched"
    over_ms = None if incident.open else ended_ms(incident)
    said = [each for each in one.said if each.get(words.language)]
    start = words.dated(incident.since_ms)
    span = (
        words.say("feed.open", start=start)
        if over_ms is None
        else words.say("feed.closed", start=start, end=words.dated(over_ms))
    )
    yield Entry(
        _id("incident", incident.number, words.language),
        words.say(key, n=len(shown), names=words.names(shown[:NAMES_MOST])),
        max([one.at_ms, over_ms or 0, *(each.said_ms for each in said)]),
        "\n".join([span, *(each.get(words.language) for each in said)]),
        _page(shown[0]) if len(shown) == 1 else "index.html",
    )


def _page(service: Service) -> str:
    return f"services/{service.slug}.html"


def _id(*parts: str) -> str:
    """Stable, and says nothing."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, ' '.join(('continuity', *parts)))}"


def _put(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = NO_XML.sub("", text)
