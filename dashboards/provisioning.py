"""What Grafana reads at its start: where data come from, and where dashboards lie."""

from __future__ import annotations

from dashboards.written import yaml_text

PROMETHEUS_UID, POSTGRES_UID = "continuity-prometheus", "continuity-postgres"
"""As `continuity dashboards push` calls them."""

FOLDER, FOLDER_UID = "Service continuity", "continuity"
WHERE = "/etc/continuity/dashboards"
PASSWORD = "$__file{/run/secrets/grafana_postgres_password}"  # noqa: S105 - where it is, not what it is


def files() -> dict[str, str]:
    """The files of `provisioning/` by path; the addresses are those of docker-compose.yml."""
    return {
        "grafana/provisioning/datasources/continuity.yaml": yaml_text(
            {"apiVersion": 1, "datasources": [_prometheus(), _postgres()]}
        ),
        "grafana/provisioning/dashboards/continuity.yaml": yaml_text(
            {"apiVersion": 1, "providers": [_provider()]}
        ),
    }


def _prometheus() -> dict[str, object]:
    return {
        "uid": PROMETHEUS_UID,
        "name": "Continuity Prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": "http://prometheus:9090",
        "isDefault": True,
        "jsonData": {"httpMethod": "POST", "timeInterval": "15s"},
    }


def _postgres() -> dict[str, object]:
    return {
        "uid": POSTGRES_UID,
        "name": "Continuity PostgreSQL",
        "type": "postgres",
        "access": "proxy",
        "url": "postgres:5432",
        "user": "grafana",
        "jsonData": {"database": "continuity", "postgresVersion": 1500, "sslmode": "disable"},
        "secureJsonData": {"password": PASSWORD},
    }


def _provider() -> dict[str, object]:
    return {
        "name": "continuity",
        "folder": FOLDER,
        "folderUid": FOLDER_UID,
        "type": "file",
        "allowUiUpdates": False,
        "options": {"path": WHERE},
    }
