"""A secret is never written down: not in a file, and not in anything that is shown, stored or published."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.config.load import load
from monitor.config.settings import secret
from monitor.errors import ConfigError
from monitor.model import Version

VALUE = "hunter2-of-the-test"
TEXT = """
kafka: {security: sasl_ssl, user: monitor, password: env:TEST_SECRET}
postgres: {dsn: postgresql://continuity@db.example/continuity, password: "file:FILE"}
services:
  - slug: passport
    url: https://passport.example/
    checks:
      - http:
          url: https://passport.example/
          bearer: env:TEST_SECRET
          secret_headers: [{name: X-Api-Key, value: "file:FILE"}]
          basic: {user: monitor, password: env:TEST_SECRET}
"""


def test_no_dump_of_what_was_loaded_shows_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loaded with the secrets at hand: repr, JSON and the published document hold the references only."""
    (tmp_path / "secret").write_text(VALUE)
    monkeypatch.setenv("TEST_SECRET", VALUE)
    path = tmp_path / "monitor.yaml"
    path.write_text(TEXT.replace("FILE", str(tmp_path / "secret")))
    found = load(path)
    version = Version(serial=1, sha256="", valid_from_ms=0, catalogue=found.catalogue)
    dumps = [repr(found), msgspec.json.encode(version).decode(), msgspec.json.encode(found.settings).decode()]
    assert secret(found.settings.kafka.password) == secret(found.settings.postgres.password) == VALUE
    assert not any(VALUE in dump for dump in dumps)
    assert "env:TEST_SECRET" in dumps[1]


def test_nothing_of_the_settings_is_published(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text(TEXT.replace("FILE", "/run/secret"))
    published = msgspec.json.encode(load(path, environ={}).catalogue).decode()
    assert not re.search("kafka|postgres|db.example|sasl", published)


PLACES = [
    "kafka: {password: SECRET}",
    "postgres: {password: SECRET}",
    "postgres: {dsn: 'postgresql://u:SECRET@db.example/x'}",
    "postgres: {dsn: 'u:SECRET@db.example'}",
    "kafka: {pasword: SECRET}",
    "services: [{slug: a, url: 'https://u:SECRET@a.example/'}]",
    "services: [{slug: a, url: 'https://SECRET@a.example/'}]",
    "systems: [{slug: a, checks: ['https://u:SECRET@a.example/']}]",
    "systems: [{slug: a, checks: [{http: {url: 'https://a.example/', bearer: SECRET}}]}]",
    "systems: [{slug: a, checks: [{http: {url: 'https://a.example/', bearer: [SECRET]}}]}]",
    "systems: [{slug: a, checks: [{http: {url: 'https://a.example/', headers: {Authorization: SECRET}}}]}]",
    "systems: [{slug: a, checks: [{http: {url: 'https://a.example/', headers: {x-auth-token: SECRET}}}]}]",
    "systems: [{slug: a, checks: [{http: {url: 'https://a.example/', basic: {user: a, password: SECRET}}}]}]",
]


@pytest.mark.parametrize("place", PLACES)
@settings(deadline=None, max_examples=20)
@given(word=st.from_regex(r"\A[a-z]{2}[A-Za-z0-9]{6,20}\Z"))
def test_a_secret_in_plain_is_refused_and_not_repeated_in_the_refusal(
    tmp_path_factory: pytest.TempPathFactory, place: str, word: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "secret.yaml"
    path.write_text(place.replace("SECRET", word))
    with pytest.raises(ConfigError) as caught:
        load(path, environ={})
    assert word not in str(caught.value)


def test_what_looks_like_a_secret_in_a_query_is_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text("services: [{slug: a, url: 'https://a.example/?lang=ar&api_key=abc'}]")
    assert [(each.column, each.text) for each in load(path, environ={}).warnings] == [
        (27, "`api_key` in an address looks like a secret in plain: send it by `secret_headers`")
    ]
