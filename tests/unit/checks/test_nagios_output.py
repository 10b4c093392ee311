"""What a monitoring plugin prints and how it ends."""

from __future__ import annotations

import pytest

from switchover_checks.api import Status
from switchover_checks.nagios import read_plugin_output


@pytest.mark.parametrize(("code", "status"), [(0, Status.OK), (1, Status.WARN), (2, Status.CRIT), (3, Status.UNKNOWN)])
def test_the_exit_code_is_the_status_whatever_the_text_says(code: int, status: Status) -> None:
    result = read_plugin_output(code, "DISK OK - all fine | free=1", "")
    assert result.status is status
    assert result.findings[0].status is status


@pytest.mark.parametrize("code", [4, 127, 255, -9])
def test_any_other_ending_is_unknown(code: int) -> None:
    result = read_plugin_output(code, "OK", "")
    assert result.status is Status.UNKNOWN
    assert str(abs(code)) in result.summary


def test_ok_without_a_word_is_unknown() -> None:
    assert read_plugin_output(0, "\n", "").status is Status.UNKNOWN


def test_long_output_and_performance_data_over_several_lines_are_kept() -> None:
    result = read_plugin_output(1, "DISK WARN | /=1MB\nline one\nline two | /home=2MB;3;4\n/var=U /tmp=3MB\n", "")
    assert result.summary == "DISK WARN"
    assert result.evidence["long output"] == "line one\nline two"
    assert [m.name for m in result.metrics] == ["/", "/home", "/tmp"]
