"""Finds any of many secrets in all their forms, at a cost that hardly depends on how many there are.

A form of fifteen bytes or more holds eight bytes that begin at a multiple of eight, wherever it stands. One of seven
holds four. So the data's words, compared with a set, tell nearly always at once that nothing is there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from switchover.redaction.controls import without_unseen
from switchover.redaction.dumps import unfinished_row
from switchover.redaction.forms import SHORTEST, secret_forms
from switchover.redaction.layers import BLANKS, CONTROLS, Deleted, View, squeeze, tighten, views

__all__ = ["NeedleIndex", "Span", "index_of", "order"]

Span = tuple[int, int, bytes]
"""Where a secret lies, as (first, behind the last, the mark that takes its place)."""

_HEAD = 4
_FRAGMENT = 8  # bytes: what is left of a secret that was cut through is recognised from here on
_LONGEST_CUT = 8192
_LEAST_SPREAD = 12  # bytes: a shorter secret is not looked for across blanks
_SHORT = 512  # the beginning of a longer form is looked for on its own
_NEAR = 16  # bytes that are compared before more of them are
_TYPED_WRONG = 4  # letters behind the beginning of a secret that may be taken back
_RESTS = 4  # letters of a secret that are not waited for behind a blank or a line end


def order(span: Span) -> tuple[int, int]:
    """Sort spans as they follow one another, the longest of one place first."""
    return span[0], -span[1]


class Needle(NamedTuple):
    """The letters of one form. Where they are `spread`, blanks between them are skipped too. `plain`: as typed."""

    letters: bytes
    mark: bytes
    spread: bool
    plain: bool


class NeedleIndex:
    """All forms of some secrets."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        needles = _needles(secrets)
        self._whole = _Filter(needles, halves=False)
        self._cut = _Filter(needles, halves=True)
        self._ends = {spread: _Beginnings([n for n in needles if n.spread is spread]) for spread in (False, True)}
        self.longest = max((len(needle.letters) for needle in needles), default=0)

    def spans(self, raw: bytes, *, cut: bool = False) -> list[Span]:
        """Return where secrets lie, in order, the longest of one place first.

        With `cut`, also what is left of one that was cut through: half of it at least, from either end.
        """
        found: list[Span] = []
        which = self._cut if cut else self._whole
        for view in views(raw):
            if needles := which.among(squeeze(view.data)):
                found += _found(view, needles, cut=cut)
        return sorted(found, key=order)

    def begun(self, raw: bytes, *, rests: bool = False) -> int:
        """Return from where on the data may be the beginning of an unfinished secret. Its length where nothing is.

        With `rests`, a few letters of an encoded secret are no beginning. Nor is one that ends at a blank or a line's
        end. Nobody should wait for the rest.
        """
        before = max(0, len(raw) - 16 * self.longest - 1024)
        tail = raw[before:]
        first = len(raw) if rests else before + unfinished_row(tail)
        for view in views(tail, more=True):
            for spread, deleted in ((False, CONTROLS), (True, BLANKS)):
                layer = Deleted(view.data, deleted)
                size, plain = self._ends[spread].longest_in(layer.data)
                if not size and not rests:
                    size = self._ends[spread].longest_before(layer.data)
                if not size or (rests and size < _RESTS and not plain):
                    continue
                start = view.through(layer).places(len(layer.data) - size, len(layer.data))[0]
                if rests and size < _RESTS and tail[start:].split() != [tail[start:]]:
                    continue
                first = min(first, before + start)
        return first


class _Filter:
    """Tells which forms may be in squeezed data: all that are, and seldom more; with `halves`, also what is cut."""

    def __init__(self, needles: Iterable[Needle], *, halves: bool) -> None:
        self._words: dict[int, dict[int, dict[Needle, None]]] = {}
        self._brief: list[tuple[bytes, Needle]] = []
        for needle in needles:
            letters = squeeze(needle.letters)
            least = _least(letters)
            for part in (letters[:least], letters[-least:]) if halves else (letters,):
                self._add(part, needle)
        self._sets = {size: frozenset(words) for size, words in self._words.items()}

    def _add(self, part: bytes, needle: Needle) -> None:
        size = 8 if len(part) >= 15 else 4
        if len(part) < 2 * size - 1:
            self._brief.append((part, needle))
            return
        words = self._words.setdefault(size, {})
        for shift in range(size):
            words.setdefault(int.from_bytes(part[shift : shift + size], sys.byteorder), {})[needle] = None

    def among(self, squeezed: bytes) -> Sequence[Needle]:
        """Return them."""
        found = dict.fromkeys(needle for part, needle in self._brief if part in squeezed)
        for size, wanted in self._sets.items():
            view = memoryview(squeezed)[: len(squeezed) & -size]
            words = view.cast("Q") if size == 8 else view.cast("I")
            if not wanted.isdisjoint(words):
                for word in wanted.intersection(words):
                    found |= self._words[size][word]
        return tuple(found)


