"""Mail over SMTP to the address a `mailto://` names: our own Message-ID, the server's own reasons."""

from __future__ import annotations

import asyncio
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime
from typing import Any

import aiosmtplib

from monitor.alerts.policy import Fate, Outcome
from monitor.alerts.text import Message

SMTP_S = 15.0


async def send(plugin: Any, message: Message, *, key: str, thread: str, host: str) -> Outcome:
    """Send to everybody the address names. `plugin` is Apprise's reading of it; `thread` joins an incident's.

    Never raises for what the server does.
    """
    mail = _mail(plugin, message, key=key, thread=thread, host=host)
    mode = getattr(plugin.secure_mode, "value", plugin.secure_mode)
    people = [address for _, address in plugin.targets] + [*plugin.cc, *plugin.bcc]
    try:
        async with asyncio.timeout(SMTP_S):
            await aiosmtplib.send(
                mail,
                sender=plugin.from_addr[1],
                recipients=people,
                hostname=plugin.smtp_host,
                port=plugin.port or None,
                username=plugin.user if plugin.password else None,
                password=plugin.password,
                use_tls=mode == "ssl",
                start_tls=True if mode == "starttls" else False if mode == "insecure" else None,
                validate_certs=plugin.verify_certificate,
                timeout=SMTP_S,
            )
    except aiosmtplib.SMTPRecipientsRefused as error:
        return _refused([refused.code for refused in error.recipients])
    except aiosmtplib.SMTPResponseException as error:
        return _refused([error.code])
    except TimeoutError:
        return Outcome(Fate.PASSING, f"no answer within {SMTP_S:g} s")
    except (aiosmtplib.SMTPException, OSError) as error:
        return Outcome(Fate.PASSING, type(error).__name__)
    return Outcome(Fate.ACCEPTED, "accepted by the mail server")


def _refused(codes: list[int]) -> Outcome:
    """5xx is for good, 4xx for now; who may sign in is settled by neither and mended by a person."""
    permanent = all(code >= 500 for code in codes)
    said = "the mail server answered " + ", ".join(str(code) for code in sorted(set(codes)))
    return Outcome(Fate.PERMANENT if permanent else Fate.PASSING, said)


def _mail(plugin: Any, message: Message, *, key: str, thread: str, host: str) -> EmailMessage:
    mail = EmailMessage()
    name, address = plugin.from_addr
    mail["Subject"] = message.title
    mail["From"] = Address(display_name=name or "", addr_spec=address)
    mail["To"] = [Address(display_name=who or "", addr_spec=to) for who, to in plugin.targets]
    mail["Date"] = localtime()
    mail["Message-ID"] = f"<{key}@{host}>"
    if thread:
        mail["References"] = f"<{thread}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.body, cte="base64")
    return mail
