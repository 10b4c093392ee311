from __future__ import annotations

import math

from switchover.metrics.series import Series


def filled(values: list[float | None], step: float = 2.0, capacity: int = 1000) -> Series:
    series = Series(step, capacity)
    for index, value in enumerate(values):
        series.add(value, at=100.0 + index * step, mono=index * step)
    return series


def test_points_come_back_oldest_first() -> None:
    assert filled([1.0, 2.0, 3.0]).newest(10) == (1.0, 2.0, 3.0)
    assert filled([1.0, 2.0, 3.0]).newest(2) == (2.0, 3.0)
    assert filled([]).newest(5) == ()


def test_only_the_newest_points_are_kept() -> None:
    series = filled([float(n) for n in range(2500)])
    assert len(series) == 1000
    assert series.newest(1000) == tuple(float(n) for n in range(1500, 2500))
    assert series.newest(3) == (2497.0, 2498.0, 2499.0)


def test_what_was_not_measured_is_a_gap_and_never_zero() -> None:
    series = filled([1.0, None, math.nan, math.inf, 5.0])
    assert series.newest(5) == (1.0, None, None, None, 5.0)
    assert series.known() == [1.0, 5.0]


def test_steps_that_were_missed_become_gaps() -> None:
    series = Series(2.0)
    series.add(1.0, at=100.0, mono=0.0)
    series.add(2.0, at=108.0, mono=8.0)
    assert series.newest(10) == (1.0, None, None, None, 2.0)


def test_a_point_a_little_late_makes_no_gap() -> None:
    series = Series(2.0)
    for mono in (0.0, 2.4, 4.1, 6.9):
        series.add(1.0, at=mono, mono=mono)
    assert None not in series.newest(10)


def test_a_long_sleep_fills_the_ring_with_gaps_once() -> None:
    series = Series(1.0, 100)
    series.add(1.0, at=0.0, mono=0.0)
    series.add(2.0, at=1e9, mono=1e9)
    assert series.newest(100) == (None,) * 99 + (2.0,)


def test_the_latest_value_keeps_the_time_it_was_measured_at() -> None:
    series = filled([1.0, 2.0, None])
    assert (series.latest, series.observed_at) == (2.0, 102.0)
