"""One subject's machine: what it makes of rows, versions and silence; nothing is lost between two rows."""

from __future__ import annotations

from monitor.judge.seconds import spent
from monitor.judge.subject import decode, encode
from monitor.model import Verdict
from tests.monitor.judge_harness import SUBJECT, Row, World, attempt, check
from tests.monitor.judge_reference import plain

KEY = f"{SUBJECT}/main"
UP, DOWN, UNKNOWN = Verdict.UP, Verdict.DOWN, Verdict.UNKNOWN


def world(**rules: object) -> World:
    made = World()
    made.adopt([check(**rules)])
    return made


def beats(outcomes: str, *, begin_ms: int = 0, vantage: str = "main", every_ms: int = 1000) -> list[Row]:
    """One letter a beat: u up, d down, m missed."""
    words = {"u": "up", "d": "down", "m": "unknown"}
    return [
        (KEY, vantage, attempt(begin_ms + number * every_ms, words[letter], every_ms=every_ms))
        for number, letter in enumerate(outcomes)
    ]


def test_an_outage_reaches_every_layer_with_the_attempts_that_confirmed_it() -> None:
    judged = world()
    judged.add(beats("uudd"))
    told = [(c.layer, c.subject, plain(c.diff.added)) for c in judged.changes]
    outage = [(0, UP, "ok"), (2000, DOWN, "timeout")]
    assert told == [("vantage", f"{KEY}@main", outage), ("check", KEY, outage), ("measured", SUBJECT, outage)]
    assert [proof.due_ms for proof in judged.standing[SUBJECT][-1].evidence] == [2000, 3000]


def test_a_row_that_changes_nothing_changes_nothing() -> None:
    judged = world()
    judged.add(beats("u" * 10))
    judged.changes.clear()
    judged.add(beats("u", begin_ms=10_000))
    assert judged.changes == []


def test_a_late_row_withdraws_what_it_disproves() -> None:
    judged = world(vantages=("main",), count=2)
    judged.add([*beats("ud"), *beats("du", begin_ms=2000)])
    judged.changes.clear()
    judged.add([(KEY, "main", attempt(1000, "up", retry=1))])
    withdrawn = [plain(change.diff.withdrawn) for change in judged.changes]
    assert (withdrawn, plain(judged.standing[SUBJECT])) == ([[(1000, DOWN, "timeout")]] * 3, [(0, UP, "ok")])


def test_a_measured_row_replaces_a_missed_one_and_the_first_measured_stays() -> None:
    judged = world(count=1)
    judged.add(beats("umu"))
    judged.add([(KEY, "main", attempt(1000, "down", reason="status"))])
    judged.add([(KEY, "main", attempt(1000, "up"))])
    assert plain(judged.standing[SUBJECT]) == [(0, UP, "ok"), (1000, DOWN, "status")]


def test_t3_when_the_prober_dies_the_subject_is_unknown_and_not_down() -> None:
    judged = world()
    judged.add(beats("uuu"), until_ms=2000)
    judged.advance(60_000)
    assert plain(judged.standing[SUBJECT]) == [(0, UP, "ok"), (4000, UNKNOWN, "silence")]


def test_the_clock_has_nothing_to_say_before_the_moment_it_is_asked_for() -> None:
    judged = world(every_ms=30_000)
    judged.add(beats("u" * 4, every_ms=30_000), until_ms=0)
    told = []
    while (at_ms := judged.subject.silent_at_ms()) is not None and at_ms < 400_000:
        judged.changes.clear()
        judged.advance(at_ms - 1)
        early = (list(judged.changes), len(judged.gaps), judged.subject.silent_at_ms())
        judged.advance(at_ms)
        told.append((early[0], early[2] == at_ms, judged.subject.silent_at_ms() == at_ms))
    assert told
    assert set(map(str, told)) == {str(([], True, False))}


def test_t6_changing_the_interval_does_not_change_past_figures() -> None:
    judged = world(every_ms=1000)
    judged.add(beats("uuddduu"))
    before = spent(judged.standing[SUBJECT], start_ms=0, end_ms=7000)
    judged.adopt([check(every_ms=60_000)], serial=2, valid_from_ms=7000)
    judged.add(beats("uuu", begin_ms=7500, every_ms=60_000))
    assert (spent(judged.standing[SUBJECT], start_ms=0, end_ms=7000), before.down_ms) == (before, 3000)


def test_t15_and_t16_hold_for_the_whole_subject() -> None:
    judged = world(vantages=("abu_dhabi", "dubai", "sharjah"), quorum=3)
    for vantage, outcomes in (("abu_dhabi", "uuuddddd"), ("dubai", "uuuuuuuu"), ("sharjah", "uuu")):
        judged.add(beats(outcomes, vantage=vantage))
    minority = plain(judged.standing[SUBJECT])
    judged.add(beats("dd", begin_ms=8000, vantage="dubai"))
    judged.add(beats("dd", begin_ms=8000, vantage="abu_dhabi"))
    judged.advance(8000)
    assert (minority, plain(judged.standing[SUBJECT])) == (
        [(0, UP, "ok")],
        [(0, UP, "ok"), (8000, DOWN, "timeout")],
    )


