"""/metrics/state: the state of the world for Prometheus, the same on every replica (T48).

Lines are kept as one block of bytes per service and system, made anew only when the thing changed, and put
together and compressed in a thread, so that a scrape never holds the event loop.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from aiohttp import web

from monitor.exporter.availability import FigureLines
from monitor.exporter.counted import Counted, counted_parts
from monitor.facts import LastAnswer
from monitor.judge.current import Current
from monitor.judge.levels import Headline
from monitor.judge.picture import ChannelShown, Picture, ServiceShown, SystemShown
from monitor.judge.seconds import format_percent, ratio_of
from monitor.model import Verdict
from monitor.polite import politely

Answers = Mapping[tuple[str, str], LastAnswer]
Source = Callable[[], tuple[Picture | None, Answers, Counted | None]]
More = Callable[[Picture], bytes]

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
HEADLINE_DECIMALS = 1
CHUNKS_AT_ONCE = 500
COMPRESSION = 1  # of 9: a quarter of the time of the default for a tenth more bytes


class Family(NamedTuple):
    """A metric family; `part` is where its lines lie in a block of `of`, or -1 for the few with one line."""

    name: str
    help: str
    part: int = -1
    kind: str = "gauge"
    of: str = "services"


FAMILIES = (
    Family("continuity_services_required", "Services that should be available now."),
    Family("continuity_services_remotely_available", "Of these, up or degraded on a remote channel."),
    Family("continuity_services_unknown", "Of these, unknown."),
    Family("continuity_services_unavailable_most", "So many may be unavailable with the target still met."),
    Family(
        "continuity_headline_ratio", "Available of those known, as the pages print it; none without enough."
    ),
    Family("continuity_headline_target_ratio", "The share of services to be available."),
    Family("continuity_last_judged_timestamp_seconds", "Everything was judged up to here."),
    Family("continuity_service_verdict", "1 for the verdict in force, 0 for the others.", 0),
    Family("continuity_channel_verdict", "The same for a channel, with what follows from its systems.", 1),
    Family("continuity_system_verdict", "The same for a shared system.", 0, of="systems"),
    Family("continuity_channel_phase_seconds", "Each phase as it last finished, within the hour.", 2),
    Family("continuity_certificate_expiry_timestamp_seconds", "When the certificate seen last expires.", 3),
    Family("continuity_service_info", "Names and the entity of a service.", 4, "info"),
    Family("continuity_counted_until_timestamp_seconds", "Transactions that came by then are counted."),
    Family("continuity_transactions_total", "Transactions counted, by their end.", 0, "counter", "counted"),
    Family("continuity_transactions_expected", "Completed ones a minute usual now.", 1, of="counted"),
    Family(
        "continuity_transactions_expected_low", "A minute as usual has fewer once in twenty.", 2, of="counted"
    ),
    Family(
        "continuity_transactions_expected_high", "A minute as usual has more once in twenty.", 3, of="counted"
    ),
    Family("continuity_transactions_missed", "Estimate, of outages that last.", 4, of="counted"),
    Family("continuity_findings_open", "Channels where counts are not as usual now.", 5, of="counted"),
)


class Block(NamedTuple):
    """Lines of one service or system by part, and what they were made of."""

    shown: ServiceShown | SystemShown
    answers: object
    parts: tuple[bytes, ...]


class StateMetrics:
    """Answers scrapes from what `source` gives: a picture, the last answers by (check, vantage), counts.

    `figures` gives the stored figures of the periods that go on now, `more` gives whole families.
    """

    def __init__(
        self, source: Source, *, figures: Callable[[], Current] = dict, more: Sequence[More] = ()
    ) -> None:
        self._source, self._figures, self._more = source, figures, more
        self._figure_lines = FigureLines()
        self._blocks: dict[str, Block] = {}
        self._lock = asyncio.Lock()  # two scrapes at once share the blocks one after the other

    async def handle(self, request: web.Request) -> web.Response:
        """GET /metrics/state."""
        picture, answers, counted = self._source()
        if picture is None:
            return web.Response(status=503, text="# no catalogue yet\n", headers={"Retry-After": "2"})
        open_metrics = "application/openmetrics-text" in request.headers.get("Accept", "")
        packed = "gzip" in request.headers.get("Accept-Encoding", "")
        async with self._lock:
            body = await asyncio.to_thread(
                self.body, picture, answers, counted, open_metrics=open_metrics, packed=packed
            )
        headers = {"Content-Type": OPEN_METRICS if open_metrics else PLAIN, "Vary": "Accept, Accept-Encoding"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    def body(
        self,
        picture: Picture,
        answers: Answers,
        counted: Counted | None = None,
        *,
        open_metrics: bool,
        packed: bool,
    ) -> bytes:
        """The whole exposition. A service that left the catalogue is not in it."""
        services = picture.services.values()
        blocks = {
            "services": [self._of_service(one, answers) for one in politely(services)],
            "systems": [self._of_system(one) for one in politely(picture.systems.values())],
            "counted": [self._of_counted(one, counted) for one in politely(services) if counted],
        }
        if len(self._blocks) > sum(map(len, blocks.values())):
            known = {*picture.services, *(f"system:{slug}" for slug in picture.systems)}
            known.update(f"counted:{slug}" for slug in picture.services)
            self._blocks = {key: block for key, block in self._blocks.items() if key in known}
        chunks: list[bytes] = []
        for family in FAMILIES:
            chunks.append(_head(family, open_metrics=open_metrics))
            if family.part < 0:
                chunks.append(_single(family.name, picture, counted))
            else:
                chunks += [block.parts[family.part] for block in blocks[family.of]]
        chunks.append(self._figure_lines.bytes(picture, self._figures()))
        chunks += [more(picture) for more in self._more]
        if open_metrics:
            chunks.append(b"# EOF\n")
        return _gzip(chunks) if packed else b"".join(chunks)

    def _of_service(self, shown: ServiceShown, answers: Answers) -> Block:
        slug = shown.service.slug
        found = tuple(
            answer
            for one in shown.channels
            for check in one.channel.checks
            for vantage in check.vantages
            if (answer := answers.get((check.key, vantage))) is not None
        )
        block = self._blocks.get(slug)
        if block is None or block.shown is not shown:
            block = self._blocks[slug] = Block(shown, found, _service_parts(shown, answers))
        elif block.answers != found:  # as nearly always: then only what was last answered is made anew
            verdict, channels, _, _, info = block.parts
            parts = (verdict, channels, *_answer_parts(shown, answers), info)
            block = self._blocks[slug] = Block(shown, found, parts)
        return block

    def _of_counted(self, shown: ServiceShown, counted: Counted) -> Block:
        """Made anew when its counts moved: apart from the rest, because they move all day."""
        key, service = f"counted:{shown.service.slug}", shown.service
        told = (service, counted.told(service))
        block = self._blocks.get(key)
        if block is None or block.answers != told:
            block = self._blocks[key] = Block(shown, told, counted_parts(*told))
        return block

    def _of_system(self, shown: SystemShown) -> Block:
        key = f"system:{shown.system.slug}"
        block = self._blocks.get(key)
        if block is None or block.shown is not shown:
            labels = f'system="{shown.system.slug}"'
            lines = _verdict_lines("continuity_system_verdict", labels, shown.effective.verdict)
            block = self._blocks[key] = Block(shown, (), (_bytes(lines),))
        return block


def _head(family: Family, *, open_metrics: bool) -> bytes:
    """HELP and TYPE. Text format 0.0.4 has no info: there it is a gauge that is always 1."""
    name, kind = family.name, family.kind
    if open_metrics:
        name = name.removesuffix({"info": "_info", "counter": "_total"}.get(kind, ""))
    elif kind == "info":
        kind = "gauge"
    return f"# HELP {name} {family.help}\n# TYPE {name} {kind}\n".encode()


def _single(name: str, picture: Picture, counted: Counted | None) -> bytes:
    line = picture.headline
    counted_ms = counted.until_ms if counted else None
    value: int | float | str | None = {
        "continuity_services_required": line.required,
        "continuity_services_remotely_available": line.available,
        "continuity_services_unknown": line.unknown,
        "continuity_services_unavailable_most": line.most_unavailable,
        "continuity_headline_ratio": _headline_ratio(line),
        "continuity_headline_target_ratio": line.target,
        "continuity_last_judged_timestamp_seconds": None
        if picture.as_of_ms is None
        else picture.as_of_ms / 1000,
        "continuity_counted_until_timestamp_seconds": None if counted_ms is None else counted_ms / 1000,
    }[name]
    return b"" if value is None else f"{name} {value}\n".encode()


def _headline_ratio(line: Headline) -> str | None:
    """With the digits that pages and API print."""
    percent = format_percent(*line.counted, HEADLINE_DECIMALS)
    return None if percent is None or not line.sufficient else ratio_of(percent)


def _service_parts(shown: ServiceShown, answers: Answers) -> tuple[bytes, ...]:
    labels = f'service="{shown.service.slug}"'
    verdict = _verdict_lines("continuity_service_verdict", labels, shown.effective.verdict)
    channels: list[str] = []
    for one in shown.channels:
        here = f'{labels},channel="{one.channel.slug}"'
        channels += _verdict_lines("continuity_channel_verdict", here, one.effective.verdict)
    return (_bytes(verdict), _bytes(channels), *_answer_parts(shown, answers), _bytes([_info_line(shown)]))


def _answer_parts(shown: ServiceShown, answers: Answers) -> tuple[bytes, bytes]:
    """Phases, and when certificates expire."""
    phases: list[str] = []
    expiries: list[str] = []
    for one in shown.channels:
        here = f'service="{shown.service.slug}",channel="{one.channel.slug}"'
        phases += _phase_lines(one, here, answers)
        expiries += _expiry_lines(one, here, answers)
    return _bytes(phases), _bytes(expiries)


def _verdict_lines(name: str, labels: str, verdict: Verdict) -> list[str]:
    return [f'{name}{{{labels},verdict="{each.value}"}} {int(each is verdict)}' for each in Verdict]


def _phase_lines(one: ChannelShown, labels: str, answers: Answers) -> list[str]:
    """Of several checks of a channel at a vantage point, the first in the catalogue that has the phase."""
    found: dict[tuple[str, str], float] = {}
    for check in one.channel.checks:
        for vantage in check.vantages:
            answer = answers.get((check.key, vantage))
            for phase, took_ms in answer.phases_ms.items() if answer else ():
                found.setdefault((vantage, phase), took_ms)
    begin = f'continuity_channel_phase_seconds{{{labels},vantage="'
    return [
        f'{begin}{vantage}",phase="{phase}"}} {took_ms / 1000:.6g}'
        for (vantage, phase), took_ms in found.items()
    ]


def _expiry_lines(one: ChannelShown, labels: str, answers: Answers) -> list[str]:
    """The certificate that expires first."""
    seen = [
        answer.certificate_expires_ms
        for check in one.channel.checks
        for vantage in check.vantages
        if (answer := answers.get((check.key, vantage))) is not None
        and answer.certificate_expires_ms is not None
    ]
    name = "continuity_certificate_expiry_timestamp_seconds"
    return [f"{name}{{{labels}}} {min(seen) / 1000}"] if seen else []


def _info_line(shown: ServiceShown) -> str:
    service = shown.service
    labels = {
        "service": service.slug,
        "entity": service.entity,
        "name": service.name.en,
        "name_ar": service.name.ar,
    }
    written = ",".join(f'{key}="{_escaped(value)}"' for key, value in labels.items())
    return f"continuity_service_info{{{written}}} 1"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _bytes(lines: Iterable[str]) -> bytes:
    text = "\n".join(lines)
    return f"{text}\n".encode() if text else b""


def _gzip(chunks: Sequence[bytes]) -> bytes:
    """Compressed piece by piece; zlib lets go of the interpreter while it works."""
    packer = zlib.compressobj(COMPRESSION, zlib.DEFLATED, 31)
    starts = range(0, len(chunks), CHUNKS_AT_ONCE)
    packed = [packer.compress(b"".join(chunks[start : start + CHUNKS_AT_ONCE])) for start in starts]
    return b"".join([*packed, packer.flush()])
