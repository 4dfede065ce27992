"""Whoever has a PDF read aloud: every edition keeps every rule of PDF/UA-1 that veraPDF can check."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from monitor.errors import MonitorError
from monitor.report.document import Document, digest, encode
from monitor.report.pdf.blocks import Paper
from monitor.report.pdf.making import pdf
from tests import verapdf
from tests.golden_week import golden, terms
from tests.worst_week import corrected, worst

EDITIONS: list[tuple[str, Paper]] = [
    (language, paper) for language in ("ar", "en") for paper in ("a4", "projector")
]


def documents() -> dict[str, Document]:
    """A usual one, one full of everything, corrected, in Arabic digits, and with nothing to tell."""
    every = worst()  # of each list enough to go over a page
    full = replace(every, services=every.services[:60], outages=every.outages[:8], work=every.work[:12])
    return {
        "golden": golden(),
        "full": full,
        "corrected": corrected(full),
        "digits": golden(terms=terms(digits="arabic", hijri=True)),
        "quiet": replace(
            golden(), outages=(), work=(), advisories=(), certificates=(), unmeasured=(), decisions=(),
            at_risk=(), entities=(), weeks=(),
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def validator() -> Path:
    try:
        return verapdf.jar()
    except (MonitorError, OSError, RuntimeError) as error:  # the last one is jgo's, of what it cannot fetch
        pytest.skip(f"veraPDF could not be fetched: {error}")


@pytest.fixture(scope="module")
def broken(validator: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The rules that each edition breaks, by the edition; and one that was made to break one."""
    folder = tmp_path_factory.mktemp("editions")
    for name, document in documents().items():
        for language, paper in EDITIONS:
            body = pdf(document, language, digest=digest(encode(document)), paper=paper)
            (folder / f"{name}-{language}-{paper}.pdf").write_bytes(body)
    body = (folder / "golden-en-a4.pdf").read_bytes()
    (folder / "spoilt.pdf").write_bytes(body.replace(b"<pdfuaid:part>1<", b"<pdfuaid:part>2<"))
    return verapdf.failed_rules(sorted(folder.iterdir()))


@pytest.mark.parametrize(("language", "paper"), EDITIONS)
@pytest.mark.parametrize("name", documents())
def test_an_edition_keeps_every_rule_of_pdf_ua(
    name: str, language: str, paper: Paper, broken: dict[str, list[str]]
) -> None:
    assert broken[f"{name}-{language}-{paper}.pdf"] == []


def test_an_edition_that_breaks_a_rule_is_found(broken: dict[str, list[str]]) -> None:
    [rule] = broken["spoilt.pdf"]
    assert rule.startswith("5/2: ")
