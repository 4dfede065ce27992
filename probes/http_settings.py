"""What can be set on an HTTP check: the target, the request, what to accept, and whom to trust."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

import msgspec
from yarl import URL

from probes.assertions import Header, Json, Text
from probes.contract import SecretRef
from probes.trust import Days, Trust

Meta = msgspec.Meta
Status = Annotated[int, Meta(ge=100, le=599)]
StatusRange = Annotated[str, Meta(pattern=r"^[1-5][0-9]{2}(-[1-5][0-9]{2})?$")]
HeaderName = Annotated[str, Meta(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
HeaderValue = Annotated[str, Meta(pattern=r"^[^\r\n\x00]*$")]

MIB = 1024 * 1024


class Basic(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A user name and where its password is."""

    user: str
    password: SecretRef


class SecretHeader(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A request header whose value is a secret."""

    name: HeaderName
    value: SecretRef


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="http", tag_field="kind"):
    """HTTP: does this address answer as it should?"""

    url: Annotated[
        str,
        Meta(
            description="The address to ask, http or https.",
            pattern=r"^https?://[^\s]+$",
            examples=["https://passport.example/health"],
        ),
    ]
    method: Annotated[
        Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        Meta(description="The request's method."),
    ] = "GET"
    headers: Annotated[
        dict[HeaderName, HeaderValue],
        Meta(description="Request headers. Secrets do not belong here: see `secret_headers`."),
    ] = {}
    body: Annotated[str | None, Meta(description="The request's body, sent as UTF-8.")] = None
    accept: Annotated[
        tuple[Status | StatusRange, ...],
        Meta(description="Statuses that count as answered: numbers or ranges.", examples=[[200, "300-399"]]),
    ] = ("200-299",)

    redirects: Annotated[
        int, Meta(description="How many redirects to follow; 0 judges the first answer.", ge=0, le=20)
    ] = 5
    other_hosts: Annotated[
        tuple[str, ...],
        Meta(
            description="Other hosts a redirect may lead to, as `host` or `*.domain`. They never see "
            "credentials. From https to http is never followed.",
            examples=[["login.example", "*.cdn.example"]],
        ),
    ] = ()

    text_present: Annotated[
        tuple[Text | str, ...],
        Meta(description="Texts the body must contain.", examples=[["Renew a passport"]]),
    ] = ()
    text_absent: Annotated[
        tuple[Text | str, ...],
        Meta(description="Texts the body must not contain.", examples=[["maintenance"]]),
    ] = ()
    assert_headers: Annotated[
        tuple[Header, ...], Meta(description="What headers of the answer must say.")
    ] = ()
    assert_json: Annotated[tuple[Json, ...], Meta(description="What the JSON document must say.")] = ()

    certificate_days_soft: Annotated[
        Days | None, Meta(description="Fewer days left on the certificate than this: degraded.")
    ] = None
    certificate_days_hard: Annotated[
        Days | None, Meta(description="Fewer days left on the certificate than this: down.")
    ] = None
    verify: Annotated[bool, Meta(description="Whether the certificate must be trusted and fit the name.")] = (
        True
    )
    ca: Annotated[
        str | None, Meta(description="PEM file of the authorities to trust instead of the system's.")
    ] = None
    client_certificate: Annotated[str | None, Meta(description="PEM file of our own certificate.")] = None
    client_key: Annotated[str | None, Meta(description="PEM file of its key, when not in the same file.")] = (
        None
    )
    server_name: Annotated[
        str | None, Meta(description="The name the certificate must bear, when not the address's host.")
    ] = None

    basic: Annotated[Basic | None, Meta(description="Sign in by user name and password.")] = None
    bearer: Annotated[
        SecretRef | None, Meta(description="Where the bearer token is: `env:NAME` or `file:/path`.")
    ] = None
    secret_headers: Annotated[
        tuple[SecretHeader, ...], Meta(description="Request headers whose values are secrets.")
    ] = ()

    address_family: Annotated[
        Literal[4, 6] | None,
        Meta(description="Connect by IPv4 or IPv6 only. Unset: IPv4 where the name has one, else IPv6."),
    ] = None
    resolver: Annotated[
        str | None,
        Meta(description="Name server to ask, instead of the system's.", examples=["192.0.2.53:53"]),
    ] = None
    body_bytes_max: Annotated[
        int, Meta(description="A body over this many bytes as sent is down (too_large).", ge=0, le=64 * MIB)
    ] = MIB
    expanded_bytes_max: Annotated[
        int, Meta(description="A body that expands over this many bytes is down (decode).", ge=0, le=64 * MIB)
    ] = 4 * MIB

    def __repr__(self) -> str:
        return f"http.Settings({target(self)})"

    @property
    def trust(self) -> Trust:
        return Trust(
            verify=self.verify,
            ca=self.ca,
            client_certificate=self.client_certificate,
            client_key=self.client_key,
            protocols=("http/1.1",),
        )

    @property
    def reads_body(self) -> bool:
        """Whether an assertion looks into the body; if not, it is counted and forgotten."""
        return bool(self.text_present or self.text_absent or self.assert_json)


def target(settings: Settings) -> str:
    """The address without credentials and without what stands in its query."""
    return shown(url_of(settings.url))


def shown(url: URL) -> str:
    """An address fit to be shown: no user, no password, the query's contents left out."""
    bare = str(url.with_user(None).with_query(None).with_fragment(None)) if url.host else str(url.path)
    return bare + ("?…" if url.query_string else "")


@lru_cache(maxsize=8192)
def url_of(text: str) -> URL:
    """The parsed address. Raises ValueError when it is none."""
    return URL(text)


@lru_cache(maxsize=1024)
def accepted(accept: tuple[int | str, ...]) -> frozenset[int]:
    """Every status that `accept` names."""
    statuses: set[int] = set()
    for item in accept:
        first, _, last = str(item).partition("-")
        statuses.update(range(int(first), int(last or first) + 1))
    return frozenset(statuses)
