"""What can be written under `public:` of the policy: when the public is told of what fails."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from monitor.model import PublicRules


def Meta(description: str, **rules: Any) -> msgspec.Meta:  # noqa: N802 - reads as the Meta it makes
    return msgspec.Meta(description=description, **rules)


_RULES = PublicRules()


class PublicForm(msgspec.Struct, frozen=True, kw_only=True):
    """When the public page says that something fails, and by when it promises to say more."""

    delay_s: Annotated[
        float,
        Meta(
            "Seconds after a failure was confirmed until it is published; an operator may do so earlier. "
            "Until then the service reads *being checked*.",
            ge=0,
            le=86_400,
        ),
    ] = _RULES.delay_s
    by_hand: Annotated[bool, Meta("Whether only what an operator says is published.")] = _RULES.by_hand
    update_s: Annotated[
        float,
        Meta("The next update is promised so many seconds after the last word.", ge=60, le=86_400),
    ] = _RULES.update_s
    language: Annotated[
        Literal["", "ar", "en"],
        Meta("Language of the page at the root. Empty: the first of `languages`."),
    ] = ""
