"""The folder of the public pages as a function of what is given: path → bytes. Pure; Unix ms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from monitor.language import LANGUAGES
from monitor.model import Catalogue
from monitor.public import feed, status
from monitor.public.edition import ROOM, Edition, templates
from monitor.public.told import Given, tell
from monitor.public.words import Words

STATIC = ("style.css", "age.js", "search.js", "icon.svg")
STATIC_FOLDER = ROOM / "static"
AS_OF = "as-of.json"  # written last: a folder that has it is whole

Files = dict[str, bytes]


def languages_of(catalogue: Catalogue) -> tuple[str, ...]:
    """The languages that are published, the root's first."""
    offered = [one for one in catalogue.languages if one in LANGUAGES] or [LANGUAGES[0]]
    first = catalogue.policy.public.language
    return tuple(sorted(offered, key=lambda one: one != first))


class Pages:
    """Makes the folder again and again; what did not change is kept as it was rendered."""

    def __init__(self, url: str = "") -> None:
        """`url`: how the public reaches the pages; empty: links between languages and feeds are relative."""
        self._url = url.rstrip("/")
        self._kept: dict[str, tuple[object, str]] = {}

    def files(self, given: Given) -> Files:
        """Every file of the folder by its path."""
        told = tell(given)
        found: Files = {name: (STATIC_FOLDER / name).read_bytes() for name in STATIC}
        languages = languages_of(given.picture.catalogue)
        made: dict[str, str] = {}
        for language in languages:
            edition = Edition(given, told, language, languages=languages, url=self._url, keep=self._keep)
            made |= edition.pages()
            found[f"{language}/feed.xml"] = feed.document(given, told, edition.plain, url=self._url)
        self._kept = {path: kept for path, kept in self._kept.items() if path in made}
        found |= {path: text.encode() for path, text in made.items()}
        found["404.html"] = bare("lost", languages, base=urlsplit(self._url).path + "/")
        found["status.json"] = status.document(given, told, languages)
        found[AS_OF] = status.as_of(given)
        return found

    def _keep(self, path: str, key: object, render: Callable[[], str]) -> str:
        kept = self._kept.get(path)
        if kept is None or kept[0] != key:
            kept = self._kept[path] = key, render()
        return kept[1]


def bare(key: str, languages: Sequence[str], *, base: str = "/") -> bytes:
    """A page that shows no service, in every language one under the other."""
    spoken = [Words(language, zone="UTC", now_ms=0) for language in languages]
    return templates().get_template("bare.html").render(spoken=spoken, key=key, base=base).encode()
