from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.log_sources import reading

from switchover.logs.sources.already_read import AlreadyRead
from switchover.logs.sources.command_source import open_source
from switchover.logs.sources.parsers import parser
from switchover.logs.sources.source_api import LogTimeSpan, RawLine, SourceSpec


def source(code: str, parse: str = "text", *arguments: str) -> SourceSpec:
    return SourceSpec("c", "command", argv=(sys.executable, "-c", code, *arguments), parse=parse)


async def test_what_a_command_prints_is_read_to_its_end() -> None:
    spec = source("print('one\\ntwo'); import sys; sys.stdout.write('three')")
    async with reading(open_source(spec), LogTimeSpan(follow=False)) as feed:
        await feed.until(lambda: feed.ended)
        assert feed.texts == ["one", "two", "three"]


async def test_its_last_words_say_why_it_ended_badly() -> None:
    spec = source("import sys; print('one'); sys.stderr.write('warming up\\nno such unit\\n'); sys.exit(3)")
    async with reading(open_source(spec), LogTimeSpan(follow=False)) as feed:
        await feed.until(lambda: feed.ended)
        assert feed.texts == ["one"]
        assert feed.state == ("off", "no such unit")


async def test_a_command_that_is_not_there_is_said() -> None:
    async with reading(open_source(SourceSpec("c", "command", argv=("no-such-program",)))) as feed:
        await feed.until(lambda: feed.ended)
        assert feed.state == ("off", "no-such-program cannot be run: No such file or directory")


async def test_a_command_that_is_followed_is_started_again_and_tells_no_line_twice(tmp_path: Path) -> None:
    code = """
import pathlib, sys
runs = pathlib.Path(sys.argv[1])
count = len(runs.read_text()) if runs.exists() else 0
runs.write_text("x" * (count + 1))
for n in range(3 + count):
    print(f"2026-03-01T10:00:{n // 2:02d}Z line {n}")
"""
    async with reading(open_source(source(code, "kubernetes", str(tmp_path / "runs")))) as feed:
        await feed.until(lambda: len(feed.lines) >= 5)
        assert feed.texts[:5] == [f"line {n}" for n in range(5)]


def test_the_journal_is_read_with_levels_times_and_messages_of_any_kind() -> None:
    entries = [
        {"MESSAGE": "plain", "PRIORITY": "3", "__REALTIME_TIMESTAMP": "1700000000123456"},
        {"MESSAGE": [104, 105, 255], "PRIORITY": "6"},
        {"MESSAGE": "two\nlines\n", "PRIORITY": "4", "__REALTIME_TIMESTAMP": "1700000001000000"},
        {"MESSAGE": ["given", "twice"]},
        {"MESSAGE": None},
    ]
    lines = parser("journal-json")([json.dumps(entry).encode() for entry in entries] + [b"-- rubbish", b""])
    assert lines == [
        RawLine(1700000000.123456, b"plain", "error"),
        RawLine(None, b"hi\xff", "info"),
        RawLine(1700000001.0, b"two", "warn"),
        RawLine(1700000001.0, b"lines", "warn", goes_on=True),
        RawLine(None, b"given", ""),
        RawLine(None, b"twice", "", goes_on=True),
        RawLine(None, b"(no message)", ""),
        RawLine(None, b"-- rubbish", ""),
    ]


def test_lines_of_kubectl_bear_pod_and_time() -> None:
    lines = parser("kubernetes")(
        [
            b"[pod/web-1/app] 2026-03-01T10:00:00.123456789Z hello",
            b"2026-03-01T10:00:01Z no prefix",
            b"failed to create fsnotify watcher",
        ]
    )
    assert [line.text for line in lines] == [b"[web-1/app] hello", b"no prefix", b"failed to create fsnotify watcher"]
    assert lines[0].at == pytest.approx(1772359200.123457)
    assert lines[2].at is None


@given(st.lists(st.binary(max_size=200), max_size=20), st.sampled_from(["text", "journal-json", "kubernetes"]))
def test_no_bytes_break_a_parser(lines: list[bytes], form: str) -> None:
    parser(form)([line.replace(b"\n", b"") for line in lines])


def test_an_unknown_way_of_writing_is_named() -> None:
    with pytest.raises(LookupError, match="cannot be read; there are text"):
        parser("morse")


def test_lines_of_the_same_moment_are_told_apart_by_what_they_say() -> None:
    seen = AlreadyRead()
    seen.note([RawLine(1.0, b"a"), RawLine(2.0, b"b"), RawLine(2.0, b"c")])
    again = [RawLine(1.0, b"a"), RawLine(2.0, b"b"), RawLine(2.0, b"d"), RawLine(3.0, b"e"), RawLine(None, b"f")]
    assert [line.text for line in seen.only_new(again)] == [b"d", b"e", b"f"]
