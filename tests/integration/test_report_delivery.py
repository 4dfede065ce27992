"""Reports to a real mail server, a folder and a real webhook: taken once, tried again, given up."""

from __future__ import annotations

import asyncio
import email
import email.policy
import errno
import os
import signal
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from prometheus_client import CollectorRegistry

from monitor import mailing
from monitor.config.delivery import DeliverySettings, Recipient, SmtpSettings
from monitor.config.settings import ReportSettings
from monitor.demo import authority
from monitor.demo.child import Child
from monitor.demo.kafka import free_port
from monitor.errors import StoreUnavailable, UsageError
from monitor.judge.terms import terms_of
from monitor.lifetime import Stop
from monitor.model import GOVERNMENT
from monitor.report.asking import Wanted
from monitor.report.asking import publish as publish_asked
from monitor.report.delivery import ways
from monitor.report.delivery.loop import Delivering
from monitor.report.delivery.metrics import DeliveryMetrics
from monitor.report.delivery.plan import Again, release_due, send_again, sign_off
from monitor.report.document import digest, encode
from monitor.report.files import File
from monitor.report.gather import Ask
from monitor.report.publishing import freeze
from monitor.report.times import named_stretch
from monitor.report.voice import DRAFT_MARK
from monitor.store import report_deliveries as table
from monitor.store import report_drafts, reports
from monitor.store.lease import Lease
from monitor.store.pool import Store, open_store
from monitor.store.report_deliveries import Sent, Which
from tests import golden_week as golden
from tests.integration import golden_store
from tests.integration.notifying import Webhook, until, webhook
from tests.reported import publish

ROOT = Path(__file__).parents[2]
LABEL = "2026-W47"
WHICH = Which(GOVERNMENT, LABEL, 1)
URL = "https://monitor.example"


class Mailbox:
    """Keeps what it takes. `to_answers`, `data_answers`: what to answer first, to whom and to what."""

    def __init__(self) -> None:
        self.port = 0
        self.mails: list[EmailMessage] = []
        self.offered: list[str] = []  # Message-IDs, of what was put off or refused too
        self.to_answers: list[str] = []
        self.data_answers: list[str] = []
        self.encrypted = False
        self.on_taken: Callable[[], None] = lambda: None
        self.bye = "221 bye"  # or "hangs", or "cut"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.bye == "hangs":
            await until(server.transport.is_closing)
        if self.bye == "cut":
            server.transport.abort()
        return self.bye

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.to_answers:
            return self.to_answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 known"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content: Any = envelope.content
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.offered.append(mail["Message-ID"])
        if self.data_answers:
            return self.data_answers.pop(0)
        self.encrypted = session.ssl is not None
        self.mails.append(mail)
        self.on_taken()
        return "250 kept"

    @property
    def smtp(self) -> SmtpSettings:
        return SmtpSettings(host="127.0.0.1", port=self.port, tls="none", sender="report@gov.example")


@contextmanager
def serving_mail(**more: Any) -> Iterator[Mailbox]:
    kept = Mailbox()
    kept.port = free_port()
    controller = Controller(kept, hostname="127.0.0.1", port=kept.port, **more)
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with serving_mail() as kept:
        yield kept


@pytest.fixture
async def hook(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Webhook]:
    async with webhook() as opened:
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{opened.port}/report?token=hunter2")
        yield opened


@pytest.fixture
async def store(database: str) -> AsyncIterator[Store]:
    async with open_store(database) as opened:
        yield opened


