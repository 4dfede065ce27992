"""The languages of the pages: their messages, and which one a reader asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from monitor import language as spoken
from monitor.language import LANGUAGES, RIGHT_TO_LEFT, Ltr, Message, messages_in

__all__ = [
    "LANGUAGES",
    "LOCALE",
    "RIGHT_TO_LEFT",
    "Ltr",
    "Message",
    "Speaker",
    "choose",
    "messages",
    "speaker",
]

LOCALE = Path(__file__).parent / "locale"


def messages(language: str) -> Mapping[str, Message]:
    """Every message of a language by its key."""
    return messages_in(LOCALE, language)


class Speaker(spoken.Speaker):
    """One language and one time zone, with the messages of the pages."""

    def __init__(self, language: str, *, zone: str) -> None:
        super().__init__(language, zone=zone, messages=messages(language))


@lru_cache(maxsize=16)
def speaker(language: str, zone: str) -> Speaker:
    """The speaker of a language and zone."""
    return Speaker(language, zone=zone)


def choose(*, asked: str | None, kept: str | None, accepted: str, offered: tuple[str, ...]) -> str:
    """`?lang=`, then the cookie, then Accept-Language, then the first one offered."""
    for wanted in (asked, kept, *_accepted(accepted)):
        if wanted in offered:
            return wanted
    return offered[0]


def _accepted(header: str) -> list[str]:
    ranked = []
    for item in header.split(",")[:20]:
        tag, _, rest = item.strip().partition(";")
        weight = rest.strip().removeprefix("q=") if rest else "1"
        try:
            ranked.append((-float(weight), tag.split("-")[0].lower()))
        except ValueError:
            continue
    return [tag for _, tag in sorted(ranked, key=lambda pair: pair[0])]
