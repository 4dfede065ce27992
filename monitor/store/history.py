"""What pages and API tell of the past: timelines, attempts page by page, latency by phase, gaps."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import asyncpg
import msgspec

from monitor.facts import Attempt, Bucket, Gap, Standing
from monitor.store.pool import Store
from monitor.store.times import millis, millis_or_none, moment

ATTEMPTS_MAX = 500
STEPS_MAX = 5000
GAPS_MAX = 500

_phases = msgspec.json.Decoder(dict[str, float])
_failed = msgspec.json.Decoder(list[dict[str, object]])


class Page(NamedTuple):
    """Where a listing of attempts goes on: after the attempt with this identity, newest first."""

    due_ms: int
    check: str
    vantage: str
    attempt: int


FIRST_PAGE = Page(2**52, "", "", 0)


async def timelines(
    store: Store, *, layer: str, subjects: Collection[str], from_ms: int, to_ms: int
) -> dict[str, list[Standing]]:
    """Per subject, the standing changes in [from, to) and the last one before it, oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select c.layer, c.subject, c.at, c.verdict, c.reason, c.cause
              from unnest($2::text[]) s(subject)
              join change c on c.subject = s.subject and c.layer = $1 and c.withdrawn_at is null and c.at < $4
               and c.at >= coalesce((select max(b.at) from change b where b.subject = s.subject
                    and b.layer = $1 and b.withdrawn_at is null and b.at <= $3), '-infinity'::timestamptz)
             order by c.subject, c.at limit $5
            """,
            layer,
            list(subjects),
            moment(from_ms),
            moment(to_ms),
            STEPS_MAX,
        )
    found: dict[str, list[Standing]] = {}
    for row in rows:
        step = Standing(
            row["layer"], row["subject"], millis(row["at"]), row["verdict"], row["reason"], row["cause"]
        )
        found.setdefault(step.subject, []).append(step)
    return found


async def attempts(
    store: Store,
    *,
    checks: Collection[str],
    from_ms: int,
    to_ms: int,
    outcomes: Sequence[str] = (),
    after: Page = FIRST_PAGE,
    limit: int = 100,
) -> list[Attempt]:
    """Attempts due in [from, to), newest first, after `after`; every outcome when none is named."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select o.* from unnest($1::text[]) u(check_key), lateral (
                select * from observation
                 where check_key = u.check_key and due >= $2 and due < $3
                   and (cardinality($4::text[]) = 0 or outcome = any ($4))
                   and due <= $5
                   and (due < $5 or (check_key, vantage, attempt) > ($6, $7, $8))
                 order by due desc, vantage, attempt limit $9) o
             order by o.due desc, o.check_key, o.vantage, o.attempt limit $9
            """,
            list(checks),
            moment(from_ms),
            moment(to_ms),
            list(outcomes),
            moment(min(after.due_ms, to_ms)),
            after.check,
            after.vantage,
            after.attempt,
            min(limit, ATTEMPTS_MAX),
        )
    return [_attempt(row) for row in rows]


def _attempt(row: asyncpg.Record) -> Attempt:
    expires = row["certificate_expires"]
    return Attempt(
        check=row["check_key"],
        vantage=row["vantage"],
        due_ms=millis(row["due"]),
        attempt=row["attempt"],
        outcome=row["outcome"],
        reason=row["reason"],
        sentence=row["sentence"],
        every_ms=row["every_ms"],
        late_ms=row["late_ms"],
        took_ms=row["took_ms"],
        phases_ms=_phases.decode(row["phases_ms"]),
        status=row["status"],
        size_bytes=row["size_bytes"],
        certificate_expires_ms=millis_or_none(expires),
        failed=_failed.decode(row["failed"] or "[]"),
        serial=row["serial"],
        skewed=row["skewed"],
        beyond=row["beyond"],
    )


async def latency(
    store: Store, *, checks: Collection[str], from_ms: int, to_ms: int, width_ms: int
) -> dict[str, list[Bucket]]:
    """Per check, the mean of each phase that finished, in buckets of `width_ms`, oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select o.check_key, date_bin(make_interval(secs => $4), o.due, $2) as bucket, p.key as phase,
                   avg(p.value::float8) as mean_ms
              from observation o, jsonb_each_text(o.phases_ms) p
             where o.check_key = any ($1) and o.due >= $2 and o.due < $3
             group by 1, 2, 3 order by 1, 2, 3
            """,
            list(checks),
            moment(from_ms),
            moment(to_ms),
            width_ms / 1000,
        )
    found: dict[str, list[Bucket]] = {}
    for row in rows:
        buckets = found.setdefault(row["check_key"], [])
        at_ms = millis(row["bucket"])
        if not buckets or buckets[-1].at_ms != at_ms:
            buckets.append(Bucket(at_ms, {}))
        buckets[-1].phases_ms[row["phase"]] = row["mean_ms"]
    return found


async def gaps(store: Store, *, checks: Collection[str], from_ms: int, to_ms: int) -> list[Gap]:
    """Gaps that touch [from, to), oldest first."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            """
            select check_key, vantage, first_due, last_due, beats, why from gap
             where check_key = any ($1) and last_due >= $2 and first_due < $3
             order by first_due, check_key, vantage limit $4
            """,
            list(checks),
            moment(from_ms),
            moment(to_ms),
            GAPS_MAX,
        )
    return [
        Gap(
            row["check_key"],
            row["vantage"],
            millis(row["first_due"]),
            millis(row["last_due"]),
            row["beats"],
            row["why"],
        )
        for row in rows
    ]
