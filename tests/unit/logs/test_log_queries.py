"""What is kept, merged, searched and answered."""

from __future__ import annotations

import asyncio
import errno
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchover.logs.intake import Columns
from switchover.logs.line_ring import SEGMENT, LineRing
from switchover.logs.log_queries import LogQueries
from switchover.logs.merge import Merge
from switchover.logs.saving import SaveError, save_lines

LEVELS = {0: "", 1: "debug", 2: "info", 3: "warn", 4: "error", 5: "fatal"}
Line = tuple[int, int, str]  # source, level, text

lines_of = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 5), st.sampled_from(["alpha", "beta", "gamma Alpha", ""])),
    max_size=3 * SEGMENT,
)
queries = st.fixed_dictionaries(
    {
        "show": st.sampled_from(["", "a", "alpha|gamma", "Alpha", "nothing"]),
        "hide": st.sampled_from(["", "beta"]),
        "find": st.sampled_from(["", "alpha", "m+"]),
        "least": st.sampled_from(["", "info", "error"]),
        "sources": st.sampled_from([(), ("b",)]),
    }
)


def filled(lines: list[Line], most_lines: int = 10_000) -> tuple[LineRing, LogQueries]:
    ring = LineRing(1 << 30, most_lines)
    desk = LogQueries(ring, ["a", "b"], {}, list)
    for source, level, text in lines:
        ring.add(source, [float(ring.end)], [level], [text])
    return ring, desk


def finish(desk: LogQueries, query: dict[str, Any]) -> None:
    while desk.ask(query).step():
        pass


def fits(line: Line, query: dict[str, Any]) -> bool:
    source, level, text = line

    def has(pattern: str) -> bool:
        return re.search(pattern, text, 0 if pattern != pattern.lower() else re.IGNORECASE) is not None

    least = {"": 0, "info": 2, "error": 4}[query["least"]]
    return (
        (not query["show"] or has(query["show"]))
        and not (query["hide"] and has(query["hide"]))
        and (not least or (level or 2) >= least)
        and (not query["sources"] or source == 1)
    )


@settings(max_examples=60, deadline=None)
@given(lines_of, queries, st.integers(0, 800), st.integers(0, 20), st.integers(0, 20))
def test_a_window_has_the_lines_that_fit(
    lines: list[Line], query: dict[str, Any], anchor: int, before: int, after: int
) -> None:
    _, desk = filled(lines)
    finish(desk, query)
    window = desk.window(query, anchor, before, after)
    wanted = [seq for seq, line in enumerate(lines) if fits(line, query)]
    place = len([seq for seq in wanted if seq < anchor])
    shown = wanted[max(0, place - before) : place + after]
    assert [line["seq"] for line in window["lines"]] == shown
    if shown:
        assert window["above"] == wanted.index(shown[0])
        assert window["below"] == len(wanted) - 1 - wanted.index(shown[-1])
    found = [seq for seq in wanted if query["find"] and re.search(query["find"], lines[seq][2], re.IGNORECASE)]
    assert window["found"] == len(found)
    assert window["progress"] == 1.0
    for way in (1, -1):
        beyond = [seq for seq in wanted if lines[seq][1] >= 4 and (seq > anchor if way > 0 else seq < anchor)]
        assert desk.seek(query, anchor, "error", way) == (beyond[0 if way > 0 else -1] if beyond else None)
        if query["find"]:
            beyond = [seq for seq in found if (seq > anchor if way > 0 else seq < anchor)]
            assert desk.seek(query, anchor, "find", way) == (beyond[0 if way > 0 else -1] if beyond else None)


@settings(max_examples=30, deadline=None)
@given(lines_of, lines_of, queries)
def test_lines_that_come_and_lines_that_go_leave_the_index_right(
    old: list[Line], new: list[Line], query: dict[str, Any]
) -> None:
    ring, desk = filled(old, most_lines=2 * SEGMENT)
    finish(desk, query)
    for source, level, text in new:
        ring.add(source, [0.0], [level], [text])
    finish(desk, query)
    window = desk.window(query, None, 10_000, 0)
    kept = list(enumerate([*old, *new]))[ring.first :]
    assert [line["seq"] for line in window["lines"]] == [seq for seq, line in kept if fits(line, query)]
    assert window["dropped"] == ring.first
    assert window["kept"] == len(kept) <= 2 * SEGMENT


