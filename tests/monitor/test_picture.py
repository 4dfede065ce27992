"""What readers show: stored verdicts as far as the clock goes, and *unknown (we are behind)* past it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from monitor.facts import Clocks, Standing
from monitor.judge.picture import BEHIND, Facts, Partition, Picture, Shown, draw
from monitor.judge.surroundings import Surroundings
from monitor.model import Catalogue, ChannelKind, Effect, Service, Text, Verdict, Version
from tests.world import channel, system

NOW_MS = 1_800_000_000_000
EVERY_MS = 30_000
SINCE_MS = NOW_MS - 3_600_000

CATALOGUE = Catalogue(
    systems=(
        system("identity", Text(en="Identity")),
        system("portal", Text(en="Portal"), needs=["identity"]),
    ),
    services=(
        Service(
            slug="passport",
            channels=(
                channel("passport", ChannelKind.WEB, needs=[("identity", Effect.BLOCKS)]),
                channel("passport", ChannelKind.APP, checked=False, needs=[("portal", Effect.BLOCKS)]),
                channel("passport", ChannelKind.SERVICE_CENTRE, checked=False),
            ),
        ),
        Service(slug="visa", channels=(channel("visa", ChannelKind.WEB),)),
    ),
)
AROUND = Surroundings(Version(serial=7, sha256="", valid_from_ms=0, catalogue=CATALOGUE))
PLACES: dict[str, Partition] = {
    "service:passport": ("c", 0), "service:visa": ("c", 1),
    "system:identity": ("c", 2), "system:portal": ("c", 3),
}  # fmt: skip


def standing(**changed: tuple[Verdict, str, str]) -> dict[tuple[str, str], Standing]:
    """Everything up for an hour, except `effective__service_visa=(verdict, reason, cause)`."""
    rows = {}
    for layer in ("measured", "effective"):
        for subject in AROUND.subjects:
            rows[layer, subject] = Standing(layer, subject, SINCE_MS, "up", "ok", "")
    for name, (verdict, reason, cause) in changed.items():
        layer, subject = name.split("__")
        path = subject.replace("_", ":", 1).replace("_", "/")
        rows[layer, path] = Standing(layer, path, SINCE_MS, verdict.value, reason, cause)
    return rows


def drawn(
    rows: Mapping[tuple[str, str], Standing] | None = None,
    *,
    judged_ago_ms: Mapping[int, int] | None = None,
    derive_ago_ms: int = 1000,
    now_ms: int = NOW_MS,
    before: Picture | None = None,
    touched: frozenset[str] = frozenset(),
) -> Picture:
    ago = {0: 5000, 1: 5000, 2: 5000, 3: 5000} | dict(judged_ago_ms or {})
    clocks = Clocks({("c", n): NOW_MS - ms for n, ms in ago.items()}, NOW_MS - derive_ago_ms, now_ms)
    facts = Facts(standing() if rows is None else rows, PLACES, clocks)
    return draw(AROUND, facts, now_ms=now_ms, before=before, touched=touched)


def services(picture: Picture) -> dict[str, tuple[Verdict, str]]:
    return {slug: (one.effective.verdict, one.effective.reason) for slug, one in picture.services.items()}


UP, UNKNOWN, DOWN = Verdict.UP, Verdict.UNKNOWN, Verdict.DOWN


def test_a_fresh_clock_shows_what_is_stored_and_the_oldest_clock_as_the_as_of() -> None:
    picture = drawn(judged_ago_ms={1: 9000})
    assert (services(picture), picture.as_of_ms, picture.behind) == (
        {"passport": (UP, "ok"), "visa": (UP, "ok")},
        NOW_MS - 9000,
        False,
    )


def test_t45_past_two_intervals_the_verdict_is_unknown_because_we_are_behind() -> None:
    edge = drawn(judged_ago_ms={1: 2 * EVERY_MS})
    past = drawn(judged_ago_ms={1: 2 * EVERY_MS + 1})
    assert (services(edge)["visa"], services(past)["visa"], past.services["visa"].effective.since_ms) == (
        (UP, "ok"),
        (UNKNOWN, BEHIND),
        NOW_MS - 2 * EVERY_MS - 1,
    )


def test_t45_when_derive_is_silent_everything_that_follows_is_unknown_and_what_was_measured_stays() -> None:
    picture = drawn(derive_ago_ms=15_001)
    web = picture.services["visa"].channels[0]
    assert (set(services(picture).values()), web.measured, picture.headline.unknown) == (
        {(UNKNOWN, BEHIND)},
        Shown(UP, "ok", SINCE_MS),
        2,
    )


def test_derive_may_be_silent_for_fifteen_seconds() -> None:
    assert not drawn(derive_ago_ms=15_000).behind


def test_a_service_behind_on_one_channel_is_still_up_on_another() -> None:
    """Rule 6 holds over what is shown: the website is unknown to us, the app answers."""
    picture = drawn(judged_ago_ms={0: 10 * EVERY_MS})
    shown = picture.services["passport"]
    assert (shown.effective.verdict, [one.effective.verdict for one in shown.channels][:2]) == (
        UP,
        [UNKNOWN, UP],
    )


def test_a_system_that_is_behind_never_overrules_a_channels_own_evidence() -> None:
    blamed = (DOWN, "dependency", "system:identity")
    rows = standing(effective__service_passport_web=blamed, effective__system_identity=(DOWN, "timeout", ""))
    fresh = drawn(rows)
    behind = drawn(rows, judged_ago_ms={2: 10 * EVERY_MS})
    assert (
        fresh.services["passport"].channels[0].effective,
        behind.services["passport"].channels[0].effective,
    ) == (Shown(DOWN, "dependency", SINCE_MS, "system:identity"), Shown(UP, "ok", SINCE_MS))


def test_a_channel_judged_by_its_platform_alone_is_unknown_when_the_platform_is_behind() -> None:
    app = drawn(judged_ago_ms={3: 10 * EVERY_MS}).services["passport"].channels[1]
    assert (app.measured, app.effective.reason) == (None, BEHIND)


def test_a_channel_that_is_behind_stays_down_where_a_system_that_is_not_makes_it_so() -> None:
    rows = standing(effective__service_passport_web=(DOWN, "dependency", "system:identity"))
    web = drawn(rows, judged_ago_ms={0: 10 * EVERY_MS}).services["passport"].channels[0]
    assert (web.measured and web.measured.reason, web.effective.verdict) == (BEHIND, DOWN)


def test_what_was_never_judged_is_unknown_not_up() -> None:
    picture = drawn({})
    assert (set(services(picture).values()), picture.headline.available) == ({(UNKNOWN, "not_measured")}, 0)


def test_only_what_was_touched_is_drawn_anew() -> None:
    first = drawn()
    rows = standing(effective__service_visa=(DOWN, "timeout", ""))
    second = drawn(rows, before=first, touched=frozenset({"service:visa"}))
    assert (
        second.services["passport"] is first.services["passport"],
        second.services["visa"].effective.verdict,
        second.same_but_later(first),
    ) == (True, DOWN, False)


def test_falling_behind_redraws_everything_and_the_mere_hour_nothing() -> None:
    first = drawn()
    later = drawn(now_ms=NOW_MS + 1000, before=first)
    behind = drawn(judged_ago_ms={1: 10 * EVERY_MS}, before=first)
    assert (later.same_but_later(first), behind.same_but_later(first)) == (True, False)


def test_a_systems_dependants_say_how_and_through_what() -> None:
    found = [
        (way.service.slug, way.channel.slug, way.effect, way.via)
        for way in drawn().systems["identity"].dependants
    ]
    assert found == [
        ("passport", "web", Effect.BLOCKS, ()),
        ("passport", "app", Effect.BLOCKS, ("system:portal",)),
    ]


@pytest.mark.parametrize("partition", [0, 1, 2, 3])
def test_the_headline_counts_what_is_shown(partition: int) -> None:
    line = drawn(judged_ago_ms={partition: 10 * EVERY_MS}).headline
    assert line.required == 2
    assert line.unknown == (1 if partition == 1 else 0)