@lru_cache(maxsize=16)
def index_of(secrets: tuple[tuple[str, str], ...]) -> NeedleIndex:
    """Return the index of these names and values; making one costs some milliseconds."""
    return NeedleIndex(dict(secrets))


def _needles(secrets: Mapping[str, str]) -> list[Needle]:
    found: dict[bytes, Needle] = {}
    for name, value in secrets.items():
        mark = f"(secret {name})".encode()
        plain, wrapped = secret_forms(value)
        for form in (*sorted(plain), *sorted(wrapped)):
            seen = without_unseen(form)
            spread = len(squeeze(seen)) >= _LEAST_SPREAD
            letters = squeeze(seen) if spread else tighten(seen)
            if len(letters) >= SHORTEST and len(squeeze(seen)) >= SHORTEST:
                found.setdefault(letters, Needle(letters, mark, spread, form in plain))
    if any(squeeze(needle.mark).find(squeeze(needle.letters)) >= 0 for needle in found.values()):
        return [needle._replace(mark=b"***") for needle in found.values()]
    return list(found.values())


def _found(view: View, needles: Sequence[Needle], *, cut: bool) -> Iterator[Span]:
    for spread, deleted in ((False, CONTROLS), (True, BLANKS)):
        looked_for = [needle for needle in needles if needle.spread is spread]
        if not looked_for:
            continue
        layer = Deleted(view.data, deleted)
        whole = view.through(layer)
        for needle in looked_for:
            with_cut = cut and _FRAGMENT < len(needle.letters) <= _LONGEST_CUT
            look = _fragments if with_cut else _occurrences
            for start, end in look(layer.data, needle.letters):
                yield (*whole.places(start, end), needle.mark)


def _occurrences(data: bytes, letters: bytes) -> Iterable[tuple[int, int]]:
    start = data.find(letters)
    while start >= 0:
        yield start, start + len(letters)
        start = data.find(letters, start + 1)


def _fragments(data: bytes, letters: bytes) -> Iterable[tuple[int, int]]:
    """Yield where the beginning or the end of the letters stands, each as far as it goes."""
    least = _least(letters)
    for start, _ in _occurrences(data, letters[:least]):
        size = least
        while size < len(letters) and data[start + size : start + size + 1] == letters[size : size + 1]:
            size += 1
        yield start, start + size
    for start, _ in _occurrences(data, letters[-least:]):
        size = least
        while size < len(letters) and start + least > size and data[start + least - size - 1] == letters[-size - 1]:
            size += 1
        yield start + least - size, start + least


def _least(letters: bytes) -> int:
    """Return how much of a form, from either end, gives it away."""
    return min(len(letters), max(_FRAGMENT, len(letters) // 2))


class _Beginnings:
    """The beginnings of some forms."""

    def __init__(self, needles: Sequence[Needle]) -> None:
        self._heads: dict[bytes, list[bytes]] = {}
        self._few = {
            needle.letters[:size]: needle.plain
            for needle in sorted(needles, key=lambda needle: needle.plain)
            for size in range(1, _HEAD)
        }
        self._long = [needle.letters for needle in needles if len(needle.letters) > _SHORT]
        for needle in needles:
            self._heads.setdefault(needle.letters[:_HEAD], []).append(needle.letters)
        self._reach = min(_SHORT, max((len(needle.letters) for needle in needles), default=0))

    def longest_in(self, data: bytes) -> tuple[int, bool]:
        """Return the length of the longest end of the data that is a beginning (not the whole) of a form.

        The second says whether it is of a plain form, where it is short.
        """
        longest = max((_beginning(data, letters) for letters in self._long), default=0)
        for start in range(max(0, len(data) - self._reach), len(data) - max(longest, _HEAD - 1)):
            for letters in self._heads.get(data[start : start + _HEAD], ()):
                if len(letters) > len(data) - start and letters.startswith(data[start:]):
                    return len(data) - start, True
        if longest:
            return longest, True
        for size in range(min(_HEAD - 1, len(data)), 0, -1):
            if (plain := self._few.get(data[-size:])) is not None:
                return size, plain
        return 0, False

    def longest_before(self, data: bytes) -> int:
        """Return from how many letters on there is a beginning with a few wrong letters behind it."""
        for wrong in range(1, min(_TYPED_WRONG, len(data) - 1) + 1):
            size, _ = self.longest_in(data[: len(data) - wrong])
            if size >= _HEAD:
                return size + wrong
        return 0


def _beginning(data: bytes, letters: bytes) -> int:
    """Return how much of the end of the data is a beginning of long letters, from `_NEAR` on."""
    at = data.find(letters[:_NEAR], max(0, len(data) - len(letters) + 1))
    while at >= 0:
        if letters.startswith(data[at:]):
            return len(data) - at
        at = data.find(letters[:_NEAR], at + 1)
    return 0