def test_what_is_kept_is_bounded_in_bytes() -> None:
    ring = LineRing(1 << 20, 1_000_000)
    for _ in range(100):
        ring.add(0, [0.0] * 100, [0] * 100, ["x" * 1000 for _ in range(100)])
    assert ring.end == 10_000
    assert 500 < ring.kept < 1050
    assert ring.dropped == ring.end - ring.kept


def test_lines_are_put_in_order_within_a_short_while_and_keep_their_own() -> None:
    ring = LineRing(1 << 20, 1000)
    merge = Merge(ring, 2, horizon_s=1.0)
    merge.begin()
    merge.add(0, Columns([10.0, 12.0, 11.0], [0] * 3, ["a10", "a12", "a11"], [0] * 3), 100.0)
    merge.add(1, Columns([9.0, 11.5], [0] * 2, ["b9", "b11.5"], [0] * 2), 100.5)
    assert not merge.settle(100.9)
    assert merge.settle(101.1)
    assert [ring.text(seq) for seq in range(ring.end)] == ["b9", "a10", "b11.5", "a12", "a11"]
    merge.add(1, Columns([1.0], [0], ["late"], [0]), 102.0)
    assert merge.settle(103.1)
    assert ring.text(5) == "late"


def test_marks_are_places_in_the_shown_text() -> None:
    ring = LineRing(1 << 20, 1000)
    desk = LogQueries(ring, ["a"], {"pw": "hunter2"}, list)
    ring.add(0, [0.0], [0], ["\tpassword hunter2 order"])
    (line,) = desk.window({"find": "order"}, None, 1, 0)["lines"]
    assert line["text"] == "        password (secret pw) order"
    ((begin, end),) = line["marks"]
    assert line["text"][begin:end] == "order"


def test_a_slow_search_marks_nothing_and_hides_nothing() -> None:
    ring = LineRing(1 << 20, 1000)
    desk = LogQueries(ring, ["a"], {}, list)
    ring.add(0, [0.0], [0], ["a" * 40 + "b"])
    finish(desk, {"find": "(a+)+$"})
    window = desk.window({"find": "(a+)+$"}, None, 1, 0)
    assert len(window["lines"]) == 1
    assert "takes too long" in window["problem"]


async def test_a_full_disk_is_said_and_nothing_half_written_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring, desk = filled([(0, 2, "text")] * 500)
    real, opened = os.fdopen, []

    def full(descriptor: int, *rest: Any, **more: Any) -> Any:
        os.close(descriptor)
        opened.append(real(os.open("/dev/full", os.O_WRONLY), *rest, **more))
        return opened[0]

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(SaveError, match="No space left on device; nothing was kept") as caught:
        await save_lines(desk, ring, ["a", "b"], {}, str(tmp_path))
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert os.listdir(tmp_path) == []  # noqa: PTH208
    await asyncio.sleep(0)


@pytest.mark.parametrize("count", [100, 5_000, 60_000])
@pytest.mark.parametrize("ordered", [True, False])
def test_the_bar_counts_every_line_and_every_error_once(count: int, ordered: bool) -> None:
    ring = LineRing(1 << 30, 100_000)
    desk = LogQueries(ring, ["a"], {}, list)
    ats = [float(n if ordered else n * 7919 % count) for n in range(count)]
    levels = [4 if n == count // 2 else 3 if n % 1000 == 0 else 2 for n in range(count)]
    ring.add(0, [*ats, 4.0 * count], [*levels, 2], ["x"] * (count + 1))
    finish(desk, {})
    density = desk.window({}, None, 10, 0)["density"]
    assert [sum(column) for column in zip(*density, strict=True)] == [count + 1, levels.count(3), 1]
