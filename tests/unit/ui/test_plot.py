"""The detailed chart."""

from __future__ import annotations

import pytest
from tests.ui_samples import wave

from switchover.ui.presentation.plot import plot_lines, split_curve


def test_a_chart_has_its_scale_its_time_and_the_size_it_was_asked_for() -> None:
    lines = plot_lines(wave(120, 200, 800), 70, 12, "ms", 2.0)
    text = "\n".join(lines)
    assert len(lines) == 12
    assert all(len(line) <= 70 for line in lines)
    assert "800 ms" in text
    assert "4 m ago" in text
    assert "now" in text
    assert "\x1b" not in text


def test_a_chart_may_be_wider_than_any_terminal_that_plotext_finds() -> None:
    assert max(len(line) for line in plot_lines(wave(120, 200, 800), 150, 12, "ms", 2.0)) > 140


def test_only_the_curve_takes_the_colour_of_its_state() -> None:
    assert split_curve("80 ms┤⣀⠤⠤  │") == [("80 ms┤", False), ("⣀⠤⠤", True), ("  │", False)]


@pytest.mark.parametrize("values", [(), (None,), (5.0,), (5.0, 5.0), (None, 1.0, None, 2.0), (-3.0, 4.0)])
def test_a_chart_of_odd_data_does_not_fail(values: tuple[float | None, ...]) -> None:
    assert len(plot_lines(values, 60, 8, "", 2.0)) == 8


def test_a_place_that_is_too_small_still_gets_a_chart() -> None:
    assert len(plot_lines(wave(30, 1, 5), 10, 3, "", 2.0)) == 3
