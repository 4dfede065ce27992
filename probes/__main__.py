"""Ask once from a shell: `python -m probes https://host/` or `python -m probes '{"kind": "tcp", …}'`."""

from __future__ import annotations

import asyncio
import sys

import msgspec

from probes.ask import ask_once
from probes.catalogue import Ask, from_url
from probes.contract import Outcome

USAGE = "usage: python -m probes URL | JSON-SETTINGS"
FOUND_PROBLEMS, WRONG_USAGE = 1, 2


def main(arguments: list[str]) -> int:
    """Print the answer as JSON. 0 when up or degraded, 1 when down or unknown, 2 on wrong usage."""
    if len(arguments) != 1:
        sys.stderr.write(USAGE + "\n")
        return WRONG_USAGE
    try:
        text = arguments[0]
        settings = msgspec.json.decode(text, type=Ask) if text.startswith("{") else from_url(text)
    except (ValueError, msgspec.DecodeError) as error:
        sys.stderr.write(f"{error}\n{USAGE}\n")
        return WRONG_USAGE
    answer = asyncio.run(ask_once(settings))
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n")
    return 0 if answer.outcome in (Outcome.UP, Outcome.DEGRADED) else FOUND_PROBLEMS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
