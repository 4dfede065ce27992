"""`continuity dashboards push`, the command as people run it, against what a real Grafana 9.3.2 answers."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dashboards.asked import BOARDS
from tests.integration.recorded_grafana import ADMIN, EDITOR, VIEWER, Grafana, serving

ROOT = Path(__file__).parents[2]
BIN = ROOT / ".venv" / "grafana" / "bin" / "continuity"
TITLES = sorted(board["title"] for board in BOARDS.values())
PROMETHEUS = ("--prometheus", "http://127.0.0.1:9099")
POSTGRES = (
    "--postgres",
    "postgresql://grafana@127.0.0.1:5432/continuity",
    "--postgres-password",
    "env:PG_PASSWORD",
)


@pytest.fixture
def grafana() -> Iterator[Grafana]:
    if not BIN.exists():
        pytest.skip("grafana-client is not installed apart from the rest: `make grafana`")
    with serving() as made:
        yield made


def push(
    grafana: Grafana, *options: str, token: str = EDITOR, program: Path = BIN
) -> subprocess.CompletedProcess[str]:
    """Run the command; its token is in its environment."""
    command = [
        str(program),
        "dashboards",
        "push",
        "--url",
        grafana.url,
        "--token",
        "env:GRAFANA_TOKEN",
        *options,
    ]
    environment = os.environ | {"GRAFANA_TOKEN": token, "PG_PASSWORD": "not-to-be-seen"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert token not in done.stdout + done.stderr, "the token is on the screen"
    assert "not-to-be-seen" not in done.stdout + done.stderr, "the password is on the screen"
    return done


def titles(grafana: Grafana) -> list[str]:
    return sorted(board["title"] for board, folder in grafana.dashboards.values() if folder == "continuity")


def test_an_empty_grafana_gets_a_folder_and_every_dashboard(grafana: Grafana) -> None:
    done = push(grafana)
    assert (done.returncode, grafana.folders, titles(grafana)) == (
        0,
        {"continuity": "Service continuity"},
        TITLES,
    )
    assert done.stderr == f"{len(TITLES) + 1} created\n"


def test_what_is_pushed_is_what_is_checked_in(grafana: Grafana) -> None:
    push(grafana)
    there = {
        board["uid"]: {
            name: value for name, value in board.items() if name not in ("id", "version", "revision")
        }
        for board, _ in grafana.dashboards.values()
    }
    assert there == {board["uid"]: board for board in BOARDS.values()}


def test_the_same_push_again_writes_nothing(grafana: Grafana) -> None:
    push(grafana, *PROMETHEUS, *POSTGRES, token=ADMIN)
    grafana.requests.clear()
    done = push(grafana, *PROMETHEUS, *POSTGRES, token=ADMIN)
    assert (done.returncode, done.stderr, grafana.writes) == (0, f"{len(TITLES) + 3} same\n", [])


def test_a_dashboard_that_somebody_changed_is_put_right_and_only_that_one(grafana: Grafana) -> None:
    push(grafana)
    board, _ = grafana.dashboards["continuity-entity"]
    board["panels"][1]["title"] = "Mine"
    grafana.requests.clear()
    done = push(grafana)
    assert grafana.writes == [("POST", "/api/dashboards/db")]
    assert "changed\tdashboard Entity" in done.stdout
    assert grafana.dashboards["continuity-entity"][0]["panels"][1]["title"] == "Available"


def test_one_that_was_moved_to_another_folder_is_brought_back(grafana: Grafana) -> None:
    push(grafana)
    board, _ = grafana.dashboards["continuity-entity"]
    grafana.dashboards["continuity-entity"] = board, "elsewhere"
    push(grafana)
    assert titles(grafana) == TITLES


def test_one_that_grafana_brought_to_a_newer_schema_is_left_alone(grafana: Grafana) -> None:
    push(grafana)
    board, _ = grafana.dashboards["continuity-entity"]
    board["schemaVersion"], board["refresh"] = 42, "1m"
    grafana.requests.clear()
    assert (push(grafana).returncode, grafana.writes) == (0, [])


def test_a_dry_run_shows_the_difference_and_writes_nothing(grafana: Grafana) -> None:
    push(grafana)
    board, _ = grafana.dashboards["continuity-entity"]
    board["panels"][1]["title"] = "Mine"
    grafana.requests.clear()
    done = push(grafana, "--dry-run")
    said = [line.strip() for line in done.stdout.splitlines()]
    assert "would be changed\tdashboard Entity" in said
    assert '-   "title": "Mine",' in said
    assert '+   "title": "Available",' in said
    assert (done.returncode, grafana.writes) == (0, [])


def test_a_dry_run_for_an_empty_grafana_creates_nothing(grafana: Grafana) -> None:
    done = push(grafana, "--dry-run", "--json", *PROMETHEUS, token=ADMIN)
    fates = {step["fate"] for step in json.loads(done.stdout)["steps"]}
    assert (fates, grafana.writes, grafana.folders) == ({"created"}, [], {})


def test_data_sources_are_made_when_asked_for_and_changed_when_they_differ(grafana: Grafana) -> None:
    push(grafana, *PROMETHEUS, *POSTGRES, token=ADMIN)
    assert grafana.sources["continuity-postgres"]["secureJsonData"] == {"password": "not-to-be-seen"}
    done = push(grafana, "--prometheus", "http://127.0.0.1:9100", token=ADMIN)
    assert grafana.sources["continuity-prometheus"]["url"] == "http://127.0.0.1:9100"
    assert "changed\tdata source Continuity Prometheus" in done.stdout


def test_another_zone_and_week_are_put_in_place_of_ours(grafana: Grafana) -> None:
    push(grafana, "--zone", "Asia/Bahrain", "--week-start", "sunday")
    said = {(board["timezone"], board["weekStart"]) for board, _ in grafana.dashboards.values()}
    assert said == {("Asia/Bahrain", "sunday")}


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(grafana: Grafana) -> None:
    grafana.writes_left = 4  # the folder and three dashboards
    cut = push(grafana)
    assert (cut.returncode, len(grafana.dashboards)) == (1, 3)
    assert f"Grafana at {grafana.url}/ cannot be reached" in cut.stderr
    grafana.writes_left = None
    done = push(grafana)
    assert (done.returncode, done.stderr, titles(grafana)) == (
        0, f"4 same, {len(TITLES) - 3} created\n", TITLES,
    )  # fmt: skip


def test_a_token_it_does_not_know_is_401_and_says_how_to_get_one(grafana: Grafana) -> None:
    done = push(grafana, token="glsa_WRONG")
    assert (done.returncode, grafana.writes) == (1, [])
    assert "(401, 'invalid API key')" in done.stderr
    assert "make a service account with a token" in done.stderr


def test_a_viewer_is_403_and_is_told_which_role_it_takes(grafana: Grafana) -> None:
    done = push(grafana, token=VIEWER)
    assert done.returncode == 1
    assert "refused the folder Service continuity (403" in done.stderr
    assert "needs the role Editor" in done.stderr


def test_an_editor_may_make_no_data_source_and_the_dashboards_wait(grafana: Grafana) -> None:
    done = push(grafana, *PROMETHEUS)
    assert (done.returncode, grafana.dashboards) == (1, {})
    assert "data source Continuity Prometheus (403" in done.stderr


def test_a_folder_of_that_name_under_another_uid_is_409_and_leaves_it_alone(grafana: Grafana) -> None:
    grafana.folders["theirs"] = "Service continuity"
    done = push(grafana)
    assert (done.returncode, grafana.folders) == (1, {"theirs": "Service continuity"})
    assert "(409" in done.stderr
    assert "--folder UID" in done.stderr


def test_it_can_be_pushed_into_a_folder_that_is_there(grafana: Grafana) -> None:
    grafana.folders["theirs"] = "Service continuity"
    assert push(grafana, "--folder", "theirs").returncode == 0
    assert {folder for _, folder in grafana.dashboards.values()} == {"theirs"}


def test_a_dashboard_of_that_name_under_another_uid_is_412_and_leaves_it_alone(grafana: Grafana) -> None:
    grafana.folders["continuity"] = "Service continuity"
    grafana.dashboards["theirs"] = {"uid": "theirs", "title": "Entity", "version": 1}, "continuity"
    done = push(grafana)
    assert (done.returncode, "continuity-entity" in grafana.dashboards) == (1, False)
    assert "refused the dashboard Entity (412" in done.stderr


def test_a_renamed_folder_gets_its_name_back(grafana: Grafana) -> None:
    grafana.folders["continuity"] = "Old name"
    push(grafana)
    assert grafana.folders == {"continuity": "Service continuity"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--token", "glsa_EDITOR"), "--token takes env:NAME or file:/path, never the secret itself"),
        (("--url", "grafana.example"), "--url must be as https://grafana.example"),
        (("--url", "http://admin:admin@127.0.0.1:3000"), "--url takes no user and password"),
        (("--postgres", "postgresql://g:pw@db/continuity"), "--postgres-password says where the password is"),
        (("--zone", "Asia/Nowhere"), "no time zone is called 'Asia/Nowhere'"),
    ],
)
def test_what_was_called_wrongly_is_said_with_what_is_right(
    grafana: Grafana, options: tuple[str, ...], said: str
) -> None:
    done = push(grafana, *options, token="unused-token")
    text = " ".join(done.stderr.split())
    assert (done.returncode, said in text, grafana.requests) == (2, True, []), text


def test_where_nothing_listens_it_says_so(grafana: Grafana) -> None:
    done = push(grafana, "--url", "http://127.0.0.1:9")
    assert (done.returncode, "cannot be reached" in done.stderr) == (1, True)


def test_without_grafana_client_the_remedy_is_said(grafana: Grafana) -> None:
    done = push(grafana, program=ROOT / ".venv" / "bin" / "continuity")
    assert (done.returncode, grafana.requests) == (1, [])
    assert "`make grafana` installs it" in done.stderr


def test_every_file_can_be_written_for_a_place_without_the_source_tree(tmp_path: Path) -> None:
    """By the usual command: only pushing needs more."""
    command = [str(ROOT / ".venv" / "bin" / "continuity"), "dashboards", "write", str(tmp_path)]
    done = subprocess.run([*command, "--zone", "Asia/Bahrain"], capture_output=True, text=True, check=True)
    generated = ROOT / "dashboards" / "generated"
    checked_in = {path.relative_to(generated) for path in generated.rglob("*") if path.is_file()}
    written = {Path(line).relative_to(tmp_path) for line in done.stdout.splitlines()}
    board = json.loads((tmp_path / "grafana/dashboards/entity.json").read_text("utf-8"))
    assert (written, board["timezone"], board["weekStart"]) == (checked_in, "Asia/Bahrain", "monday")
