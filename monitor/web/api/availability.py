"""The API's answers about availability: a figure, and what it stands on."""

from __future__ import annotations

from aiohttp import web

from monitor.facts import FigureRow
from monitor.judge.answers import figure_meant, subject_of
from monitor.judge.asking import BadAsk, asked
from monitor.judge.evidence import prove
from monitor.judge.figures import When
from monitor.judge.terms import Terms, terms_of
from monitor.web.api import figure_forms
from monitor.web.api.handlers import picture_of
from monitor.web.problems import Refused, json_response
from monitor.web.site import SITE


async def availability(request: web.Request) -> web.Response:
    """The figure of a subject over a period or a range."""
    row, terms = await figure_asked(request)
    return json_response(figure_forms.figure(row, terms))


async def availability_evidence(request: web.Request) -> web.Response:
    """The same, with its intervals, their reasons and causes, and the attempts that confirmed them."""
    row, terms = await figure_asked(request)
    when = When(row.start_ms, row.end_ms, row.as_of_ms)
    proof = await prove(request.app[SITE].store, terms, row.subject, when)
    return json_response(figure_forms.evidence(row, terms, proof))


async def figure_asked(request: web.Request) -> tuple[FigureRow, Terms]:
    """The figure that the query of a request names. Raises Refused and StoreUnavailable."""
    site, catalogue = request.app[SITE], picture_of(request).catalogue
    named, query = request.query.get("subject", ""), request.query
    subject = subject_of(catalogue, named)
    if not named:
        raise Refused(400, "Which?", "give `subject`: a service, channel, system, entity, or `government`")
    if subject is None:
        raise Refused(404, "Not found", f"nothing is called {named!r} in the catalogue")
    terms = terms_of(catalogue)
    try:
        meant = asked(
            period=query.get("period"),
            start=query.get("from"),
            end=query.get("to"),
            zone=query.get("zone"),
            usual_zone=terms.zone,
            now_ms=site.live.now_ms,
        )
    except BadAsk as error:
        raise Refused(400, "Bad parameter", str(error)) from None
    return await figure_meant(site.store, terms, subject, meant), terms
