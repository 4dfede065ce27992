"""/metrics/state: the families by name and label, the same on every replica, and nothing that is not so."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from monitor.exporter.counted import Counted
from monitor.exporter.state import StateMetrics
from monitor.facts import Clocks, Ended, LastAnswer, ServiceCounts, Standing
from monitor.judge.picture import Facts, Picture, draw
from monitor.judge.surroundings import Surroundings
from monitor.model import Catalogue, ChannelKind, Effect, Service, Text, Verdict, Version
from tests.serving import serving, until
from tests.world import channel, system

NOW_MS = 1_800_000_000_000
CATALOGUE = Catalogue(
    systems=(system("identity", Text(en="Identity")),),
    services=(
        Service(
            slug="passport",
            name=Text(en='The "passport"\nline', ar="جواز السفر"),
            entity="interior",
            channels=(
                channel("passport", ChannelKind.WEB, needs=[("identity", Effect.BLOCKS)]),
                channel("passport", ChannelKind.APP, checked=False),
            ),
        ),
        Service(slug="visa", channels=(channel("visa", ChannelKind.WEB),)),
    ),
)
ANSWERS = {
    ("service:passport/web/main", "main"): LastAnswer(
        "service:passport/web/main", "main", {"dns": 2.5, "first_byte": 130.0}, 1_900_000_000_000
    )
}


def picture(catalogue: Catalogue = CATALOGUE, *, down: str = "service:visa") -> Picture:
    around = Surroundings(Version(serial=1, sha256="", valid_from_ms=0, catalogue=catalogue))
    rows = {
        (layer, subject): Standing(
            layer, subject, NOW_MS - 60_000, "down" if subject == down else "up", "ok", ""
        )
        for layer in ("measured", "effective")
        for subject in around.subjects
        if subject != "service:passport/app"
    }
    clocks = Clocks({("c", 0): NOW_MS - 5000}, NOW_MS, NOW_MS)
    places = dict.fromkeys(("service:passport", "service:visa", "system:identity"), ("c", 0))
    return draw(around, Facts(rows, places, clocks), now_ms=NOW_MS)


def written(
    shown: Picture | None = None,
    answers: Mapping[tuple[str, str], LastAnswer] = ANSWERS,
    *,
    state: StateMetrics | None = None,
    counted: Counted | None = None,
    open_metrics: bool = False,
) -> str:
    maker = state or StateMetrics(lambda: (None, {}, None))
    return maker.body(shown or picture(), answers, counted, open_metrics=open_metrics, packed=False).decode()


class Counts:
    """A tenth of a transaction a minute is usual on every service, and nothing is wrong."""

    until_ms = NOW_MS - 4000

    def __init__(self, completed: int = 0) -> None:
        self._completed = completed

    def told(self, service: Service) -> ServiceCounts:
        ended = tuple(Ended(self._completed, 0, 0) for _ in service.channels)
        return ServiceCounts(ended, expected=0.1, missed=0.0, findings=(), band=(0.0, 1.0))


def samples(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_the_families_are_these_by_name_and_label() -> None:
    lines = samples(written(counted=Counts()))
    shapes = {re.sub(r'="(?:[^"\\]|\\.)*"', "", line).rsplit(" ", 1)[0] for line in lines}
    assert shapes == {
        "continuity_services_required",
        "continuity_services_remotely_available",
        "continuity_services_unknown",
        "continuity_services_unavailable_most",
        "continuity_headline_ratio",
        "continuity_headline_target_ratio",
        "continuity_last_judged_timestamp_seconds",
        "continuity_service_verdict{service,verdict}",
        "continuity_channel_verdict{service,channel,verdict}",
        "continuity_system_verdict{system,verdict}",
        "continuity_channel_phase_seconds{service,channel,vantage,phase}",
        "continuity_certificate_expiry_timestamp_seconds{service,channel}",
        "continuity_service_info{service,entity,name,name_ar}",
        "continuity_counted_until_timestamp_seconds",
        "continuity_transactions_total{service,channel,outcome}",
        "continuity_transactions_expected{service}",
        "continuity_transactions_expected_low{service}",
        "continuity_transactions_expected_high{service}",
        "continuity_transactions_missed{service}",
        "continuity_findings_open{service,kind}",
    }


def test_before_the_first_reading_nothing_is_said_of_transactions() -> None:
    """A 0 now and the true total a moment later would look like a million transactions at once."""
    assert [line for line in samples(written()) if "transactions" in line] == []


def test_counts_that_move_write_only_their_own_lines_anew() -> None:
    state, first = StateMetrics(lambda: (None, {}, None)), picture()
    written(first, state=state, counted=Counts())
    kept = state._blocks["passport"]
    text = written(first, state=state, counted=Counts(completed=3))
    assert state._blocks["passport"] is kept
    assert 'continuity_transactions_total{service="visa",channel="web",outcome="completed"} 3' in text


def test_each_verdict_has_its_sample_and_exactly_one_is_1() -> None:
    visa = [
        line for line in samples(written()) if line.startswith('continuity_service_verdict{service="visa"')
    ]
    assert visa == [
        'continuity_service_verdict{service="visa",verdict="up"} 0',
        'continuity_service_verdict{service="visa",verdict="degraded"} 0',
        'continuity_service_verdict{service="visa",verdict="unknown"} 0',
        'continuity_service_verdict{service="visa",verdict="down"} 1',
    ]


def test_what_was_never_measured_is_unknown() -> None:
    assert 'continuity_channel_verdict{service="passport",channel="app",verdict="unknown"} 1' in written()


def test_the_headline_is_the_pictures() -> None:
    assert samples(written())[:7] == [
        "continuity_services_required 2",
        "continuity_services_remotely_available 1",
        "continuity_services_unknown 0",
        "continuity_services_unavailable_most 0",
        "continuity_headline_ratio 0.5",
        "continuity_headline_target_ratio 0.95",
        "continuity_last_judged_timestamp_seconds 1799999995.0",
    ]


def test_t24_a_phase_that_did_not_finish_has_no_sample() -> None:
    name = 'continuity_channel_phase_seconds{service="passport",channel="web",vantage="main",phase='
    phases = [line for line in samples(written()) if "phase_seconds" in line]
    assert phases == [f'{name}"dns"}} 0.0025', f'{name}"first_byte"}} 0.13']


def test_t23_arabic_is_in_the_info_metric_alone() -> None:
    arabic = [line for line in samples(written()) if re.search("[\u0600-\u06ff]", line)]
    labels = r'entity="interior",name="The \"passport\"\nline",name_ar="جواز السفر"'
    assert arabic == ['continuity_service_info{service="passport",' + labels + "} 1"]


def test_a_service_that_left_the_catalogue_is_gone_at_the_next_scrape() -> None:
    state = StateMetrics(lambda: (None, {}, None))
    before = written(state=state)
    smaller = Catalogue(systems=CATALOGUE.systems, services=CATALOGUE.services[:1])
    after = written(picture(smaller), state=state)
    assert ("visa" in before, "visa" in after, len(state._blocks)) == (True, False, 2)


def test_what_changed_is_written_anew_and_what_did_not_is_the_same_bytes() -> None:
    state, first = StateMetrics(lambda: (None, {}, None)), picture()
    written(first, state=state)
    kept = state._blocks["passport"]
    visa = first.services["visa"]
    turned = replace(visa, effective=replace(visa.effective, verdict=Verdict.UP))
    text = written(replace(first, services={**first.services, "visa": turned}), state=state)
    assert state._blocks["passport"] is kept
    assert 'continuity_service_verdict{service="visa",verdict="up"} 1' in text


def test_t48_two_replicas_say_the_same_to_the_byte() -> None:
    """One that was there all along, and one that has just started."""
    old = StateMetrics(lambda: (None, {}, None))
    written(picture(down="service:passport"), {}, state=old)
    assert written(state=old) == written()


def test_openmetrics_is_valid_and_says_the_same_as_the_text_format() -> None:
    text = written(open_metrics=True, counted=Counts())
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert text.endswith("# EOF\n")
    assert families["continuity_service"].type == "info"
    assert families["continuity_transactions"].type == "counter"
    plain = samples(written(counted=Counts()))
    assert sum(len(family.samples) for family in families.values()) == len(plain)


def test_promtool_finds_nothing_to_say() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run(
        [promtool, "check", "metrics"],
        input=written(counted=Counts()),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


async def test_a_scrape_gets_the_format_and_the_packing_it_asks_for(database: str) -> None:
    async with serving(database) as served:
        found = {}
        for accept, encoding in [
            ("*/*", "identity"),
            ("application/openmetrics-text; version=1.0.0", "gzip"),
        ]:
            headers = {"Accept": accept, "Accept-Encoding": encoding}
            async with served.http.get(
                f"{served.url}/metrics/state", headers=headers, auto_decompress=False
            ) as answer:
                body = await answer.read()
                packed = answer.headers.get("Content-Encoding")
                text = (gzip.decompress(body) if packed else body).decode()
                found[answer.headers["Content-Type"]] = (packed, text.endswith("# EOF\n"))
    assert found == {
        "text/plain; version=0.0.4; charset=utf-8": (None, False),
        "application/openmetrics-text; version=1.0.0; charset=utf-8": ("gzip", True),
    }


async def test_the_last_finished_phase_stays_when_a_later_attempt_did_not_get_so_far(database: str) -> None:
    """The last five minutes failed after TLS: those phases are theirs, first byte is an earlier one's."""
    async with serving(database) as served:
        await served.world.attempts("service:s0001/web", hours=0.5, down_s=(300, 0))
        served.live._answers_at = float("-inf")
        await until(lambda: ("service:s0001/web/main", "main") in served.live.answers)
        text = await served.text("/metrics/state")
    phases = re.findall(r'phase_seconds\{service="s0001",channel="web",vantage="main",phase="(\w+)"', text)
    assert sorted(phases) == ["connect", "dns", "first_byte", "tls", "transfer"]
    assert 'continuity_certificate_expiry_timestamp_seconds{service="s0001",channel="web"}' in text
