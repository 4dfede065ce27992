"""A report as a file: how each format is made from the frozen JSON, and what the file is called."""

from __future__ import annotations

from typing import NamedTuple, get_args

from monitor.report import document as documents
from monitor.report.document import About, Document
from monitor.report.html import html
from monitor.report.pdf.blocks import Paper
from monitor.report.pdf.making import pdf
from monitor.report.sheets import csv_of, tables, workbook

FORMATS = ("html", "pdf", "xlsx", "csv", "json")
PAPERS: tuple[Paper, ...] = get_args(Paper)
TABLES = ("summary", "entities", "services", "weeks", "outages", "work", "dictionary")


class File(NamedTuple):
    """Something to be written or sent."""

    name: str
    content_type: str
    body: bytes


def file_of(text: bytes, form: str, language: str, *, table: str = "services", paper: Paper = "a4") -> File:
    """A frozen report in a format; of CSV one of its tables, of PDF on a paper. Raises FileNotMade."""
    document = documents.decode(text)
    match form:
        case "json":
            return File(name_of(document.about, "", "json"), "application/json", text)
        case "html":
            body = html(document, language, digest=documents.digest(text)).encode()
            return File(name_of(document.about, language, "html"), "text/html; charset=utf-8", body)
        case "pdf":
            body = pdf(document, language, digest=documents.digest(text), paper=paper)
            what = language if paper == "a4" else f"{language}-{paper}"
            return File(name_of(document.about, what, "pdf"), "application/pdf", body)
        case "xlsx":
            kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            return File(name_of(document.about, language, "xlsx"), kind, workbook(document, language))
        case "csv":
            return _csv(document, language, table)
        case _:
            raise AssertionError(f"no format is called {form}")


def _csv(document: Document, language: str, table: str) -> File:
    [found] = [each for each in tables(document, language) if each.name == table]
    name = name_of(document.about, f"{table}-{language}", "csv")
    return File(name, "text/csv; charset=utf-8", csv_of(found).encode())


def name_of(about: About, what: str, ending: str) -> str:
    """continuity-2026-W47-government-v1-ar.pdf; sample data says so in its name."""
    sample = "SAMPLE-DATA" if about.sample else ""
    parts = ("continuity", about.label, about.slug, f"v{about.version}", what, sample)
    return "-".join(part for part in parts if part) + f".{ending}"
