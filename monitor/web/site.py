"""What every page has in common: language, theme, who is signed in, and the template it is written with."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from monitor.judge.objectives import Completions
from monitor.judge.picture import Picture
from monitor.model import Catalogue, Verdict
from monitor.store.pool import Store
from monitor.store.tokens import Holder
from monitor.web import auth
from monitor.web.gateway import Gateway
from monitor.web.guard import HEADERS, Lives, Writes
from monitor.web.language import LANGUAGES, Ltr, Speaker, choose, speaker
from monitor.web.state import Live
from monitor.web.telling import Telling
from monitor.web.times import rfc3339
from monitor.web.traffic import Traffic
from monitor.words import EXCLUDED, LOOKS, WORST_FIRST

ROOM = Path(__file__).parent
STATIC = ROOM / "static"
THEMES = ("light", "dark")
YEAR_S = 365 * 86_400
HOLDER: web.RequestKey[Holder] = web.RequestKey("holder", Holder)


@dataclass(frozen=True)
class Site:
    """What handlers share. `silence_s`: a page without news for so long says that it is not live."""

    store: Store
    live: Live
    traffic: Traffic
    silence_s: float
    open_reads: bool  # reading needs no token, because only this machine reaches the listener
    writes: Writes
    lives: Lives
    completions: Completions
    gateway: Gateway | None = None  # the way of transactions to Kafka, where there is one


SITE: web.AppKey[Site] = web.AppKey("site", Site)


@lru_cache
def templates() -> Environment:
    """The templates; whatever is put into them is escaped, whatever is missing is a bug."""
    environment = Environment(
        loader=FileSystemLoader(ROOM / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["utc"] = rfc3339
    looks = {verdict.value: look for verdict, look in LOOKS.items()} | EXCLUDED
    environment.globals.update(LOOKS=looks, WORST_FIRST=WORST_FIRST, Verdict=Verdict, Ltr=Ltr, static=static)
    return environment


@lru_cache
def static(name: str) -> str:
    """The address of a static file, which changes when the file does."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def speaker_of(request: web.Request, catalogue: Catalogue | None) -> Speaker:
    """The language asked for, among those of the catalogue (both before there is one)."""
    offered = tuple(one for one in (catalogue.languages if catalogue else LANGUAGES) if one in LANGUAGES)
    language = choose(
        asked=request.query.get("lang"),
        kept=request.cookies.get("lang"),
        accepted=request.headers.get("Accept-Language", ""),
        offered=offered or LANGUAGES[:1],
    )
    return speaker(language, catalogue.zone if catalogue else "UTC")


def theme_of(request: web.Request) -> str:
    """`light`, `dark`, or empty: as the system has it."""
    asked = request.query.get("theme", request.cookies.get("theme", ""))
    return asked if asked in THEMES else ""


async def page(
    request: web.Request, template: str, *, status: int = 200, fill: Callable[[Telling], dict[str, Any]]
) -> web.Response:
    """Write a page that shows the picture. `fill` gives the template's own values; both run off the loop."""
    live = request.app[SITE].live
    picture = live.picture
    if picture is None:
        return await bare_page(request, "waiting.html", status=503)
    spoken = speaker_of(request, picture.catalogue)
    telling = Telling(spoken, picture, live.now_ms)

    common = _common(request, spoken, picture)

    def write() -> str:
        own = {"telling": telling, "picture": picture, "now_ms": live.now_ms, **fill(telling)}
        return templates().get_template(template).render(common | own)

    return _response(request, await asyncio.to_thread(write), spoken, status=status)


async def bare_page(request: web.Request, template: str, *, status: int = 200, **values: Any) -> web.Response:
    """Write a page that needs no picture: signing in, errors, waiting for the first catalogue."""
    picture = request.app[SITE].live.picture
    spoken = speaker_of(request, picture.catalogue if picture else None)
    common = _common(request, spoken, picture)
    body = templates().get_template(template).render(common | values)
    return _response(request, body, spoken, status=status)


def _common(request: web.Request, spoken: Speaker, picture: Picture | None) -> dict[str, Any]:
    site = request.app[SITE]
    holder: Holder | None = request.get(HOLDER)
    catalogue = picture.catalogue if picture else Catalogue()
    return {
        "t": spoken.text,
        "ta": spoken.plain,
        "speaker": spoken,
        "catalogue": catalogue,
        "languages": [one for one in catalogue.languages if one in LANGUAGES],
        "theme": theme_of(request),
        "silence_s": site.silence_s,
        "revision": site.live.etag,
        "holder": holder,
        "csrf": auth.csrf_of(request),
        "path": request.path,
        "here": lambda **changed: _here(request, changed),
    }


def _here(request: web.Request, changed: dict[str, str]) -> str:
    """This page's address with some of its query changed."""
    query = {key: value for key, value in request.query.items() if key not in ("lang", "theme")}
    return f"{request.path}?{urlencode(query | changed)}"


def _response(request: web.Request, body: str, spoken: Speaker, *, status: int) -> web.Response:
    response = web.Response(status=status, text=body, content_type="text/html")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Language"] = spoken.language
    response.headers["Vary"] = "Accept-Language, Cookie"
    response.enable_compression()
    if request.query.get("lang") == spoken.language:
        response.set_cookie("lang", spoken.language, max_age=YEAR_S, samesite="Lax", httponly=True)
    if "theme" in request.query:
        response.set_cookie("theme", theme_of(request), max_age=YEAR_S, samesite="Lax", httponly=True)
    auth.keep_csrf(request, response)
    return response


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Signal `on_response_prepare`: what a browser may do with any answer of ours."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)  # a report's edition brings a stricter policy of its own
