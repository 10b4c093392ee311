from __future__ import annotations

import pytest
from tests.support import ui_samples as samples

from switchover.snapshot import CheckRow, FailureRow, FindingRow
from switchover.ui.checks.check_lines import check_detail, uptime_text
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import plain

FAILED = FailureRow(
    1_000_000.0,
    1_000_060.0,
    "crit",
    "disk: expected room, observed full",
    "assert",
    3,
    (FindingRow("disk", "room", "full", "crit"),),
    (("stderr", "no space left on device"),),
    over=True,
)
ROW = CheckRow("room", "disk", "ok", "fine", uptime=(1.0, 0.99999, None), failed=(FAILED,))


@pytest.mark.parametrize("width", [80, 200])
def test_the_detail_shows_the_last_failures_in_full_and_the_uptime(width: int) -> None:
    moment = RenderContext(None, 1_000_120.0, samples.LIVE)
    text = "\n".join(plain(line) for line in check_detail(ROW, moment, width))
    assert "1 h 100 % · 24 h 99.99 %" in text
    assert "last failures" in text
    assert "3 looks" in text
    assert "failed at assert: disk: expected room, observed full" in text
    assert "no space left on device" in text
    assert max(len(line) for line in text.splitlines()) <= width


def test_what_is_not_known_is_not_told() -> None:
    assert uptime_text(()) == ""
    assert uptime_text((None, None, 0.5)) == "7 d 50 %"
