"""One cause is one incident and, to people, one message, whatever it does until it is well."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.judge.incidents import (
    Entry,
    Handled,
    Incident,
    Kind,
    Message,
    Numbers,
    State,
    Topic,
    handle,
    held_by,
)
from monitor.judge.troubles import Seen, Sign, Trouble
from monitor.model import IncidentRules, Severity, Verdict
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

WARNING, CRITICAL, INFO = Severity.WARNING, Severity.CRITICAL, Severity.INFO
RULES = IncidentRules()


class Watch:
    """The looks of one leader at a scene, every so many seconds; `told` is what people heard."""

    def __init__(self, scene: Scene, *, rules: IncidentRules = RULES, every_s: int = 10) -> None:
        self.scene, self.rules, self.every_s = scene, rules, every_s
        self.numbers, self.at_s = Numbers({}), 0
        self.incidents: dict[str, Incident] = {}
        self.entries: list[Entry] = []
        self.messages: list[Message] = []
        self.behind = False

    def until(self, at_s: int) -> Watch:
        """Look until then. At every look at most one open incident of a subject."""
        while self.at_s + self.every_s <= at_s:
            self.at_s += self.every_s
            self.look()
        return self

    def look(self) -> Handled:
        held = held_by(self.incidents.values())
        seen = self.scene.see(at_s=self.at_s, held=held, behind=self.behind)
        found = handle(
            self.incidents.values(),
            seen,
            now_ms=BEGAN_MS + self.at_s * 1000,
            rules=self.rules,
            numbers=self.numbers,
        )
        self.incidents |= {one.number: one for one in found.changed}
        self.entries += found.entries
        self.messages += found.messages
        subjects = [one.subject for one in self.incidents.values() if one.open]
        assert len(subjects) == len(set(subjects))
        return found

    def restart(self) -> None:
        """The leader dies and another goes on from what is stored."""
        stored = msgspec.json.encode(list(self.incidents.values()))
        self.incidents = {one.number: one for one in msgspec.json.decode(stored, type=list[Incident])}

    @property
    def told(self) -> list[tuple[str, Topic, Severity]]:
        return [(self.incidents[m.number].subject, m.topic, m.severity) for m in self.messages]

    @property
    def open(self) -> list[str]:
        return [one.subject for one in self.incidents.values() if one.open]

    def lived(self, subject: str) -> list[Kind]:
        numbers = {one.number for one in self.incidents.values() if one.subject == subject}
        return [entry.kind for entry in self.entries if entry.number in numbers]


def alone(*, rules: IncidentRules = RULES) -> Watch:
    """One service with one website and nothing it needs."""
    return Watch(Scene(catalogue(service("a"))), rules=rules)


def says(watch: Watch, *steps: tuple[int, Verdict], subject: str = "service:a/web") -> Watch:
    for at_s, verdict in steps:
        watch.scene.says(subject, verdict, at_s=at_s)
    return watch


def sharing(*, rules: IncidentRules = RULES) -> Watch:
    """Eight services of two entities that identity blocks."""
    parts = [service(f"{e}{i}", "identity", entity=e) for e in "ab" for i in range(4)]
    return Watch(Scene(catalogue(system("identity"), *parts)), rules=rules)


A, IDENTITY = "service:a", "system:identity"


def test_a_service_that_is_down_is_told_once_and_resolved_after_ten_steady_minutes() -> None:
    watch = says(alone(), (100, DOWN), (400, UP)).until(990)
    assert watch.told == [(A, Topic.FIRST, CRITICAL)]
    watch.until(1000)
    assert watch.told[1:] == [(A, Topic.RESOLVED, CRITICAL)]


def test_failing_again_before_that_is_unstable_and_no_news() -> None:
    watch = says(alone(), (100, DOWN), (300, UP), (600, DOWN), (700, UP), (900, DOWN), (1000, UP)).until(1300)
    (incident,) = watch.incidents.values()
    assert incident.unstable(BEGAN_MS + 1_300_000) == (3, 20)
    assert watch.told == [(A, Topic.FIRST, CRITICAL)]


def test_failing_again_soon_after_closing_reopens_the_same_incident_and_says_so() -> None:
    watch = says(alone(), (100, DOWN), (200, UP), (1500, DOWN)).until(1600)
    assert list(watch.incidents) == ["INC-2026-0001"]
    assert [topic for _, topic, _ in watch.told] == [Topic.FIRST, Topic.RESOLVED, Topic.AGAIN]


def test_failing_again_long_after_closing_is_another_incident() -> None:
    watch = says(alone(), (100, DOWN), (200, UP), (4000, DOWN)).until(4100)
    assert list(watch.incidents) == ["INC-2026-0001", "INC-2026-0002"]


def test_degraded_is_shown_at_once_and_told_after_fifteen_minutes() -> None:
    watch = says(alone(), (100, DEGRADED)).until(990)
    assert (watch.open, watch.told) == ([A], [])
    assert watch.until(1000).told == [(A, Topic.FIRST, WARNING)]


def test_degraded_for_less_is_never_told_nor_resolved() -> None:
    watch = says(alone(), (100, DEGRADED), (900, UP)).until(2000)
    assert (watch.open, watch.told) == ([], [])


def test_degraded_turning_down_is_the_same_incident_raised() -> None:
    watch = says(alone(), (100, DEGRADED), (1200, DOWN)).until(1300)
    assert watch.told == [(A, Topic.FIRST, WARNING), (A, Topic.RAISED, CRITICAL)]
    assert watch.lived(A) == [Kind.OPENED, Kind.RAISED, Kind.RAISED]


def test_a_channel_down_while_another_completes_is_a_warning_and_raised_when_that_falls_too() -> None:
    watch = Watch(Scene(catalogue(service("a", app=[]))))
    says(watch, (100, DOWN))
    says(watch, (500, DOWN), subject="service:a/app").until(600)
    assert watch.told == [(A, Topic.FIRST, WARNING), (A, Topic.RAISED, CRITICAL)]


def test_slow_then_down_then_six_flaps_then_well_is_one_warning_one_critical_one_resolved_t34() -> None:
    """Ten minutes slow, ten down, six flaps in twenty; some dependants fail with it, and a little longer."""
    watch = sharing(rules=IncidentRules(degraded_s=300))
    says(watch, (100, DEGRADED), (700, DOWN), (1300, UP), subject=IDENTITY)
    says(watch, (705, DOWN), (1330, UP), subject="service:a0/web")
    for i in range(6):
        says(watch, (1400 + 200 * i, DOWN), (1500 + 200 * i, UP), subject=IDENTITY)
        says(watch, (1410 + 200 * i, DOWN), (1520 + 200 * i, UP), subject="service:b1/web")
    watch.until(2520 + 600 + 10)
    assert watch.told == [
        (IDENTITY, Topic.FIRST, WARNING),
        (IDENTITY, Topic.RAISED, CRITICAL),
        (IDENTITY, Topic.RESOLVED, CRITICAL),
    ]
    assert [one.subject for one in watch.incidents.values()] == [IDENTITY]


def test_twenty_services_failing_for_their_own_reasons_are_twenty() -> None:
    watch = Watch(Scene(catalogue(*(service(f"s{i:02d}", entity=f"e{i % 5}") for i in range(20)))))
    for i in range(20):
        says(watch, (100 + i, DOWN), subject=f"service:s{i:02d}/web")
    assert len(watch.until(200).told) == 20


def test_a_dependant_confirmed_before_its_system_is_held_and_then_absorbed_unheard_t34() -> None:
    watch = sharing()
    says(watch, (100, DOWN), subject="service:a0/web")
    watch.every_s = 1
    watch.until(105)
    assert (watch.open, watch.told) == (["service:a0"], [])
    says(watch, (95, DOWN), subject=IDENTITY)
    watch.until(300)
    assert [subject for subject, _, _ in watch.told] == [IDENTITY]
    assert watch.lived("service:a0") == [Kind.OPENED, Kind.ABSORBED]


def test_a_later_cause_absorbs_what_was_told_silently() -> None:
    watch = sharing()
    says(watch, (100, DOWN), (900, UP), subject="service:a0/web")
    says(watch, (200, DOWN), (900, UP), subject=IDENTITY)
    watch.until(1600)
    assert watch.told == [
        ("service:a0", Topic.FIRST, CRITICAL),
        (IDENTITY, Topic.FIRST, CRITICAL),
        (IDENTITY, Topic.RESOLVED, CRITICAL),
    ]


def test_an_absorbed_incident_names_the_one_it_followed_from() -> None:
    watch = sharing()
    says(watch, (100, DOWN), subject="service:a0/web")
    says(watch, (200, DOWN), subject=IDENTITY)
    watch.until(300)
    first, second = watch.incidents.values()
    assert (first.state, first.absorbed_by) == (State.ABSORBED, second.number)


def test_a_suspected_system_is_confirmed_without_a_second_message() -> None:
    watch = sharing()
    for slug in ("a0", "a1", "b0", "b1"):
        says(watch, (100, DOWN), subject=f"service:{slug}/web")
    watch.until(150)
    (incident,) = watch.incidents.values()
    assert (incident.subject, incident.suspected) == (IDENTITY, True)
    says(watch, (200, DOWN), subject=IDENTITY)
    watch.until(300)
    (incident,) = watch.incidents.values()
    assert (incident.suspected, len(watch.told)) == (False, 1)


def test_those_left_when_a_suspicion_thins_out_do_not_become_new_incidents() -> None:
    watch = sharing()
    for i, slug in enumerate(("a0", "a1", "b0", "b1")):
        says(watch, (100, DOWN), (300 + 100 * i, UP), subject=f"service:{slug}/web")
    watch.until(1300)
    assert watch.told == [(IDENTITY, Topic.FIRST, CRITICAL), (IDENTITY, Topic.RESOLVED, CRITICAL)]


def test_unknown_opens_nothing_closes_nothing_and_is_never_resolved_t35() -> None:
    watch = says(alone(), (100, DOWN), (300, UNKNOWN)).until(5000)
    assert (watch.open, watch.told) == ([A], [(A, Topic.FIRST, CRITICAL)])
    watch = sharing()
    for path in list(watch.scene.measured):
        says(watch, (100, UNKNOWN), subject=path)
    assert (watch.until(2000).incidents, watch.told) == ({}, [])


def test_behind_an_open_incident_waits() -> None:
    watch = says(alone(), (100, DOWN)).until(200)
    watch.behind = True
    watch.until(2000)
    assert (watch.open, len(watch.told)) == ([A], 1)


def test_after_unknown_the_steady_minutes_begin_with_what_is_known() -> None:
    watch = says(alone(), (100, DOWN), (200, UP), (400, UNKNOWN), (900, UP)).until(1490)
    assert watch.open == [A]
    assert watch.until(1500).open == []


def test_a_failure_between_two_looks_begins_the_steady_minutes_again_t25() -> None:
    watch = says(alone(), (100, DOWN), (200, UP), (501, DOWN), (509, UP)).until(1100)
    assert watch.open == [A]
    assert watch.until(1110).open == []


@pytest.mark.parametrize("restart_s", [150, 350, 620, 1000])
def test_another_leader_goes_on_where_the_first_stopped_t26(restart_s: int) -> None:
    steps = ((100, DOWN), (300, UP), (600, DOWN), (700, UP))
    whole = says(alone(), *steps).until(2000)
    broken = says(alone(), *steps).until(restart_s)
    broken.restart()
    broken.until(2000)
    assert (broken.messages, broken.entries) == (whole.messages, whole.entries)


def test_a_leader_that_was_away_over_the_recovery_closes_by_when_it_was_true() -> None:
    watch = says(alone(), (100, DOWN), (200, UP)).until(150)
    watch.at_s = 3000
    watch.look()
    (incident,) = watch.incidents.values()
    assert (incident.state, incident.well_ms) == (State.CLOSED, BEGAN_MS + 200_000)


def test_what_was_over_when_we_learned_of_it_opens_nothing() -> None:
    """Rows that come hours late tell of an outage that is past; figures count it, nobody is woken."""
    watch = alone().until(3000)
    says(watch, (100, DOWN), (400, UP)).until(4000)
    assert (watch.incidents, watch.told) == ({}, [])


def test_what_still_fails_is_told_however_late_we_learn_of_it_t28() -> None:
    watch = alone().until(3000)
    says(watch, (100, DOWN)).until(3020)
    assert watch.told == [(A, Topic.FIRST, CRITICAL)]


def test_the_severities_are_data() -> None:
    watch = says(alone(rules=IncidentRules(unavailable=INFO)), (100, DOWN), (400, UP)).until(1100)
    assert (len(watch.incidents), watch.told) == (1, [])


def test_an_incident_that_ends_while_it_is_held_is_never_told() -> None:
    watch = sharing(rules=IncidentRules(hold_s=60))
    says(watch, (100, DOWN), (140, UP), subject="service:a0/web")
    assert (watch.until(1000).told, watch.open) == ([], [])


def test_numbers_begin_anew_each_year() -> None:
    numbers = Numbers({2026: 411})
    last_ms, first_ms = 1_798_761_599_999, 1_798_761_600_000  # the last instant of 2026, the first of 2027
    taken = [numbers.take(last_ms), numbers.take(first_ms)]
    assert taken == ["INC-2026-0412", "INC-2027-0001"]


SUBJECTS = ("service:a", "service:b", "system:x", "government")
CHANNELS = {"service:a": ("service:a/web",), "service:b": ("service:b/web",)}


@st.composite
def looks(draw: st.DrawFn) -> Seen:
    """Any troubles at all, one per subject; a system may explain either service's channel."""
    troubles, free = [], dict(CHANNELS)
    for subject in draw(st.lists(st.sampled_from(SUBJECTS), unique=True)):
        taken = draw(st.sampled_from([(), *free.values()])) if subject == "system:x" else ()
        free = {one: paths for one, paths in free.items() if paths != taken}
        verdict = draw(st.sampled_from([DOWN, DEGRADED]))
        sign = draw(st.sampled_from([Sign.UNAVAILABLE, Sign.DOWN, Sign.DEGRADED]))
        paths = taken or CHANNELS.get(subject, ())
        troubles.append(
            Trouble(subject, sign, verdict, BEGAN_MS, channels=paths, may_follow=draw(st.booleans()))
        )
    unsure = draw(st.frozensets(st.sampled_from(["service:a/web", "system:x"]), max_size=1))
    return Seen(tuple(troubles), {}, unsure)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(looks(), st.sampled_from([1, 20, 400, 2000])), max_size=25))
def test_any_troubles_give_one_open_incident_a_subject_and_messages_that_make_sense(
    course: list[tuple[Seen, int]],
) -> None:
    incidents: dict[str, Incident] = {}
    heard: dict[str, list[Topic]] = {}
    numbers, now_ms = Numbers({}), BEGAN_MS
    for seen, pause_s in course:
        now_ms += pause_s * 1000
        found = handle(incidents.values(), seen, now_ms=now_ms, rules=RULES, numbers=numbers)
        incidents |= {one.number: one for one in found.changed}
        for message in found.messages:
            heard.setdefault(message.number, []).append(message.topic)
        opened = sorted(one.subject for one in incidents.values() if one.open)
        assert len(opened) == len(set(opened))
        assert {trouble.subject for trouble in seen.troubles} <= set(opened)
    for topics in heard.values():
        assert topics[0] is Topic.FIRST
        for one, other in pairwise(topics):
            assert (one is Topic.RESOLVED) == (other is Topic.AGAIN)