Answer = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def listening(answer: Answer, context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, int]]:
    """A server on a free port that gives this answer to everything; (address, port)."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner.addresses[0]
    finally:
        await runner.cleanup()


def chair(name: str = "chair", **more: Any) -> Recipient:
    return Recipient(name=name, mail=f"{name}@gov.example", **{"files": ("html",)} | more)


def settings(smtp: SmtpSettings | None, *recipients: Recipient) -> DeliverySettings:
    return DeliverySettings(smtp=smtp or SmtpSettings(), recipients=recipients)


async def published(store: Store, *names: str) -> bytes:
    """The golden week, published and planned to be sent to them."""
    text = await publish(store, golden.golden())
    async with store.transaction() as connection:
        await table.plan(connection, WHICH, names)
    return text


def delivering(store: Store, given: DeliverySettings) -> Delivering:
    metrics = DeliveryMetrics(CollectorRegistry(), [one.name for one in given.recipients])
    return Delivering(store, settings=given, url=URL, metrics=metrics)


async def turn(store: Store, given: DeliverySettings) -> list[Sent]:
    """Everything that is due, by one process; then the log, the oldest first."""
    await delivering(store, given).turn(Stop())
    return (await table.log(store))[::-1]


async def later(store: Store, seconds: float) -> None:
    """As if so many seconds had passed for every delivery and draft."""
    async with store.connection() as connection:
        await connection.execute(
            "update report_delivery set due_at = due_at - make_interval(secs => $1), "
            "lease_until = lease_until - make_interval(secs => $1)",
            float(seconds),
        )
        await connection.execute(
            "update report_draft set review_until = review_until - make_interval(secs => $1)", float(seconds)
        )


def said(rows: list[Sent]) -> list[tuple[str, str, int]]:
    return [(row.state, row.said, row.tries) for row in rows]


# -- mail


async def test_each_recipient_gets_the_report_once_in_its_language(store: Store, mailbox: Mailbox) -> None:
    await published(store, "chair", "minister")
    given = settings(mailbox.smtp, chair(), chair("minister", language="en", files=("pdf", "xlsx")))
    role = delivering(store, given)
    await role.turn(Stop())
    await role.turn(Stop())
    mails = {mail["To"]: mail for mail in mailbox.mails}
    assert len(mailbox.mails) == 2
    names = {to: [part.get_filename() for part in mail.iter_attachments()] for to, mail in mails.items()}
    assert names == {
        "chair@gov.example": ["continuity-2026-W47-government-v1-ar.html"],
        "minister@gov.example": [
            "continuity-2026-W47-government-v1-en.pdf",
            "continuity-2026-W47-government-v1-en.xlsx",
        ],
    }
    assert "تحقق المستهدف" in mails["chair@gov.example"].get_body(("plain",)).get_content()
    assert 'dir="rtl"' in mails["chair@gov.example"].get_body(("html",)).get_content()
    assert "target met" in mails["minister@gov.example"].get_body(("plain",)).get_content()
    assert role._metrics.sent.labels("chair")._value.get() == 1
    assert role._metrics.waiting._value.get() == 0


async def test_a_greylisted_recipient_gets_it_later_under_the_same_message_id(
    store: Store, mailbox: Mailbox
) -> None:
    await published(store, "chair")
    given = settings(mailbox.smtp, chair())
    mailbox.to_answers = ["450 greylisted, try again"]
    assert said(await turn(store, given)) == [("waiting", "the mail server answered 450", 1)]
    mailbox.data_answers = ["451 not yet"]
    await later(store, 10)
    assert said(await turn(store, given)) == [("waiting", "the mail server answered 451", 2)]
    await later(store, 60)
    assert said(await turn(store, given)) == [("sent", "accepted by the mail server", 3)]
    assert len(mailbox.offered) == 2
    assert len({*mailbox.offered}) == 1


async def test_a_refused_recipient_is_given_up_and_the_others_get_theirs(
    store: Store, mailbox: Mailbox
) -> None:
    await published(store, "chair", "minister")
    given = settings(mailbox.smtp, chair(), chair("minister"))
    mailbox.to_answers = ["550 no such mailbox"]
    rows = await turn(store, given)
    assert sorted(row.state for row in rows) == ["failed", "sent"]
    assert len(mailbox.mails) == 1


async def test_a_mail_server_that_is_away_is_tried_again(store: Store) -> None:
    await published(store, "chair")
    smtp = SmtpSettings(host="127.0.0.1", port=free_port(), tls="none", sender="a@b.example")
    [row] = await turn(store, settings(smtp, chair()))
    assert (row.state, row.done_ms, "127.0.0.1" in row.said) == ("waiting", None, False)


async def test_by_starttls_only_to_a_server_whose_authority_is_trusted(store: Store, tmp_path: Path) -> None:
    await published(store, "chair")
    certificate, key = authority.issue(tmp_path, "mail", hosts=["127.0.0.1"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    with serving_mail(tls_context=context) as kept:
        strange = SmtpSettings(host="127.0.0.1", port=kept.port, sender="a@b.example")
        [row] = await turn(store, settings(strange, chair()))
        assert (row.state, row.said, kept.mails) == ("waiting", "its certificate is not trusted", [])
        await later(store, 10)
        trusted = SmtpSettings(
            host="127.0.0.1", port=kept.port, sender="a@b.example", ca=str(authority.ensure(tmp_path))
        )
        [row] = await turn(store, settings(trusted, chair()))
        assert (row.state, kept.encrypted) == ("sent", True)


async def test_killed_between_acceptance_and_record_it_repeats_under_the_same_message_id(
    store: Store, mailbox: Mailbox, database: str, tmp_path: Path
) -> None:
    """At least once: the server took it, we could not write that down, so it comes once more."""
    await published(store, "chair")
    (tmp_path / "monitor.yaml").write_text(
        f"postgres: {{dsn: '{database}'}}\npulse: {{report: 0}}\nreport:\n  delivery:\n"
        f"    smtp: {{host: 127.0.0.1, port: {mailbox.port}, tls: none, sender: report@gov.example}}\n"
        "    recipients: [{name: chair, mail: chair@gov.example}]\n"
    )
    command = [sys.executable, "-m", "monitor", "run", "report", "--config", str(tmp_path / "monitor.yaml")]

    def start() -> Child:
        return Child(command, tmp_path / "report.log", name="report", cwd=ROOT)

    first = start()
    mailbox.on_taken = lambda: os.kill(first.pid, signal.SIGKILL)
    try:
        await until(lambda: len(mailbox.mails) == 1)
    finally:
        await asyncio.to_thread(first.stop)
    mailbox.on_taken = lambda: None
    assert [row.state for row in await table.log(store)] == ["waiting"]
    await later(store, 301)  # its lease runs out
    second = start()

    async def is_sent() -> bool:
        return [row.state for row in await table.log(store)] == ["sent"]

    try:
        await until(is_sent)
    finally:
        await asyncio.to_thread(second.stop)
    assert len(mailbox.offered) == 2
    assert len({*mailbox.offered}) == 1


@pytest.mark.parametrize("bye", ["500 never", "hangs", "cut"])
async def test_what_the_server_took_is_sent_once_however_it_says_good_bye(
    store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch, bye: str
) -> None:
    await published(store, "chair")
    monkeypatch.setattr(mailing, "QUIT_S", 0.2)
    mailbox.bye = bye
    [row] = await turn(store, settings(mailbox.smtp, chair()))
    assert (row.state, row.said, len(mailbox.mails)) == ("sent", "accepted by the mail server", 1)


async def test_what_the_server_took_while_postgresql_is_away_is_sent_once(
    store: Store, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a crash between acceptance and record may repeat it."""
    await published(store, "chair")
    close, away = table.close, [True, True]

    async def closing(*arguments: Any, **more: Any) -> bool:
        if away:
            away.pop()
            raise StoreUnavailable("PostgreSQL: restarting")
        return await close(*arguments, **more)

    monkeypatch.setattr(table, "close", closing)
    role = delivering(store, settings(mailbox.smtp, chair()))
    await role.turn(Stop())
    assert [(row.state, row.tries) for row in await table.log(store)] == [("sent", 1)]
    assert (len(mailbox.mails), role._metrics.sent.labels("chair")._value.get()) == (1, 1)


