"""What a page can hold: report.typ draws each of these, and knows nothing else of a report. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.report.pdf.runs import Runs

Paper = Literal["a4", "projector"]
"""A4 to print, or 16:9 to show on a wall."""


class Cell(msgspec.Struct, frozen=True):
    """Text of a table, the code of a figure beside it, and a bar under it (a share of the full width)."""

    say: Runs
    code: str = ""
    bar: float | None = None


class Heading(msgspec.Struct, frozen=True, tag=True):
    """A bookmark too; level 1 is a section, 3 is an entity's services."""

    say: Runs
    level: int = 1
    code: str = ""


class Paragraph(msgspec.Struct, frozen=True, tag=True):
    say: Runs
    code: str = ""


class Tile(msgspec.Struct, frozen=True):
    """One figure in a box: its name, its digits, its code."""

    name: Runs
    say: Runs
    code: str


class Tiles(msgspec.Struct, frozen=True, tag=True):
    tiles: list[Tile]


class Table(msgspec.Struct, frozen=True, tag=True):
    """`widths` are shares of the width; a heading carries the code of the figures under it."""

    heads: list[Cell]
    widths: list[float]
    rows: list[list[Cell]]


class Chart(msgspec.Struct, frozen=True, tag=True):
    """An SVG, and what it shows for who cannot see it."""

    svg: str
    alt: str


class Page(msgspec.Struct, frozen=True, tag=True):
    """What follows begins a page."""


Block = Heading | Paragraph | Tiles | Table | Chart | Page


class Card(msgspec.Struct, frozen=True):
    """One of the outages that mattered most: label, text, code a line."""

    say: Runs
    lines: list[Cell]
    labels: list[Runs]


class First(msgspec.Struct, frozen=True):
    """The first page, which is enough alone."""

    title: Runs
    about: Runs
    sentence: Paragraph
    change: Paragraph
    notes: list[Runs]
    tiles: list[Tile]
    outages: Runs
    cards: list[Card]
    outages_note: Runs
    decisions: Runs
    asked: list[Runs]


class Edition(msgspec.Struct, frozen=True):
    """One edition: everything that report.typ gets."""

    language: str
    direction: str
    paper: Paper
    title: str  # of the file, for lists of files and readers aloud
    at: list[int]  # as-of in UTC: year, month, day, hour, minute, second
    marks: list[str]  # a draft and sample data say so on every page
    running: Runs  # at the head of every page
    foot: Runs
    page: Runs  # with U+E000 for the number of the page and U+E001 for how many there are
    eastern: bool
    first: First
    main: list[Block]
    annex: list[Block]
