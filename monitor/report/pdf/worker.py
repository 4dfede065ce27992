"""The process that draws one PDF: an edition comes in as JSON, the file goes out; it knows nothing else."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import typst

ROOM = Path(__file__).parent
BEHIND = 5  # it takes every core: whoever measures and whoever answers go first


def compiled(written: bytes) -> bytes:
    """The tagged file (PDF/UA-1) with our typeface in it. Raises typst.TypstError."""
    made = typst.compile(
        ROOM / "report.typ",
        root=ROOM,
        font_paths=[ROOM / "fonts"],
        ignore_system_fonts=True,
        sys_inputs={"edition": written.decode()},
        format="pdf",
        pdf_standards=["ua-1"],
    )
    assert isinstance(made, bytes)
    return made


if __name__ == "__main__":
    os.nice(BEHIND)
    sys.stdout.buffer.write(compiled(sys.stdin.buffer.read()))
