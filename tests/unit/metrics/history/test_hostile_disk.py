"""What the disk or the clock does to the past costs neither memory nor what is measured from here on."""

from __future__ import annotations

import math
from pathlib import Path

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
