"""Every dashboard by the path of its file under `generated/`."""

from __future__ import annotations

from dashboards import entity, government, monitor, oncall, service, systems, weekly

FOLDER = "grafana/dashboards"


def boards() -> dict[str, str]:
    """JSON texts by path."""
    made = {
        "government": government.dashboard(),
        "entity": entity.dashboard(),
        "service": service.dashboard(),
        "systems": systems.dashboard(),
        "on-call": oncall.dashboard(),
        "weekly": weekly.dashboard(),
        "monitor": monitor.dashboard(),
    }
    return {f"{FOLDER}/{name}.json": text for name, text in made.items()}
