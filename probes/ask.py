"""Ask one target once: one deadline over everything, and every ending is an answer."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import msgspec

from probes import certificates, dns, http, icmp, network, plain, tcp, tls
from probes.catalogue import Ask
from probes.contract import Answer, Outcome, ProberFault, Reason, SecretUnavailable, TargetFailed, Trace

# one question goes to one kind: the type of the settings picks it
PROBES: dict[type, Callable[[Any, Trace], Awaitable[Answer]]] = {
    kind.Settings: kind.probe for kind in (http, tls, tcp, dns, icmp)
}
WAITING = {
    "dns": "resolving the name",
    "connect": "connecting",
    "tls": "in the TLS handshake",
    "first_byte": "waiting for first byte",
    "transfer": "reading the answer",
    "rtt": "waiting for an echo",
}
CLOSING_TURNS = 3  # turns of the loop in which transports that were cut off finish closing


async def ask(settings: Ask, *, within_s: float, objective_ms: float | None = None) -> Answer:
    """One attempt, answered within `within_s` seconds, redirects and a dripping body included.

    Never raises but CancelledError. A target's failure is *down* with its reason; a fault of this machine or
    a bug is *unknown*. *Up*, but with its phases together over `objective_ms`, is *degraded* (slow).
    """
    trace = Trace()
    try:
        async with asyncio.timeout(within_s):
            answer = await PROBES[type(settings)](settings, trace)
    except TimeoutError:
        return _late(trace, within_s)
    except SecretUnavailable as error:
        return trace.unknown(Reason.SECRET, str(error))
    except ProberFault as error:
        return trace.unknown(Reason.FAULT, str(error))
    except TargetFailed as failure:
        return trace.down(failure.reason, failure.sentence)
    except OSError as error:
        return trace.unknown(Reason.FAULT, _system_words(error))
    except Exception as error:  # noqa: BLE001  # a bug of ours must not look like the target's outage
        return trace.unknown(Reason.FAULT, f"a bug in this probe: {type(error).__name__}")
    return _against_objective(answer, objective_ms)


def _late(trace: Trace, within_s: float) -> Answer:
    """The deadline came. What was already certain stands; else it was too slow, and where."""
    if trace.known is not None:
        return trace.down(trace.known.reason, trace.known.sentence)
    doing = WAITING.get(trace.doing, "at work")
    reason = Reason.DNS_TIMEOUT if trace.doing == "dns" else Reason.TIMEOUT
    return trace.down(reason, f"no answer within {within_s:g} s, {doing}")


def _system_words(error: OSError) -> str:
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    return (
        f"this machine could not ask ({name})"
        if error.errno in network.OURS
        else f"a bug in this probe: {name}"
    )


def _against_objective(answer: Answer, objective_ms: float | None) -> Answer:
    took_ms = sum(answer.phases_ms.values())  # not our own waits between them
    if objective_ms is None or answer.outcome is not Outcome.UP or took_ms <= objective_ms:
        return answer
    return msgspec.structs.replace(
        answer,
        outcome=Outcome.DEGRADED,
        reason=Reason.SLOW,
        sentence=f"took {took_ms:.0f} ms, the objective is {objective_ms:g} ms",
    )


class Asker:
    """What a process that asks all day opens once: `async with Asker() as asker: await asker.ask(…)`.

    Opening loads the trusted roots before the first probe needs them; closing gives connections that were cut
    off the moment they need to be gone. Connections are never shared: every probe makes its own.
    """

    async def __aenter__(self) -> Self:
        self._stamping = plain.stamping()
        await asyncio.to_thread(certificates.prepare)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._stamping.close()
        for _ in range(CLOSING_TURNS):
            await asyncio.sleep(0)

    async def ask(self, settings: Ask, *, within_s: float, objective_ms: float | None = None) -> Answer:
        """See `ask`."""
        return await ask(settings, within_s=within_s, objective_ms=objective_ms)


async def ask_once(settings: Ask, *, within_s: float = 10.0, objective_ms: float | None = None) -> Answer:
    """Open, ask, close: for a command that asks a single time."""
    async with Asker() as asker:
        return await asker.ask(settings, within_s=within_s, objective_ms=objective_ms)
