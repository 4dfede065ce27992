"""Who is asking: a bearer token, or a session that a token or a one-time link opened; and CSRF protection."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from typing import Any

from aiohttp import web
from multidict import MultiDictProxy

from monitor.store import tokens
from monitor.store.pool import Store
from monitor.store.tokens import SESSION_S, Holder, Role
from monitor.web.problems import Refused

SESSION = "continuity_session"
CSRF = "continuity_csrf"
CSRF_FIELD = "csrf"
MADE: web.RequestKey[str] = web.RequestKey("csrf", str)
BEARER = {"WWW-Authenticate": 'Bearer realm="continuity"'}


async def holder(request: web.Request, store: Store) -> Holder | None:
    """The holder of the bearer token or session of this request; None without any.

    Raises Refused (401) for a bearer token that is not in force, and StoreUnavailable.
    """
    if (secret := bearer(request)) is not None:
        found = await tokens.holder_of_token(store, secret)
        if found is None:
            raise unknown_token()
        return found
    session = request.cookies.get(SESSION)
    return await tokens.holder_of_session(store, session) if session else None


def bearer(request: web.Request) -> str | None:
    """The secret of the bearer token sent along; None without any."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def unknown_token() -> Refused:
    return Refused(401, "Unknown token", "the token is unknown or revoked", headers=BEARER)


def allowed(
    request: web.Request, held: Holder | None, roles: Collection[Role], *, how: str, what: str
) -> Holder:
    """Who acts. Raises Refused: 401 without a token (`how` to show one), 403 for a role that may not `what`,
    and for a session whose request a page of somebody else sent.
    """
    if held is None:
        raise Refused(401, "Who are you?", how, headers=BEARER)
    if held.role not in roles:
        raise Refused(403, "Not allowed", f"a {held.role.value} may not {what}")
    if "Authorization" not in request.headers:
        check_origin(request)
    return held


def csrf_of(request: web.Request) -> str:
    """The secret that a form of this browser must repeat; made when it has none yet."""
    secret: str = request.get(MADE) or request.cookies.get(CSRF) or secrets.token_urlsafe(24)
    request[MADE] = secret
    return secret


def keep_csrf(request: web.Request, response: web.StreamResponse) -> None:
    """Give the browser the secret that its form was made with."""
    if MADE in request and request.cookies.get(CSRF) != request[MADE]:
        response.set_cookie(
            CSRF, request[MADE], httponly=True, samesite="Strict", secure=request.secure, path="/"
        )


def check_csrf(request: web.Request, form: MultiDictProxy[Any]) -> None:
    """Raises Refused (403) unless the form came from a page of ours, opened in this browser."""
    sent, kept = form.get(CSRF_FIELD), request.cookies.get(CSRF)
    same = isinstance(sent, str) and kept and hmac.compare_digest(sent.encode(), kept.encode())
    if not (same and _ours(request)):
        raise Refused(403, "Form not recognised", "open the page again and send the form from there")


def check_origin(request: web.Request) -> None:
    """Raises Refused (403) for a request with a session's cookie that a page of somebody else sent.

    Together with a media type that no form can send, and a cookie that is SameSite: enough without a form.
    """
    if not _ours(request):
        raise Refused(403, "Another site", "a session may be used from our own pages only")


def _ours(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("//")[2] == request.host  # a proxy may have ended TLS


def open_session(request: web.Request, response: web.StreamResponse, secret: str) -> None:
    response.set_cookie(
        SESSION, secret, max_age=SESSION_S, httponly=True, samesite="Lax", secure=request.secure, path="/"
    )


def close_session(response: web.StreamResponse) -> None:
    response.del_cookie(SESSION, path="/")
