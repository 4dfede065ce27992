"""Real servers for the tests to watch: nginx (plain and TLS) and dnsmasq, on free loopback ports."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path

import pytest

from monitor.demo.child import Child
from monitor.demo.kafka import free_port

START_S = 10.0

NGINX = """\
daemon off;
master_process on;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type text/html;
    server {{
        listen 127.0.0.1:{http};
        root {folder}/www;
    }}
    server {{
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {folder}/server.pem;
        ssl_certificate_key {folder}/server.pem;
        root {folder}/www;
    }}
}}
"""


def program(name: str) -> str:
    """Where a program is, or the test is skipped (a failure in CI)."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed")
    return path


def answers(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Nginx:
    """One nginx with a page and a certificate that a test may swap while it runs."""

    def __init__(self, folder: Path, certificate: str) -> None:
        self.folder, self._binary = folder, program("nginx")
        self.http, self.tls = free_port(), free_port()
        (folder / "www").mkdir(parents=True)
        self.page("All services are available.")
        self._certify(certificate)
        (folder / "nginx.conf").write_text(NGINX.format(folder=folder, http=self.http, tls=self.tls))
        self._child: Child | None = None

    def page(self, text: str) -> None:
        """What `/` says, in one atomic step."""
        new = self.folder / "www" / "new.html"
        new.write_text(f"<!doctype html><title>Service</title><p>{text}</p>\n")
        new.replace(self.folder / "www" / "index.html")

    def certificate(self, pem: str) -> None:
        """Swap the certificate under the running server."""
        self._certify(pem)
        assert self._child is not None
        self._child.signal(1)  # SIGHUP: read the files again

    def _certify(self, pem: str) -> None:
        (self.folder / "server.pem").write_text(Path(pem).read_text())

    def start(self) -> None:
        """Return once both ports answer."""
        files = ["-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        command = [self._binary, "-e", "stderr", *files]
        self._child = Child(command, self.folder / "nginx.log", name="nginx", grace_s=3)
        self._child.wait_until(lambda: answers(self.http) and answers(self.tls), within_s=START_S)

    def stop(self) -> None:
        """Return once it is gone; nothing happens when it is not there."""
        if self._child is not None:
            self._child.stop()
            self._child = None


class Dnsmasq:
    """One name server that knows the given names and answers NXDOMAIN for everything else."""

    def __init__(self, folder: Path, names: dict[str, str]) -> None:
        self.port, self._folder = free_port(), folder
        self._command = [
            program("dnsmasq"), "--keep-in-foreground", f"--port={self.port}", "--listen-address=127.0.0.1",
            "--bind-interfaces", "--no-resolv", "--no-hosts", "--no-poll", "--conf-file=/dev/null",
            "--local=/test/", "--user=root", f"--pid-file={folder / 'dnsmasq.pid'}",
            *(f"--host-record={name},{address}" for name, address in names.items()),
        ]  # fmt: skip
        self._child: Child | None = None

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._child = Child(self._command, self._folder / "dnsmasq.log", name="dnsmasq", grace_s=3)
        self._child.wait_until(lambda: answers(self.port), within_s=START_S)

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
            self._child = None
