"""The API of published reports: a list, the versions of one, its frozen JSON, its files, its schema."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from monitor.language import LANGUAGES
from monitor.report import document as documents
from monitor.report.document import figures_of_json
from monitor.report.figures import FIGURES
from monitor.store import reports as table
from monitor.store.reports import ReportLine
from monitor.web.api.handlers import limit_of, one_of, picture_of
from monitor.web.api.openapi_reports import KINDS, REPORTS_MAX
from monitor.web.problems import json_response
from monitor.web.reports import attachment, file_made, file_wanted, scope_asked, text_asked, versions_asked
from monitor.web.site import SITE
from monitor.web.times import rfc3339


async def listed(request: web.Request) -> web.Response:
    """The last version of each, the newest period first."""
    picture, limit = picture_of(request), limit_of(request, REPORTS_MAX)
    kind = one_of(request, "kind", KINDS)
    scope = scope_asked(request, picture.catalogue) if "entity" in request.query else None
    found = await table.newest(request.app[SITE].store, scope=scope, kind=kind, limit=limit)
    return json_response({"items": [line(each) for each in found]})


async def versions(request: web.Request) -> web.Response:
    scope = scope_asked(request, picture_of(request).catalogue)
    return json_response({"items": [line(each) for each in await versions_asked(request, scope)]})


async def one(request: web.Request) -> web.Response:
    """The frozen bytes themselves."""
    text = await text_asked(request, scope_asked(request, picture_of(request).catalogue))
    etag = f'"{documents.digest(text)}"'
    if request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers={"ETag": etag})
    return web.Response(body=text, content_type="application/json", headers={"ETag": etag})


async def file(request: web.Request) -> web.Response:
    """A view of the frozen JSON, as a file to keep."""
    language = one_of(request, "lang", [*LANGUAGES]) or "en"
    scope = scope_asked(request, picture_of(request).catalogue)
    wanted = file_wanted(request)
    return attachment(await file_made(wanted, await text_asked(request, scope), language))


async def schema(_: web.Request) -> web.Response:
    """What the frozen JSON looks like, and which figure each code is."""
    return json_response(documents.schema() | {"x-figures": {code: f.key for code, f in FIGURES.items()}})


def line(each: ReportLine) -> dict[str, Any]:
    """A published version without its numbers, but for those of everybody."""
    return {
        "scope": each.scope,
        "label": each.label,
        "version": each.version,
        "kind": each.kind,
        "from": rfc3339(each.from_ms),
        "to": rfc3339(each.to_ms),
        "as_of": rfc3339(each.as_of_ms),
        "published_at": rfc3339(each.published_ms),
        "complete": each.complete,
        "sample": each.sample,
        "sha256": each.sha256,
        "figures": {
            code: {"says": value.says.value, "text": value.text, "low": value.low, "high": value.high}
            for code, value in figures_of_json(each.figures).items()
        },
    }
