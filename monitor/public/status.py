"""The public pages as data: `status.json`, and how old the folder is. Pure; documented in docs/public.md."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from monitor.model import Channel, Text
from monitor.public.notes import Note
from monitor.public.told import Given, Told
from monitor.public.words import Words, link_of, phone_of

SCHEMA = 1


def instant(ms: int | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    if ms is None:
        return None
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_of(given: Given) -> bytes:
    """What the role `public` tells the age of a folder by."""
    return msgspec.json.encode({"schema": SCHEMA, "as_of_ms": given.picture.as_of_ms})


def document(given: Given, told: Sequence[Told], languages: Sequence[str]) -> bytes:
    """Every service with its state, its sentences in each language, and where else to get it."""
    catalogue = given.picture.catalogue
    words = [Words(language, zone=catalogue.zone, now_ms=given.now_ms, rich=False) for language in languages]
    body = {
        "schema": SCHEMA,
        "as_of": instant(given.picture.as_of_ms),
        "written": instant(given.now_ms),
        "sample": catalogue.sample,
        "government": _text(catalogue.government),
        "services": [_service(one, words) for one in told],
    }
    return msgspec.json.encode(body)


def _service(told: Told, words: Sequence[Words]) -> dict[str, Any]:
    service = told.service
    return {
        "slug": service.slug,
        "name": _text(service.name) or {"en": service.slug},
        "entity": service.entity or None,
        "state": told.state.value,
        "remotely_available": told.available if told.state.value != "checking" else None,
        "notes": [_note(told, note, words) for note in told.notes],
        "alternatives": [_channel(each) for each in told.ways],
        "announcements": [{"at": instant(one.said_ms), "ar": one.ar, "en": one.en} for one in told.said],
        "planned": [
            {
                "from": instant(work.from_ms),
                "to": instant(work.to_ms),
                "channels": [each.kind.value for each in work.channels],
                "says": _text(work.text),
            }
            for work in told.work
        ],
    }


def _note(told: Told, note: Note, words: Sequence[Words]) -> dict[str, Any]:
    return {
        "state": note.saying.value,
        "channel": note.channel.kind.value if note.channel else None,
        "since": instant(note.since_ms),
        "until": instant(note.until_ms),
        "says": {each.language: each.note(told, note) for each in words},
    }


def _channel(channel: Channel) -> dict[str, Any]:
    phone = phone_of(channel)
    return {
        "channel": channel.kind.value,
        "remote": channel.remote,
        "url": None if phone else link_of(channel) or None,
        "phone": phone or None,
    }


def _text(text: Text) -> dict[str, str]:
    return {language: said for language, said in (("ar", text.ar), ("en", text.en)) if said}
