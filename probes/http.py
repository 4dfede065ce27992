"""HTTP: does this address answer as it should, and how long did each part of the way take?"""

from __future__ import annotations

import base64
from collections.abc import Iterator

import msgspec
from aiohttp import CookieJar
from yarl import URL

from probes import assertions, certificates
from probes.contract import Answer, Failed, ProberFault, Reason, TargetFailed, Trace
from probes.http_body import ACCEPT_ENCODING, Body
from probes.http_exchange import DEFAULT_PORTS, Reply, Request, exchange
from probes.http_settings import Settings, accepted, shown, target, url_of
from probes.secrets import Secrets

__all__ = ["Settings", "probe", "target"]

USER_AGENT = "continuity-monitor"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})


async def probe(settings: Settings, trace: Trace) -> Answer:
    """Ask once, follow what may be followed, and judge the answer.

    Raises SecretUnavailable and ProberFault: neither says anything about the target.
    """
    secrets = Secrets()
    try:
        request = _first_request(settings, secrets)
        return await _follow(settings, request, secrets=secrets, trace=trace)
    except TargetFailed as failure:
        return trace.down(failure.reason, secrets.hide(failure.sentence))


async def _follow(settings: Settings, request: Request, *, secrets: Secrets, trace: Trace) -> Answer:
    final = accepted(settings.accept)
    jar: CookieJar | None = None
    for _ in range(settings.redirects + 1):
        async with exchange(settings, request, trace) as reply:
            location = reply.headers.get("Location")
            moved = reply.status in REDIRECTS and location is not None and reply.status not in final
            if not moved or settings.redirects == 0:
                return await _judge(settings, reply, secrets=secrets, trace=trace)
            jar = _remember(jar, reply, request.url)
            request = _next_request(settings, request, reply.status, location=location or "", jar=jar)
    raise TargetFailed(
        Reason.REDIRECT, f"more than {settings.redirects} redirects, the last to {shown(request.url)}"
    )


async def _judge(settings: Settings, reply: Reply, *, secrets: Secrets, trace: Trace) -> Answer:
    if reply.status not in accepted(settings.accept):
        wanted = ", ".join(str(item) for item in settings.accept)
        return trace.down(Reason.STATUS, f"answered {reply.status}, accepted is {wanted}")
    body = Body(
        encoding=reply.headers.get("Content-Encoding", "").strip().lower(),
        bytes_max=settings.body_bytes_max,
        expanded_bytes_max=settings.expanded_bytes_max,
        keep=settings.reads_body,
    )
    await reply.read(body.feed)
    body.end()
    trace.facts["size_bytes"] = body.size_bytes
    return _verdict(settings, tuple(_failures(settings, reply, body=body, secrets=secrets)), trace=trace)


def _failures(settings: Settings, reply: Reply, *, body: Body, secrets: Secrets) -> Iterator[Failed]:
    yield from assertions.check_headers(reply.headers, settings.assert_headers, secrets.found)
    if not settings.reads_body:
        return
    text = body.text(reply.headers.get("Content-Type", ""))
    yield from assertions.check_text(text, present=settings.text_present, absent=settings.text_absent)
    if settings.assert_json:
        yield from assertions.check_json(text, settings.assert_json, secrets.found)


def _verdict(settings: Settings, failed: tuple[Failed, ...], *, trace: Trace) -> Answer:
    days = tuple(
        certificates.days_left(
            trace, soft=settings.certificate_days_soft, hard=settings.certificate_days_hard
        )
    )
    return certificates.verdict(trace, days=days, failed=failed)


def _first_request(settings: Settings, secrets: Secrets) -> Request:
    try:
        url = url_of(settings.url)
    except ValueError as error:
        raise ProberFault("the check's url is not a web address") from error
    body = settings.body.encode() if settings.body is not None else None
    headers = {
        "Host": _host(url),
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "Accept-Encoding": ACCEPT_ENCODING,
        "Connection": "close",
    }
    headers |= {_spelled(name, headers): value for name, value in settings.headers.items()}
    if authorization := _authorization(settings, url, secrets):
        headers["Authorization"] = authorization
    for header in settings.secret_headers:
        headers[_spelled(header.name, headers)] = secrets.resolve(header.value)
    if body is not None or settings.method in ("POST", "PUT", "PATCH"):
        headers["Content-Length"] = str(len(body or b""))
    return Request(method=settings.method, url=url.with_user(None), headers=headers, body=body)