def test_t26_a_restart_between_any_two_rows_changes_nothing() -> None:
    rows = beats("uuduuuddduuuuuuuduuuuuuuuuumuuuu") + beats("ddd", begin_ms=90_000)

    def told(*, restarting: bool) -> object:
        judged = world()
        for row in rows:
            judged.add([row], until_ms=row[2].due_ms - 500)
            judged.advance(row[2].due_ms - 500)
            if restarting:
                judged.restart()
        return judged.standing, judged.gaps, encode(judged.subject)

    assert told(restarting=True) == told(restarting=False)


def test_t36_one_row_at_a_time_or_all_at_once_leads_to_the_same() -> None:
    rows = beats("uuduuuddduuuuuuuduuuuuuuuuumuuuu") + beats("ddd", begin_ms=90_000)
    at_once, singly = world(), world()
    at_once.add(rows)
    for row in rows:
        singly.add([row])
    assert at_once.standing == singly.standing


def test_a_check_that_appears_does_not_make_its_subject_unknown_before_it_could_answer() -> None:
    judged = world()
    judged.add(beats("uuuuu"))
    judged.adopt([check(), check("login")], serial=2, valid_from_ms=4500)
    judged.add(beats("uuu", begin_ms=5000), until_ms=6499)
    before = plain(judged.standing[SUBJECT])
    judged.advance(6500)
    assert (before, plain(judged.standing[SUBJECT])) == (
        [(0, UP, "ok")],
        [(0, UP, "ok"), (6500, UNKNOWN, "silence")],
    )


def test_a_check_that_is_removed_no_longer_counts_from_then_on() -> None:
    judged = world()
    judged.adopt([check(), check("login")], serial=2, valid_from_ms=0)
    judged.add(beats("uuuuu"))
    judged.add([(f"{SUBJECT}/login", "main", attempt(due_ms, "down")) for due_ms in (0, 1000, 2000)])
    judged.adopt([check()], serial=3, valid_from_ms=3500)
    assert plain(judged.standing[SUBJECT]) == [(0, DOWN, "timeout"), (3500, UP, "ok")]


def test_a_subject_whose_last_check_is_removed_is_not_measured() -> None:
    judged = world()
    judged.add(beats("uuu"))
    judged.adopt([], serial=2, valid_from_ms=2500)
    assert plain(judged.standing[SUBJECT]) == [(0, UP, "ok"), (2500, UNKNOWN, "not_measured")]


def test_a_version_adopted_twice_changes_nothing() -> None:
    judged = world()
    judged.add(beats("uuu"))
    document = encode(judged.subject)
    judged.adopt([check(count=1)], serial=1, valid_from_ms=0)
    assert encode(judged.subject) == document


def test_a_check_that_is_not_required_is_judged_and_does_not_count() -> None:
    judged = world(required=False)
    judged.add(beats("ddd"))
    assert (plain(judged.standing[KEY]), judged.standing.get(SUBJECT)) == ([(0, DOWN, "timeout")], None)


def test_a_row_of_a_vantage_point_the_catalogue_does_not_name_says_nothing() -> None:
    judged = world(vantages=("dubai",))
    judged.add(beats("ddd", vantage="elsewhere"))
    assert judged.standing == {}


def test_a_row_hours_late_asks_for_history_and_is_judged_exactly() -> None:
    judged = world(count=1)
    judged.add(beats("u" * 500 + "mm" + "u" * 500))
    judged.add([(KEY, "main", attempt(500_000, "down")), (KEY, "main", attempt(501_000, "down"))])
    assert (judged.history, plain(judged.standing[SUBJECT])) == (
        1,
        [(0, UP, "ok"), (500_000, DOWN, "timeout"), (502_000, UP, "ok")],
    )


def test_the_document_stays_small_however_long_it_runs_and_flaps() -> None:
    judged = world(vantages=("abu_dhabi", "dubai", "sharjah"))
    sizes = []
    for number in range(400):
        for vantage in ("abu_dhabi", "dubai", "sharjah"):
            outcome = "d" if number // 4 % 2 else "u"
            judged.add(beats(outcome, begin_ms=number * 1000, vantage=vantage), until_ms=number * 1000 - 500)
        judged.account(number * 1000 - 500)
        sizes.append(len(encode(judged.subject)))
    assert max(sizes) < 25_000
    assert max(sizes[200:]) <= max(sizes[:200]) * 1.05
    assert decode(encode(judged.subject)) == judged.subject