async def test_who_is_tried_again_and_again_does_not_hold_up_who_was_not_tried_yet(store: Store) -> None:
    await published(store, "hangs", "new")
    async with store.connection() as connection:
        await connection.execute(
            "update report_delivery set tries = 9, due_at = made_at + interval '1 millisecond' "
            "where recipient = 'hangs'"
        )
        await connection.execute("update report_delivery set due_at = made_at where recipient = 'new'")
    await later(store, 1)
    first = await table.claim(store, ["hangs", "new"], lease="x", lease_s=60)
    assert first is not None
    assert first.recipient == "new"


async def test_a_domain_in_another_script_is_written_as_mail_servers_have_it(
    store: Store, mailbox: Mailbox
) -> None:
    await published(store, "chair")
    given = settings(mailbox.smtp, Recipient(name="chair", mail="chair@حكومة.امارات", files=("json",)))
    assert [row.state for row in await turn(store, given)] == ["sent"]
    [mail] = mailbox.mails
    assert mail["To"] == f"chair@{'حكومة.امارات'.encode('idna').decode()}"


async def test_two_processes_send_each_report_once(store: Store, mailbox: Mailbox) -> None:
    names = [f"member-{number}" for number in range(6)]
    await published(store, *names)
    given = settings(mailbox.smtp, *map(chair, names))
    await asyncio.gather(*(delivering(store, given).turn(Stop()) for _ in range(2)))
    assert sorted(mail["To"] for mail in mailbox.mails) == [f"{name}@gov.example" for name in names]