def _spelled(name: str, headers: dict[str, str]) -> str:
    """The spelling already in `headers`, so that a setting replaces a default instead of doubling it."""
    return next((known for known in headers if known.lower() == name.lower()), name)


def _authorization(settings: Settings, url: URL, secrets: Secrets) -> str | None:
    if settings.bearer:
        return "Bearer " + secrets.resolve(settings.bearer)
    if settings.basic:
        user, password = settings.basic.user, secrets.resolve(settings.basic.password)
    elif url.user is not None:
        user, password = url.user, secrets.note(url.password or "")
    else:
        return None
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return "Basic " + secrets.note(token)


def _remember(jar: CookieJar | None, reply: Reply, url: URL) -> CookieJar | None:
    """Keep what a redirect sets, for this probe alone."""
    if cookies := reply.all_of("Set-Cookie"):
        jar = jar or CookieJar(unsafe=True)  # unsafe: also for addresses without a name
        jar.update_cookies_from_headers(cookies, url)
    return jar


def _next_request(
    settings: Settings, request: Request, status: int, *, location: str, jar: CookieJar | None
) -> Request:
    url = _destination(settings, request.url, location)
    headers = dict(request.headers)
    if not _same_place(request.url, url):
        secret_names = CREDENTIALS | {header.name.lower() for header in settings.secret_headers}
        headers = {name: value for name, value in headers.items() if name.lower() not in secret_names}
    headers["Host"] = _host(url)
    if jar and (cookies := jar.filter_cookies(url)):
        kept = "; ".join(f"{name}={cookie.coded_value}" for name, cookie in cookies.items())
        headers["Cookie"] = f"{headers['Cookie']}; {kept}" if "Cookie" in headers else kept
    method, body = request.method, request.body
    if (status == 303 and method != "HEAD") or (status in (301, 302) and method == "POST"):
        method, body = "GET", None
        headers.pop("Content-Length", None)
    return Request(method=method, url=url, headers=headers, body=body)


def _destination(settings: Settings, here: URL, location: str) -> URL:
    """Where a redirect leads. Raises TargetFailed when it may not be followed."""
    try:
        url = here.join(URL(location)).with_fragment(None).with_user(None)
        port = url.port
    except ValueError:
        raise TargetFailed(Reason.REDIRECT, "redirected to something that is no address") from None
    if url.scheme not in DEFAULT_PORTS or not url.host or port is None:
        raise TargetFailed(
            Reason.REDIRECT, f"redirected to {url.scheme or 'nowhere'}, which is no web address"
        )
    if here.scheme == "https" and url.scheme == "http":
        raise TargetFailed(Reason.REDIRECT, f"redirected from https to http at {shown(url)}")
    if url.host != here.host and not _allowed(url.host, settings):
        raise TargetFailed(Reason.REDIRECT, f"redirected to {url.host}, which is not in other_hosts")
    return url


def _allowed(host: str, settings: Settings) -> bool:
    """Back to the check's own host is always allowed; other hosts when they are listed."""
    patterns = [name.lower() for name in settings.other_hosts]
    return (
        host == url_of(settings.url).host
        or host in patterns
        or any(pattern.startswith("*.") and host.endswith(pattern[1:]) for pattern in patterns)
    )


def _same_place(here: URL, there: URL) -> bool:
    """Whether credentials meant for `here` may go `there`: the same origin, or its own step up to https."""
    if here.host != there.host:
        return False
    stepped_up = (here.scheme, here.port, there.scheme, there.port) == ("http", 80, "https", 443)
    return stepped_up or (here.scheme, here.port) == (there.scheme, there.port)


def _host(url: URL) -> str:
    return msgspec.convert(url.host_port_subcomponent, str)
