"""What the disk or the clock does to the past costs neither memory nor what is measured from here on."""

from __future__ import annotations

import math
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from tests.unit.metrics.history.test_history import KEY, START, points

from switchover.metrics.history.history import History


def test_a_disk_that_never_opens_takes_no_memory_without_end(tmp_path: Path) -> None:
    (tmp_path / "t.sqlite").mkdir()
    history = History(tmp_path / "t.sqlite")
    for part in range(40):
        history.add(KEY, points(1000, start=START + part * 2000))
        history.flush(START + part * 2000)
    assert history.trouble
    assert len(history._open[KEY].fresh) <= 1000


def test_a_clock_that_was_set_back_far_does_not_end_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    history = History(path)
    history.add(KEY, points(10, start=START + 30 * 86_400))
    history.flush(START + 30 * 86_400)
    history.add(KEY, points(10))
    history.flush(START + 20)
    assert len(history.newest(KEY, START, START + 100)) == 10
    history.close()
    later = History(path)
    later.add(KEY, points(10, start=START + 60))
    later.flush(START + 80)
    assert sum(not math.isnan(value) for _, value in later.newest(KEY, START, START + 100)) == 20


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_a_file_with_times_that_are_none_gives_back_the_others(tmp_path: Path, odd: float) -> None:
    path = tmp_path / "t.sqlite"
    history = History(path)
    history.add(KEY, points(3))
    history.flush(START)
    history.close()
    with closing(sqlite3.connect(path)) as line, line:
        body = msgspec.msgpack.encode([(1, [(odd, 1.0), (START, 1.0)])])
        line.execute("INSERT INTO tail (at, data) VALUES (?, ?)", (START, zlib.compress(body)))
    later = History(path)
    later.flush(START + 10)
    assert later.newest(KEY, START, START + 10) == points(3)
    assert not later.trouble
