"""A report as PDF, made in a process of its own: it ends at a deadline and its memory goes with it."""

from __future__ import annotations

import subprocess
import sys
import threading

import msgspec

from monitor.errors import FileNotMade
from monitor.report.document import Document
from monitor.report.pdf.blocks import Paper
from monitor.report.pdf.edition import edition

DEADLINE_S = 30.0  # a report of 1,300 services takes a tenth of it
AT_ONCE = 2  # so that many readers cannot take the machine from who measures
_turns = threading.BoundedSemaphore(AT_ONCE)


def pdf(
    document: Document,
    language: str,
    *,
    digest: str,
    paper: Paper = "a4",
    draft: bool = False,
    deadline_s: float = DEADLINE_S,
) -> bytes:
    """The edition in a language; `digest` is the SHA-256 of the frozen JSON it is a view of.

    A `draft` says so on every page. The same document gives the same bytes. Blocks: call it in a thread.
    Raises FileNotMade.
    """
    written = msgspec.json.encode(edition(document, language, digest=digest, paper=paper, draft=draft))
    if not _turns.acquire(timeout=deadline_s):
        raise FileNotMade(f"{AT_ONCE} other PDF files are being made; try again shortly")
    try:
        return _compiled(written, deadline_s)
    finally:
        _turns.release()


def _compiled(written: bytes, deadline_s: float) -> bytes:
    command = [sys.executable, "-m", "monitor.report.pdf.worker"]
    try:
        done = subprocess.run(command, input=written, capture_output=True, timeout=deadline_s, check=False)
    except subprocess.TimeoutExpired:
        raise FileNotMade(f"the PDF was not made within {deadline_s:g} s; try again") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise FileNotMade(f"the PDF could not be made: {said[-500:]}")
    return done.stdout
