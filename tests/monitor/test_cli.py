"""The command line: what is printed where, what a program may read, and the exit codes 0, 1 and 2."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from monitor.cli import continuity
from monitor.cli.base import Failed
from monitor.config.load import load

ROOT = Path(__file__).parents[2]
INVALID = ROOT / "tests" / "fixtures" / "invalid"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(continuity, [str(each) for each in arguments], catch_exceptions=False)


class Page(BaseHTTPRequestHandler):
    """Says whether it works."""

    def do_GET(self) -> None:
        body = b'{"status": "ok"}' if self.path == "/well" else b"broken"
        self.send_response(200 if self.path == "/well" else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests read the answers, not the log."""


@contextmanager
def serving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


@pytest.fixture
def page() -> Iterator[str]:
    with serving() as address:
        yield address


def all_commands(command: click.Command, *path: str) -> Iterator[tuple[str, ...]]:
    yield path
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from all_commands(below, *path, name)


@pytest.mark.parametrize("path", list(all_commands(continuity)), ids=" ".join)
def test_every_command_has_help_with_an_example(path: tuple[str, ...]) -> None:
    result = run(*path, "--help")
    assert (result.exit_code, "Example" in result.stdout, "  continuity " in result.stdout) == (0, True, True)


# check


def test_checking_the_sample_says_what_it_holds() -> None:
    result = run("check", ROOT / "config")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.endswith(
        "no mistakes; 30 entities, 12 shared systems, 58 platforms, 180 services, 289 checks\n"
    )


def test_mistakes_go_to_stderr_and_the_exit_code_is_1() -> None:
    path = INVALID / "duplicate-slug.yaml"
    result = run("check", path)
    said = (
        f"{path}:3:49: slug `passport` is taken already, in {path}:2 (slugs are for ever, former ones too)\n"
        f"{path}:4:12: slug `passport` is taken already, in {path}:2\n"
        "2 mistakes\n"
    )
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", said)


def test_warnings_go_to_stderr_and_change_no_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text("services: [{slug: a, channels: [{kind: web, url: https://a.example/}, {kind: app}]}]")
    result = run("check", path)
    warning = f"{path}:1:78: warning: nothing measures channel `app` of `a`: it will always be unknown\n"
    assert (result.exit_code, result.stderr, result.stdout) == (
        0,
        warning,
        f"{path}: no mistakes; 0 entities, 0 shared systems, 0 platforms, 1 service, 1 check\n",
    )


def test_a_program_reads_mistakes_as_json() -> None:
    path = INVALID / "unknown-key.yaml"
    result = run("check", path, "--json")
    problem = {
        "file": str(path),
        "line": 4,
        "column": 5,
        "text": "unknown key `entitiy`; did you mean `entity`?",
        "level": "error",
    }
    assert (result.exit_code, json.loads(result.stdout)) == (1, {"ok": False, "problems": [problem]})


# try and probe


