# ruff: noqa: ASYNC240, ASYNC220 - files on the local disk, looked at between awaits
from __future__ import annotations

import asyncio
import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.log_sources import reading

from switchover.logs.sources.file_source import open_source
from switchover.logs.sources.source_api import LogTimeSpan, SourceSpec

STORM = """
import os, sys, time
path, how, lines, every = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
file = open(path, "a")
for n in range(lines):
    file.write(f"line {n} of the storm\\n")
    if n % 7 == 0:
        file.flush()
    if n and n % every == 0:
        file.flush()
        for old in range(60, 0, -1):
            if os.path.exists(f"{path}.{old}"):
                os.rename(f"{path}.{old}", f"{path}.{old + 1}")
        if how == "rename":
            os.rename(path, f"{path}.1")
            file.close()
            file = open(path, "a")
        else:
            with open(path, "rb") as whole, open(f"{path}.1", "wb") as copy:
                copy.write(whole.read())
            os.truncate(path, 0)
        time.sleep(0.006)  # what the clock of a file system cannot tell apart has no order
file.flush()
file.write("the end\\n")
file.flush()
"""


def append(path: Path, text: str | bytes) -> None:
    with path.open("ab") as file:
        file.write(text.encode() if isinstance(text, str) else text)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "app.log"
    path.write_text("".join(f"old {n}\n" for n in range(1, 101)))
    return path


def spec(path: Path) -> SourceSpec:
    return SourceSpec("log", "file", path=str(path))


