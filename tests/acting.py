"""A person at the pages and a program at the API: signing in, sending forms, reading what is there."""

from __future__ import annotations

import html
import re
from typing import Any

from monitor.store import tokens
from monitor.store.tokens import Role
from tests.serving import Served


def words(page: str) -> str:
    """What a person reads: no tags, single spaces."""
    main = page.partition("<main")[2]
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


async def bearer(served: Served, name: str = "Night desk", role: Role = Role.OPERATOR) -> dict[str, str]:
    return {"Authorization": f"Bearer {await tokens.create_token(served.store, name, role=role)}"}


async def sign_in(served: Served, name: str = "Night desk", role: Role = Role.OPERATOR) -> None:
    """The browser of the test becomes that person's."""
    code = await tokens.create_sign_in(served.store, name, role)
    csrf = await field(served, f"/sign-in/{code}")
    async with served.http.post(f"{served.url}/sign-in/{code}", data={"csrf": csrf}) as answer:
        assert answer.status == 200


async def field(served: Served, path: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', await served.text(path))
    assert found
    return found[1]


async def post(served: Served, path: str, **sent: Any) -> tuple[int, str]:
    async with served.http.post(served.url + path, allow_redirects=False, **sent) as answer:
        return answer.status, await answer.text()


async def audited(served: Served) -> list[tuple[object, ...]]:
    async with served.store.connection() as connection:
        rows = await connection.fetch(
            "select actor, action, object from audit where action like 'incident.%' order by id"
        )
    return [tuple(row) for row in rows]
