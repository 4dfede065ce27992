"""Where the judge of each subject's own checks stands, locked in key order while a batch is judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import asyncpg

from monitor.store.pool import Store


async def load(store: Store, *, cluster: str, partition: int) -> dict[str, str]:
    """Documents of a partition's subjects, by subject."""
    async with store.connection() as connection:
        rows = await connection.fetch(
            "select subject, document from state where cluster = $1 and partition = $2", cluster, partition
        )
    return {row["subject"]: row["document"] for row in rows}


async def keep(
    connection: asyncpg.Connection, documents: Mapping[str, str], *, cluster: str, partition: int
) -> None:
    """Store the documents; rows are locked in key order, so that two judges can never wait for each other."""
    subjects: Sequence[str] = sorted(documents)
    await connection.execute(
        """
        insert into state (subject, cluster, partition, document)
        select u.subject, $3, $4, u.document from unnest($1::text[], $2::text[]) u(subject, document)
         order by u.subject
        on conflict (subject) do update
           set cluster = excluded.cluster, partition = excluded.partition, document = excluded.document
        """,
        subjects,
        [documents[subject] for subject in subjects],
        cluster,
        partition,
    )
