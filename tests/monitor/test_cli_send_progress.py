"""`continuity send` shows how far it is on a terminal, a pseudo-terminal here, and nowhere else."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHIN_S = 60.0
EVENT = {"service": "passport", "channel": "web", "outcome": "completed"}
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def command(tmp_path: Path, *, events: int) -> list[str]:
    """A file that is read and shown, and sent nowhere."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "monitor.yaml").write_text(f"data: {tmp_path / 'data'}\n")
    file, at = tmp_path / "events.ndjson", datetime.now(UTC).isoformat()
    file.write_text("".join(json.dumps({**EVENT, "at": at, "id": str(n)}) + "\n" for n in range(events)))
    given = [str(file), "--dry-run", "--config", str(tmp_path / "config")]
    return [sys.executable, "-m", "monitor", "send", *given]


def on_a_terminal(command: list[str]) -> str:
    """What a person sees on standard error, without what moves the cursor."""
    ours, theirs = pty.openpty()
    env = os.environ | {"TERM": "xterm", "COLUMNS": "240"}
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, cwd=ROOT, env=env)
    os.close(theirs)
    said = b""
    try:
        while piece := _read(ours):
            said += piece
        assert running.wait(WITHIN_S) == 0, said
    finally:
        running.kill()
        running.wait()
        os.close(ours)
    return ESCAPES.sub("", said.decode())


def _read(terminal: int) -> bytes:
    """Nothing more once the other side has let go of it: Linux says that with an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


def test_a_terminal_shows_the_file_and_the_bytes_of_it_up_to_the_last(tmp_path: Path) -> None:
    said = on_a_terminal(command(tmp_path, events=500))
    shown = re.findall(r"events\.ndjson\s.*?([\d.]+)/([\d.]+) kB", said)
    size = f"{(tmp_path / 'events.ndjson').stat().st_size / 1000:.1f}"
    assert (shown[0], shown[-1]) == (("0.0", size), (size, size))


def test_what_is_no_terminal_gets_no_bar(tmp_path: Path) -> None:
    done = subprocess.run(
        command(tmp_path, events=3), capture_output=True, cwd=ROOT, timeout=WITHIN_S, check=True
    )
    assert b"kB" not in done.stderr
