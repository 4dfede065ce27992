"""The anomaly detector: online, in any unit, deaf to noise, quick to hear a spike, a shift or a lost day."""

from __future__ import annotations

import copy
import io
import json
import math
import pickle
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.cli import continuity
from monitor.judge.anomaly import FALSE_ALARMS_PER_1000, THRESHOLD, Detector

ROOT = Path(__file__).parents[2]
STEP_MS = 300_000
DAY = 288  # points
BEGAN_MS = 1_735_689_600_000  # a Wednesday, midnight UTC


def scores(values: Sequence[float], *, step_ms: int = STEP_MS) -> list[float]:
    detector = Detector()
    return [detector.score(BEGAN_MS + at * step_ms, value) for at, value in enumerate(values)]


def alarms(values: Sequence[float], *, since: int = 0, step_ms: int = STEP_MS) -> list[int]:
    found = scores(values, step_ms=step_ms)
    return [at for at, score in enumerate(found) if at >= since and score >= THRESHOLD]


def working_days(days: int, *, seed: int = 1, noise: float = 3.0) -> list[float]:
    """A hundred or so by day, ten at night, 40 % of that from Friday to Saturday."""
    chance = random.Random(seed)
    values = []
    for at in range(days * DAY):
        share = 0.4 if (at // DAY + 2) % 7 in (4, 5) else 1.0
        light = max(0.0, math.sin(math.pi * (at % DAY / DAY * 24 - 7) / 14)) if 84 <= at % DAY <= 252 else 0.0
        values.append(share * (10 + 90 * light) + chance.gauss(0, noise))
    return values


# what it promises about any series

values_of_any_kind = st.lists(
    st.one_of(st.floats(width=32), st.integers(-5, 5).map(float), st.just(math.nan)), max_size=400
)


@given(values_of_any_kind, st.integers(0, 400))
@settings(max_examples=50, deadline=None)
def test_a_score_depends_on_nothing_that_comes_later(values: list[float], cut: int) -> None:
    assert scores(values[:cut]) == scores(values)[:cut]


@given(st.lists(st.tuples(st.integers(-(2**50), 2**50), st.floats()), max_size=300))
@settings(max_examples=100, deadline=None)
def test_a_score_is_from_0_to_1_whatever_the_values_and_the_order_of_the_times(
    points: list[tuple[int, float]],
) -> None:
    detector = Detector()
    assert all(0 <= detector.score(at_ms, value) <= 1 for at_ms, value in points)


@pytest.mark.parametrize("scale", [1e-12, 0.25, 1.8, 1e12])
@pytest.mark.parametrize("shift", [0.0, -50.0, 1000.0])
def test_unit_and_zero_point_of_the_values_do_not_matter(scale: float, shift: float) -> None:
    values = working_days(6)
    values[1000] += 200
    moved = [scale * (value + shift) for value in values]
    assert scores(moved) == pytest.approx(scores(values), abs=1e-6)


def test_a_series_turned_upside_down_scores_the_same() -> None:
    values = working_days(6)
    assert scores([-value for value in values]) == pytest.approx(scores(values), abs=1e-9)


def test_what_is_kept_does_not_grow_with_the_series() -> None:
    detector, sizes = Detector(), []
    for at, value in enumerate(working_days(40)):
        detector.score(BEGAN_MS + at * STEP_MS, value)
        if at in (16 * DAY, 40 * DAY - 1):
            sizes.append(len(pickle.dumps(detector)))
    assert sizes[1] <= sizes[0] * 1.02  # digits of counters


def test_a_detector_that_was_put_away_goes_on_as_if_it_had_not_been() -> None:
    values = working_days(4)
    first, half = Detector(), len(values) // 2
    before = [first.score(BEGAN_MS + at * STEP_MS, value) for at, value in enumerate(values[:half])]
    second: Detector = copy.deepcopy(first)
    after = [second.score(BEGAN_MS + (half + at) * STEP_MS, value) for at, value in enumerate(values[half:])]
    assert before + after == scores(values)


# what must not alarm


@pytest.mark.parametrize("value", [0.0, 0.1, -1e-300, 1e300, 1 / 3])
def test_a_constant_series_scores_nothing(value: float) -> None:
    assert set(scores([value] * 3000)) == {0.0}


NOISES: dict[str, Callable[[random.Random], float]] = {
    "normal": lambda chance: chance.gauss(0, 1),
    "uniform": lambda chance: chance.random(),
    "exponential": lambda chance: chance.expovariate(1),
    "lognormal": lambda chance: chance.lognormvariate(0, 1),
    "student with 3 degrees": lambda chance: chance.gauss(0, 1) / math.sqrt(chance.gammavariate(1.5, 2) / 3),
    "cauchy": lambda chance: math.tan(math.pi * (chance.random() - 0.5)),
    "one in twenty": lambda chance: float(chance.random() < 0.05),
    "counts about two": lambda chance: float(sum(chance.random() < 0.02 for _ in range(100))),
}


@pytest.mark.parametrize("step_ms", [STEP_MS, 3_600_000], ids=["5 min", "1 h"])
@pytest.mark.parametrize("noise", NOISES)
def test_pure_noise_raises_no_more_false_alarms_than_documented(noise: str, step_ms: int) -> None:
    chance = random.Random(7)
    values = [NOISES[noise](chance) for _ in range(8_000)]
    assert 1000 * len(alarms(values, step_ms=step_ms)) / len(values) <= FALSE_ALARMS_PER_1000


def test_a_season_of_days_and_weeks_is_learnt_from_the_timestamps() -> None:
    values = working_days(70)
    assert len(alarms(values, since=28 * DAY)) <= 6 * FALSE_ALARMS_PER_1000


def test_an_alarm_is_told_once_while_it_lasts() -> None:
    values = working_days(20)
    for at in range(4000, 4060):
        values[at] += 500
    assert len([at for at in alarms(values) if 4000 <= at < 4060]) == 1


def test_an_absurd_value_does_not_deafen_the_detector() -> None:
    values = working_days(34)
    values[3000] = 1e9
    values[33 * DAY] += 2000
    assert 33 * DAY in alarms(values)


def test_a_missing_value_scores_nothing_and_changes_nothing() -> None:
    detector, with_holes = Detector(), []
    for at, value in enumerate(working_days(6)):
        missing = detector.score(BEGAN_MS + at * STEP_MS, (math.nan, math.inf, -math.inf)[at % 3])
        assert missing == 0
        with_holes.append(detector.score(BEGAN_MS + at * STEP_MS, value))
    assert with_holes == scores(working_days(6))


def test_a_gap_in_the_series_is_no_anomaly_and_forgets_nothing() -> None:
    values, detector = working_days(28), Detector()
    found = []
    for at, value in enumerate(values):
        if not 10 * DAY <= at < 17 * DAY:
            found.append(detector.score(BEGAN_MS + at * STEP_MS, value))
    assert sum(score >= THRESHOLD for score in found[10 * DAY : 11 * DAY]) <= 1


# what must


@pytest.mark.parametrize(("by", "within"), [(400.0, 0), (-150.0, 0), (60.0, 12)], ids=str)
def test_a_level_that_shifts_is_heard_at_once_and_a_small_shift_within_an_hour(
    by: float, within: int
) -> None:
    at = 20 * DAY + 30
    values = [value + (by if point >= at else 0) for point, value in enumerate(working_days(22))]
    assert any(at <= alarm <= at + within for alarm in alarms(values))


@pytest.mark.parametrize("hour", [3, 12])
def test_a_spike_is_heard_at_its_first_point_by_night_and_by_day(hour: int) -> None:
    at = 20 * DAY + hour * 12
    values = working_days(22)
    values[at] += 200
    assert at in alarms(values)


def test_a_day_without_visitors_is_heard_while_it_is_still_morning() -> None:
    begins = 20 * DAY  # a Tuesday
    values = working_days(22)
    values[begins : begins + DAY] = working_days(1, seed=5, noise=1.0)[:72] * 4
    assert any(begins + 84 <= alarm <= begins + 12 * 12 for alarm in alarms(values))


def test_a_value_that_stands_still_is_heard_though_it_is_a_usual_one() -> None:
    chance = random.Random(3)
    values = [chance.gauss(50, 5) for _ in range(4000)]
    values[3000:] = [50.0] * 1000
    assert any(3000 <= alarm <= 3010 for alarm in alarms(values))


def test_the_first_change_of_a_constant_series_is_heard() -> None:
    assert alarms([5.0] * 1000 + [6.0]) == [1000]


# the command


def run(*arguments: str | Path, text: str | bytes | None = None) -> Result:
    return CliRunner().invoke(continuity, ["anomalies", *map(str, arguments)], input=text)


def test_the_command_prints_each_row_as_given_with_its_score(tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    rows = ["2025-01-01 00:00:00,1.50", "2025-01-01T00:05:00+03:00,2e0", "1735690200,", "1735690500000,nan"]
    file.write_text("\n".join(["timestamp,value", *rows, ""]))
    result = run(file)
    assert result.stdout.splitlines() == ["timestamp,value,anomaly_score", *(f"{row},0" for row in rows)]
    assert result.exit_code == 0


def test_the_command_says_what_the_detector_says() -> None:
    values = working_days(8)
    text = "".join(f"{BEGAN_MS + at * STEP_MS},{value}\n" for at, value in enumerate(values))
    printed = [float(line.rsplit(",", 1)[1]) for line in run("-", text=text).stdout.splitlines()[1:]]
    assert printed == pytest.approx(scores(values), rel=1e-5)


@pytest.mark.parametrize(
    "text",
    [
        "value,place,timestamp\n7,here,2025-01-01 00:00:00\n",
        "Timestamp , VALUE\n2025-01-01 00:00:00,7\n",
        "2025-01-01 00:00:00,7,here\n",
        "\ufefftimestamp,value\n\n2025-01-01 00:00:00,7\n",
    ],
    ids=["any order", "any case", "no names", "byte order mark and empty line"],
)
def test_the_columns_are_found_by_name_or_else_by_place(text: str, tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    file.write_text(text, encoding="utf-8")
    assert run(file).stdout.splitlines()[1:] == ["2025-01-01 00:00:00,7,0"]


def spiked() -> str:
    rows = [f"{1_735_689_600 + at * 300},{at % 7}" for at in range(1000)]
    return "\n".join([*rows, "1735989600,1000"]) + "\n"


def test_a_threshold_leaves_only_the_rows_that_reach_it() -> None:
    head, *rows = run("-", "--threshold", "0.5", text=spiked()).stdout.splitlines()
    assert (head, [row.rsplit(",", 1)[0] for row in rows]) == (
        "timestamp,value,anomaly_score",
        ["1735989600,1000"],
    )


def test_as_json_each_line_is_an_object() -> None:
    lines = run("-", "--json", text="0,1\n300,\n").stdout.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"timestamp": "0", "value": 1.0, "anomaly_score": 0.0},
        {"timestamp": "300", "value": None, "anomaly_score": 0.0},
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "timestamp,value\n0,1\nnever,2\n",
            ":3:1: 'never' is no time; allowed are YYYY-MM-DD HH:MM:SS (UTC)",
        ),
        ("0,1\n300,many\n", ":2:5: 'many' is no value; allowed is a number, or nothing where it is missing"),
        ("0,1\n300\n", ":2:1: has 1 of the columns; needed are timestamp and value"),
        ("when,what\n0,1\n", ":1:1: 'when' is no time"),
        ("1e400,1\n", ":1:1: '1e400' is no time"),
        ("0," + "9" * 200_000 + "\n", ":1:1: is not CSV: field larger than field limit"),
    ],
    ids=["time", "value", "columns", "names", "overflow", "too long"],
)
def test_what_cannot_be_read_is_named_with_its_place_and_what_is_allowed(
    text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "series.csv"
    file.write_text(text)
    result = run(file)
    assert (result.exit_code, result.stderr.startswith(f"{file}{said}")) == (1, True), result.stderr


def test_what_is_not_text_is_named_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "series.csv"
    file.write_bytes(b"timestamp,value\n0,\xff\n")
    result = run(file)
    assert (result.exit_code, result.stderr) == (1, f"{file}:1:1: is not text in UTF-8\n")


def test_a_file_that_is_not_there_is_a_wrong_call() -> None:
    assert run("nowhere.csv").exit_code == 2


def test_rows_come_out_as_they_come_in_and_a_reader_who_leaves_is_no_fault() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "monitor", "anomalies", "-"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with process.stdin as into, process.stdout as out, process.stderr as errors:
        into.write("0,1\n")
        into.flush()
        assert [out.readline(), out.readline()] == ["timestamp,value,anomaly_score\n", "0,1,0\n"]
        out.close()
        into.write("300,1\n600,1\n")
        into.close()
        assert errors.read() == ""
    process.wait(30)


def test_a_long_series_is_not_held_in_memory() -> None:
    class Endless(io.RawIOBase):
        """Gives lines for ever and notes how many were asked for."""

        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:
            line = b"%d,1\n" % self.given
            Endless.given += 1
            buffer[: len(line)] = line
            return len(line)

    from monitor.cli.anomalies import points

    with io.TextIOWrapper(io.BufferedReader(Endless(), 64), encoding="utf-8") as endless:
        first = next(points(endless, "endless"))
    assert (first.stamp, Endless.given < 5000) == ("0", True)
