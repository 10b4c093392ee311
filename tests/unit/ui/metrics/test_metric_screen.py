from __future__ import annotations

from datetime import datetime

import pytest

from switchover.commands.metric_series import SeriesPart
from switchover.snapshot import MetricRow, TimelineRow
from switchover.ui.metrics.span_chart import span_lines, week_lines
from switchover.ui.text.styled_line import plain

ROW = MetricRow("cpu", "host", "%", (), 3.0)
MONDAY = datetime(2026, 11, 30).timestamp()  # noqa: DTZ001 - the clock of this host, as the screen shows it


def part(means: list[float | None], *, step: float = 60.0) -> SeriesPart:
    columns = tuple((MONDAY + i * step, m, m, None if m is None else m + 1) for i, m in enumerate(means))
    return SeriesPart(MONDAY, MONDAY + step * len(means), columns)


def text(lines: list[tuple[object, ...]]) -> str:
    return "\n".join(plain(line) for line in lines)  # type: ignore[arg-type]


@pytest.mark.parametrize(("cursor", "words"), [(0, "1.0 %  from 1.0 % to 2.0 %"), (1, "nothing was measured")])
def test_the_cursor_reads_a_value_and_a_gap_is_said(cursor: int, words: str) -> None:
    assert words in text(span_lines(ROW, part([1.0, None, 3.0, 4.0]), (), 5, cursor, 80))  # type: ignore[arg-type]


def test_what_happened_is_marked_where_it_happened_and_named() -> None:
    event = TimelineRow(MONDAY + 125, "run", "step data.restore ended", "ok")
    shown = text(span_lines(ROW, part([1.0, 2.0, 3.0, 4.0]), [event], 5, 0, 80))  # type: ignore[arg-type]
    mark = next(line for line in shown.splitlines() if line.strip() == "┊")
    assert mark.index("┊") - 12 == 2
    assert "step data.restore ended" in shown


def test_a_span_without_any_value_says_so() -> None:
    assert "nothing was measured" in text(span_lines(ROW, part([None] * 4), (), 5, 0, 80))  # type: ignore[arg-type]


def test_a_week_has_a_row_a_day_and_a_cell_an_hour() -> None:
    means: list[float | None] = [float(i % 24) for i in range(168)]
    lines = text(week_lines(ROW, part(means, step=3600.0))).splitlines()  # type: ignore[arg-type]
    assert [line.split()[0] for line in lines[1:8]] == ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert lines[1].endswith("░░░" + "███" * 6) or lines[1].endswith("███" * 6)
    assert lines[1][6:9] == "░░░"