# -- what is not delivered


def measured(role: Delivering) -> dict[str, float]:
    metrics = role._metrics
    gauges = {
        "waiting": metrics.waiting,
        "since": metrics.since_s,
        "given up": metrics.given_up,
        "drafts": metrics.drafts,
        "draft until": metrics.draft_until_s,
    }
    return {name: gauge._value.get() for name, gauge in gauges.items()}


async def test_metrics_say_how_many_wait_since_when_and_how_many_were_given_up(
    store: Store, mailbox: Mailbox
) -> None:
    await published(store, "chair", "minister")
    given = settings(mailbox.smtp, chair(), chair("minister"))
    role = delivering(store, given)
    mailbox.to_answers = ["450 later", "550 never"]
    await role.turn(Stop())
    first = min(row.made_ms for row in await table.log(store)) / 1000
    assert measured(role) == {"waiting": 1, "since": first, "given up": 1, "drafts": 0, "draft until": 0}
    await later(store, 10)
    await role.turn(Stop())
    assert measured(role) == {"waiting": 0, "since": 0, "given up": 1, "drafts": 0, "draft until": 0}
    [refused] = [row.recipient for row in await table.log(store) if row.state == "failed"]
    await send_again(store, given, Again(LABEL, GOVERNMENT, GOVERNMENT, refused, "desk"))
    await role.turn(Stop())
    assert measured(role)["given up"] == 0


async def test_metrics_say_how_many_drafts_wait_and_until_when_in_every_process(store: Store) -> None:
    await golden_store.write(store)
    await freeze(store, ask(), reporting(chair(reviews=True), review_s=3600.0), software="0.1.0", review=True)
    role = delivering(store, settings(None))  # it sends nothing, and leads nothing
    await role.turn(Stop())
    [draft] = await report_drafts.waiting(store)
    assert measured(role) | {"waiting": 0, "since": 0} == {
        "waiting": 0,
        "since": 0,
        "given up": 0,
        "drafts": 1,
        "draft until": draft.review_until_ms / 1000,
    }


async def test_what_waits_for_a_recipient_that_is_no_longer_in_the_settings_is_given_up_after_a_day(
    store: Store, mailbox: Mailbox
) -> None:
    await published(store, "chair", "left")
    given = settings(mailbox.smtp, chair())
    states = {row.recipient: row.state for row in await turn(store, given)}
    assert states == {"chair": "sent", "left": "waiting"}
    async with store.connection() as connection:
        await connection.execute("update report_delivery set made_at = made_at - interval '25 hours'")
    [left] = [row for row in await turn(store, given) if row.recipient == "left"]
    assert (left.state, left.said) == ("failed", "nobody is called so any more")


# -- folder and webhook


