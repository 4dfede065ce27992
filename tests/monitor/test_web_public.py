"""What operators tell the public: by form, API and command; a promise that was missed is shown to them."""

from __future__ import annotations

import asyncio
from zoneinfo import ZoneInfo

import pytest

from monitor.commands import public
from monitor.config.settings import PostgresSettings, Settings
from monitor.errors import UsageError
from monitor.judge.incidents import Incident
from monitor.judge.promises import next_at, overdue, promised_ms, published_ms, word
from monitor.judge.troubles import Sign
from monitor.model import PublicRules
from monitor.store import public as table
from monitor.store.tokens import Role
from tests.acting import bearer, field, post, sign_in, words
from tests.monitor.public_scene import incident, ms, said
from tests.serving import serving

NUMBER = "INC-2026-0001"
PAGE, API = f"/incidents/{NUMBER}", f"/api/v1/incidents/{NUMBER}/public"
RULES = PublicRules()


# -- pure ----------------------------------------------------------------------------------------------------


def failing(**more: object) -> Incident:
    return incident("service:passport/web", since_s=0.0, known_s=60.0, **more)  # type: ignore[arg-type]


def test_the_next_update_is_promised_after_the_last_word() -> None:
    assert [
        promised_ms(failing(), those, RULES)
        for those in ([], [said(120.0)], [said(120.0), said(900.0)], [said(900.0, next_s=1000.0)])
    ] == [ms(2160.0), ms(1920.0), ms(2700.0), ms(1000.0)]


@pytest.mark.parametrize("sign", [Sign.CERTIFICATE, Sign.HEADLINE])
def test_what_people_do_not_notice_is_never_published(sign: Sign) -> None:
    assert published_ms(failing(sign=sign), [said(120.0)], RULES) is None


def test_a_promise_is_missed_once_its_hour_is_there_while_it_fails() -> None:
    over = failing(state="closed", closed_ms=ms(2000.0))
    assert [
        overdue(one, [], RULES, now_ms=ms(at_s))
        for one, at_s in ((failing(), 2159.0), (failing(), 2160.0), (over, 9000.0))
    ] == [False, True, False]


def test_an_hour_that_is_over_today_is_tomorrows() -> None:
    zone, now_ms = ZoneInfo("Asia/Dubai"), ms(0.0)  # 18:13:20
    assert [
        round((next_at(text, zone=zone, now_ms=now_ms) - now_ms) / 1000) for text in ("18:15", "18:13")
    ] == [
        100,
        86_380,
    ]


@pytest.mark.parametrize("text", ["", "25:00", "quarter past", "1445"])
def test_an_hour_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write HH:MM"):
        next_at(text, zone=ZoneInfo("UTC"), now_ms=0)


@pytest.mark.parametrize(
    ("texts", "due_ms", "why"),
    [
        ({"en": "On it"}, None, "text in ar is missing"),
        ({"en": "x" * 501, "ar": "س"}, None, "at most 500"),
        ({}, 999, "within a day from now"),
        ({}, 1000 + 86_400_001, "within a day from now"),
    ],
)
def test_a_word_that_cannot_be_published_says_what_is_wrong(
    texts: dict[str, str], due_ms: int | None, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        word(texts, ("ar", "en"), next_update_ms=due_ms, now_ms=1000)


# -- on pages, API and command line --------------------------------------------------------------------------


async def test_an_operator_tells_the_public_from_the_incidents_page(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("service:s0001", channels=("service:s0001/web",))
        await sign_in(served)
        csrf = await field(served, PAGE)
        sent = {"csrf": csrf, "ar": "نعمل على إعادتها", "en": "We are working on it", "next": "23:59"}
        status, _ = await post(served, f"{PAGE}/public", data=sent)
        text = words(await served.text(PAGE))
        [kept] = await table.said_of(served.store, NUMBER)
    assert (status, kept.ar, kept.en, kept.said_by) == (303, sent["ar"], sent["en"], "Night desk")
    assert kept.next_update_ms is not None
    assert "It has been on the public page since" in text
    assert "We are working on it" in text


async def test_before_anybody_says_so_the_page_tells_when_it_will_be_published(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("service:s0001", channels=("service:s0001/web",))
        text = words(await served.text(PAGE))
    assert "It will be on the public page at" in text


async def test_a_missed_promise_is_shown_on_the_incident_and_in_the_list(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("service:s0001", channels=("service:s0001/web",))
        async with served.store.transaction() as connection:
            await connection.execute(
                "insert into public_message (incident, ar, en, said_at, next_update, said_by) "
                "values ($1, '', '', now() - interval '1 hour', now() - interval '1 minute', 'Desk')",
                NUMBER,
            )
        page, listed = words(await served.text(PAGE)), words(await served.text("/incidents"))
    assert "and there is none. Say what is new" in page
    assert f"{NUMBER} The public was promised an update on it, and there is none." in listed


async def test_the_api_publishes_and_says_what_is_published(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("service:s0001", channels=("service:s0001/web",))
        before = await served.json(API)
        sent = {"ar": "نعمل", "en": "On it"}
        status, _ = await post(served, API, json=sent, headers=await bearer(served))
        after = await served.json(API)
    [item] = after["items"]  # type: ignore[misc]
    assert (status, before["items"], item["said_by"], after["update_missed"]) == (
        201,
        [],
        "Night desk",
        False,
    )


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"en": "On it"}, 400),
        ({"next_update": "soon"}, 400),
        ({"next_update": "2026-11-16T14:45:00"}, 400),
        ({"next_update": "2020-01-01T00:00:00Z"}, 400),
    ],
)
async def test_a_bad_word_is_refused(database: str, sent: dict[str, str], status: int) -> None:
    async with serving(database) as served:
        await served.world.incident("service:s0001")
        answer = await post(served, API, json=sent, headers=await bearer(served))
    assert answer[0] == status


async def test_only_an_operator_from_our_own_page_tells_the_public(database: str) -> None:
    async with serving(database) as served:
        await served.world.incident("service:s0001")
        nobody = await post(served, API, json={})
        viewer = await post(served, API, json={}, headers=await bearer(served, "Reader", Role.VIEWER))
        await sign_in(served)
        crossed = await post(
            served, f"{PAGE}/public", data={"csrf": "x"}, headers={"Origin": "https://evil.example"}
        )
        kept = await table.said_of(served.store, NUMBER)
    assert ([nobody[0], viewer[0], crossed[0]], kept) == ([401, 403, 403], [])


async def test_the_command_tells_the_public_under_a_name(database: str) -> None:
    settings = Settings(postgres=PostgresSettings(dsn=database))
    async with serving(database) as served:
        await served.world.incident("service:s0001", channels=("service:s0001/web",))

        def say(number: str) -> None:
            public.say(settings, number, ar="نعمل", en="On it", clock="23:59", by="Desk")

        await asyncio.to_thread(say, NUMBER)
        with pytest.raises(UsageError, match="no incident 'INC-1'"):
            await asyncio.to_thread(say, "INC-1")
        [kept] = await table.said_of(served.store, NUMBER)
        async with served.store.connection() as connection:
            found = await connection.fetch(
                "select actor, action, object from audit where action like 'public.%'"
            )
    assert (kept.en, kept.said_by, [tuple(row) for row in found]) == (
        "On it",
        "Desk",
        [("Desk", "public.said", NUMBER)],
    )
