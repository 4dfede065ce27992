"""ICMP: does this host answer an echo, how fast, and how many are lost?"""

from __future__ import annotations

import asyncio
import time

import icmplib

from probes.contract import Answer, Failed, ProberFault, Reason, TargetFailed, Trace
from probes.icmp_settings import Settings, target
from probes.resolve import resolve

__all__ = ["Settings", "probe", "target"]


async def probe(settings: Settings, trace: Trace) -> Answer:
    """Send the echoes; phase `rtt` is their mean. Raises ProberFault without the permission to send them."""
    try:
        address = await resolve(
            settings.host, family=settings.address_family, resolver=settings.resolver, trace=trace
        )
    except TargetFailed as failure:
        return trace.down(failure.reason, failure.sentence)
    trace.doing = "rtt"
    took_ms: list[float] = []
    for number in range(settings.count):
        if number:
            await asyncio.sleep(settings.pause_ms / 1000)
        if (one_ms := await _echo(address, wait_s=settings.wait_ms / 1000)) is not None:
            took_ms.append(one_ms)
    return judge(settings, took_ms, trace)


async def _echo(address: str, *, wait_s: float) -> float | None:
    """Milliseconds until the echo came back, None when it did not. The library's own figure follows the wall
    clock; ours does not."""
    for privileged in (False, True):
        began = time.perf_counter()
        try:
            host = await icmplib.async_ping(address, count=1, timeout=wait_s, privileged=privileged)
        except icmplib.SocketPermissionError:
            continue
        except icmplib.ICMPSocketError as error:
            raise ProberFault(f"this machine cannot send an echo: {type(error).__name__}") from error
        return (time.perf_counter() - began) * 1000 if host.is_alive else None
    raise ProberFault("this machine has no permission to send an echo")


def judge(settings: Settings, took_ms: list[float], trace: Trace) -> Answer:
    """The answer, from the milliseconds of the echoes that came back."""
    if not took_ms:
        return trace.down(Reason.UNREACHABLE, f"none of {settings.count} echoes came back")
    trace.add("rtt", sum(took_ms) / len(took_ms))
    lost = settings.count - len(took_ms)
    if lost <= settings.lost_max:
        return trace.up()
    failed = Failed(
        what="echoes lost",
        expected=f"at most {settings.lost_max} of {settings.count}",
        found=str(lost),
        hard=False,
    )
    return trace.degraded(Reason.ASSERTION, f"{lost} of {settings.count} echoes were lost", (failed,))
