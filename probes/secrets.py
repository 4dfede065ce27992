"""The secrets one probe uses, kept apart from everything that is shown."""

from __future__ import annotations

from probes.contract import SecretUnavailable, found, resolve_secret

HIDDEN = "***"
SHORTEST = 3  # hiding every "a" of a page would hide the page


class Secrets:
    """Resolves references and then hides what it resolved in every text that leaves the probe."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: list[str] = []

    def __repr__(self) -> str:
        return f"<{len(self._values)} secrets>"

    def resolve(self, reference: str) -> str:
        """The value behind `env:` or `file:`. Raises SecretUnavailable, also when it would break a header."""
        value = resolve_secret(reference)
        if any(character in value for character in "\r\n\0"):
            raise SecretUnavailable(f"the secret at {reference} holds a line break")
        return self.note(value)

    def note(self, value: str) -> str:
        """Hide this value too (a form the secret travels in)."""
        if len(value) >= SHORTEST and value not in self._values:
            self._values.append(value)
            self._values.sort(key=len, reverse=True)  # the longest first, or its rest would stay
        return value

    def hide(self, text: str) -> str:
        for value in self._values:
            text = text.replace(value, HIDDEN)
        return text

    def found(self, value: object) -> str:
        """At most 80 characters of what was found, secrets hidden before the cut."""
        return found(self.hide(str(value)))
