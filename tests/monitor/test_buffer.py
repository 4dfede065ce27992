"""What was measured is not lost: kill -9, a torn end, a full buffer, a restart."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from monitor.scheduler.buffer import Buffer


def drained(buffer: Buffer) -> list[bytes]:
    """Every value, oldest first, each chunk acknowledged."""
    values = []
    while chunk := buffer.oldest():
        values += [record.value for record in chunk.records]
        buffer.acknowledge(chunk)
    return values


def filled(folder: Path, count: int, **settings: int) -> Buffer:
    buffer = Buffer(folder, **settings)
    for number in range(count):
        buffer.put(b"service:x", b"%06d" % number)
    return buffer


def test_what_was_put_in_comes_out_in_order_once(tmp_path: Path) -> None:
    buffer = filled(tmp_path, 20_000)
    assert drained(buffer) == [b"%06d" % number for number in range(20_000)]
    assert (buffer.depth, buffer.oldest_ms, buffer.oldest()) == (0, None, None)
    buffer.close()
    assert list(tmp_path.iterdir()) == []


def test_a_restart_goes_on_with_what_is_on_disk(tmp_path: Path) -> None:
    filled(tmp_path, 500).close()
    buffer = Buffer(tmp_path)
    buffer.put(b"service:x", b"new")
    assert (buffer.depth, drained(buffer)[-2:]) == (501, [b"000499", b"new"])
    buffer.close()


def test_a_torn_last_record_is_cut_and_the_rest_stays(tmp_path: Path) -> None:
    filled(tmp_path, 3).close()
    [segment] = tmp_path.iterdir()
    segment.write_bytes(segment.read_bytes()[:-2])
    buffer = Buffer(tmp_path)
    buffer.put(b"service:x", b"after")
    assert drained(buffer) == [b"000000", b"000001", b"after"]
    buffer.close()


def test_a_damaged_record_ends_its_segment_and_later_segments_stay(tmp_path: Path) -> None:
    filled(tmp_path, 100, most_bytes=8_000).close()
    first, *others = sorted(tmp_path.iterdir())
    data = bytearray(first.read_bytes())
    data[25] ^= 0xFF
    first.write_bytes(data)
    buffer = Buffer(tmp_path, most_bytes=8_000)
    values = drained(buffer)
    buffer.close()
    assert len(others) > 1
    assert (values[-1], b"000000" in values) == (b"000099", False)


def test_a_full_buffer_gives_up_the_oldest_and_counts_them(tmp_path: Path) -> None:
    buffer = filled(tmp_path, 10_000, most_bytes=100_000)
    assert buffer.size_bytes <= 100_000
    kept, dropped = buffer.depth, buffer.dropped
    values = drained(buffer)
    buffer.close()
    assert kept + dropped == 10_000
    assert values == [b"%06d" % number for number in range(dropped, 10_000)]


def test_a_record_that_is_too_long_is_counted_and_the_rest_go_on(tmp_path: Path) -> None:
    buffer = Buffer(tmp_path)
    assert not buffer.put(b"k", b"x" * (2 * 1024 * 1024))
    buffer.put(b"k", b"y" * 900_000)
    buffer.put(b"k", b"z")
    assert (buffer.dropped, [len(value) for value in drained(buffer)]) == (1, [900_000, 1])
    buffer.close()


def test_a_delivered_segment_does_not_grow_for_ever(tmp_path: Path) -> None:
    buffer = Buffer(tmp_path)
    for _ in range(50):
        for _ in range(100):
            buffer.put(b"k", b"v" * 300)
        drained(buffer)
    assert buffer.size_bytes < 200_000
    buffer.close()


def test_the_age_of_the_oldest_is_known(tmp_path: Path) -> None:
    before_ms = int(time.time() * 1000)
    buffer = filled(tmp_path, 2)
    assert buffer.oldest_ms is not None
    assert before_ms <= buffer.oldest_ms <= int(time.time() * 1000)
    buffer.close()


WRITER = """
import sys
from pathlib import Path
from monitor.scheduler.buffer import Buffer
buffer, number = Buffer(Path(sys.argv[1])), 0
while True:
    buffer.put(b"service:x", b"%06d" % number)
    number += 1
    sys.stdout.write("%d\\n" % number)
    sys.stdout.flush()
"""


def test_kill_9_loses_nothing_that_was_put_in(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(2_000):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    said = 2_000 + len(writer.stdout.read().splitlines())
    writer.wait(10)
    writer.stdout.close()
    buffer = Buffer(tmp_path)
    values = drained(buffer)
    buffer.close()
    assert values[:said] == [b"%06d" % number for number in range(said)]
    assert len(values) <= said + 1  # one may be written and not yet said


FILLER = """
import resource, sys
from pathlib import Path
from monitor.scheduler.buffer import Buffer
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))  # what a full disk says: a short write, then none
buffer, kept = Buffer(Path(sys.argv[1])), 0
while buffer.put(b"service:x", b"%06d" % kept):
    kept += 1
assert not buffer.put(b"service:x", b"again"), "the disk is full"
values = []
while chunk := buffer.oldest():
    values += [int(record.value) for record in chunk.records]
    buffer.acknowledge(chunk)
assert values == list(range(kept)), "what was kept is whole and in order"
print(kept, buffer.dropped, buffer.put(b"service:x", b"after"), buffer.depth)
buffer.close()
"""


def test_a_full_disk_gives_up_the_newest_counts_them_and_goes_on_once_the_rest_is_delivered(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", FILLER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    kept, dropped, after, depth = done.stdout.split()
    assert int(kept) > 100
    assert (dropped, after, depth) == ("2", "True", "1")
