"""The sample fleet answers as its checks expect; each fault hits whom it says, for as long as it says."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from monitor.demo import answers, authority, choices, faults
from monitor.demo.faults import FLAP_S, Harm, On
from monitor.demo.fleet import Fleet
from monitor.demo.kafka import free_port
from monitor.errors import UsageError
from monitor.model import Catalogue, Channel, ChannelKind, Check, Dependency, Effect, Service, System
from probes import dns, http, tcp, tls
from probes.ask import ask
from probes.assertions import Header, Json
from probes.catalogue import Ask
from probes.contract import Outcome, Reason

ON = On(since=1000.0, until=2000.0, by="hand")
PORTS = {name: free_port() for name in ("http", "https", "tcp", "dns")}


def check(subject: str, ask: Ask | None = None, **more: object) -> Check:
    ask = ask or page(f"/{subject}")
    return Check(subject=subject, ask=ask, every_s=10, within_s=2, objective_ms=400, **more)  # type: ignore[arg-type]


def page(path: str, **more: object) -> http.Settings:
    return http.Settings(url=f"http://127.0.0.1:{PORTS['http']}{path}", **more)  # type: ignore[arg-type]


def secure(path: str, ca: Path) -> http.Settings:
    url = f"https://127.0.0.1:{PORTS['https']}{path}"
    return http.Settings(url=url, ca=str(ca), certificate_days_soft=14, certificate_days_hard=1)


def system(slug: str, *asks: Ask, depends: tuple[Dependency, ...] = ()) -> System:
    subject = f"system:{slug}"
    checks = tuple(check(subject, ask, name=f"c{n}") for n, ask in enumerate(asks or (page(f"/{slug}"),)))
    return System(slug=slug, checks=checks, depends=depends)


def channel(service: str, kind: ChannelKind, *needs: Dependency, ask: Ask | None = None) -> Channel:
    subject = f"service:{service}/{kind}"
    return Channel(subject=subject, slug=str(kind), kind=kind, checks=(check(subject, ask),), depends=needs)


def needs(system: str, effect: Effect = Effect.BLOCKS) -> Dependency:
    return Dependency(system=f"system:{system}", effect=effect)


def catalogue(ca: Path) -> Catalogue:
    """Three services on identity (one through payment), one that has two ways, one that shows a text."""
    host, port = "127.0.0.1", PORTS["dns"]
    return Catalogue(
        systems=(
            system("identity", page("/identity", assert_json=(Json(path="$.state", op="==", value="ok"),))),
            system("payment", depends=(needs("identity"),)),
            system("mail", tcp.Settings(host=host, port=PORTS["tcp"], banner="220 sample")),
            system("names", dns.Settings(name="www.sample.example", resolver=f"{host}:{port}")),
            system(
                "site", tls.Settings(host=host, port=PORTS["https"], ca=str(ca), certificate_days_soft=14)
            ),
        ),
        services=(
            Service(slug="a", channels=(channel("a", ChannelKind.WEB, needs("identity")),)),
            Service(slug="b", channels=(channel("b", ChannelKind.WEB, needs("payment")),)),
            Service(slug="c", channels=(channel("c", ChannelKind.WEB, needs("payment", Effect.SLOWS)),)),
            Service(
                slug="d",
                channels=(
                    channel("d", ChannelKind.WEB, ask=page("/d", text_present=("Renew",))),
                    channel("d", ChannelKind.APP, ask=secure("/d-app", ca)),
                ),
            ),
        ),
    )


@pytest.fixture
def sample(tmp_path: Path) -> Catalogue:
    return catalogue(authority.ensure(tmp_path))


@pytest.fixture
async def fleet(sample: Catalogue, tmp_path: Path) -> AsyncIterator[Fleet]:
    fleet = Fleet(sample, tmp_path)
    async with AsyncExitStack() as stack:
        await fleet.listen(stack)
        yield fleet


async def outcomes(fleet: Fleet) -> dict[str, Reason]:
    """What probes find at every target that is not simply up."""
    found = {
        key: await ask(check.ask, within_s=check.within_s) for key, check in fleet.catalogue.checks.items()
    }
    return {key: answer.reason for key, answer in found.items() if answer.outcome is not Outcome.UP}


async def test_without_faults_every_target_is_what_its_check_expects(fleet: Fleet) -> None:
    assert await outcomes(fleet) == {}


async def test_a_broken_target_fails_in_the_manner_of_its_kind(fleet: Fleet) -> None:
    fleet.hits = dict.fromkeys(fleet.catalogue.checks, Harm.BROKEN)
    found = await outcomes(fleet)
    kinds = ("identity/c0", "mail/c0", "names/c0", "site/c0")
    assert [found[f"system:{kind}"] for kind in kinds] == [
        Reason.STATUS,
        Reason.CLOSED,
        Reason.DNS_SERVFAIL,
        Reason.TLS,
    ]


async def test_an_error_page_answers_with_status_200(fleet: Fleet) -> None:
    fleet.hits = faults.chosen(fleet.catalogue)["error-page"]
    assert await outcomes(fleet) == {"service:d/web/main": Reason.ASSERTION}


async def test_a_certificate_about_to_expire_is_seen_by_all_who_share_it(fleet: Fleet) -> None:
    fleet.hits = faults.chosen(fleet.catalogue)["expiring-certificate"]
    expected = dict.fromkeys(["service:d/app/main", "system:site/c0"], Reason.CERTIFICATE_EXPIRING)
    assert await outcomes(fleet) == expected


async def test_a_name_nobody_has_does_not_exist(fleet: Fleet) -> None:
    settings = dns.Settings(name="other.example", resolver=f"127.0.0.1:{PORTS['dns']}", tcp=True)
    assert (await ask(settings, within_s=2)).reason is Reason.DNS_NXDOMAIN


async def test_an_address_nobody_has_is_not_found(fleet: Fleet) -> None:
    assert (await ask(page("/nowhere"), within_s=2)).status == 404


def test_the_shared_system_that_blocks_most_services_breaks_and_their_own_pages_do_not(
    sample: Catalogue,
) -> None:
    blocked = choices.blocked_by(sample, "system:identity")
    hits = faults.chosen(sample)["shared-system-down"]
    assert (blocked, hits) == ({"service:a", "service:b"}, {"system:identity/c0": Harm.BROKEN})


def test_a_slow_system_slows_those_who_wait_for_it(sample: Catalogue) -> None:
    assert faults.chosen(sample)["slow-system"] == {
        "system:payment/c0": Harm.SLOW,
        "service:b/web/main": Harm.SLUGGISH,
        "service:c/web/main": Harm.SLUGGISH,
    }


def test_one_channel_fails_where_another_completes_the_service(sample: Catalogue) -> None:
    assert faults.chosen(sample)["channel-down"] == {"service:d/web/main": Harm.BROKEN}


def test_a_flapping_system_is_down_and_up_in_turn() -> None:
    chosen = {"flapping-system": {"system:x/main": Harm.FLAPPING}}
    moments = [1000.0, 1000 + FLAP_S, 1000 + 2 * FLAP_S]
    found = [faults.hits(chosen, {"flapping-system": ON}, now=moment) for moment in moments]
    assert found == [{"system:x/main": Harm.BROKEN}, {}, {"system:x/main": Harm.BROKEN}]


def test_where_two_faults_meet_the_first_one_stays() -> None:
    chosen = {"slow-system": {"x": Harm.SLOW}, "shared-system-down": {"x": Harm.BROKEN}}
    later = On(since=1500.0, until=2000.0, by="script")
    assert faults.hits(chosen, {"shared-system-down": later, "slow-system": ON}, now=1600.0) == {
        "x": Harm.SLOW
    }


def test_a_fault_is_on_until_its_time_is_over(tmp_path: Path) -> None:
    faults.trigger(tmp_path, "error-page", for_s=60, now=1000.0)
    found = [list(faults.active(tmp_path, now=moment)) for moment in (999.9, 1000.0, 1059.9, 1060.0)]
    assert found == [[], ["error-page"], ["error-page"], []]


def test_a_fault_is_switched_off_by_hand_and_the_others_stay(tmp_path: Path) -> None:
    for name in ("error-page", "slow-system"):
        faults.trigger(tmp_path, name)
    gone = faults.clear(tmp_path, "error-page")
    on = [state.name for state in faults.states(tmp_path) if state.on]
    assert (gone, on, faults.clear(tmp_path), faults.active(tmp_path)) == (
        ["error-page"],
        ["slow-system"],
        ["slow-system"],
        {},
    )


def test_only_the_owner_may_read_or_write_the_list_of_faults(tmp_path: Path) -> None:
    faults.trigger(tmp_path, "error-page")
    assert stat.S_IMODE((tmp_path / faults.FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("name", "for_s", "why"),
    [
        ("nonsense", 60, "there is no fault 'nonsense'; there are: shared-system-down"),
        ("error-page", 0, "--for"),
    ],
)
def test_a_mistaken_fault_is_refused_with_what_would_be_right(
    tmp_path: Path, name: str, for_s: float, why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        faults.trigger(tmp_path, name, for_s=for_s)


def test_a_folder_that_is_no_demo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not the data folder of a demo"):
        faults.trigger(tmp_path / "nowhere", "error-page")


def test_a_torn_file_of_faults_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / faults.FILE).write_bytes(b'{"error-page": {"since"')
    assert faults.active(tmp_path) == {}


def test_the_script_shows_something_within_three_minutes_and_repeats() -> None:
    every = faults.SCRIPT_EVERY_S
    begun = [name for name, _ in faults.due(0.0, after=0.0, until=180.0)]
    first, fourth = (list(faults.due(0.0, after=n * every, until=(n + 1) * every)) for n in (0, 3))
    assert (begun, first, {name for name, _ in first}) == (
        ["channel-down", "shared-system-down"],
        fourth,
        set(faults.FAULTS),
    )


def test_the_script_begins_each_fault_once_however_often_it_is_asked() -> None:
    steps = [faults.due(7.3, after=7.3 + n / 2, until=7.3 + (n + 1) / 2) for n in range(2 * 1500)]
    assert [fault for step in steps for fault in step] == [(name, for_s) for name, _, for_s in faults.SCRIPT]


def test_a_document_holds_every_assertion_it_was_made_for() -> None:
    wanted = (
        Json(path="$.state", op="==", value="ok"),
        Json(path="$.queues[1].length", op="<", value=10),
        Json(path="$.queues[0]['a name']", op="exists"),
        Json(path="$.error", op="exists", value=False),
        Json(path="$.version", op=">=", value=3),
    )
    assert answers.document(wanted) == {
        "state": "ok",
        "queues": [{"a name": None}, {"length": 9}],
        "version": 3,
    }


async def test_headers_and_statuses_are_those_that_the_check_accepts(tmp_path: Path) -> None:
    settings = page(
        "/h", accept=("201-204",), assert_headers=(Header(name="X-State", op="==", value="ready"),)
    )
    only = Catalogue(systems=(system("h", settings),))
    async with AsyncExitStack() as stack:
        await Fleet(only, tmp_path).listen(stack)
        assert (await ask(settings, within_s=2)).outcome is Outcome.UP