async def test_a_folder_holds_the_frozen_bytes_and_nothing_half_written(store: Store, tmp_path: Path) -> None:
    text = await published(store, "archive")
    (tmp_path / "in").mkdir()
    given = settings(None, Recipient(name="archive", folder=str(tmp_path / "in"), files=("json", "html")))
    assert said(await turn(store, given)) == [("sent", "written", 1)]
    files = {each.name: each for each in (tmp_path / "in").iterdir()}
    assert sorted(files) == [
        "continuity-2026-W47-government-v1-ar.html",
        "continuity-2026-W47-government-v1.json",
    ]
    assert files["continuity-2026-W47-government-v1.json"].read_bytes() == text


async def test_a_folder_that_is_not_there_is_waited_for_and_not_made(store: Store, tmp_path: Path) -> None:
    await published(store, "archive")
    given = settings(None, Recipient(name="archive", folder=str(tmp_path / "in"), files=("json",)))
    [row] = await turn(store, given)
    assert (row.state, row.said) == ("waiting", "the folder said: No such file or directory")
    assert not (tmp_path / "in").exists()
    (tmp_path / "in").mkdir()
    await later(store, 10)
    assert [row.state for row in await turn(store, given)] == ["sent"]


async def test_a_folder_that_is_full_is_tried_again_and_keeps_nothing_half_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(store, "archive")
    (tmp_path / "in").mkdir()
    given = settings(None, Recipient(name="archive", folder=str(tmp_path / "in"), files=("json",)))

    def is_full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(ways.os, "fsync", is_full)
        assert said(await turn(store, given)) == [("waiting", "the folder said: No space left on device", 1)]
    assert [*(tmp_path / "in").iterdir()] == []
    await later(store, 10)
    assert [row.state for row in await turn(store, given)] == ["sent"]