async def test_the_last_lines_come_first_and_then_what_is_written(log: Path) -> None:
    async with reading(open_source(spec(log)), LogTimeSpan(tail=3)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        assert feed.texts == ["old 98", "old 99", "old 100"]
        append(log, "new 1\nnew 2\nbegun")
        await feed.until(lambda: len(feed.lines) == 5 and feed.unfinished == b"begun")
        append(log, " and ended\n")
        await feed.until(lambda: len(feed.lines) == 6)
        assert feed.texts[3:] == ["new 1", "new 2", "begun and ended"]
        await feed.until(lambda: not feed.unfinished)


async def test_lines_that_stand_there_already_were_written_before_now(log: Path) -> None:
    os.utime(log, (1000.0, 1000.0))
    async with reading(open_source(SourceSpec("a", "file", str(log)))) as feed:
        await feed.until(lambda: feed.is_caught_up)
        assert {line.latest for line in feed.lines} == {1000.0}
        append(log, "fresh\n")
        await feed.until(lambda: feed.texts[-1] == "fresh")
        assert feed.lines[-1].latest is None


async def test_what_was_begun_before_a_file_was_emptied_is_kept(log: Path) -> None:
    async with reading(open_source(spec(log)), LogTimeSpan(tail=1)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        append(log, "the last words")
        await feed.until(lambda: feed.unfinished == b"the last words")
        os.truncate(log, 0)
        append(log, "new\n")
        await feed.until(lambda: len(feed.lines) == 3)
        assert feed.texts == ["old 100", "the last words", "new"]


@pytest.mark.parametrize("tail", [0, 1, 5, 2000, 5000])
async def test_the_last_lines_are_found_from_the_end_whatever_their_length(tmp_path: Path, tail: int) -> None:
    path = tmp_path / "a.log"
    lines = [f"{n} " + "x" * (n * 37 % 3000) for n in range(3000)]
    path.write_text("\n".join(lines) + "\n")
    async with reading(open_source(spec(path)), LogTimeSpan(tail=tail, follow=False)) as feed:
        await feed.until(lambda: feed.ended)
        assert feed.texts == (lines[-tail:] if tail else [])


async def test_a_last_line_without_an_end_is_told_when_nothing_more_can_come(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("one\ntwo")
    async with reading(open_source(spec(path)), LogTimeSpan(tail=1, follow=False)) as feed:
        await feed.until(lambda: feed.ended)
        assert feed.texts == ["two"]


async def test_only_what_is_not_older_is_read_of_a_large_file(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(
        "".join(f"2026-03-01T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z {n}\n" for n in range(80_000))
    )
    noon = 1_772_366_400.0
    async with reading(open_source(spec(path)), LogTimeSpan(tail=100_000, since=noon, follow=False)) as feed:
        await feed.until(lambda: feed.ended)
        assert feed.texts[-1].endswith(" 79999")
        first = int(feed.texts[0].split()[1])
        assert 43_200 - 3000 < first <= 43_200  # the lines before are few, and left out by their times later


def stamped(first: int, last: int) -> str:
    return "".join(f"2026-03-01T12:{n // 60:02d}:{n % 60:02d}Z {n}\n" for n in range(first, last))


@pytest.mark.parametrize(("tail", "first"), [(100_000, 0), (1500, 100), (650, 950), (600, 1000), (100, 1500)])
async def test_what_was_written_in_the_time_that_is_asked_for_is_read_though_it_was_rotated_away(
    tmp_path: Path, tail: int, first: int
) -> None:
    path = tmp_path / "a.log"
    for name, begin, end in (("a.log.2", 0, 400), ("a.log.1", 400, 1000), ("a.log", 1000, 1600)):
        (tmp_path / name).write_text(stamped(begin, end))
    (tmp_path / "a.log.3").write_text(stamped(0, 9))
    os.utime(tmp_path / "a.log.3", (1_000_000, 1_000_000))  # written to for the last time long before
    (tmp_path / "a.log.4.gz").write_bytes(b"packed")
    noon = 1_772_366_400.0
    async with reading(open_source(spec(path)), LogTimeSpan(tail=tail, since=noon, follow=False)) as feed:
        await feed.until(lambda: feed.ended)
        assert [int(text.split()[1]) for text in feed.texts] == list(range(first, 1600))
        assert feed.state[1] == ("a.log.4.gz may hold more of that time" if first == 0 else "")


async def test_only_the_end_of_a_rotated_file_is_read_where_the_time_has_one(tmp_path: Path) -> None:
    (tmp_path / "a.log.1").write_text(
        "".join(f"2026-03-01T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z {n}\n" for n in range(80_000))
    )
    path = tmp_path / "a.log"
    path.write_text("2026-03-02T00:00:00Z 99999\n")
    noon = 1_772_366_400.0
    span = LogTimeSpan(tail=100_000, since=noon, until=noon + 60.0, follow=False)
    async with reading(open_source(spec(path)), span) as feed:
        await feed.until(lambda: feed.ended)
        told = [int(text.split()[1]) for text in feed.texts]
        assert told[-1] in (99_999, *range(43_260, 46_500))
        assert 40_200 < told[0] <= 43_200
        assert set(range(43_200, 43_261)) <= set(told)


async def test_a_file_that_is_not_there_yet_is_read_from_its_beginning_once_it_is(tmp_path: Path) -> None:
    path = tmp_path / "later" / "app.log"
    async with reading(open_source(spec(path)), LogTimeSpan(tail=1)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        assert feed.state == ("reading", "not there yet; it is read as soon as it is")
        path.parent.mkdir()
        path.write_text("first\nsecond\n")
        await feed.until(lambda: len(feed.lines) == 2)
        assert feed.texts == ["first", "second"]
        assert feed.state == ("reading", "")


async def test_a_file_that_may_not_be_read_says_so(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def refuse(path: str, *rest: int, **more: int) -> int:
        if path == str(log):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    async with reading(open_source(spec(log))) as feed:
        await feed.until(lambda: feed.said)
        assert feed.state[0] == "off"
        assert "permission denied" in feed.state[1]


async def test_a_folder_is_no_log(tmp_path: Path) -> None:
    async with reading(open_source(spec(tmp_path))) as feed:
        await feed.until(lambda: feed.said)
        assert feed.state == ("off", "cannot be read: is a folder")


async def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    async with reading(open_source(spec(tmp_path / "pipe"))) as feed:
        await feed.until(lambda: feed.said)
        assert feed.state == ("off", "cannot be read: is no ordinary file")


async def test_what_is_written_to_a_renamed_file_and_to_the_new_one_is_read(log: Path) -> None:
    async with reading(open_source(spec(log)), LogTimeSpan(tail=0)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        with log.open("a") as old:
            old.write("before\n")
            old.flush()
            log.rename(log.with_name("app.log.1"))
            log.write_text("in the new one\n")
            await feed.until(lambda: "in the new one" in feed.texts)
            old.write("late, in the old one\n")
        await feed.until(lambda: len(feed.lines) == 3)
        assert sorted(feed.texts) == ["before", "in the new one", "late, in the old one"]


async def test_a_file_that_was_moved_away_is_read_on_until_another_is_there(log: Path) -> None:
    async with reading(open_source(spec(log)), LogTimeSpan(tail=0)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        log.rename(log.with_name("app.log.1"))
        append(log.with_name("app.log.1"), "last words\n")
        await feed.until(lambda: feed.texts == ["last words"])
        await feed.until(lambda: "moved away" in feed.state[1])
        log.write_text("anew\n")
        await feed.until(lambda: len(feed.lines) == 2)
        assert feed.state == ("reading", "")


async def test_an_older_file_that_was_compressed_is_left_alone(log: Path) -> None:
    async with reading(open_source(spec(log)), LogTimeSpan(tail=0)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        append(log, "before\n")
        await feed.until(lambda: feed.texts == ["before"])
        log.with_name("app.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
        log.unlink()
        log.write_text("after\n")
        await feed.until(lambda: len(feed.lines) == 2)
        append(log, "end\n")
        await feed.until(lambda: "end" in feed.texts)
        assert feed.texts == ["before", "after", "end"]


async def test_a_link_that_leads_elsewhere_is_followed(tmp_path: Path) -> None:
    (tmp_path / "monday").write_text("m1\n")
    (tmp_path / "tuesday").write_text("t1\n")
    link = tmp_path / "current"
    link.symlink_to("monday")
    async with reading(open_source(spec(link)), LogTimeSpan(tail=10)) as feed:
        await feed.until(lambda: feed.texts == ["m1"])
        (tmp_path / "new").symlink_to("tuesday")
        (tmp_path / "new").rename(link)
        await feed.until(lambda: feed.texts == ["m1", "t1"])
        append(tmp_path / "tuesday", "t2\n")
        await feed.until(lambda: feed.texts == ["m1", "t1", "t2"])


async def test_a_writer_that_keeps_its_place_over_a_cut_leaves_no_flood_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    with path.open("w") as file:
        file.write("x" * (64 << 20) + "\n")
        file.flush()
        async with reading(open_source(spec(path)), LogTimeSpan(tail=0)) as feed:
            await feed.until(lambda: feed.is_caught_up)
            os.truncate(path, 0)
            file.write("after\n")
            file.flush()
            await feed.until(lambda: feed.lines)
            assert feed.texts[0].lstrip("\0") == "after"
            assert len(feed.texts[0]) < 10_000


async def test_what_a_writer_still_writes_to_a_renamed_file_minutes_later_is_read(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reading(open_source(spec(log)), LogTimeSpan(tail=1)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        moved = log.rename(log.with_name("app.log.1"))
        append(log, "new 1\n")
        append(moved, "begun")
        await feed.until(lambda: len(feed.lines) == 2)
        loop = asyncio.get_running_loop()
        monkeypatch.setattr(loop, "time", lambda now=loop.time: now() + 600.0)
        append(log, "new 2\n")
        await feed.until(lambda: len(feed.lines) == 4)
        assert sorted(feed.texts[2:]) == ["begun", "new 2"]
        append(moved, "late\n")
        await feed.until(lambda: len(feed.lines) == 5)
        assert feed.texts[4] == "late"


async def test_a_line_longer_than_any_is_cut_and_what_was_left_out_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(b"one\n" + b"y" * (20 << 20) + b"\ntwo\n")
    async with reading(open_source(spec(path)), LogTimeSpan(tail=3, follow=False)) as feed:
        await feed.until(lambda: feed.ended)
        assert feed.texts[0] == "one"
        assert feed.texts[2] == "two"
        assert len(feed.texts[1]) < (16 << 20) + 100
        assert feed.texts[1].endswith("bytes more were not kept)")


@pytest.mark.parametrize("how", ["rename", "copy"])
async def test_in_a_storm_of_rotations_every_line_comes_once(tmp_path: Path, how: str) -> None:
    path = tmp_path / "app.log"
    path.write_text("")
    count = 20_000
    async with reading(open_source(spec(path)), LogTimeSpan(tail=0)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        words = [sys.executable, "-c", STORM, str(path), how, str(count), "400"]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL) as writer:
            await feed.until(lambda: "the end" in feed.texts[-50:], 60)
            assert writer.wait() == 0
        numbers = [int(text.split()[1]) for text in feed.texts if text.startswith("line")]
        assert len(numbers) == len(set(numbers)), "some came twice"
        assert set(numbers) == set(range(count)), f"{count - len(set(numbers))} are missing"
        # Files of one moment that are renamed while they are looked for may change places: that is asked elsewhere.


async def test_without_inotify_files_are_followed_by_the_clock(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "inotify_simple", None)
    async with reading(open_source(spec(log)), LogTimeSpan(tail=0)) as feed:
        await feed.until(lambda: feed.is_caught_up)
        append(log, "seen\n")
        await feed.until(lambda: feed.texts == ["seen"])
