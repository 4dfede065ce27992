"""What docs/public.md says is so: a real nginx serves the folder by its snippet; every state is named."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.demo.kafka import free_port
from monitor.model import Verdict
from monitor.public import folder as folders
from monitor.public.notes import Saying
from monitor.public.pages import Pages
from monitor.public.serve import SECURITY
from tests.monitor.public_scene import WEB, given

DOCUMENT = (Path(__file__).parents[2] / "docs" / "public.md").read_text(encoding="utf-8")
WITHIN_S = 20.0
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """nginx over a folder as derive writes it, by the snippet of the document; its address."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx is not installed")
    root, own, port = tmp_path_factory.mktemp("public"), tmp_path_factory.mktemp("nginx"), free_port()
    folders.write(root, Pages().files(given((WEB, Verdict.DOWN, 600.0))))
    for folder in (root, root.parent, root.parent.parent, own):
        folder.chmod(0o755)
    [snippet] = re.findall(r"```nginx\n(.*?)```", DOCUMENT, re.DOTALL)
    snippet = snippet.replace("127.0.0.1:8080", f"127.0.0.1:{port}")
    snippet = snippet.replace("/var/lib/continuity/public/current", f"{root}/current")
    assert str(port) in snippet
    assert str(root) in snippet
    temporary = " ".join(f"{name}_temp_path {own}/{name};" for name in TEMPORARY)
    user = "user root;" if os.geteuid() == 0 else ""
    (own / "nginx.conf").write_text(
        f"{user} daemon off; pid {own}/pid; error_log {own}/log; events {{}} "
        f"http {{ access_log off; {temporary}\n{snippet}\n}}"
    )
    process = subprocess.Popen([program, "-c", str(own / "nginx.conf"), "-p", str(own)])
    try:
        url = f"http://127.0.0.1:{port}"
        end = time.monotonic() + WITHIN_S
        while ask(url + "/")[0] != 200:
            assert process.poll() is None, (own / "log").read_text()
            assert time.monotonic() < end, "nginx did not answer in time"
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(WITHIN_S)


def ask(url: str, **headers: str) -> tuple[int, bytes, Any]:
    request = urllib.request.Request(url, headers={"Accept-Encoding": "gzip", **headers})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers
    except OSError:
        return 0, b"", {}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/ar/services/passport.html", "text/html; charset=utf-8"),
        ("/age.js", "text/javascript; charset=utf-8"),
        ("/en/feed.xml", "application/atom+xml; charset=utf-8"),
        ("/status.json", "application/json"),
    ],
)
def test_nginx_serves_it_packed_with_its_kind_and_the_same_policy(nginx: str, path: str, kind: str) -> None:
    status, _, headers = ask(nginx + path)
    policy = headers["Content-Security-Policy"]
    assert (status, headers["Content-Type"].lower(), headers["Content-Encoding"]) == (200, kind, "gzip")
    assert policy == SECURITY["Content-Security-Policy"]


def test_nginx_says_in_both_languages_what_is_not_there(nginx: str) -> None:
    status, body, _ = ask(nginx + "/ar/services/none.html", **{"Accept-Encoding": "identity"})
    assert (status, "الصفحة غير موجودة" in body.decode()) == (404, True)


def test_nginx_answers_a_reader_who_has_it_already(nginx: str) -> None:
    _, _, headers = ask(nginx + "/")
    assert ask(nginx + "/", **{"If-None-Match": headers["ETag"]})[0] == 304


def test_every_state_and_every_member_of_the_data_is_documented() -> None:
    data = msgspec.json.decode(Pages().files(given((WEB, Verdict.DOWN, 600.0)))["status.json"])
    [service] = data["services"]
    members = {*data, *service, *service["notes"][0], *service["alternatives"][0], *Saying}
    assert {member for member in members if f"`{member}`" not in DOCUMENT} == set()
