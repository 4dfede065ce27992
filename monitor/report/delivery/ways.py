"""The ways out: a mail with the files, a folder they appear in, a webhook that is told where they are."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp

from monitor.config.delivery import SmtpSettings
from monitor.config.settings import secret
from monitor.mailing import MailServer, hand_over
from monitor.outcome import Fate, Outcome, of_connection, of_status, seconds_asked
from monitor.report.delivery.letter import Letter
from monitor.report.files import File
from probes.contract import SecretUnavailable, resolve_secret

MAIL_S = 60.0  # a report with its files is larger than a message
POST_S = 15.0
FOLDER_S = 60.0
_stuck: set[str] = set()


async def by_mail(
    given: SmtpSettings, to: str, letter: Letter, files: Sequence[File], *, message_id: str
) -> Outcome:
    """One mail to one address. Never raises for what the server does."""
    try:
        password = secret(given.password)
    except SecretUnavailable as error:  # its text names the reference only
        return Outcome(Fate.PASSING, str(error))
    server = MailServer(
        given.host,
        given.port,
        tls=given.tls,
        user=given.user or None,
        password=password or None,
        ca=given.ca or None,
    )
    try:
        sender, person = _ascii(given.sender), _ascii(to)
    except UnicodeError:
        return Outcome(Fate.PERMANENT, "the domain of an address is none")
    mail = mail_of(letter, files, sender=sender, to=person, message_id=message_id)
    return await hand_over(mail, server, sender=sender, people=[person], within_s=MAIL_S)


def _ascii(address: str) -> str:
    """The address with its domain as mail servers have it. Raises UnicodeError."""
    name, _, domain = address.rpartition("@")
    return f"{name}@{domain.encode('idna').decode()}"


def mail_of(letter: Letter, files: Sequence[File], *, sender: str, to: str, message_id: str) -> EmailMessage:
    """Text, the same as HTML in the direction of its language, and the files."""
    mail = EmailMessage()
    mail["Subject"] = letter.title
    mail["From"] = Address(addr_spec=sender)
    mail["To"] = Address(addr_spec=to)
    mail["Date"] = localtime()
    mail["Message-ID"] = message_id
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text, cte="base64")
    mail.add_alternative(letter.html, subtype="html", cte="base64")
    for file in files:
        kind, _, more = file.content_type.partition(";")
        main, _, rest = kind.partition("/")
        charset = {"charset": "utf-8"} if "charset" in more else None
        mail.add_attachment(
            file.body, maintype=main, subtype=rest, filename=file.name, params=charset, cte="base64"
        )
    mail["Content-Language"] = letter.language  # last: what comes before belongs to the first part
    return mail


async def to_folder(folder: str, files: Sequence[File]) -> Outcome:
    """Every file whole or not there; one of the same name is replaced.

    A folder that is not there is not made: it may be a share that is not mounted.
    """
    if folder in _stuck:
        return Outcome(Fate.PASSING, "the folder has not answered since the last try")
    writing = asyncio.create_task(asyncio.to_thread(_put_all, folder, files))
    try:
        async with asyncio.timeout(FOLDER_S):
            await asyncio.shield(writing)
    except TimeoutError:
        _stuck.add(folder)  # its thread cannot be ended: one is enough
        writing.add_done_callback(partial(_free, folder))
        return Outcome(Fate.PASSING, f"the folder did not answer within {FOLDER_S:g} s")
    except OSError as error:
        return Outcome(Fate.PASSING, f"the folder said: {error.strerror or type(error).__name__}")
    return Outcome(Fate.ACCEPTED, "written")


def _free(folder: str, writing: asyncio.Task[None]) -> None:
    _stuck.discard(folder)
    if not writing.cancelled():
        writing.exception()  # told already that it did not answer


def _put_all(folder: str, files: Sequence[File]) -> None:
    for file in files:
        put(Path(folder).expanduser(), file)


def put(folder: Path, file: File) -> None:
    """Written beside its place, then moved there in one step. Raises OSError."""
    handle, beside = tempfile.mkstemp(prefix=".", suffix=".part", dir=folder)
    try:
        with os.fdopen(handle, "wb") as open_file:
            open_file.write(file.body)
            open_file.flush()
            os.fchmod(handle, 0o644)
            os.fsync(handle)
        Path(beside).replace(folder / file.name)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


async def to_webhook(reference: str, told: dict[str, Any], *, key: str) -> Outcome:
    """Posted as JSON. Never raises for what the other side does; what comes back holds no address."""
    try:
        address = resolve_secret(reference)
    except SecretUnavailable as error:
        return Outcome(Fate.PASSING, str(error))
    try:
        async with (
            asyncio.timeout(POST_S),
            aiohttp.ClientSession(trust_env=False) as session,
            session.post(
                address.strip(), json=told, headers={"Idempotency-Key": key}, allow_redirects=False
            ) as response,
        ):
            return of_status(response.status, wait_s=seconds_asked(response.headers.get("Retry-After")))
    except TimeoutError:
        return Outcome(Fate.PASSING, f"no answer within {POST_S:g} s")
    except aiohttp.InvalidURL:
        return Outcome(Fate.PERMANENT, f"{reference} holds no address")
    except (aiohttp.ClientError, OSError) as error:
        return of_connection(error)
