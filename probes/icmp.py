"""ICMP: does this host answer an echo, how fast, and how many are lost?"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Literal

import icmplib
import msgspec

from probes.contract import Answer, Failed, ProberFault, Reason, TargetFailed, Trace
from probes.resolve import resolve

Meta = msgspec.Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="icmp", tag_field="kind"):
    """ICMP: does this host answer an echo, how fast, and how many are lost?"""

    host: Annotated[str, Meta(description="Name or address.", min_length=1, examples=["vpn.example"])]
    count: Annotated[int, Meta(description="How many echoes to send.", ge=1, le=20)] = 3
    lost_max: Annotated[
        int, Meta(description="How many of them may be lost before the check is degraded.", ge=0, le=20)
    ] = 0
    wait_ms: Annotated[int, Meta(description="How long to wait for each echo.", ge=10, le=10_000)] = 800
    pause_ms: Annotated[int, Meta(description="Pause between two echoes.", ge=0, le=5_000)] = 100
    address_family: Annotated[
        Literal[4, 6] | None,
        Meta(description="IPv4 or IPv6 only. Unset: IPv4 where the name has one, else IPv6."),
    ] = None
    resolver: Annotated[
        str | None,
        Meta(description="Name server to ask, instead of the system's.", examples=["192.0.2.53:53"]),
    ] = None


def target(settings: Settings) -> str:
    return settings.host


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