def test_trying_addresses_writes_a_catalogue_that_runs(page: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    result = run("try", f"{page}/well", page.replace("http", "tcp"), "--into", folder)
    assert result.exit_code == 0
    assert f"continuity run all --config {folder}" in result.stdout
    assert sorted(check.rsplit(":", 1)[0] for check in load(folder).catalogue.checks) == ["service", "system"]


def test_trying_into_a_place_that_cannot_be_written_says_so(page: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("try", f"{page}/well", "--into", tmp_path / "file" / "mine")
    assert (result.exit_code, "cannot be written" in result.stderr) == (2, True)


def test_trying_does_not_write_over_what_is_there(page: str, tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("mine")
    refused = run("try", page, "--into", tmp_path)
    forced = run("try", f"{page}/well", "--into", tmp_path, "--force")
    assert (refused.exit_code, "--force" in refused.stderr, forced.exit_code) == (2, True, 0)


def test_trying_what_cannot_be_asked_writes_nothing(tmp_path: Path) -> None:
    result = run("try", "gopher://a.example", "--into", tmp_path / "mine")
    assert (result.exit_code, "gopher://a.example: not an address" in result.stderr) == (2, True)
    assert not (tmp_path / "mine").exists()


def test_probing_an_address_shows_outcome_phases_and_reason(page: str) -> None:
    well, broken = run("probe", f"{page}/well"), run("probe", f"{page}/broken")
    assert (well.exit_code, broken.exit_code) == (0, 1)
    for word in ("up", "connect", "first_byte", "transfer", "status 200, 16 bytes"):
        assert word in well.stdout
    assert all(word in broken.stdout for word in ("down", "status 500", "status:"))


def test_a_program_reads_an_answer_as_json(page: str) -> None:
    result = run("probe", f"{page}/well", "--json")
    asked = json.loads(result.stdout)
    assert (result.exit_code, len(asked), asked[0]["target"]) == (0, 1, f"{page}/well")
    assert (asked[0]["answer"]["outcome"], asked[0]["answer"]["status"]) == ("up", 200)


@pytest.mark.parametrize(
    ("subject", "names"),
    [
        ("passport", ["service:passport/web/main", "service:passport/app/main"]),
        ("passport/app", ["service:passport/app/main"]),
        ("identity", ["system:identity/main"]),
    ],
)
def test_probing_a_slug_asks_all_its_checks(
    page: str, tmp_path: Path, subject: str, names: list[str]
) -> None:
    (tmp_path / "monitor.yaml").write_text(
        f"systems: [{{slug: identity, checks: [{{http: {{url: '{page}/well', text_present: [okay]}}}}]}}]\n"
        f"services: [{{slug: passport, channels: [{{kind: web, url: '{page}/well'}},"
        f" {{kind: app, url: '{page}/broken'}}, {{kind: kiosk}}]}}]\n"
    )
    result = run("probe", subject, "--config", tmp_path, "--json")
    assert ([each["check"] for each in json.loads(result.stdout)], result.exit_code) == (names, 1)


def test_probing_an_unknown_slug_suggests_one() -> None:
    result = run("probe", "passport-renewel", "--config", ROOT / "config")
    assert (result.exit_code, "did you mean `passport-renewal`?" in result.stderr) == (2, True)


def test_probing_within_a_broken_catalogue_names_the_mistakes() -> None:
    result = run("probe", "passport", "--config", INVALID / "tab.yaml")
    assert (result.exit_code, ":2:1: is not YAML" in result.stderr) == (1, True)


# running and the demonstration


def test_a_broken_configuration_starts_nothing() -> None:
    result = run("run", "derive", "--config", INVALID / "unknown-key.yaml")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (1, "1 mistake; nothing was started")


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["run", "cook"], ["token", "create", "x", "--role", "king"], ["nonsense"], ["probe"]],
)
def test_a_wrong_call_is_2_and_says_so_on_stderr(arguments: list[str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout, result.stderr.startswith("Usage: ")) == (2, "", True)


def test_a_fault_is_switched_on_listed_and_cleared(tmp_path: Path) -> None:
    data = ("--data", tmp_path)
    before = json.loads(run("demo", "faults", "--json", *data).stdout)
    name = before[0]["name"]
    switched = run("demo", "fault", name, "--for", "60", *data)
    after = json.loads(run("demo", "faults", "--json", *data).stdout)
    cleared = run("demo", "clear", *data)
    assert [state["on"] for state in before] == [None] * len(before)
    assert (switched.exit_code, after[0]["on"]["by"]) == (0, "hand")
    assert (cleared.exit_code, cleared.stdout) == (0, f"ended {name}\n")


def test_the_folder_of_a_demo_may_stand_before_the_command_as_well(tmp_path: Path) -> None:
    name = json.loads(run("demo", "--data", tmp_path, "faults", "--json").stdout)[0]["name"]
    run("demo", "--data", tmp_path, "fault", name)
    cleared = run("demo", "clear", "--data", tmp_path)
    assert (cleared.exit_code, cleared.stdout) == (0, f"ended {name}\n")


def test_an_unknown_fault_is_a_wrong_call_that_lists_the_right_ones(tmp_path: Path) -> None:
    result = run("demo", "fault", "earthquake", "--data", tmp_path)
    assert (result.exit_code, "shared-system-down" in result.stderr) == (2, True)


def test_a_secret_that_is_not_there_is_named_by_its_reference(tmp_path: Path) -> None:
    path = tmp_path / "monitor.yaml"
    path.write_text("postgres: {password: 'env:NOT_SET_ANYWHERE'}")
    result = run("migrate", "--config", path)
    assert (result.exit_code, result.stderr) == (
        1,
        "continuity: the environment variable NOT_SET_ANYWHERE is not set\n",
    )


def test_a_failure_prints_its_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    Failed("as it is").show()
    assert capsys.readouterr().err == "as it is\n"


# as a process


def program(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "monitor", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_exit_codes_of_the_process_are_0_1_and_2() -> None:
    good, bad, wrong = (
        program("check", "tests/fixtures/catalogue"),
        program("check", "tests/fixtures/invalid/syntax.yaml"),
        program("check", "--no-such-option"),
    )
    assert (good.returncode, bad.returncode, wrong.returncode) == (0, 1, 2)
    assert (good.stderr, bad.stdout, wrong.stdout) == ("", "", "")


def test_help_comes_without_loading_what_only_runs_need() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from monitor.cli import continuity;"
        "CliRunner().invoke(continuity, ['run', '--help']);"
        "heavy = {'aiohttp', 'aiokafka', 'asyncpg', 'rich', 'yaml', 'monitor.roles', 'monitor.commands'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert (result.stdout, result.stderr) == ("[]\n", "")


def test_there_is_no_colour_where_nobody_wants_it(page: str) -> None:
    plain = program("probe", f"{page}/well", NO_COLOR="1", FORCE_COLOR="1")
    assert (plain.returncode, "\x1b[3" in plain.stdout) == (0, False)


def test_a_database_that_is_away_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTINUITY_POSTGRES_DSN", "postgresql://x@127.0.0.1:1/x")
    result = run("dead-letters", "--config", "config")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "PostgreSQL: ConnectionRefusedError" in result.stderr
    assert "check --connect` says what is missing" in result.stderr


# demo


def test_a_demo_over_a_catalogue_with_mistakes_names_them_and_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text("services: [{slug: one, ur1: https://one.example/}]")
    result = run("demo", "--config", tmp_path, "--data", tmp_path / "data")
    assert (result.exit_code, "nothing was started" in result.stderr) == (1, True)
    assert not (tmp_path / "data" / "postgres").exists()


def test_a_demo_over_data_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("demo", "--data", tmp_path / "file")
    assert (result.exit_code, "choose a folder with --data" in result.stderr) == (2, True)
