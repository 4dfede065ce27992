"""One trouble per cause: the deepest failing system, the suspected one, or each service's own."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.facts import LastAnswer
from monitor.judge.troubles import Held, Sign, Trouble, expiring
from monitor.model import GOVERNMENT, Effect, Policy, Verdict
from tests.monitor.scene import (
    BEGAN_MS,
    DEGRADED,
    DOWN,
    UNKNOWN,
    UP,
    Scene,
    catalogue,
    service,
    system,
)

SLOWS = Effect.SLOWS


def told(troubles: tuple[Trouble, ...]) -> list[tuple[str, Sign]]:
    return [(trouble.subject, trouble.sign) for trouble in troubles]


def sharing(*, entities: str = "abc", each: int = 4) -> Scene:
    """Services of some entities that identity blocks."""
    parts = [service(f"{e}{i}", "identity", entity=e) for e in entities for i in range(each)]
    return Scene(catalogue(system("network"), system("identity", "network"), *parts))


def fall(scene: Scene, *slugs: str, at_s: float = 100) -> None:
    for slug in slugs:
        scene.says(f"service:{slug}/web", DOWN, at_s=at_s)


def test_all_up_is_no_trouble() -> None:
    assert sharing().see(at_s=60).troubles == ()


def test_a_shared_system_that_fails_is_one_trouble_however_many_it_takes_t34() -> None:
    scene = sharing(each=20)
    scene.says("system:identity", DOWN, at_s=100)
    (trouble,) = scene.see(at_s=200).troubles
    assert (trouble.subject, trouble.suspected, len(trouble.services)) == ("system:identity", False, 60)


def test_dependants_whose_own_checks_fail_too_are_explained() -> None:
    scene = sharing()
    scene.says("system:identity", DOWN, at_s=100)
    fall(scene, "a0", "b1", at_s=110)
    assert told(scene.see(at_s=200).troubles) == [("system:identity", Sign.UNAVAILABLE)]


def test_the_deepest_failing_system_is_the_root_and_names_those_above() -> None:
    scene = sharing()
    scene.says("system:identity", DOWN, at_s=100)
    scene.says("system:network", DOWN, at_s=130)
    (trouble,) = scene.see(at_s=200).troubles
    assert (trouble.subject, trouble.systems) == ("system:network", ("system:identity",))


def test_a_slow_system_below_does_not_explain_one_that_is_down() -> None:
    scene = sharing()
    scene.says("system:identity", DOWN, at_s=100)
    scene.says("system:network", DEGRADED, at_s=90)
    signs = dict(told(scene.see(at_s=200).troubles))
    assert signs == {"system:network": Sign.DEGRADED, "system:identity": Sign.UNAVAILABLE}


def test_a_system_between_without_a_failure_of_its_own_passes_it_on() -> None:
    scene = sharing()
    scene.says("system:network", DOWN, at_s=100)
    (trouble,) = scene.see(at_s=200).troubles
    assert (trouble.subject, len(trouble.services)) == ("system:network", 12)


def test_what_slows_explains_slow_channels_and_never_one_that_is_down() -> None:
    scene = Scene(catalogue(system("mail"), service("a", ("mail", SLOWS)), service("b", ("mail", SLOWS))))
    scene.says("system:mail", DOWN, at_s=100)
    fall(scene, "b")
    by_subject = {trouble.subject: trouble for trouble in scene.see(at_s=200).troubles}
    assert by_subject["system:mail"].channels == ("service:a/web",)
    assert by_subject["service:b"].sign is Sign.UNAVAILABLE


def test_the_strongest_way_to_a_system_counts() -> None:
    """It slows the channel directly, and blocks what blocks it."""
    scene = Scene(catalogue(system("mail"), system("desk", "mail"), service("a", ("mail", SLOWS), "desk")))
    scene.says("system:mail", DOWN, at_s=100)
    assert told(scene.see(at_s=200).troubles) == [("system:mail", Sign.UNAVAILABLE)]


def test_of_two_causes_the_one_that_leaves_the_fewest_unexplained_takes_a_channel() -> None:
    parts = [service("both", "identity", "payments")] + [service(f"p{i}", "payments") for i in range(3)]
    scene = Scene(catalogue(system("identity"), system("payments"), *parts))
    scene.says("system:identity", DOWN, at_s=100)
    scene.says("system:payments", DOWN, at_s=100)
    taken = {trouble.subject: len(trouble.channels) for trouble in scene.see(at_s=200).troubles}
    assert taken == {"system:identity": 0, "system:payments": 4}


def test_where_two_causes_explain_as_many_the_slug_decides() -> None:
    scene = Scene(catalogue(system("payments"), system("identity"), service("x", "payments", "identity")))
    scene.says("system:payments", DOWN, at_s=100)
    scene.says("system:identity", DOWN, at_s=100)
    taken = {trouble.subject: trouble.channels for trouble in scene.see(at_s=200).troubles}
    assert taken["system:identity"] == ("service:x/web",)


def test_half_of_the_dependants_down_together_make_a_system_suspected_though_its_check_answers() -> None:
    scene = sharing(entities="ab", each=4)
    fall(scene, "a0", "a1", "b0", "b1", at_s=100)
    (trouble,) = scene.see(at_s=200).troubles
    assert (trouble.subject, trouble.suspected, trouble.verdict) == ("system:identity", True, DOWN)


def test_fewer_than_half_are_each_their_own() -> None:
    scene = sharing(entities="ab", each=4)
    fall(scene, "a0", "a1", "b0", at_s=100)
    assert [t.subject for t in scene.see(at_s=200).troubles] == ["service:a0", "service:a1", "service:b0"]


def test_two_of_two_are_too_few_to_suspect_anything() -> None:
    scene = sharing(entities="ab", each=1)
    fall(scene, "a0", "b0")
    assert [t.subject for t in scene.see(at_s=200).troubles] == ["service:a0", "service:b0"]


def test_all_of_one_entity_do_not_make_a_system_of_several_suspected() -> None:
    scene = sharing(entities="ab", each=4)
    fall(scene, "a0", "a1", "a2", "a3")
    assert all(not trouble.suspected for trouble in scene.see(at_s=200).troubles)


def test_a_system_of_one_entity_alone_may_be_suspected() -> None:
    scene = sharing(entities="a", each=4)
    fall(scene, "a0", "a1", "a2")
    assert [t.suspected for t in scene.see(at_s=200).troubles] == [True]


def test_dependants_that_fell_more_than_two_intervals_apart_did_not_fall_together() -> None:
    """The interval of every check here is 30 s."""
    scene = sharing(entities="ab", each=2)
    fall(scene, "a0", "b0", at_s=100)
    fall(scene, "a1", at_s=161)
    assert len(scene.see(at_s=300).troubles) == 3
    near = sharing(entities="ab", each=2)
    fall(near, "a0", "b0", at_s=100)
    fall(near, "a1", at_s=160)
    assert len(near.see(at_s=300).troubles) == 1


def test_of_two_suspects_that_explain_as_much_the_slug_decides() -> None:
    """identity and network explain the same services; one of them is named, always the same one."""
    scene = sharing(entities="ab", each=2)
    fall(scene, "a0", "b0", "a1", "b1")
    assert [t.subject for t in scene.see(at_s=200).troubles] == ["system:identity"]


def test_twenty_services_failing_for_their_own_reasons_are_twenty() -> None:
    scene = Scene(catalogue(*(service(f"s{i:02d}", entity=f"e{i % 5}") for i in range(20))))
    fall(scene, *(f"s{i:02d}" for i in range(20)))
    assert len(scene.see(at_s=200).troubles) == 20


def test_a_channel_down_while_another_completes_takes_no_service() -> None:
    scene = Scene(catalogue(service("passport", app=[])))
    fall(scene, "passport")
    (trouble,) = scene.see(at_s=200).troubles
    assert (trouble.sign, trouble.services, trouble.channels) == (Sign.DOWN, (), ("service:passport/web",))


def test_a_service_that_two_causes_take_is_named_by_both() -> None:
    scene = Scene(catalogue(system("shop"), service("passport", app=["shop"])))
    fall(scene, "passport")
    scene.says("system:shop", DOWN, at_s=100)
    assert all(trouble.services == ("service:passport",) for trouble in scene.see(at_s=200).troubles)


def test_what_nobody_knows_is_no_trouble_t35() -> None:
    """A prober died, or we are behind: everything is unknown, and nothing is said of any service."""
    scene = sharing()
    for path in scene.measured:
        scene.says(path, UNKNOWN, at_s=100)
    seen = scene.see(at_s=200)
    assert (seen.troubles, "service:a0/web" in seen.unsure, seen.well) == ((), True, {})


def test_behind_nothing_is_in_trouble_whatever_was_down_before() -> None:
    scene = sharing()
    scene.says("system:identity", DOWN, at_s=100)
    assert scene.see(at_s=4000, behind=True).troubles == ()


def test_what_an_open_incident_took_stays_with_it_until_it_is_well() -> None:
    """identity answers again; a0 needs longer. That is no trouble of a0's own."""
    scene = sharing()
    scene.says("system:identity", DOWN, at_s=100)
    fall(scene, "a0", at_s=120)
    scene.says("system:identity", UP, at_s=400)
    held = Held(frozenset({"service:a0/web"}), BEGAN_MS + 100_000, BEGAN_MS + 399_000, BEGAN_MS + 399_000)
    (trouble,) = scene.see(at_s=420, held={"system:identity": held}).troubles
    assert (trouble.subject, trouble.lingering) == ("system:identity", True)


