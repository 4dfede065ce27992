"""Mail over SMTP to the address a `mailto://` names: our own Message-ID, the server's own reasons."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import localtime
from typing import Any, Literal

from monitor.alerts.text import Message
from monitor.mailing import MailServer, hand_over
from monitor.outcome import Outcome

TLS: dict[str, Literal["tls", "starttls", "none"]] = {
    "ssl": "tls",
    "starttls": "starttls",
    "insecure": "none",
}
"""Modes of Apprise."""


async def send(plugin: Any, message: Message, *, key: str, thread: str, host: str) -> Outcome:
    """Send to everybody the address names. `plugin` is Apprise's reading of it; `thread` joins an incident's.

    Never raises for what the server does.
    """
    mail = _mail(plugin, message, key=key, thread=thread, host=host)
    mode = getattr(plugin.secure_mode, "value", plugin.secure_mode)
    server = MailServer(
        plugin.smtp_host,
        plugin.port or None,
        tls=TLS.get(mode, "offered"),
        user=plugin.user if plugin.password else None,
        password=plugin.password,
        verify=plugin.verify_certificate,
    )
    people = [address for _, address in plugin.targets] + [*plugin.cc, *plugin.bcc]
    return await hand_over(mail, server, sender=plugin.from_addr[1], people=people)


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
