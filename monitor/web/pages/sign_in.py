"""Signing in: a token entered once, or a one-time link; and signing out."""

from __future__ import annotations

from aiohttp import web

from monitor.store import tokens
from monitor.web import auth
from monitor.web.site import SITE, bare_page


def _next(request: web.Request, sent: object) -> str:
    """Where to go afterwards: only to a path of ours."""
    path = sent if isinstance(sent, str) else request.query.get("next", "/")
    inside = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if inside and all(letter >= " " for letter in path) else "/"


async def form(request: web.Request) -> web.Response:
    return await bare_page(request, "sign_in.html", next=_next(request, None), wrong=False)


async def send_token(request: web.Request) -> web.Response:
    sent = await request.post()
    auth.check_csrf(request, sent)
    secret = await tokens.open_session(request.app[SITE].store, str(sent.get("token", "")).strip())
    target = _next(request, sent.get("next"))
    if secret is None:
        return await bare_page(request, "sign_in.html", status=403, next=target, wrong=True)
    return _signed_in(request, secret, target)


async def link(request: web.Request) -> web.Response:
    """A button, not a sign-in: what previews a link must not use it up."""
    return await bare_page(request, "sign_in_link.html", code=request.match_info["code"], wrong=False)


async def use_link(request: web.Request) -> web.Response:
    auth.check_csrf(request, await request.post())
    secret = await tokens.use_sign_in(request.app[SITE].store, request.match_info["code"])
    if secret is None:
        return await bare_page(request, "sign_in_link.html", status=403, code="", wrong=True)
    return _signed_in(request, secret, "/")


async def sign_out(request: web.Request) -> web.Response:
    auth.check_csrf(request, await request.post())
    if session := request.cookies.get(auth.SESSION):
        await tokens.close_session(request.app[SITE].store, session)
    response = web.Response(status=303, headers={"Location": "/"})
    auth.close_session(response)
    return response


def _signed_in(request: web.Request, secret: str, target: str) -> web.Response:
    response = web.Response(status=303, headers={"Location": target})
    auth.open_session(request, response, secret)
    return response
