"""Errors as people and programs get them: RFC 9457 under /api, a plain page elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from aiohttp import web


class Refused(Exception):
    """The request cannot be answered as asked: a status, a short title, and what would be right."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, object] | None = None,  # members of the problem beside the usual ones
    ) -> None:
        self.status, self.title, self.detail = status, title, detail
        self.headers, self.more = dict(headers or {}), dict(more or {})
        super().__init__(f"{status} {title}: {detail}")


def problem(refused: Refused, *, path: str) -> web.Response:
    """application/problem+json."""
    body = {
        "type": "about:blank",
        "title": refused.title,
        "status": refused.status,
        "detail": refused.detail,
        "instance": path,
        **refused.more,
    }
    return web.Response(
        status=refused.status,
        body=msgspec.json.encode(body),
        content_type="application/problem+json",
        headers=refused.headers,
    )


def json_response(
    body: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """JSON, UTF-8, never cached: what it says may be old the next second."""
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )
