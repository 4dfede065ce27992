"""The API's answers. Reading only: what may be asked is in openapi.py, and a test compares the two."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TypeVar

from aiohttp import web

from monitor.facts import Place
from monitor.judge.picture import Picture
from monitor.model import Verdict
from monitor.store import expected, history, read
from monitor.store.history import ATTEMPTS_MAX, Page
from monitor.web.api import forms
from monitor.web.api.openapi import document
from monitor.web.cursors import BadCursor, decode_page, decode_place, encode_page, encode_place
from monitor.web.problems import Refused, json_response
from monitor.web.site import SITE
from monitor.web.times import parse_rfc3339, rfc3339
from probes.contract import Outcome

Thing = TypeVar("Thing")
LIMIT = 100
HOUR_MS = 3_600_000
SPAN_MAX_MS = 35 * 24 * HOUR_MS
LATELY_MS = 7 * 24 * HOUR_MS


def picture_of(request: web.Request) -> Picture:
    """Raises Refused (503) before the first catalogue."""
    picture = request.app[SITE].live.picture
    if picture is None:
        raise Refused(
            503, "Waiting", "the catalogue has not been published yet", headers={"Retry-After": "2"}
        )
    return picture


async def continuity(request: web.Request) -> web.Response:
    picture, traffic = picture_of(request), request.app[SITE].traffic
    by_transactions = await asyncio.to_thread(traffic.weighted, picture)
    return json_response(forms.continuity(picture, by_transactions))


async def entities(request: web.Request) -> web.Response:
    picture = picture_of(request)
    items = [forms.entity(one) for one in picture.entities.values()]
    return json_response({**forms.as_of(picture), "items": items})


async def services(request: web.Request) -> web.Response:
    picture = picture_of(request)
    verdict, entity = one_of(request, "verdict", [v.value for v in Verdict]), request.query.get("entity")
    items = [
        forms.service_line(one)
        for one in picture.services.values()
        if verdict in (None, one.effective.verdict.value) and entity in (None, one.service.entity)
    ]
    return json_response({**forms.as_of(picture), "items": items})


async def service(request: web.Request) -> web.Response:
    """The service, and of the last week what was not as usual in its counts and what its outages cost."""
    site, picture = request.app[SITE], picture_of(request)
    shown = _named(picture.services, request, "service")
    to_ms = site.live.now_ms + 1
    from_ms = to_ms - LATELY_MS
    channels = [channel.subject for channel in shown.service.channels]
    findings = await expected.findings(site.store, from_ms=from_ms, to_ms=to_ms, subjects=channels)
    missed = await expected.missed(site.store, from_ms=from_ms, to_ms=to_ms, subjects=[shown.service.subject])
    return json_response(
        {
            **forms.service(picture, shown),
            "findings": [forms.finding(each) for each in findings],
            "missed": [forms.missed(each) for each in missed],
        }
    )


async def systems(request: web.Request) -> web.Response:
    picture = picture_of(request)
    items = [forms.system_line(one) for one in picture.systems.values()]
    return json_response({**forms.as_of(picture), "items": items})


async def system(request: web.Request) -> web.Response:
    picture = picture_of(request)
    return json_response(forms.system(picture, _named(picture.systems, request, "system")))


async def observations(request: web.Request) -> web.Response:
    """Attempts of a check or subject, newest first, page by page."""
    site, limit = request.app[SITE], limit_of(request, ATTEMPTS_MAX)
    to_ms = instant(request, "to") or site.live.now_ms + 1
    from_ms = instant(request, "from") or to_ms - HOUR_MS
    if not 0 < to_ms - from_ms <= SPAN_MAX_MS:
        raise Refused(400, "Bad range", "`from` must be before `to`, by at most 35 days")
    outcome = one_of(request, "outcome", [one.value for one in Outcome])
    rows = await history.attempts(
        site.store,
        checks=_checks(picture_of(request), request),
        from_ms=from_ms,
        to_ms=to_ms,
        outcomes=[outcome] if outcome else [],
        after=_page(request),
        limit=limit,
    )
    last = rows[-1] if len(rows) == limit else None
    return json_response(
        {
            "from": rfc3339(from_ms),
            "to": rfc3339(to_ms),
            "items": [forms.observation(row) for row in rows],
            "next": last and encode_page(Page(last.due_ms, last.check, last.vantage, last.attempt)),
        }
    )


async def changes(request: web.Request) -> web.Response:
    """Changes after a cursor, each once, none missed (T43); without `since` only the cursor of now."""
    site, limit, since = request.app[SITE], limit_of(request, read.CHANGES_MAX), request.query.get("since")
    if since is None:
        return json_response({"items": [], "next": encode_place(await read.place_now(site.store))})
    place = _place(since)
    rows = await read.changes_since(site.store, place, limit=limit)
    following = rows[-1].place if rows else place
    return json_response({"items": [forms.change(row) for row in rows], "next": encode_place(following)})


async def openapi(_: web.Request) -> web.Response:
    return json_response(document())


def _named(things: Mapping[str, Thing], request: web.Request, what: str) -> Thing:
    slug = request.match_info["slug"]
    if slug not in things:
        raise Refused(404, "Not found", f"no {what} {slug!r} in the catalogue")
    return things[slug]


def _checks(picture: Picture, request: web.Request) -> list[str]:
    """Paths of the checks asked for, by `check` or by `subject` and everything below it."""
    check, subject = request.query.get("check"), request.query.get("subject")
    if (check is None) == (subject is None):
        raise Refused(
            400, "Which?", "give `check` (a check's path) or `subject` (a service, channel or system)"
        )
    known = picture.catalogue.checks
    if check is not None:
        if check not in known:
            raise Refused(404, "Not found", f"no check {check!r} in the catalogue")
        return [check]
    below = [key for key in known if key.startswith(f"{subject}/")]
    if not below:
        raise Refused(404, "Not found", f"no check belongs to {subject!r} in the catalogue")
    return below


def one_of(request: web.Request, key: str, allowed: list[str]) -> str | None:
    value = request.query.get(key)
    if value is not None and value not in allowed:
        raise Refused(400, "Bad parameter", f"`{key}` must be one of {', '.join(allowed)}")
    return value


def limit_of(request: web.Request, most: int) -> int:
    text = request.query.get("limit", str(LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most):
        raise Refused(400, "Bad parameter", f"`limit` must be from 1 to {most}")
    return int(text)


def instant(request: web.Request, key: str) -> int | None:
    text = request.query.get(key)
    if text is None:
        return None
    try:
        return parse_rfc3339(text)
    except (ValueError, OverflowError):
        raise Refused(
            400, "Bad parameter", f"`{key}` must be an RFC 3339 instant such as 2026-11-15T08:00:00Z"
        ) from None


def _place(text: str) -> Place:
    try:
        return decode_place(text)
    except BadCursor:
        raise Refused(400, "Bad cursor", "`since` must be a `next` or `cursor` that this API gave") from None


def _page(request: web.Request) -> Page:
    text = request.query.get("cursor")
    try:
        return history.FIRST_PAGE if text is None else decode_page(text)
    except BadCursor:
        raise Refused(400, "Bad cursor", "`cursor` must be a `next` that this API gave") from None
