"""What a monitoring plugin prints and how it ends."""

from __future__ import annotations

import pytest

from switchover_checks.api import Status
from switchover_checks.kinds.nagios import read_plugin_output


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


@pytest.mark.parametrize(
    ("perfdata", "read", "unread"),
    [
        ("'cpu use' = 11%;10;20 load1=0.5;1;2 users=3", ["load1", "users"], "'cpu use' = 11%;10;20"),
        ("a=1 nonsense b=2", ["a", "b"], "nonsense"),
        ("=5 a=1 b= c=2", ["a", "c"], "=5; b="),
        ("'unclosed=1 a=2", ["a"], "'unclosed=1"),
        ("a=nan b=inf c=1e999 d=4", ["d"], "a=nan b=inf c=1e999"),
        ("a=1,234,567 b=2", ["b"], "a=1,234,567"),
        ("a=1;2;3;4;5;6 b=2", ["b"], "a=1;2;3;4;5;6"),
        ("a=1;2;3, b=2, c=0,5s", ["a", "b", "c"], ""),
        ("'it''s a=b'=3KB;~:5;@1:2 C:\\ %=U D:=1%", ["it's a=b", "D:"], "C:\\"),
        ("a=U 'b c'=U;;;0;100 d=-1.5e3B;;", ["d"], ""),
        ("a=one", [], "a=one"),
        ("a=1 ;;; b=2", ["a", "b"], ";;;"),
    ],
)
def test_one_bad_label_takes_no_other_along(perfdata: str, read: list[str], unread: str) -> None:
    for stdout in (f"OK | {perfdata}\n", f"OK\nmore\nlines | {perfdata}\n", f"OK\nmore |\n{perfdata}\n"):
        result = read_plugin_output(0, stdout, "")
        assert [m.name for m in result.metrics] == read
        assert result.status is Status.OK
        assert result.evidence.get("performance data", "not readable: ") == f"not readable: {unread}"
