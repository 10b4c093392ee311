"""Bytes as they are read: without what stands between the letters, and still knowing where each letter stood."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from switchover.redaction.controls import C1, ESCAPES, SEQUENCES, UNSEEN, WRITTEN_OUT, is_overstruck, left_over
from switchover.redaction.dumps import read_dumps

__all__ = ["BLANKS", "CONTROLS", "Deleted", "View", "squeeze", "tighten", "views"]

CONTROLS = bytes((*range(9), *range(10, 32), 127))
BLANKS = bytes((*range(33), 127))
_BLOCK = 256


def squeeze(data: bytes) -> bytes:
    """Return the data without blanks, line ends and control characters."""
    return data.translate(None, BLANKS)


def tighten(data: bytes) -> bytes:
    """Return the data without line ends and control characters; spaces and tabs stay."""
    return data.translate(None, CONTROLS)


class Layer(Protocol):
    """Some of the bytes of the data below."""

    data: bytes

    def places(self, start: int, end: int) -> tuple[int, int]:
        """Return where the bytes from `start` to `end` lie in the data below, as (first, behind the last)."""


class Deleted:
    """Data without some byte values."""

    def __init__(self, below: bytes, deleted: bytes) -> None:
        self.data = below.translate(None, deleted)
        self._below = below
        self._deleted = deleted
        self._kept: list[int] = []

    def places(self, start: int, end: int) -> tuple[int, int]:
        """Return where bytes lie below."""
        return self._place(start), self._place(end - 1) + 1

    def _place(self, position: int) -> int:
        if not self._kept:
            count = 0
            for begin in range(0, len(self._below), _BLOCK):
                self._kept.append(count)
                count += len(self._below[begin : begin + _BLOCK].translate(None, self._deleted))
        block = bisect_right(self._kept, position) - 1
        left = position - self._kept[block]
        for place in range(block * _BLOCK, len(self._below)):
            if self._below[place] not in self._deleted:
                if not left:
                    return place
                left -= 1
        return len(self._below)


class Cut:
    """Data without what a pattern matches; a group of the pattern that matched stays."""

    def __init__(self, below: bytes, pattern: re.Pattern[bytes]) -> None:
        self.data = pattern.sub(rb"\1" if pattern.groups else b"", below)
        self._below = below
        self._pattern = pattern
        self._gaps: list[int] | None = None  # where the data goes on after a gap
        self._shifts: list[int] = []  # how much is missing from there on

    def places(self, start: int, end: int) -> tuple[int, int]:
        """Return where bytes lie below."""
        return self._place(start), self._place(end - 1) + 1

    def _place(self, position: int) -> int:
        if self._gaps is None:
            self._gaps = []
            missing = 0
            for match in self._pattern.finditer(self._below):
                if not (self._pattern.groups and match[1] is not None):
                    self._gaps.append(match.start() - missing)
                    missing += len(match[0])
                    self._shifts.append(missing)
        found = bisect_right(self._gaps, position)
        return position + (self._shifts[found - 1] if found else 0)


class Picked:
    """Bytes that lie where `places_below` says, one after the other as they are seen."""

    def __init__(self, data: bytes, places_below: Callable[[], Sequence[int]]) -> None:
        self.data = data
        self._find = places_below
        self._places: Sequence[int] | None = None

    def places(self, start: int, end: int) -> tuple[int, int]:
        """Return where bytes lie below."""
        if self._places is None:
            self._places = self._find()
        some = self._places[start:end]
        return min(some), max(some) + 1


class View:
    """Layers on top of each other."""

    def __init__(self, raw: bytes, *layers: Layer) -> None:
        self.data = layers[-1].data if layers else raw
        self._layers = layers

    def through(self, layer: Layer) -> View:
        """Return this view with one more layer."""
        return View(b"", *self._layers, layer)

    def cut(self, pattern: re.Pattern[bytes]) -> View:
        """Return this view without what a pattern matches."""
        return self.through(Cut(self.data, pattern))

    def places(self, start: int, end: int) -> tuple[int, int]:
        """Return where bytes lie in the raw data."""
        for layer in reversed(self._layers):
            start, end = layer.places(start, end)
        return start, end


def views(raw: bytes, *, more: bool = False) -> Iterator[View]:
    """Yield the ways in which the data can be read; nearly always there is but one. `more`: it may go on."""
    bare = View(raw)
    yield bare
    text = bare
    if not raw.isascii():
        if UNSEEN.search(raw):
            yield bare.cut(UNSEEN)
        valid = raw.decode("utf-8", "ignore").encode()
        if len(valid) != len(raw):
            text = bare.through(Picked(valid, lambda: _valid_places(raw)))
            if b"\x1b" not in raw:
                yield text.cut(UNSEEN)
    steered = C1.search(raw) is not None or b"\x1b" in raw
    if steered:
        yield _without_sequences(text.through(Deleted(text.data, b"\0")) if b"\0" in raw else text)
    if b"\x08" in raw or steered:
        shown = text.data.decode("utf-8", "surrogateescape")
        if is_overstruck(shown):
            yield _without_sequences(text.through(_left_over(shown)))
    if (b"\\" in raw or b"^" in raw or b"#033" in raw or b"\xe2\x90\x9b" in raw) and WRITTEN_OUT.search(raw):
        yield _without_sequences(bare.cut(WRITTEN_OUT))
    yield from (bare.through(dump) for dump in read_dumps(raw, more=more))


def _without_sequences(view: View) -> View:
    return view.cut(SEQUENCES if C1.search(view.data) else ESCAPES).cut(UNSEEN)


def _left_over(text: str) -> Picked:
    """Return what a terminal leaves of the text where something went back over what was written."""
    left = left_over(text)

    def places() -> Sequence[int]:
        starts = [0, *accumulate(len(character.encode("utf-8", "surrogateescape")) for character in text)]
        return [byte for place in left for byte in range(starts[place], starts[place + 1])]

    return Picked("".join([text[place] for place in left]).encode("utf-8", "surrogateescape"), places)


def _valid_places(raw: bytes) -> Sequence[int]:
    """Return where the bytes are that belong to characters of UTF-8."""
    places: list[int] = []
    at = 0
    for character in raw.decode("utf-8", "surrogateescape"):
        size = 1 if (is_no_text := "\udc80" <= character <= "\udcff") else len(character.encode())
        if not is_no_text:
            places += range(at, at + size)
        at += size
    return places
