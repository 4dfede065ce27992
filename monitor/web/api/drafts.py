"""The API of drafts, for reviewers: which wait, the frozen JSON of one, its files, and signing it off."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitor.language import LANGUAGES
from monitor.store import report_drafts
from monitor.store.report_drafts import Draft
from monitor.web.api.by_hand import sent_json
from monitor.web.api.handlers import one_of
from monitor.web.problems import json_response
from monitor.web.reports import attachment, file_made, file_wanted
from monitor.web.reviewing import draft_asked, reviewer, signed
from monitor.web.site import SITE
from monitor.web.times import rfc3339

KEPT_NOWHERE = {"Cache-Control": "no-store"}


async def listed(request: web.Request) -> web.Response:
    """Every draft that waits to be signed off, the oldest first."""
    reviewer(request)
    found = await report_drafts.waiting(request.app[SITE].store)
    return json_response({"items": [_line(each) for each in found]}, headers=KEPT_NOWHERE)


def _line(each: Draft) -> dict[str, Any]:
    return {
        "scope": each.scope,
        "label": each.label,
        "version": each.version,
        "made_at": rfc3339(each.made_ms),
        "review_until": rfc3339(each.review_until_ms),
        "sha256": each.sha256,
    }


async def one(request: web.Request) -> web.Response:
    """The bytes it will be published with; `ETag` is their SHA-256, which signing off names."""
    read = await draft_asked(request)
    headers = {**KEPT_NOWHERE, "ETag": f'"{read.draft.sha256}"'}
    return web.Response(body=read.text, content_type="application/json", headers=headers)


async def file(request: web.Request) -> web.Response:
    """One of its files, which says that it is a draft."""
    read, wanted = await draft_asked(request), file_wanted(request)
    language = one_of(request, "lang", [*LANGUAGES]) or "en"
    response = attachment(await file_made(wanted, read.text, language, draft=True))
    response.headers.update(KEPT_NOWHERE)
    return response


async def sign_off(request: web.Request) -> web.Response:
    """Published now, as it is, if it is what was read."""
    sent = await sent_json(request, '{"sha256": "…"}, of the draft you read')
    done = await signed(request, sent.get("sha256"))
    place = f"/api/v1/reports/{done.label}"
    told = {"scope": done.scope, "label": done.label, "version": done.version, "sha256": done.sha256}
    return json_response(told, headers={"Location": place})
