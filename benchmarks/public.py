"""The public pages: the role as it is deployed, a client in another process, somebody who computes beside.

The folder has 180 services in two languages; it is replaced as often as derive ever does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import parts
from benchmarks.processes import ROOT, Tool, cpu_s, memory_mb, quiet
from benchmarks.table import Row, spread
from monitor.demo.child import Child
from monitor.demo.kafka import free_port
from monitor.facts import Clocks
from monitor.judge.picture import Facts, draw
from monitor.judge.surroundings import Surroundings
from monitor.model import Catalogue, Channel, ChannelKind, Entity, Service, Text, Version
from monitor.public import folder as folders
from monitor.public.pages import Files, Pages
from monitor.public.publishing import LOOK_S
from monitor.public.told import Given

RATE, P99_MS = 2_000, 20.0
SERVICES, ENTITIES = 180, 30
READY_S = 30.0
REPLACED_S = LOOK_S
NGINX = """daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/log;
events {{ worker_connections 512; }}
http {{ include /etc/nginx/mime.types; access_log off; keepalive_requests 10000000; {temporary}
  server {{ listen 127.0.0.1:{port}; root {root}; gzip_static on; }} }}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def rows(quick: bool) -> list[Row]:
    """At the rate of the budget and as fast as it can, alone and beside somebody who computes."""
    runs, seconds = (1, 3.0) if quick else (3, 6.0)
    root = parts.folder() / parts.fresh("public")
    files = Pages().files(_given())
    folders.write(root, files)
    port = free_port()
    with _role(root, port) as role:
        _read(port, seconds=1.0)
        most = [_read(port, seconds=seconds)["requests_s"] for _ in range(runs)]
        alone = _paced(port, role.pid, runs=runs, seconds=seconds)
        with _replaced(root, files):
            beside = _paced(port, role.pid, runs=runs, seconds=seconds, burning=True)
        size_mb = memory_mb(role.pid)
    other = free_port()
    with _nginx(root, other) as there:
        base = _read(other, seconds=seconds, rate=RATE) if there else None
        base_most = _read(other, seconds=seconds)["requests_s"] if there else 0.0
    baseline = f"nginx p99 {base['p99_ms']:.1f} ms" if base else "–"
    note = (
        f"client, role and who builds reports share the machine; {SERVICES} services in two languages; the "
        f"folder is replaced every {REPLACED_S:g} s meanwhile; after it the role holds {size_mb:.0f} MB"
    )
    return [
        _row("while a report is being built and the folder is replaced", beside, baseline, note),
        _row("alone", alone, baseline, ""),
        Row(
            what="public pages: most requests a second, 32 connections",
            budget=f"≥ {RATE:,}",
            measured=spread(most, "/s", digits=0),
            baseline=f"nginx {base_most:.0f}/s" if base else "–",
            within=sorted(most)[len(most) // 2] >= RATE,
        ),
    ]


def _row(how: str, found: list[dict[str, Any]], baseline: str, note: str) -> Row:
    middle = sorted(found, key=lambda one: one["p99_ms"])[len(found) // 2]
    rates, p99s = [one["requests_s"] for one in found], [one["p99_ms"] for one in found]
    return Row(
        what=f"public pages at {RATE:,}/s, {how}",
        budget=f"p99 ≤ {P99_MS:g} ms",
        measured=(
            f"{spread(p99s, 'ms', digits=1)}; p50 {middle['p50_ms']:.1f} ms, {min(rates):.0f}/s answered, "
            f"CPU {middle['cpu_us']:.0f} µs a request"
        ),
        baseline=baseline,
        within=middle["p99_ms"] <= P99_MS and min(rates) >= 0.99 * RATE,
        note=note,
    )


def _given() -> Given:
    slugs = [f"service-{number:04d}" for number in range(SERVICES)]
    catalogue = Catalogue(
        languages=("ar", "en"),
        entities=tuple(Entity(slug=f"entity-{number}") for number in range(ENTITIES)),
        services=tuple(
            Service(
                slug=slug,
                name=Text(en=f"Service {slug}", ar=f"خدمة {slug}"),
                entity=f"entity-{number % ENTITIES}",
                channels=(
                    Channel(subject=f"service:{slug}/web", slug="web", kind=ChannelKind.WEB),
                    Channel(subject=f"service:{slug}/app", slug="app", kind=ChannelKind.APP),
                ),
            )
            for number, slug in enumerate(slugs)
        ),
    )
    now_ms = int(time.time() * 1000)
    around = Surroundings(Version(serial=1, sha256="", valid_from_ms=0, catalogue=catalogue))
    return Given(draw(around, Facts({}, {}, Clocks({}, now_ms, now_ms)), now_ms=now_ms), now_ms)


@contextmanager
def _role(root: Path, port: int) -> Iterator[Child]:
    config, pulse = root.with_name(root.name + "-config"), free_port()
    config.mkdir()
    (config / "monitor.yaml").write_text("log_level: WARNING\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONTINUITY_")}
    environment |= {
        "CONTINUITY_PUBLIC_PORT": str(port),
        "CONTINUITY_PUBLIC_FOLDER": str(root),
        "CONTINUITY_PULSE_PUBLIC": str(pulse),
    }
    command = [sys.executable, "-m", "monitor", "run", "public", "--config", str(config)]
    child = Child(command, config / "log", name="public", cwd=ROOT, env=environment)
    try:
        child.wait_until(lambda: _answers(port), within_s=READY_S)
        yield child
    finally:
        child.stop()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def _replaced(root: Path, files: Files) -> Iterator[None]:
    """The folder is replaced again and again while the block runs."""
    stop = threading.Event()

    def replace() -> None:
        while not stop.wait(REPLACED_S):
            folders.write(root, files)

    writer = threading.Thread(target=replace)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


@contextmanager
def _nginx(root: Path, port: int) -> Iterator[bool]:
    """nginx with one worker over the same folder; False where it is not installed."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        yield False
        return
    own = root.with_name(root.name + "-nginx")
    own.mkdir()
    temporary = " ".join(f"{name}_temp_path {own}/{name};" for name in TEMPORARY)
    text = NGINX.format(folder=own, root=root / "current", port=port, temporary=temporary)
    (own / "nginx.conf").write_text("user root;\n" + text if os.geteuid() == 0 else text)
    process = subprocess.Popen([program, "-c", str(own / "nginx.conf"), "-p", str(own)])
    try:
        end = time.monotonic() + READY_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"nginx did not start: {(own / 'log').read_text()[-500:]}")
            quiet(0.1)
        yield True
    finally:
        process.terminate()
        process.wait(10)


def _paced(port: int, pid: int, *, runs: int, seconds: float, burning: bool = False) -> list[dict[str, Any]]:
    found = []
    for _ in range(runs):
        quiet(0.5)
        used_s = cpu_s(pid)
        if burning:
            with _reports_built(seconds + 1):
                one = _read(port, seconds=seconds, rate=RATE)
        else:
            one = _read(port, seconds=seconds, rate=RATE)
        one["cpu_us"] = (cpu_s(pid) - used_s) / (one["requests_s"] * seconds) * 1e6
        found.append(one)
    return found


@contextmanager
def _reports_built(seconds: float) -> Iterator[None]:
    """Somebody builds weekly reports of 1,300 services, one after the other, while the block runs."""
    said = f"from benchmarks.report_pdf import keep_building; keep_building({seconds})"
    with subprocess.Popen([sys.executable, "-c", said], cwd=ROOT, stdout=subprocess.PIPE) as builder:
        assert builder.stdout is not None
        builder.stdout.readline()
        yield
        builder.wait(READY_S + seconds)


def _read(port: int, *, seconds: float, rate: float = 0.0) -> dict[str, Any]:
    paths = ["/ar/index.html", "/en/index.html", "/style.css", "/status.json"]
    paths += [f"/ar/services/service-{number:04d}.html" for number in range(SERVICES)]
    with Tool("reader", port=port, paths=paths, connections=32, seconds=seconds, rate=rate) as client:
        found: dict[str, Any] = client.said()
    if found["refused"]:
        raise RuntimeError(f"not all of it was answered: {found['refused']}")
    return found
