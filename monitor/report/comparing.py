"""What a correction changed: every figure that differs between two versions. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.report.document import Changed, Document, Part


def differences(old: Document, new: Document) -> tuple[Changed, ...]:
    """Figures of everybody, entities, services and weeks, in the order of the new version."""
    before, after = _parts(old), _parts(new)
    return tuple(each for key in {**after, **before} for each in _of(before.get(key), after.get(key)))


def _parts(document: Document) -> dict[tuple[str, str], Part]:
    every = (document.total, *document.entities, *document.services, *document.weeks)
    return {(part.subject, part.label): part for part in every}


def _of(old: Part | None, new: Part | None) -> Iterator[Changed]:
    part = new or old
    assert part is not None
    was, now = (old.figures if old else {}), (new.figures if new else {})
    for code in sorted({*was, *now}):
        if was.get(code) != now.get(code):
            yield Changed(
                subject=part.subject,
                name=part.name,
                label=part.label,
                code=code,
                old=was.get(code),
                new=now.get(code),
            )
