"""Where in a file to begin: the last lines, or those since a time. Read from the end, so that size does not matter."""

from __future__ import annotations

import os

from switchover.logs.reading.log_times import Times

__all__ = ["begin_of_tail", "first_after", "first_since"]

_BLOCK = 1 << 16
_LOOKED_AT = 1 << 18  # bytes in which a line with a time has to be


def begin_of_tail(descriptor: int, end: int, lines: int, least: int = 0) -> int:
    """Return where the last `lines` lines before `end` begin, not before `least`."""
    if lines <= 0:
        return _after_last_line(descriptor, end, least)
    wanted, position, first = lines, end, True
    while position > least:
        begin = max(least, position - _BLOCK)
        block = os.pread(descriptor, position - begin, begin)
        if first and block.endswith(b"\n"):
            wanted += 1  # the end of the last line begins none
        first = False
        count = block.count(b"\n")
        if count >= wanted:
            at = len(block)
            for _ in range(wanted):
                at = block.rindex(b"\n", 0, at)
            return begin + at + 1
        wanted -= count
        position = begin
    return least


def first_since(descriptor: int, end: int, since: float, *, is_end: bool = False) -> int:
    """Return where the first line stands that is not older than `since`, in a file whose times only grow.

    0 where its lines bear no times. In the hour that a clock shows twice rather too much is read: a begin comes
    earlier, an end later.
    """
    times = Times(second_pass=not is_end)
    low, high = 0, end
    while high - low > _BLOCK:
        middle = (low + high) // 2
        at = _time_after(descriptor, middle, times)
        if at is None:
            return 0 if low == 0 else low
        if at < since:
            low = middle
        else:
            high = middle
    return 0 if low == 0 else _line_after(descriptor, low)


def first_after(descriptor: int, end: int, until: float) -> int:
    """Return a place behind the last line that is not newer than `until`, at most some blocks too far."""
    times = Times()
    low, high = 0, end
    while high - low > _BLOCK:
        middle = (low + high) // 2
        at = _time_after(descriptor, middle, times)
        if at is None:
            return high
        if at <= until:
            low = middle
        else:
            high = middle
    return high if high == end else min(_line_after(descriptor, high), end)


def _time_after(descriptor: int, position: int, times: Times) -> float | None:
    block = os.pread(descriptor, _LOOKED_AT, position)
    for line in block.split(b"\n")[1:]:
        at = times.read(line[:2000].decode("utf-8", "replace"))
        if at is not None:
            return at
    return None


def _line_after(descriptor: int, position: int) -> int:
    while block := os.pread(descriptor, _BLOCK, position):
        at = block.find(b"\n")
        if at >= 0:
            return position + at + 1
        position += len(block)
    return position


def _after_last_line(descriptor: int, end: int, least: int) -> int:
    position = end
    while position > least:
        begin = max(least, position - _BLOCK)
        at = os.pread(descriptor, position - begin, begin).rfind(b"\n")
        if at >= 0:
            return begin + at + 1
        position = begin
    return least
