"""Who may write: tokens, and links to sign in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from monitor.commands import asked
from monitor.config.settings import Settings


def create(settings: Settings, name: str, *, role: str, entities: Sequence[str] = ()) -> str:
    """A new token, shown this once. Raises UsageError when the name is taken, StoreUnavailable."""
    from monitor.store import tokens

    return asked(
        settings, lambda store, _: tokens.create_token(store, name, role=tokens.Role(role), entities=entities)
    )


def listed(settings: Settings) -> list[Any]:
    """Every token without its secret. Raises StoreUnavailable."""
    from monitor.store import tokens

    return list(asked(settings, lambda store, _: tokens.list_tokens(store)))


def revoke(settings: Settings, name: str) -> bool:
    """False when there is no such token in force. Raises StoreUnavailable."""
    from monitor.store import tokens

    return bool(asked(settings, lambda store, _: tokens.revoke_token(store, name)))


def sign_in_link(settings: Settings, name: str, role: str) -> str:
    """A link that signs its first user in as `name`. Raises StoreUnavailable."""
    from monitor.store import tokens

    code = asked(settings, lambda store, _: tokens.create_sign_in(store, name, tokens.Role(role)))
    return f"{settings.web.url}/sign-in/{code}"
