"""What Prometheus scrapes: every process of the monitor for itself, and the state of the world from `web`."""

from __future__ import annotations

from collections.abc import Iterable

from dashboards.alert import EVERY_S, span
from dashboards.written import yaml_text
from monitor.config.settings import PulseSettings, WebSettings
from monitor.demo.run import APART, REST

SCRAPE_S = 15
PULSE, STATE = "continuity", "continuity-state"
TOKEN_FILE = "/run/secrets/continuity_token"  # noqa: S105 - where it is, not what it is
SAMPLES_MAX = 500_000  # of one scrape: more is a mistake, and would take Prometheus with it
ROLES = ("probe", "ingest", "count", "derive", "web", "notify", "report", "public")
PORTS = {role: getattr(PulseSettings(), role) for role in ROLES}
HERE = (*APART, REST[0])  # `make run`: roles that share a process share the pulse of the first
HOSTS = {"probe": "fleet"}
"""Hosts of docker-compose.yml that are not called like their role."""


def files() -> dict[str, str]:
    """`prometheus.yaml` is for docker-compose.yml, `loopback.yaml` for `make run`."""
    return {
        "prometheus/prometheus.yaml": yaml_text(_config(_composed(), alertmanager="alertmanager:9093")),
        "prometheus/loopback.yaml": yaml_text(_config(_on_loopback(), alertmanager="127.0.0.1:9093")),
    }


def _config(jobs: Iterable[dict[str, object]], *, alertmanager: str) -> dict[str, object]:
    return {
        "global": {"scrape_interval": span(SCRAPE_S), "evaluation_interval": span(EVERY_S)},
        "rule_files": ["rules/*.yaml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": list(jobs),
    }


def _composed() -> Iterable[dict[str, object]]:
    """Every replica by the name of its service; `web` reached from another host wants a viewer's token."""
    found = [_named(HOSTS.get(role, role), port) for role, port in PORTS.items()]
    yield _job(PULSE, "/metrics", {"dns_sd_configs": found})
    token = {"authorization": {"type": "Bearer", "credentials_file": TOKEN_FILE}}
    yield _job(STATE, "/metrics/state", token | {"dns_sd_configs": [_named("web", WebSettings().port)]})


def _named(host: str, port: int) -> dict[str, object]:
    return {"names": [host], "type": "A", "port": port, "refresh_interval": "10s"}


def _on_loopback() -> Iterable[dict[str, object]]:
    yield _job(PULSE, "/metrics", _fixed(sorted(PORTS[role] for role in HERE)))
    yield _job(STATE, "/metrics/state", _fixed([WebSettings().port]))


def _fixed(ports: Iterable[int]) -> dict[str, object]:
    return {"static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}


def _job(name: str, path: str, found: dict[str, object]) -> dict[str, object]:
    return {"job_name": name, "metrics_path": path, "sample_limit": SAMPLES_MAX, **found}
