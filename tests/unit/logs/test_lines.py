"""What is read from a line: its time, its level, what belongs together, what is harmless."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchover.logs.intake import Intake, clean
from switchover.logs.reading.levels import LEVEL_NAMES, level_of
from switchover.logs.reading.log_times import Times, parse_iso
from switchover.logs.reading.splitter import Splitter
from switchover.logs.sources.source_api import RawLine
from switchover.redaction import Redactor

TEN = 1772359200.0  # 2026-03-01T10:00:00Z


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-01T10:00:00Z hello", TEN),
        ("2026-03-01T10:00:00.250Z hello", TEN + 0.25),
        ("[2026-03-01 11:00:00,250 +0100] hello", TEN + 0.25),
        ("2026-03-01T10:00:00.123456789+00:00 hello", TEN + 0.123457),
        ('time="2026-03-01T10:00:00Z" level=info msg=x', TEN),
        ('1.2.3.4 - - [01/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5', TEN),
        ('{"ts":1772359200.5,"level":"info","msg":"x"}', TEN + 0.5),
        ('{"level":"info","time":"2026-03-01T10:00:00Z","msg":"x"}', TEN),
        ('{"time": 1772359200500, "level": 30}', TEN + 0.5),
        ("1772359200 hello", TEN),
        ("1772359200500 hello", TEN + 0.5),
        ("no time at all", None),
        ("2026-13-41T99:00:00Z no such day", None),
        ("order 1772359200 was made", None),
        ("0001-01-01T00:00:00Z the zero of some languages", None),
        ("9999-12-31T23:59:59-23:59 beyond the last year", None),
        ("0000-00-00 00:00:00 the zero of some databases", None),
        ("2026-02-30T10:00:00Z no such day", None),
        ("2026-03-01T24:30:00Z no such hour", None),
        ("2026-02-28T24:00:00Z midnight", TEN - 36_000),
        ("Feb 30 10:00:00 host no such day", None),
    ],
)
def test_a_line_says_when_it_was_written(text: str, at: float | None) -> None:
    assert Times().read(text) == (at if at is None else pytest.approx(at, abs=1e-5))


@pytest.mark.parametrize("text", ["Mar  1 10:00:00 host app: x", "E0301 10:00:00.000000 1 x.go:1] y"])
def test_a_line_without_a_year_is_of_the_last_twelve_months(text: str) -> None:
    at = Times(lambda: TEN + 5 * 86_400).read(text)
    assert at is not None
    assert abs(at - TEN) < 86_400
    before = Times(lambda: TEN - 5 * 86_400).read(text)
    assert before is not None
    assert before < TEN - 300 * 86_400


def test_many_lines_of_one_second_have_their_own_fractions_and_zones() -> None:
    times = Times()
    texts = ["2026-03-01T10:00:00.1Z", "2026-03-01T10:00:00.2Z", "2026-03-01T10:00:00.3+01:00", "2026-03-01T10:00:00Z"]
    assert [times.read(f"{text} x") for text in texts] == pytest.approx([TEN + 0.1, TEN + 0.2, TEN - 3599.7, TEN])


@given(st.text(max_size=300))
def test_no_text_breaks_what_reads_times_and_levels(text: str) -> None:
    Times().read(text)
    parse_iso(text)
    assert 0 <= level_of(text) < len(LEVEL_NAMES)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("2026-03-01T10:00:00Z ERROR broken", "error"),
        ("INFO the error was handled", "info"),
        ("[warn] low on space", "warn"),
        ('ts=1 level=warning msg="an ERROR in words"', "warn"),
        ('{"level":"fatal","msg":"x"}', "fatal"),
        ('{"level":50,"msg":"x"}', "error"),
        ("E0301 10:00:00.000000 1 x.go:1] y", "error"),
        ("2026-03-01 10:00:00,123 - app - CRITICAL - x", "fatal"),
        ("sshd[1]: error: kex", "error"),
        ("Traceback (most recent call last):", "error"),
        ("java.lang.IllegalStateException: no", "error"),
        ("GET /error/INFO.html 200", ""),
        ("no errors were found, all information is debug-free", ""),
        ("TERROR in the INFORMAL sector", ""),
        ("DEBUG", "debug"),
    ],
)
def test_a_line_names_its_level(text: str, level: str) -> None:
    assert LEVEL_NAMES[level_of(text)] == level


def test_a_stack_trace_stays_with_its_line() -> None:
    intake = Intake(now=lambda: 5.0)
    lines = [
        b"2026-03-01T10:00:00Z ERROR broken",
        b"Traceback (most recent call last):",
        b'  File "x.py", line 1, in <module>',
        b"ValueError: no",
        b"",
        b"2026-03-01T10:00:01Z INFO well again",
        b"and more of it",
    ]
    ats, levels, *_ = intake.take([RawLine(None, line) for line in lines])
    assert ats == [TEN] * 5 + [TEN + 1] * 2
    assert [LEVEL_NAMES[level] for level in levels] == ["error"] * 5 + ["info"] * 2


def test_lines_without_any_time_are_of_now() -> None:
    ats, _, texts, _ = Intake(now=lambda: 5.0).take([RawLine(None, b"a"), RawLine(None, b"b")])
    assert (ats, texts) == ([5.0, 5.0], ["a", "b"])


def test_lines_before_the_first_time_of_a_log_are_not_of_now() -> None:
    lines = [b"  File x.py", b"ValueError: no", b"2026-03-01T10:00:00Z INFO on", b"more of it"]
    raw = [RawLine(None, line) for line in lines]
    assert Intake(now=lambda: 5.0).take(raw).ats == [TEN] * 4
    assert Intake(until=TEN, now=lambda: 5.0).take(raw).ats == [TEN] * 4
    assert Intake(since=TEN, now=lambda: TEN + 60).take(raw).texts == ["2026-03-01T10:00:00Z INFO on", "more of it"]


def test_a_line_without_a_time_that_comes_long_after_the_others_is_of_now() -> None:
    now = [TEN]
    intake = Intake(now=lambda: now[0])
    intake.take([RawLine(None, b"2026-03-01T09:59:59Z INFO on")])
    now[0] += 1.0
    assert intake.take([RawLine(None, b"at once")]).ats == [TEN - 1]
    now[0] += 3600.0
    late = intake.take([RawLine(None, b"Traceback (most recent call last):"), RawLine(None, b"ValueError: no")])
    assert late.ats == [TEN + 3601] * 2
    assert intake.look_at(RawLine(None, b"and more")) == (TEN + 3601, 4, "and more")
    assert intake.take([RawLine(None, b"2026-03-01T11:00:02Z on"), RawLine(None, b"of it")]).ats == [TEN + 3602] * 2


def test_lines_of_a_log_without_times_were_written_when_it_was_written_to_last() -> None:
    assert Intake(now=lambda: 500.0).take([RawLine(None, b"a", latest=7.0), RawLine(None, b"b")]).ats == [7.0, 500.0]
    assert not Intake(since=100.0, now=lambda: 500.0).take([RawLine(None, b"a", latest=7.0)]).texts


def test_only_lines_of_the_time_asked_for_are_taken() -> None:
    lines = [RawLine(float(n), b"%d" % n) for n in range(10)]
    assert Intake(3.0, 5.0).take(lines)[2] == ["3", "4", "5"]


@given(st.binary(max_size=400))
def test_whatever_is_in_a_line_is_harmless_and_stays_one_line(data: bytes) -> None:
    (text,) = Intake(now=lambda: 0.0).take([RawLine(None, data)])[2]
    for character in text:
        assert character == "\t" or unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}, repr(text)
        assert unicodedata.bidirectional(character) not in {
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;http://evil\x07link\x1b]8;;\x07", "link"),
        ("a\x00b\u202ec", "abc"),
        ("10%\r50%\rdone\r", "done"),
        ("a\u2028b", "a b"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
    ],
)
def test_control_sequences_are_inert(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_lines_are_the_same_however_the_stream_is_cut(parts: list[bytes]) -> None:
    splitter = Splitter()
    lines = [line for part in parts for line in splitter.feed(part)] + list(splitter.finish())
    whole = b"".join(parts)
    expected = whole.split(b"\n")
    assert lines == (expected if expected[-1] else expected[:-1])


def test_a_line_that_never_ends_takes_no_more_memory_than_is_kept() -> None:
    splitter = Splitter(longest=100)
    for _ in range(1000):
        assert not splitter.feed(b"x" * 50)
    (line,) = splitter.feed(b"\n")
    assert line == b"x" * 100 + b" ... (49900 bytes more were not kept)"


def test_a_secret_over_several_lines_is_taken_out_of_each() -> None:
    import base64

    value = "a secret that is long enough to be broken over three lines of base64, at least when they are short ones"
    wrapped = base64.encodebytes(value.encode()).decode().splitlines()
    assert len(wrapped) > 1
    shown = Redactor({"key": value}).redact_lines(["before", *wrapped, "after"])
    assert (shown[0], shown[-1]) == ("before", "after")
    for line in shown[1:-1]:
        assert "(secret key)" in line
        assert not any(line[n : n + 12] in "".join(wrapped) for n in range(len(line) - 12))


@given(st.lists(st.text(alphabet="abc-hunter2\t", max_size=40), max_size=6))
def test_lines_are_redacted_at_least_as_alone(lines: list[str]) -> None:
    redactor = Redactor({"pw": "hunter2-abc"})
    shown = redactor.redact_lines(lines)
    assert len(shown) == len(lines)
    assert not any("hunter2-abc" in line for line in shown)
    if not any("(secret" in line for line in shown):
        assert shown == lines
