"""Finding a service by its name: keys without marks and cases, and the page of a search. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from markupsafe import escape

ARTICLE = "ال"  # people write a name with or without it
LINE, LETTER = '<li data-k="', '<li class="letter"'
ASKED, WORDS = 'name="q" value=""', '<bdi id="words"></bdi>'  # where the page says what was looked for
FOUND, NONE = 'id="found" hidden', 'id="none" hidden'
LONGEST = 100
_SAME = str.maketrans({"ى": "ي", "ة": "ه", "\u0640": None})


def key(*texts: str) -> str:
    """What is compared: no diacritics, one form of each letter, small, words with one space between."""
    whole = unicodedata.normalize("NFKD", " ".join(texts)).casefold()
    bare = "".join(each for each in whole if unicodedata.category(each) != "Mn").translate(_SAME)
    return " ".join("".join(each if each.isalnum() else " " for each in bare).split())


def order(name: str) -> str:
    """Where a name stands in the alphabet: without the article."""
    plain = key(name)
    return plain.removeprefix(ARTICLE) if len(plain) > 4 else plain


def words(asked: str) -> list[str]:
    """The words of a question, as they are compared."""
    return [each.removeprefix(ARTICLE) if len(each) > 4 else each for each in key(asked[:LONGEST]).split()]


def matches(kept: str, asked: Iterable[str]) -> bool:
    return all(word in kept for word in asked)


def found(page: str, asked: str) -> str:
    """The list of all services with only those that match, as the role serves it where no script runs."""
    wanted = words(asked)
    if not wanted:
        return page
    lines, hits = [], 0
    for line in page.split("\n"):
        if line.startswith(LETTER):
            continue
        if line.startswith(LINE):
            if not matches(line[len(LINE) :].split('"', 1)[0], wanted):
                continue
            hits += 1
        lines.append(line)
    shown = escape(asked[:LONGEST])
    text = "\n".join(lines).replace(ASKED, f'name="q" value="{shown}"', 1)
    text = text.replace(WORDS, f'<bdi id="words">{shown}</bdi>', 1)
    for each in (FOUND,) if hits else (FOUND, NONE):
        text = text.replace(each, each.removesuffix(" hidden"), 1)
    return text
