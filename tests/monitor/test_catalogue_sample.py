"""The shipped sample: a whole government that does not exist, in two languages, on loopback alone."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from monitor.config.load import Loaded, load
from monitor.model import Catalogue, Effect, SystemKind, Text
from probes import http
from probes.catalogue import kind, target

ROOT = Path(__file__).parents[2]
ARABIC = re.compile(r"[\u0600-\u06ff]")


@pytest.fixture(scope="module")
def sample() -> Loaded:
    return load(ROOT / "config", environ={})


def names(catalogue: Catalogue) -> list[Text]:
    contacts = [each for owner in (*catalogue.entities, *catalogue.systems) for each in owner.contacts]
    named = [*catalogue.entities, *catalogue.systems, *catalogue.services]
    return [each.name for each in named] + [each.name for each in contacts if each.name.en]


def test_it_has_the_size_it_is_said_to_have_and_no_warning(sample: Loaded) -> None:
    told = sample.catalogue
    kinds = Counter(system.kind for system in told.systems)
    sizes = (len(told.entities), kinds[SystemKind.SHARED], kinds[SystemKind.PLATFORM], len(told.services))
    assert (told.sample, sizes, sample.warnings) == (True, (30, 12, 58, 180), [])


def test_every_name_is_arabic_in_arabic_and_latin_in_english_and_given_once(sample: Loaded) -> None:
    told = sample.catalogue
    found = names(told)
    assert all(ARABIC.search(name.ar) and not re.search("[A-Za-z]", name.ar) for name in found)
    assert not any(ARABIC.search(name.en) for name in found)
    for language in ("en", "ar"):
        counted = Counter(service.name.get(language) for service in told.services)
        assert counted.most_common(1)[0][1] == 1


def test_it_asks_loopback_alone_and_each_page_for_itself(sample: Loaded) -> None:
    asks = [check.ask for check in sample.catalogue.checks.values()]
    urls = [ask.url for ask in asks if isinstance(ask, http.Settings)]
    assert len(set(urls)) == len(urls)
    assert [target(ask) for ask in asks if "127.0.0.1" not in target(ask)] == []
    assert {kind(ask) for ask in asks} == {"http", "tls", "tcp", "dns", "icmp"}


def test_numbers_and_mail_addresses_lead_nowhere(sample: Loaded) -> None:
    owners = (*sample.catalogue.entities, *sample.catalogue.systems)
    contacts = [contact for owner in owners for contact in owner.contacts]
    assert all(each.phone.startswith("+999 ") and each.mail.endswith(".example") for each in contacts)


def test_the_sign_in_blocks_many_services_and_slow_systems_block_none(sample: Loaded) -> None:
    effects: dict[str, Counter[Effect]] = {}
    for service in sample.catalogue.services:
        for need in {need for channel in service.channels for need in channel.depends}:
            effects.setdefault(need.system, Counter())[need.effect] += 1
    assert effects["system:identity"][Effect.BLOCKS] >= 20
    assert effects["system:notifications"] == Counter({Effect.SLOWS: effects["system:notifications"].total()})


def test_every_service_can_be_obtained_remotely(sample: Loaded) -> None:
    without = [
        service.slug
        for service in sample.catalogue.services
        if not any(channel.remote and channel.completes for channel in service.channels)
    ]
    assert without == []
