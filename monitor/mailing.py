"""Hands one mail to a mail server, and says whether it was taken: for now, for good, or not yet."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email.message import EmailMessage
from typing import Literal, NamedTuple

import aiosmtplib

from monitor.outcome import Fate, Outcome, of_connection

SMTP_S = 15.0
QUIT_S = 2.0


class MailServer(NamedTuple):
    """Where mail is handed over. `tls`: from the start, after STARTTLS, where it is offered, or never."""

    host: str
    port: int | None
    tls: Literal["tls", "starttls", "offered", "none"] = "offered"
    user: str | None = None
    password: str | None = None
    verify: bool = True
    ca: str | None = None  # PEM file of the authorities to trust; unset: the system's


async def hand_over(
    mail: EmailMessage, server: MailServer, *, sender: str, people: Sequence[str], within_s: float = SMTP_S
) -> Outcome:
    """Send to `people`. Never raises for what the server does, and what it answers names no address."""
    client = _client(server, within_s)
    try:
        async with asyncio.timeout(within_s):
            await client.connect()
            await client.send_message(mail, sender=sender, recipients=list(people))
    except aiosmtplib.SMTPRecipientsRefused as error:
        return _refused([refused.code for refused in error.recipients])
    except aiosmtplib.SMTPResponseException as error:
        return _refused([error.code])
    except TimeoutError:
        return Outcome(Fate.PASSING, f"no answer within {within_s:g} s")
    except (aiosmtplib.SMTPException, OSError) as error:
        return of_connection(error)
    finally:
        await _leave(client)
    return Outcome(Fate.ACCEPTED, "accepted by the mail server")


def _client(server: MailServer, within_s: float) -> aiosmtplib.SMTP:
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.user,
        password=server.password,
        use_tls=server.tls == "tls",
        start_tls={"starttls": True, "none": False}.get(server.tls),
        validate_certs=server.verify,
        cert_bundle=server.ca,
        timeout=within_s,
    )


async def _leave(client: aiosmtplib.SMTP) -> None:
    """What was taken stays taken, however the server says good-bye."""
    try:
        if client.is_connected:
            async with asyncio.timeout(QUIT_S):
                await client.quit()
    except (aiosmtplib.SMTPException, OSError):  # a time-out is one too
        pass
    finally:
        client.close()


def _refused(codes: list[int]) -> Outcome:
    """5xx is for good, 4xx for now; who may sign in is settled by neither and mended by a person."""
    permanent = all(code >= 500 for code in codes)
    said = "the mail server answered " + ", ".join(str(code) for code in sorted(set(codes)))
    return Outcome(Fate.PERMANENT if permanent else Fate.PASSING, said)
