"""What a month of minutes costs on disk, and to read."""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from pathlib import Path

from tests.bench.support.table import print_table

from switchover.metrics.history.history import History

_SERIES, _DAYS, _ROUNDS = 5, 30, 20
_START, _DAY = 1_780_000_020.0, 86_400.0


def run() -> None:
    """Measure and print."""
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "t.sqlite"
        history = History(file)
        for series in range(_SERIES):
            level, points = 50.0, []
            for minute in range(_DAYS * 1440):
                level = min(max(level + chance.gauss(0, 1), 0), 100)
                points.append((_START + minute * 60, round(level, 2)))
            history.add((f"m{series}", 60.0), points)
        until = _START + _DAYS * _DAY
        before = time.process_time()
        history.flush(until)
        wrote = time.process_time() - before
        took = []
        for number in range(_ROUNDS):
            before = time.process_time()
            history.columns((f"m{number % _SERIES}", 60.0), _START, until, 240)
            took.append(time.process_time() - before)
        history.close()
    count = _SERIES * _DAYS * 1440
    rows = [
        ("a million points to disk, with their minutes", f"{wrote / count * 1e6:.2f} s CPU", ""),
        ("30 days of one series in 240 columns", f"{statistics.median(took) * 1000:.1f} ms CPU", "≤ 10 ms"),
    ]
    print_table("history of metrics", ("what", "median", "aim"), rows)
