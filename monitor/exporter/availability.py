"""Availability and coverage of services for Prometheus: the stored figures with their own digits."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.facts import FigureRow
from monitor.judge.current import WINDOWS, Current
from monitor.judge.picture import Picture
from monitor.judge.seconds import ratio_of
from monitor.polite import politely

AVAILABILITY, COVERAGE = "continuity_availability_ratio", "continuity_coverage_ratio"
HELP = {
    AVAILABILITY: "Availability of the days that end today, or of this month; none without a figure.",
    COVERAGE: "How much of that time was measured.",
}


class FigureLines:
    """Lines of both families, made anew when the figures or the services are others."""

    def __init__(self) -> None:
        self._made_of: tuple[int, int] | None = None
        self._bytes = b""

    def bytes(self, picture: Picture, rows: Current) -> bytes:
        """Both families whole, with HELP and TYPE."""
        if self._made_of != (picture.serial, id(rows)):
            self._bytes = "".join(
                f"# HELP {name} {text}\n# TYPE {name} gauge\n{''.join(_lines(name, picture, rows))}"
                for name, text in HELP.items()
            ).encode()
            self._made_of, self._rows = (picture.serial, id(rows)), rows
        return self._bytes


def _lines(name: str, picture: Picture, rows: Current) -> Iterator[str]:
    for slug, shown in politely(picture.services.items()):
        for kind in WINDOWS:
            row = rows.get((shown.service.subject, kind))
            percent = None if row is None else _percent(name, row)
            if percent is not None:
                yield f'{name}{{service="{slug}",window="{kind.value}"}} {ratio_of(percent)}\n'


def _percent(name: str, row: FigureRow) -> str | None:
    return row.counted.availability if name == AVAILABILITY else row.counted.coverage