def test_what_fails_anew_after_the_cause_was_over_is_its_own() -> None:
    scene = sharing()
    held = Held(frozenset({"service:a0/web"}), BEGAN_MS + 100_000, BEGAN_MS + 399_000, BEGAN_MS + 399_000)
    fall(scene, "a0", at_s=500)
    assert told(scene.see(at_s=520, held={"system:identity": held}).troubles) == [
        ("service:a0", Sign.UNAVAILABLE)
    ]


def test_a_system_that_was_only_slow_does_not_hold_what_is_down() -> None:
    scene = sharing()
    scene.says("system:identity", DEGRADED, at_s=100)
    fall(scene, "a0", at_s=300)
    held = Held(frozenset({"service:a0/web"}), BEGAN_MS + 100_000, 0, BEGAN_MS + 399_000)
    subjects = [t.subject for t in scene.see(at_s=400, held={"system:identity": held}).troubles]
    assert subjects == ["system:identity", "service:a0"]


def test_one_that_fell_with_the_others_and_is_confirmed_later_joins_them() -> None:
    scene = sharing(entities="ab", each=4)
    fall(scene, "a3", at_s=150)
    held = Held(frozenset({"service:a0/web"}), BEGAN_MS + 100_000, BEGAN_MS + 120_000, BEGAN_MS + 120_000)
    (trouble,) = scene.see(at_s=200, held={"system:identity": held}).troubles
    assert (trouble.subject, trouble.channels) == ("system:identity", ("service:a3/web",))


