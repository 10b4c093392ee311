from __future__ import annotations

import math
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchover.metrics.history.chunks import Point
from switchover.metrics.history.codec import pack, unpack
from switchover.metrics.history.history import History

START = 1_780_000_020.0  # a whole minute
KEY = ("cpu", 2.0)
DAY = 86_400.0


def points(count: int, *, start: float = START, step: float = 2.0) -> list[Point]:
    return [(start + i * step, float(i)) for i in range(count)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.floats(allow_nan=True, allow_infinity=False),
            st.integers(-(1 << 60), 1 << 60).map(float),
            st.decimals(-1000, 1000, places=2).map(float),
            st.just(-0.0),
        ),
        max_size=60,
    )
)
def test_what_is_packed_comes_back_bit_for_bit(values: list[float]) -> None:
    codec, data = pack(values)
    back = unpack(codec, data, len(values))
    assert [math.copysign(1, v) for v in back if v == 0] == [math.copysign(1, v) for v in values if v == 0]
    assert [None if math.isnan(v) else v for v in back] == [None if math.isnan(v) else v for v in values]


def test_a_counter_of_eight_digits_keeps_every_one(tmp_path: Path) -> None:
    history = History(tmp_path / "t.sqlite")
    counter = [(START + i, 12_345_678.0 + i) for i in range(500)]
    history.add(("requests", 1.0), counter)
    history.flush(START + 500)
    assert history.newest(("requests", 1.0), START, START + 499) == counter


def test_what_was_measured_is_there_after_a_restart_also_what_was_in_no_full_chunk(tmp_path: Path) -> None:
    first = History(tmp_path / "t.sqlite")
    for part in range(7):
        first.add(KEY, points(100, start=START + part * 200))
        first.flush(START + part * 200 + 200)
    first.close()
    again = History(tmp_path / "t.sqlite")
    assert again.newest(KEY, START, START + 1400) == [
        (at, v) for p in range(7) for at, v in points(100, start=START + p * 200)
    ]
    again.add(KEY, points(10, start=START + 1400))
    assert len(again.newest(KEY, START, START + 1500)) == 710


def test_minutes_are_the_same_with_and_without_a_restart(tmp_path: Path) -> None:
    whole, broken = History(tmp_path / "a.sqlite"), History(tmp_path / "b.sqlite")
    for part in range(40):
        for history in (whole, broken):
            history.add(KEY, points(97, start=START + part * 194))
            history.flush(START + part * 194 + 194)
        if part % 7 == 3:
            broken.close()
            broken = History(tmp_path / "b.sqlite")
    until = START + 40 * 194
    assert whole.columns(KEY, START, until - 60, 60) == broken.columns(KEY, START, until - 60, 60)


def test_a_month_of_minutes_has_mean_least_and_most(tmp_path: Path) -> None:
    history = History(tmp_path / "t.sqlite")
    history.add(("x", 60.0), [(START + i * 60, float(i % 10)) for i in range(3 * 1440)])
    history.flush(START + 3 * DAY)
    columns = history.columns(("x", 60.0), START, START + 3 * DAY, 3)
    assert columns == [(START + day * DAY, 4.5, 0.0, 9.0) for day in range(3)]


def test_a_gap_stays_a_gap(tmp_path: Path) -> None:
    history = History(tmp_path / "t.sqlite")
    history.add(KEY, [*points(30), (START + 60, math.nan), *points(30, start=START + 600)])
    history.flush(START + 700)
    columns = history.columns(KEY, START, START + 660, 11)
    assert [column[1] is None for column in columns] == [False, *[True] * 9, False]


def test_a_clock_that_was_set_back_spoils_nothing(tmp_path: Path) -> None:
    history = History(tmp_path / "t.sqlite")
    history.add(KEY, points(10))
    history.add(KEY, points(5, start=START - 3600))
    history.flush(START + 20)
    assert history.newest(KEY, START - DAY, START + DAY) == points(10)


def test_old_points_go_and_minutes_stay_for_a_month(tmp_path: Path) -> None:
    history = History(tmp_path / "t.sqlite")
    history.add(("x", 60.0), [(START + i * 60, 1.0) for i in range(1440)])
    history.flush(START + DAY)
    history.add(("x", 60.0), [(START + 5 * DAY, 2.0)])
    history.flush(START + 5 * DAY)
    assert history.newest(("x", 60.0), START, START + DAY / 2) == []
    assert history.columns(("x", 60.0), START, START + DAY / 2, 1)[0][1] == 1.0
    history.flush(START + 40 * DAY)
    assert history.columns(("x", 60.0), START, START + DAY / 2, 1)[0][1] is None


def test_where_nothing_can_be_kept_it_is_said_and_kept_once_it_can_be(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    history = History(folder / "t.sqlite")
    history.add(KEY, points(300))
    history.flush(START + 600)
    assert "gone" in history.trouble
    folder.mkdir()
    history.flush(START + 610)
    assert (history.trouble, len(history.newest(KEY, START, START + 600))) == ("", 300)


def test_a_damaged_file_is_told_and_never_deleted(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    path.write_bytes(os.urandom(8192))
    path.chmod(0o600)
    before = path.read_bytes()
    history = History(path)
    history.add(KEY, points(3))
    history.flush(START + 10)
    assert "not a database" in history.trouble
    assert path.read_bytes() == before
    assert history.newest(KEY, START, START + 10) == points(3)


def test_a_damaged_chunk_is_a_gap_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    history = History(path)
    history.add(KEY, points(720))
    history.flush(START + 1440)
    history.close()
    with sqlite3.connect(path) as line:
        line.execute("UPDATE chunk SET data = x'00' WHERE rowid = (SELECT min(rowid) FROM chunk)")
    line.close()
    found = History(path).newest(KEY, START, START + 1440)
    assert sum(not math.isnan(value) for _, value in found) == 480


_WRITER = """
import sys
from pathlib import Path
from switchover.metrics.history.history import History
history, start = History(Path(sys.argv[1])), float(sys.argv[2])
for batch in range(10_000):
    history.add(("cpu", 2.0), [(start + (batch * 5 + i) * 2, float(batch * 5 + i)) for i in range(5)])
    history.flush(start + batch * 10)
    assert not history.trouble, history.trouble
    print(batch, flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_write_nothing_that_was_flushed_is_lost(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "t.sqlite"
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), repr(START)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for _ in range(random.Random(seed).randrange(1, 200)):
            done = int(writer.stdout.readline())
        writer.kill()
        done = int((writer.stdout.read().split() or [str(done)])[-1])
    found = History(path).newest(KEY, START, START + 1e6)
    assert [value for _, value in found][: (done + 1) * 5] == [float(i) for i in range((done + 1) * 5)]
    assert [at for at, _ in found] == sorted({at for at, _ in found})
    with sqlite3.connect(path) as line:
        assert line.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    line.close()


def test_thirty_days_take_less_than_four_bytes_a_point(tmp_path: Path) -> None:
    history, chance = History(tmp_path / "t.sqlite"), random.Random(7)
    for series in range(10):
        level, found = 50.0, []
        for i in range(8640):
            level = min(max(level + chance.gauss(0, 1), 0), 100)
            found.append((START + i * 10, round(level, 2)))
        history.add((f"cpu{series}", 10.0), found)
    history.flush(START + 86_400)
    history.close()
    with sqlite3.connect(tmp_path / "t.sqlite") as line:
        line.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        raw = line.execute("SELECT sum(length(data)), sum(n) FROM chunk WHERE tier = 0").fetchone()
    line.close()
    assert raw[0] / raw[1] < 4
