"""What must hold of every catalogue of messages: both languages say the same things, in all their forms."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from monitor.language import Message

FORMS = {"en": {"one", "other"}, "ar": {"zero", "one", "two", "few", "many", "other"}}

Said = Mapping[str, Message]


def placeholders(message: Message) -> set[str]:
    forms = [message] if isinstance(message, str) else list(message.values())
    return {field for form in forms for _, field, _, _ in Formatter().parse(form) if field}


def unlike(en: Said, ar: Said) -> list[str]:
    """Keys that only one language has, or that differ in their placeholders or in whether they count."""
    return [
        key
        for key in en.keys() | ar.keys()
        if key not in en
        or key not in ar
        or placeholders(en[key]) | {"n"} != placeholders(ar[key]) | {"n"}
        or isinstance(en[key], str) != isinstance(ar[key], str)
    ]


def incomplete(**said: Said) -> list[tuple[str, str]]:
    """(language, key) of what counts without all the plural forms of its language."""
    return [
        (language, key)
        for language, messages in said.items()
        for key, message in messages.items()
        if isinstance(message, dict) and set(message) != FORMS[language]
    ]
