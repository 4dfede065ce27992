"""A first catalogue out of nothing but addresses, written to be read and edited."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from yarl import URL

from monitor.config.form import SLUG_CHARS_MAX
from probes.catalogue import from_url

OPENING = """\
# Written by `continuity try`. Each service is one web channel on which people can finish everything, and its
# address is asked by HTTP every 30 seconds. docs/configuration.md lists what else can be said, and
# `continuity check` names every mistake with its line.

# What all checks have in common; a check may say otherwise.
profiles:
  default:
    every_s: 30
    within_s: 10
"""
SERVICES = """
services:
"""
SYSTEMS = """
# What is not a web page is watched as a shared system; a service that needs it says `depends: [{example}]`.
systems:
"""
WEB = ("http", "https")


def normal(address: str) -> str:
    """The address as it will be asked; https where it has no scheme. Raises ValueError with what is right."""
    text = address.strip()
    text = text if "://" in text else f"https://{text}"
    if any(character.isspace() for character in text):
        raise ValueError("an address holds no spaces")
    from_url(text)
    return text


def catalogue_from_urls(urls: Iterable[str]) -> str:
    """A whole catalogue as YAML with comments, one service or system for each address, in their order.

    Raises ValueError for an address that cannot be asked.
    """
    addresses = list(dict.fromkeys(normal(url) for url in urls))
    slugs = _slugs(addresses)
    web = [address for address in addresses if URL(address).scheme in WEB]
    other = [address for address in addresses if address not in web]
    parts = [OPENING]
    if web:
        parts += [SERVICES, *(_item(slugs[each], each, f"url: {_quoted(each)}") for each in web)]
    if other:
        parts += [SYSTEMS.format(example=slugs[other[0]])]
        parts += [_item(slugs[each], each, f"checks: [{_quoted(each)}]") for each in other]
    return "".join(parts)


def _item(slug: str, address: str, line: str) -> str:
    name = _quoted(URL(address).host or slug)
    return f"  - slug: {slug}\n    name: {name}\n    {line}\n"


def _quoted(text: str) -> str:
    """A double-quoted YAML scalar; JSON's are a part of YAML."""
    return json.dumps(text, ensure_ascii=False)


def _slugs(addresses: list[str]) -> dict[str, str]:
    """A slug for each: from the host, with the path where hosts repeat, with a number where that repeats."""
    hosts = [URL(address).host for address in addresses]
    slugs: dict[str, str] = {}
    for address, host in zip(addresses, hosts, strict=True):
        wish = host or "" if hosts.count(host) == 1 else f"{host}{URL(address).path}"
        slugs[address] = _free(_slug(wish), set(slugs.values()))
    return slugs


def _slug(text: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower().removeprefix("www.")).strip("-")
    return plain[:SLUG_CHARS_MAX].strip("-") or "service"


def _free(wish: str, taken: set[str]) -> str:
    number = 2
    slug = wish
    while slug in taken:
        slug = f"{wish[: SLUG_CHARS_MAX - 6]}-{number}"
        number += 1
    return slug