async def test_a_folder_that_does_not_answer_holds_up_nobody_and_is_not_asked_twice_at_once(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a share does whose server is gone: no call on it returns, and none can be ended."""
    await published(store, "archive", "other")
    (tmp_path / "in").mkdir()
    (tmp_path / "other").mkdir()
    here, answers, asked = str(tmp_path / "in"), threading.Event(), list[str]()
    put = ways.put

    def hang(folder: Path, file: File) -> None:
        asked.append(folder.name)
        if folder.name == "in":
            answers.wait(30)
        put(folder, file)

    monkeypatch.setattr(ways, "put", hang)
    monkeypatch.setattr(ways, "FOLDER_S", 0.2)
    given = settings(
        None,
        Recipient(name="archive", folder=here, files=("json",)),
        Recipient(name="other", folder=str(tmp_path / "other"), files=("json",)),
    )
    try:
        states = {row.recipient: row.said for row in await turn(store, given)}
        assert states == {"archive": "the folder did not answer within 0.2 s", "other": "written"}
        await later(store, 10)
        states = {row.recipient: row.said for row in await turn(store, given)}
        assert states["archive"] == "the folder has not answered since the last try"
        assert asked.count("in") == 1
    finally:
        answers.set()
    await until(lambda: here not in ways._stuck)
    await later(store, 60)
    assert {row.state for row in await turn(store, given)} == {"sent"}


async def test_a_webhook_is_told_where_the_report_is_and_knows_a_repeat(store: Store, hook: Webhook) -> None:
    text = await published(store, "portal")
    given = settings(None, Recipient(name="portal", webhook="env:HOOK", language="en"))
    hook.answers = [503]
    assert said(await turn(store, given)) == [("waiting", "answered 503", 1)]
    await later(store, 10)
    assert said(await turn(store, given)) == [("sent", "answered 200", 2)]
    first, second = hook.got
    assert first.key == second.key != ""
    assert second.body["links"] == {
        "page": f"{URL}/reports/{LABEL}",
        "pdf": f"{URL}/reports/{LABEL}/files/pdf?version=1&lang=en",
    }
    assert (second.body["event"], second.body["sha256"]) == ("report.published", digest(text))
    assert "target met" in second.body["lines"][0]


async def test_a_webhook_that_refuses_is_given_up_and_its_address_is_said_nowhere(
    store: Store, hook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    await published(store, "portal")
    hook.answers = [403]
    given = settings(None, Recipient(name="portal", webhook="env:HOOK"))
    with caplog.at_level("DEBUG"):
        rows = await turn(store, given)
    assert said(rows) == [("failed", "answered 403", 1)]
    assert "hunter2" not in caplog.text + repr(rows)


async def test_a_webhook_that_does_not_answer_is_left_at_the_deadline_and_asked_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await published(store, "portal")
    monkeypatch.setattr(ways, "POST_S", 0.3)
    left = asyncio.Event()

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """An answer of which there is always one more line to come."""
        with suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while not writer.is_closing():
                writer.write(b"X-More: to come\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        left.set()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        given = settings(None, Recipient(name="portal", webhook="env:HOOK"))
        assert said(await turn(store, given)) == [("waiting", "no answer within 0.3 s", 1)]
        await asyncio.wait_for(left.wait(), 10)


async def test_a_webhook_that_has_moved_is_not_followed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever it names instead has no business with what we send."""
    await published(store, "portal")
    asked: list[str] = []

    async def moved(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with listening(moved) as (_, port):
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{port}/report")
        given = settings(None, Recipient(name="portal", webhook="env:HOOK"))
        assert said(await turn(store, given)) == [("failed", "answered 307", 1)]
    assert asked == ["/report"]


async def test_a_webhook_whose_certificate_is_not_trusted_is_told_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await published(store, "portal")
    certificate, key = authority.issue(tmp_path, "hook", hosts=["127.0.0.1"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    asked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response()

    async with listening(take, context) as (_, port):
        monkeypatch.setenv("HOOK", f"https://127.0.0.1:{port}/report")
        given = settings(None, Recipient(name="portal", webhook="env:HOOK"))
        assert said(await turn(store, given)) == [("waiting", "its certificate is not trusted", 1)]
    assert asked == []


# -- planned with what is published, again because somebody asks


def ask(version: int = 1) -> Ask:
    terms = terms_of(golden.catalogues()[0])
    return Ask(named_stretch(LABEL, terms.zone, week_start=terms.week_start), GOVERNMENT, version)


def reporting(*recipients: Recipient, review_s: float = 0.0) -> ReportSettings:
    return ReportSettings(review_s=review_s, delivery=DeliverySettings(recipients=recipients))


async def test_what_is_published_goes_to_whoever_is_sent_reports_of_that_entity(store: Store) -> None:
    await golden_store.write(store)
    given = reporting(chair(), chair("elsewhere", entity="interior"))
    await freeze(store, ask(), given, software="0.1.0")
    assert [(row.recipient, row.stage) for row in await table.log(store)] == [("chair", "published")]


async def test_somebody_may_have_it_sent_again_to_one_recipient(store: Store, mailbox: Mailbox) -> None:
    await published(store, "chair", "minister")
    given = settings(mailbox.smtp, chair(), chair("minister"))
    await turn(store, given)
    again = Again(LABEL, GOVERNMENT, GOVERNMENT, "chair", "desk")
    assert await send_again(store, given, again) == (WHICH, ["chair"])
    assert await send_again(store, given, again) == (WHICH, ["chair"])  # it waits already
    await turn(store, given)
    assert [mail["To"] for mail in mailbox.mails].count("chair@gov.example") == 2
    assert len(mailbox.mails) == 3
    with pytest.raises(UsageError, match="no recipient of government is called 'chairs'; did you mean"):
        await send_again(store, given, again._replace(to="chairs"))
    with pytest.raises(UsageError, match="no report 2026-W01 is published"):
        await send_again(store, given, again._replace(label="2026-W01"))


# -- reviewers first


async def test_reviewers_get_a_marked_draft_and_sign_off_publishes_the_same_bytes(
    store: Store, mailbox: Mailbox
) -> None:
    await golden_store.write(store)
    reviewer, member = chair("reviewer", reviews=True), chair("member")
    given = reporting(reviewer, member, review_s=3600.0)
    sending = settings(mailbox.smtp, reviewer, member)
    made = await freeze(store, ask(), given, software="0.1.0", review=True)
    await turn(store, sending)
    [mail] = mailbox.mails
    assert (mail["To"], mail["Subject"].startswith(DRAFT_MARK)) == ("reviewer@gov.example", True)
    [attached] = mail.iter_attachments()
    assert "DRAFT" in attached.get_filename()
    assert f'aria-label="{DRAFT_MARK}"' in attached.get_content()
    assert await reports.document(store, scope=GOVERNMENT, label=LABEL) is None
    with pytest.raises(UsageError, match="is a draft with its reviewers"):
        await publish_asked(store, Wanted(LABEL, incomplete=True, by="desk"), given, software="0.1.0")

    sha256 = digest(encode(made))
    draft = await sign_off(store, label=LABEL, scope=GOVERNMENT, by="Fatima", sha256=sha256)
    assert await reports.document(store, scope=GOVERNMENT, label=LABEL) == encode(made)
    assert draft.sha256 == sha256
    await turn(store, sending)
    assert sorted(mail["To"] for mail in mailbox.mails[1:]) == ["member@gov.example", "reviewer@gov.example"]
    with pytest.raises(UsageError, match="no draft 2026-W47 of government waits"):
        await sign_off(store, label=LABEL, scope=GOVERNMENT, by="Fatima", sha256=sha256)


async def test_a_reviewer_gets_the_files_it_asked_for_each_marked_as_a_draft(
    store: Store, mailbox: Mailbox, tmp_path: Path
) -> None:
    await golden_store.write(store)
    (tmp_path / "in").mkdir()
    forms: Any = ("pdf", "xlsx", "json", "html")
    both = (
        chair("reviewer", reviews=True, files=forms, language="en"),
        Recipient(name="archive", folder=str(tmp_path / "in"), files=forms, reviews=True),
    )
    made = await freeze(store, ask(), reporting(*both, review_s=3600.0), software="0.1.0", review=True)
    await turn(store, settings(mailbox.smtp, *both))
    name = f"continuity-{LABEL}-government-v1"
    named = {"en": f"{name}-en-DRAFT", "ar": f"{name}-ar-DRAFT", "": f"{name}-DRAFT"}
    attached = [part.get_filename() for part in mailbox.mails[0].iter_attachments()]
    assert attached == [
        f"{named['en']}.pdf",
        f"{named['en']}.xlsx",
        f"{named['']}.json",
        f"{named['en']}.html",
    ]
    files = {each.name: each.read_bytes() for each in (tmp_path / "in").iterdir()}
    assert files.keys() == {*(f"{named['ar']}.{ending}" for ending in ("pdf", "xlsx", "html")), attached[2]}
    assert files[attached[2]] == encode(made)


async def test_a_webhook_that_reviews_is_led_to_the_files_of_the_draft(store: Store, hook: Webhook) -> None:
    await golden_store.write(store)
    portal = Recipient(name="portal", webhook="env:HOOK", reviews=True, files=("pdf", "xlsx"))
    await freeze(store, ask(), reporting(portal, review_s=3600.0), software="0.1.0", review=True)
    await turn(store, settings(None, portal))
    draft = f"{URL}/reports/{LABEL}/draft"
    [told] = hook.got
    assert told.body["event"] == "report.draft"
    assert told.body["links"] == {
        "page": draft,
        "pdf": f"{draft}/files/pdf?lang=ar",
        "xlsx": f"{draft}/files/xlsx?lang=ar",
    }


async def test_a_draft_nobody_signs_off_is_published_at_its_deadline(store: Store) -> None:
    await golden_store.write(store)
    given = reporting(chair(reviews=True), review_s=3600.0)
    await freeze(store, ask(), given, software="0.1.0", review=True)
    lease = Lease(store, role="report", holder="test")
    await lease.take_or_renew()
    assert await release_due(store, lease) == 0
    await later(store, 3601)
    assert await release_due(store, lease) == 1
    assert await report_drafts.waiting(store) == []
    states = {row.stage: row.state for row in await table.log(store)}
    assert states == {"draft": "dropped", "published": "waiting"}
