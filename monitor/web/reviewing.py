"""What pages and API share of drafts: who may read and sign off which, and signing off."""

from __future__ import annotations

import re
from typing import NamedTuple

from aiohttp import web

from monitor.errors import UsageError
from monitor.report.delivery.plan import Superseded, sign_off
from monitor.report.document import Document, decode
from monitor.store import report_drafts
from monitor.store.report_drafts import Draft
from monitor.store.tokens import Holder, Role
from monitor.web import auth
from monitor.web.api.handlers import picture_of
from monitor.web.problems import Refused
from monitor.web.reports import scope_asked
from monitor.web.site import HOLDER, SITE

SIGNED = re.compile("[0-9a-fA-F]{64}")
MAY_REVIEW = frozenset({Role.COMMITTEE, Role.OPERATOR})


class Read(NamedTuple):
    """A draft and what it says."""

    draft: Draft
    text: bytes
    document: Document


def reviewer(request: web.Request) -> Holder:
    """Who reviews. Raises Refused: 401 without a token, 403 for one that may not."""
    how = "sign in with a token of `committee` or `operator`"
    what = "read drafts; a token of `committee` or `operator` may"
    return auth.allowed(request, request.get(HOLDER), MAY_REVIEW, how=how, what=what)


def may_review(request: web.Request) -> bool:
    holder = request.get(HOLDER)
    return holder is not None and holder.role in MAY_REVIEW


async def draft_asked(request: web.Request) -> Read:
    """The draft that the address names, for who may read it. Raises Refused (401, 403, 404)."""
    reviewer(request)
    label, store = request.match_info["label"], request.app[SITE].store
    scope = scope_asked(request, picture_of(request).catalogue)
    found = await report_drafts.one(store, scope=scope, label=label)
    if found is None:
        raise Refused(404, "Not found", f"no draft {label!r} waits to be signed off")
    draft, text = found
    return Read(draft, text, decode(text))


async def signed(request: web.Request, sha256: object) -> Draft:
    """The draft that the address names, published if it still has the SHA-256 that was read.

    Raises Refused: 400 without one, 401, 403, 404, and 409 when it was made anew.
    """
    holder = reviewer(request)
    scope = scope_asked(request, picture_of(request).catalogue)
    label, store = request.match_info["label"], request.app[SITE].store
    if not (isinstance(sha256, str) and SIGNED.fullmatch(sha256)):
        raise Refused(400, "Which draft?", "`sha256` names the bytes you sign: of the draft you read, in hex")
    try:
        return await sign_off(store, label=label, scope=scope, by=holder.name, sha256=sha256)
    except Superseded as error:
        raise Refused(409, "Made anew", str(error)) from None
    except UsageError as error:
        raise Refused(404, "Not found", str(error)) from None
