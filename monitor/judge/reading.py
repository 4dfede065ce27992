"""Between tables and figures: rows of either, and the accounts of a stretch as the store has them."""

from __future__ import annotations

from collections.abc import Collection

import msgspec

from monitor.facts import ExclusionRow, FigureRow, TallyRow
from monitor.judge.accounts import Accounts, Belonging, belonging
from monitor.judge.exclusions import Exclusion, Filing
from monitor.judge.figures import Edge, Figure, Tally, When
from monitor.judge.opening import Era, closed
from monitor.judge.seconds import rate, spent_of
from monitor.judge.timeline import Evidence, Step
from monitor.model import ExclusionKind, Policy, Verdict
from monitor.store import catalogue, exclusions, figures
from monitor.store.changes import ChangeRow
from monitor.store.pool import Store

_edges = msgspec.json.Decoder(tuple[Edge, ...])
_evidence = msgspec.json.Decoder(tuple[Evidence, ...])


def step_of(row: ChangeRow) -> Step:
    """A stored change as a step of a timeline."""
    evidence = _evidence.decode(row.evidence) if row.evidence != "[]" else ()
    return Step(row.at_ms, Verdict(row.verdict), row.reason, row.cause, evidence)


async def open_accounts(
    store: Store, *, from_ms: int, to_ms: int, policy: Policy, subjects: Collection[str] | None = None
) -> Accounts:
    """Everything about [from, to) that figures of these subjects, or of everybody, are made of.

    Raises StoreUnavailable.
    """
    belongs = belonging(await figures.memberships(store, from_ms=from_ms, to_ms=to_ms))
    wanted = set(belongs.exists) if subjects is None else _parts(belongs, subjects)
    rows = await figures.timelines(store, subjects=wanted, from_ms=from_ms, to_ms=to_ms)
    announced = await exclusions.touching(store, from_ms=from_ms, to_ms=to_ms)
    return Accounts(
        timelines={subject: [step_of(row) for row in found] for subject, found in rows.items()},
        belonging=belongs,
        exclusions=[exclusion_of(row) for row in announced],
        notice_ms=round(policy.notice_s * 1000),
        closed=closed(await eras_of(store, from_ms=from_ms, to_ms=to_ms)),
    )


async def eras_of(store: Store, *, from_ms: int, to_ms: int) -> list[Era]:
    """What versions of the catalogue say of hours, and when each was in force. Raises StoreUnavailable.

    The first one holds for all that was before it: nobody has time there but sample data, which has a past.
    """
    found = await catalogue.offered(store, since_ms=from_ms)
    begins = [from_ms, *(max(from_ms, valid_from_ms) for valid_from_ms, _ in found[1:])][: len(found)]
    ends = [*begins[1:], to_ms]
    return [
        Era(begin_ms, min(end_ms, to_ms), said)
        for (_, said), begin_ms, end_ms in zip(found, begins, ends, strict=True)
        if begin_ms < min(end_ms, to_ms)
    ]


def _parts(belongs: Belonging, subjects: Collection[str]) -> set[str]:
    """The subjects, and the services of those that are sums."""
    found = set(subjects)
    for subject in subjects:
        found.update(belongs.services.get(subject, ()))
    return found


def exclusion_of(row: ExclusionRow) -> Exclusion:
    """A stored exclusion as the judge takes it."""
    given = row._asdict() | {"subjects": tuple(row.subjects), "down": tuple(row.down)}
    return Exclusion(**given | {"kind": ExclusionKind(row.kind), "filing": Filing(row.filing)})


def tally_row(tally: Tally, policy: Policy) -> TallyRow:
    """A tally as it is stored, with what is printed of it."""
    said = rate(tally.spent, policy)
    return TallyRow(
        says=said.says.value,
        availability=said.availability,
        coverage=said.coverage,
        **msgspec.structs.asdict(tally.spent),
        outages=tally.outages,
        longest_ms=tally.longest_ms,
        restored=tally.restored,
        restored_ms=tally.restored_ms,
        edges=msgspec.json.encode(tally.edges).decode() if tally.edges else "[]",
    )


def tally_of(row: TallyRow) -> Tally:
    edges = _edges.decode(row.edges) if row.edges != "[]" else ()
    return Tally(spent_of(row), row.outages, row.longest_ms, row.restored, row.restored_ms, edges)


def figure_row(subject: str, zone: str, kind: str, figure: Figure, policy: Policy) -> FigureRow:
    """A figure as it is stored and printed."""
    counted = tally_row(figure.counted, policy)
    whole = counted if figure.whole is figure.counted else tally_row(figure.whole, policy)
    return FigureRow(subject, zone, kind, *figure.when, counted, whole)


def figure_of(row: FigureRow) -> Figure:
    """A stored figure as one that can be added to others."""
    counted = tally_of(row.counted)
    whole = counted if row.whole == row.counted else tally_of(row.whole)
    return Figure(When(row.start_ms, row.end_ms, row.as_of_ms), counted, whole)
