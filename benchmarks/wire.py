"""How far the reported first byte is from the wire: from the request, as the kernel got it, to the answer."""

from __future__ import annotations

import socket
import statistics
import threading
import time
from collections import defaultdict
from urllib.parse import urlsplit

from benchmarks.probing import Window
from benchmarks.table import Row, share_below
from benchmarks.targets import Asked, Targets

DELAYS_MS = tuple(range(5, 25))  # real targets differ; were all the same, whoever began together would end so
MEDIAN_MS, P99_MS, P99_LOADED_MS = 0.4, 1.0, 3.0
APART_S = 1.5  # an observation and the server's note of it are never further apart


def row(errors_ms: list[float], raw_ms: list[float], *, rate: int) -> Row:
    """The row of one rate."""
    middle_ms, p99_ms = statistics.median(errors_ms), share_below(errors_ms, 0.99)
    loaded = rate > 20
    budget = f"p99 ≤ {P99_LOADED_MS:g} ms" if loaded else f"median ≤ {MEDIAN_MS}, p99 ≤ {P99_MS:g} ms"
    return Row(
        what=f"error of the reported first byte, {rate}/s",
        budget=budget,
        measured=_said(errors_ms),
        baseline=f"blocking socket {_said(raw_ms)}",
        within=p99_ms <= P99_LOADED_MS if loaded else middle_ms <= MEDIAN_MS and p99_ms <= P99_MS,
        note=(
            f"delays of {DELAYS_MS[0]} to {DELAYS_MS[-1]} ms; {len(errors_ms):,} answers; "
            "the truth: from the kernel's stamp of the request to the answer's write"
        ),
    )


def errors(windows: list[Window], seen: list[Asked]) -> list[float]:
    """Milliseconds that each reported first byte is off, either way."""
    noted: dict[str, list[Asked]] = defaultdict(list)
    for one in seen:
        noted[one.name].append(one)
    found = []
    for observation in (one for window in windows for one in window.asked):
        began_s = (observation.due_ms + observation.late_ms) / 1000
        name = observation.check.removeprefix("service:").removesuffix("/web/main")
        mine = (one for one in noted[name] if -0.01 < one.read_at_s - began_s < APART_S)
        truth = next(mine, None)
        if truth is not None and "first_byte" in observation.phases_ms:
            found.append(abs(observation.phases_ms["first_byte"] - truth.took_ms))
    return found


def raw(targets: Targets, *, rate: int, seconds: float) -> list[float]:
    """The same errors by blocking sockets, each thread 30 times a second at most."""
    targets.seen()
    threads_n = -(-rate // 30)
    reported: dict[str, float] = {}
    threads = [
        threading.Thread(target=_blocking, args=(targets, reported, f"raw{one}", rate / threads_n, seconds))
        for one in range(threads_n)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    truth = {one.name: one.took_ms for one in targets.seen()}
    return [abs(took_ms - truth[name]) for name, took_ms in reported.items() if name in truth]


def _blocking(targets: Targets, reported: dict[str, float], name: str, rate: float, seconds: float) -> None:
    began = time.perf_counter()
    for number in range(int(rate * seconds)):
        time.sleep(max(0.0, began + number / rate - time.perf_counter()))
        asked = f"{name}.{number}"
        parts = urlsplit(targets.url(f"after/{DELAYS_MS[number % len(DELAYS_MS)]}/{asked}", number=number))
        request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
            connection.sendall(request)
            sent = time.perf_counter()
            connection.recv(1)
            reported[asked] = (time.perf_counter() - sent) * 1000


def _said(errors_ms: list[float]) -> str:
    return f"median {statistics.median(errors_ms):.2f}, p99 {share_below(errors_ms, 0.99):.2f} ms"