def test_the_headline_is_a_trouble_when_several_causes_together_cross_the_target() -> None:
    parts = [service(f"s{i}", entity=f"e{i}") for i in range(10)]
    scene = Scene(catalogue(*parts, policy=Policy(target=0.85)))
    fall(scene, "s1", at_s=100)
    fall(scene, "s2", at_s=200)
    assert (GOVERNMENT, Sign.HEADLINE) not in told(scene.see(at_s=300).troubles)  # one too many, by either
    fall(scene, "s3", at_s=400)
    last = scene.see(at_s=500).troubles[-1]
    assert (last.subject, last.since_ms) == (GOVERNMENT, BEGAN_MS + 200_000)


def test_a_headline_that_one_cause_explains_is_no_second_trouble() -> None:
    parts = [service(f"s{i}", "identity", entity=f"e{i}") for i in range(6)]
    scene = Scene(catalogue(system("identity"), *parts, policy=Policy(target=0.95)))
    scene.says("system:identity", DOWN, at_s=100)
    assert told(scene.see(at_s=200).troubles) == [("system:identity", Sign.UNAVAILABLE)]


def test_a_certificate_that_ends_within_days_is_a_trouble_of_its_check_once() -> None:
    day_ms = 86_400_000
    answers = [
        LastAnswer("service:a/web/main", "north", {}, BEGAN_MS + 6 * day_ms),
        LastAnswer("service:a/web/main", "south", {}, BEGAN_MS + 5 * day_ms),
        LastAnswer("service:b/web/main", "north", {}, BEGAN_MS + 8 * day_ms),
        LastAnswer("service:c/web/main", "north", {}, None),
    ]
    found = expiring(answers, now_ms=BEGAN_MS, within_ms=7 * day_ms)
    assert [(t.subject, t.sign, t.since_ms) for t in found] == [
        ("service:a/web/main", Sign.CERTIFICATE, BEGAN_MS - 2 * day_ms)
    ]


VERDICTS = st.sampled_from([UP, UP, UP, DOWN, DOWN, DEGRADED, UNKNOWN])
WHOLE = catalogue(
    system("network"),
    system("identity", "network"),
    system("payments", ("network", SLOWS)),
    *(service(f"a{i}", "identity", entity="ab"[i % 2], app=["payments"]) for i in range(4)),
    *(service(f"p{i}", "payments", ("identity", SLOWS), entity="ab"[i % 2]) for i in range(4)),
    *(service(f"f{i}") for i in range(2)),
)
PATHS = sorted(Scene(WHOLE).measured)


@settings(max_examples=60, deadline=None)
@given(st.lists(VERDICTS, min_size=len(PATHS), max_size=len(PATHS)), st.integers(0, 3))
def test_whatever_fails_each_failing_channel_has_exactly_one_trouble(
    said: list[Verdict], spread: int
) -> None:
    scene = Scene(WHOLE)
    for i, (path, verdict) in enumerate(zip(PATHS, said, strict=True)):
        if verdict is not UP:
            scene.says(path, verdict, at_s=100 + 40 * spread * (i % 3))
    picture, seen = scene.picture(at_s=1000), scene.see(at_s=1000)
    failing = sorted(
        shown.channel.subject
        for one in picture.services.values()
        for shown in one.channels
        if shown.effective.verdict in (DOWN, DEGRADED)
    )
    assert sorted(path for trouble in seen.troubles for path in trouble.channels) == failing
    assert len({trouble.subject for trouble in seen.troubles}) == len(seen.troubles)
