"""The detailed chart."""

from __future__ import annotations

import re

import pytest
from tests.support.ui_samples import LIVE, wave

from switchover.snapshot import MetricRow, ServiceRow, Snapshot
from switchover.ui.metrics.metric_lines import metric_detail, metric_table
from switchover.ui.metrics.plot import plot_lines, split_curve
from switchover.ui.services.service_lines import ServiceTable, Wish
from switchover.ui.text.chart_scale import scale_of
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.spark import area_chart, sparkline, trend
from switchover.ui.text.styled_line import plain


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


CONSTANT = (0.0, 0.004, 0.2, 5.0, 42.0, 100.0, 1e9, -7.0)
UNITS = ("%", "", "ms", "s", "B", "B/s", "req/s")


def labels_of(text: str) -> list[str]:
    """What stands beside the curve."""
    rows = [re.split("[\u2800-\u28ff▁▂▃▄▅▆▇█┤│┼└]", line)[0].strip(" ┌─┐") for line in text.splitlines()]
    return [row for row in rows if row and "ago" not in row and not row.startswith(("now", "measured"))]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    "values",
    [
        *((value,) * 60 for value in CONSTANT),
        (0.1 + 0.2, 0.3) * 30,
        (100.0, 99.99999) * 30,
        (314.0, 314.4) * 30,
        (99.0, 100.0) * 30,
        (0.0, 1.0) * 30,
        (None, 100.0, float("nan")) * 20,
        (250.0, 240.0) * 30,
    ],
)
@pytest.mark.parametrize("plot", [True, False])
def test_no_two_labels_of_an_axis_read_the_same(values: tuple[float | None, ...], unit: str, plot: bool) -> None:
    row = MetricRow("m", "g", unit, values, values[1] or 1.0)
    chart = metric_detail(row, RenderContext(None, 0.0, LIVE), 70, 12, plot=plot)[:12]
    found = labels_of("\n".join(plain(line) for line in chart))
    assert 2 <= len(found) <= 3
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("values", "unit", "drawn"),
    [
        ((100.0,) * 4, "%", "████"),
        ((99.9, 100.0, 99.95, 100.0), "%", "████"),
        ((50.0,) * 4, "%", "▅▅▅▅"),
        ((3.0, 4.0, 3.5, 4.0), "%", "▁▁▁▁"),
        ((0.0,) * 4, "%", "▁▁▁▁"),
        ((0.0,) * 4, "", "▁▁▁▁"),
        ((0.001,) * 4, "", "████"),
        ((0.1 + 0.2, 0.3, 0.3, 0.3), "", "████"),
        ((1e9, 1e9 + 1, 1e9, 1e9), "B", "████"),
        ((200.0, 100.0, 50.0, 0.0), "%", "█▅▃▁"),
        ((100.0, None, float("nan"), 100.0), "%", "█  █"),
        ((80.0, 90.0, 85.0, 100.0), "ms", "▁▅▃█"),
        ((None,) * 4, "%", "    "),
    ],
)
def test_what_does_not_change_is_drawn_as_high_as_it_is(
    values: tuple[float | None, ...], unit: str, drawn: str
) -> None:
    assert sparkline(values, 4, scale_of(values, unit)) == drawn
    assert trend(values, 4, unit) == drawn
    row = MetricRow("m", "g", unit, values, 1.0)
    _, items = metric_table(RenderContext(Snapshot(metrics=(row,)), 0.0, LIVE), 120)
    assert drawn.strip() in plain(items[0].lines[-1])


def test_percent_with_a_low_limit_is_drawn_against_it() -> None:
    errors = (0.1, 0.6, 1.2, 2.5, 5.0)
    assert trend(errors, 5, "%", ("1", "> 5 for 2 m")) == "▁▁▂▅█"
    assert scale_of((7.0,), "%", ("1", "5")) == (0.0, 7.0)
    assert scale_of(errors, "%", ("80", "95")) == (0.0, 100.0)


def test_a_full_processor_is_drawn_full_in_the_chart_and_beside_a_service() -> None:
    top = plot_lines((100.0,) * 60, 60, 10, "%", 2.0)[1]
    assert len(re.findall("[\u2801-\u28ff]", top)) > 30
    assert area_chart((100.0,) * 20, 20, 3, scale_of((100.0,), "%")) == ["█" * 20] * 3
    row = ServiceRow("api", "new", "docker", "running", "ok", cpu_history=(100.0,) * 30, cpu_percent=100.0)
    _, items = ServiceTable().items(RenderContext(Snapshot(services=(row,)), 0.0, LIVE), 150, Wish())
    assert "████ 100 %" in plain(items.make(0).lines[-1])


def test_a_place_that_is_too_small_still_gets_a_chart() -> None:
    assert len(plot_lines(wave(30, 1, 5), 10, 3, "", 2.0)) == 3
