"""What is asked for, made ready: patterns compiled, levels and sources as numbers, mistakes in words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from switchover.logs.line_ring import Segment
from switchover.logs.reading.levels import LEVEL_NAMES

__all__ = ["Filter", "Find", "PatternError", "compile_pattern"]

_LONGEST_PATTERN = 1000
_UNKNOWN_COUNTS_AS = 2  # a line that names no level is taken for information


class PatternError(Exception):
    """A pattern that is none; the text says why."""


def compile_pattern(text: str) -> re.Pattern[str]:
    """Compile a pattern: without regard to case unless it has a capital letter. Raise `PatternError`."""
    if len(text) > _LONGEST_PATTERN:
        raise PatternError(f"the pattern is longer than {_LONGEST_PATTERN} characters")
    bare = re.sub(r"\\.", "", text)  # \S and \W are no capital letters
    try:
        return re.compile(text, 0 if any(c.isupper() for c in bare) else re.IGNORECASE)
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(f"the pattern does not work: {error}") from error


class Filter:
    """Which lines fit. `key` is the same for queries that ask for the same lines. Raise `PatternError`."""

    def __init__(self, query: Mapping[str, Any], sources: Sequence[str]) -> None:
        show, hide = query.get("show") or "", query.get("hide") or ""
        wanted = query.get("sources") or ()
        self._show = compile_pattern(show) if show else None
        self._hide = compile_pattern(hide) if hide else None
        least = query.get("least") or ""
        self._least = LEVEL_NAMES.index(least) if least in LEVEL_NAMES else 0
        self._since: float | None = query.get("since")
        self._until: float | None = query.get("until")
        self._sources = frozenset(n for n, name in enumerate(sources) if name in wanted) if wanted else None
        self.key = (show, hide, self._least, self._since, self._until, self._sources)
        self.has_pattern = bool(show or hide)
        self.takes_all = self.key == ("", "", 0, None, None, None)

    def test(self, segment: Segment, offsets: Sequence[int]) -> bytes:
        """Return which of these places in a segment fit."""
        if self._sources is not None:
            sources, wanted = segment.sources, self._sources
            offsets = [n for n in offsets if sources[n] in wanted]
        if self._least:
            levels, least = segment.levels, self._least
            offsets = [n for n in offsets if (levels[n] or _UNKNOWN_COUNTS_AS) >= least]
        if self._since is not None or self._until is not None:
            ats = segment.ats
            since = float("-inf") if self._since is None else self._since
            until = float("inf") if self._until is None else self._until
            offsets = [n for n in offsets if since <= ats[n] <= until]
        texts = segment.texts
        if self._show is not None:
            show = self._show.search
            offsets = [n for n in offsets if show(texts[n])]
        if self._hide is not None:
            hide = self._hide.search
            offsets = [n for n in offsets if not hide(texts[n])]
        return bytes(offsets)


class Find:
    """What is marked and counted among the lines that fit. Raise `PatternError`."""

    def __init__(self, text: str) -> None:
        self.pattern = compile_pattern(text)
        self._search: Callable[..., Any] = self.pattern.search

    def test(self, segment: Segment, offsets: Sequence[int]) -> bytes:
        """Return which of these places in a segment have it."""
        search, texts = self._search, segment.texts
        return bytes([n for n in offsets if search(texts[n])])
