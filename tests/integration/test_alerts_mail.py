"""Mail through a real SMTP server: whole in both languages, one Message-ID however often it is tried."""

from __future__ import annotations

import email
import email.policy
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from monitor.alerts.receivers.opening import receivers
from monitor.config.alerts import AlertsSettings, Receiver
from monitor.demo.kafka import free_port
from monitor.outcome import Fate
from monitor.store.pool import Store, open_store
from tests.integration.notifying import announce, later, log, notifier
from tests.world import World, government

NUMBER = "INC-2026-0001"


class Mailbox:
    """Keeps what it takes. `answers`: what to answer first, then 250."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.offered: list[str] = []  # Message-IDs, of what was put off or refused too
        self.answers: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content: Any = envelope.content
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.offered.append(mail["Message-ID"])
        if self.answers:
            return self.answers.pop(0)
        self.mails.append(mail)
        return "250 kept"


@pytest.fixture
def mailbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mailbox]:
    kept, port = Mailbox(), free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=port)
    controller.start()
    where = f"mailto://127.0.0.1:{port}/?from=monitor@gov.example&to=desk@gov.example&mode=insecure"
    monkeypatch.setenv("DESK", where)
    yield kept
    controller.stop()


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


def settings(language: str = "en") -> AlertsSettings:
    return AlertsSettings(receivers=(Receiver(name="desk", to="env:DESK", language=language),))  # type: ignore[arg-type]


async def fails(store: Store) -> None:
    world = World(store, government(entities=4, services=20))
    await world.begin()
    await world.incident("system:identity")
    await announce(store, NUMBER, "first")


@pytest.mark.parametrize(("language", "word"), [("en", "DOWN"), ("ar", "متوقف")])
async def test_a_mail_has_the_title_as_its_subject_and_one_line_each(
    store: Store, mailbox: Mailbox, language: str, word: str
) -> None:
    await fails(store)
    async with notifier(store, settings(language)) as one:
        await one.turn()
    (mail,) = mailbox.mails
    lines = mail.get_content().splitlines()
    assert (mail["Subject"].startswith(word), mail["To"], len(lines)) == (True, "desk@gov.example", 6)
    assert all(line.strip() for line in lines)
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_a_mail_that_the_server_puts_off_comes_later_under_the_same_message_id(
    store: Store, mailbox: Mailbox
) -> None:
    await fails(store)
    mailbox.answers = ["451 try again"]
    async with notifier(store, settings()) as one:
        await one.turn()
        (put_off,) = await log(store)
        await later(store, 10)
        await one.turn()
    (kept,) = await log(store)
    assert (put_off.state, put_off.said) == ("waiting", "the mail server answered 451")
    assert (kept.state, kept.tries) == ("sent", 2)
    assert len(mailbox.offered) == 2
    assert len({*mailbox.offered}) == 1


async def test_a_mail_that_is_refused_is_given_up(store: Store, mailbox: Mailbox) -> None:
    await fails(store)
    mailbox.answers = ["550 no such mailbox"]
    async with notifier(store, settings()) as one:
        await one.turns(2)
    (given_up,) = await log(store)
    assert (given_up.state, given_up.said) == ("failed", "the mail server answered 550")


async def test_messages_of_an_incident_stand_together_in_a_mailbox(store: Store, mailbox: Mailbox) -> None:
    await fails(store)
    async with notifier(store, settings()) as one:
        await one.turn()
        await announce(store, NUMBER, "raised")
        await one.turn()
    assert {mail["References"] for mail in mailbox.mails} == {f"<{NUMBER}@monitor.example>"}
    assert len({mail["Message-ID"] for mail in mailbox.mails}) == 2


async def test_a_mail_server_that_is_away_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK", f"mailto://127.0.0.1:{free_port()}/?from=a@b.example&to=c@d.example")
    given = settings().receivers
    async with receivers(given, host="monitor.example") as opened:
        from monitor.alerts.text import Message

        outcome = await opened.send("desk", Message("T", ("L",)), key="k")
    assert (outcome.fate, "127.0.0.1" in outcome.said) == (Fate.PASSING, False)
