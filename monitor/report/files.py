"""A report as a file: how each format is made from the frozen JSON, and what the file is called."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, get_args

from monitor.report import document as documents
from monitor.report.document import About
from monitor.report.html import html
from monitor.report.pdf.blocks import Paper
from monitor.report.pdf.making import pdf
from monitor.report.sheets import csv_of, tables, workbook

FORMATS = ("html", "pdf", "xlsx", "csv", "json")
PAPERS: tuple[Paper, ...] = get_args(Paper)
TABLES = ("summary", "entities", "services", "weeks", "outages", "work", "intervals", "replies", "dictionary")


class File(NamedTuple):
    """Something to be written or sent."""

    name: str
    content_type: str
    body: bytes


def file_of(
    text: bytes,
    form: str,
    language: str,
    *,
    table: str = "services",
    paper: Paper = "a4",
    draft: bool = False,
) -> File:
    """A frozen report in a format; of CSV one of its tables, of PDF on a paper. Raises FileNotMade.

    A `draft` says so, in the name of the file and wherever people read it. The JSON is what will be
    published, byte by byte, and CSV begins with its headings: those two say it in the name alone.
    """
    document = documents.decode(text)
    digest, name_it = documents.digest(text), partial(name_of, document.about, draft=draft)
    match form:
        case "json":
            return File(name_it("", "json"), "application/json", text)
        case "html":
            body = html(document, language, digest=digest, draft=draft).encode()
            return File(name_it(language, "html"), "text/html; charset=utf-8", body)
        case "pdf":
            body = pdf(document, language, digest=digest, paper=paper, draft=draft)
            what = language if paper == "a4" else f"{language}-{paper}"
            return File(name_it(what, "pdf"), "application/pdf", body)
        case "xlsx":
            kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            return File(name_it(language, "xlsx"), kind, workbook(document, language, draft=draft))
        case "csv":
            [found] = [each for each in tables(document, language) if each.name == table]
            body = csv_of(found).encode()
            return File(name_it(f"{table}-{language}", "csv"), "text/csv; charset=utf-8", body)
        case _:
            raise AssertionError(f"no format is called {form}")


def name_of(about: About, what: str, ending: str, *, draft: bool) -> str:
    """continuity-2026-W47-government-v1-ar.pdf; a draft and sample data say so in their names."""
    marks = ("DRAFT" if draft else "", "SAMPLE-DATA" if about.sample else "")
    parts = ("continuity", about.label, about.slug, f"v{about.version}", what, *marks)
    return "-".join(part for part in parts if part) + f".{ending}"
