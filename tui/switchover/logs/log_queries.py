"""Answers queries about one stream: windows, jumps, long lines. Nothing here waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from switchover.logs.density import Density, density_of
from switchover.logs.line_index import LineIndex
from switchover.logs.line_ring import LineRing, Segment
from switchover.logs.pattern_guard import TooSlowError, at_most
from switchover.logs.query import Filter, Find, PatternError
from switchover.logs.rendered_lines import SHOWN, Begun, Shown

__all__ = ["LogQueries", "RunningQuery"]

_STEP_S = 0.2  # of computing for 256 lines, after which a pattern is given up
_BYTE_S, _LONG_STEP_S = 5e-8, 2.0  # so much more for each byte, since lines may be long; and the bound of both
_FIRST_LOOK_S = 0.003
_DENSITY_FOR_S = 0.25
_TOO_SLOW = "the pattern takes too long to search for; write it more plainly"


class RunningQuery:
    """A query with the lines that fit it. `problem` says in words what of it could not be followed."""

    def __init__(self, ring: LineRing, wanted: Filter | None, find: Find | None, problem: str) -> None:
        self.problem = problem
        self.find = find
        self.test = None if wanted is None or wanted.takes_all else wanted.test
        self.index = LineIndex(ring, self.test)
        self.found = LineIndex(ring, find.test, self.index) if find is not None else None
        self._given_up: list[LineIndex] = []

    def step(self) -> bool:
        """Test some lines; return whether there may be more to do. A pattern that is too slow is given up."""
        if self._tested(self.index):
            return True
        return self.found is not None and self._tested(self.found)

    def is_found(self, seq: int) -> bool:
        """Tell whether a line has what is searched for."""
        return self.found is not None and self.found.before(seq + 1) > self.found.before(seq)

    def _tested(self, index: LineIndex) -> bool:
        if index in self._given_up:
            return False
        try:
            with at_most(min(_STEP_S + index.size_ahead * _BYTE_S, _LONG_STEP_S)):
                return index.step()
        except TooSlowError:
            self._given_up.append(index)
            self.problem = _TOO_SLOW
            return False


class LogQueries:
    """Answers for one stream. `names` are those of the sources, `states` returns theirs as `logview.LogSourceState`."""

    def __init__(
        self,
        ring: LineRing,
        names: Sequence[str],
        secrets: Mapping[str, str],
        states: Callable[[], Sequence[Mapping[str, Any]]],
        clock: Callable[[], float] = time.monotonic,
        *,
        begun: Callable[[], Sequence[Begun]] = tuple,
    ) -> None:
        self._ring = ring
        self._names = names
        self._states = states
        self._clock = clock
        self._begun = begun
        self.shown = Shown(ring, names, secrets)
        self._key: tuple[Any, ...] = ()
        self._asked = RunningQuery(ring, None, None, "")
        self._filter_key: tuple[Any, ...] = ()
        self._density: tuple[float, int, RunningQuery | None, Density] = (-1.0, -1, None, ([], 0.0, 0.0))
        self._rate: tuple[float, int, float] | None = None

    def step(self) -> bool:
        """Do a small part of the searching that is left; return whether there may be more."""
        return self._asked.step()

    def window(self, query: Mapping[str, Any], anchor: int | None, before: int, after: int) -> dict[str, Any]:
        """Return lines around `anchor`, or the newest, as `logview.LogWindow`."""
        asked = self.ask(query)
        index = asked.index
        total = index.total
        if anchor is None:
            begin, end = total - before - after, total
        else:
            place = index.before(anchor)
            begin, end = place - before, place + after
        numbers = index.numbers(begin, end)
        lines_begun = self.begun(asked)
        shown = self.shown.lines(numbers, asked.find)
        for line in shown:  # what is searched for stands beyond what is sent of it: there the line is marked
            if "more" in line and "marks" not in line and asked.is_found(line["seq"]):
                line["marks"] = [(SHOWN - 1, SHOWN)]
        density = self._density_for(asked)
        return {
            "lines": shown + (lines_begun if end >= total else []),
            "above": index.before(numbers[0]) if numbers else max(0, min(begin, total)),
            "below": (total - index.before(numbers[-1]) - 1 if numbers else max(0, total - max(0, end)))
            + (0 if end >= total else len(lines_begun)),
            "kept": self._ring.kept + len(self._begun()),
            "dropped": self._ring.dropped,
            "found": asked.found.total + sum("marks" in one for one in lines_begun) if asked.found is not None else 0,
            "per_second": self.per_second(),
            "density": density[0],
            "density_from": density[1],
            "density_to": density[2],
            "sources": self._states(),
            "problem": asked.problem,
            "progress": min(index.progress, asked.found.progress if asked.found is not None else 1.0),
            "newest": self._ring.end - 1,
        }

    def begun(self, asked: RunningQuery) -> list[dict[str, Any]]:
        """Return the lines that have no end yet and fit, numbered behind all others for now."""
        lines = self._begun()
        if not lines:
            return []
        segment = Segment(0)
        segment.ats.extend(line.at for line in lines)
        segment.levels.extend(line.level for line in lines)
        segment.sources.extend(line.source for line in lines)
        segment.texts.extend(line.text for line in lines)
        places: Sequence[int] = range(len(lines))
        try:
            with at_most(_STEP_S):
                places = places if asked.test is None else asked.test(segment, places)
        except TooSlowError:
            asked.problem = _TOO_SLOW
            return []
        return [self.shown.begun(lines[place], self._ring.end + place, asked.find) for place in places]

    def seek(self, query: Mapping[str, Any], seq: int, what: str, by: int) -> int | None:
        """Return the number of the next error, match or line; None where there is none."""
        asked = self.ask(query)
        if what == "error":
            return asked.index.next_error(seq, by)
        index = asked.found if what == "find" else asked.index
        if index is None:
            return None
        here = index.before(seq)
        there = index.numbers(here, here + 1)
        place = here + by if by < 0 else here + by - (0 if there == [seq] else 1)
        place = max(0, min(place, index.total - 1)) if what == "line" else place
        numbers = index.numbers(place, place + 1) if place >= 0 else []
        return numbers[0] if numbers else None

    def line(self, seq: int, offset: int, limit: int) -> dict[str, Any]:
        """Return a part of a line, and how many characters it has. Raise `LookupError` for one that is not kept."""
        if self._ring.first <= seq < self._ring.end and self.shown.is_long(seq):
            long = self.shown.long(seq)
            while long.make(offset + limit):
                pass
            return {"text": long.text(offset, limit), "total": long.total}
        text = self.whole(seq)
        return {"text": text[offset : offset + limit], "total": len(text)}

    def whole(self, seq: int) -> str:
        """Return all that is kept of a line, without secrets. Raise `LookupError`."""
        if 0 <= seq - self._ring.end < len(begun := self._begun()):
            return self.shown.text_begun(begun[seq - self._ring.end])
        if not self._ring.first <= seq < self._ring.end:
            raise LookupError("this line is not kept any more")
        return self.shown.whole(seq)

    def ask(self, query: Mapping[str, Any]) -> RunningQuery:
        """Return the lines that fit a query. A new query is searched for a moment, and then goes on in steps."""
        names = ("show", "hide", "find", "least", "since", "until")
        key = (*(query.get(name) for name in names), tuple(query.get("sources") or ()))
        if key != self._key:
            self._key, self._asked = key, self._begin(query)
        asked = self._asked
        until = self._clock() + _FIRST_LOOK_S
        while asked.step() and self._clock() < until:
            pass
        return asked

    def per_second(self) -> float:
        """How many lines come in a second, over the last one or so."""
        now = self._clock()
        if self._rate is None:  # the lines that were there before do not count
            self._rate = (now, self._ring.end, 0.0)
        since, count, rate = self._rate
        if now - since >= 1.0:
            rate = (self._ring.end - count) / (now - since)
            self._rate = (now, self._ring.end, rate)
        return round(rate, 1)

    def forget_rate(self) -> None:
        """Lines that were there before do not count as coming."""
        self._rate = None

    def _begin(self, query: Mapping[str, Any]) -> RunningQuery:
        problem = ""
        wanted: Filter | None = None
        find: Find | None = None
        try:
            wanted = Filter(query, self._names)
        except PatternError as error:
            problem = str(error)
            with_none = {**query, "show": "", "hide": ""}
            wanted = Filter(with_none, self._names)
        try:
            find = Find(query["find"]) if query.get("find") else None
        except PatternError as error:
            problem = problem or str(error)
        before = self._asked
        asked = RunningQuery(self._ring, wanted, find, problem)
        if wanted.key == self._filter_key and not before.problem:
            asked.index = before.index
            asked.found = LineIndex(self._ring, find.test, asked.index) if find is not None else None
        self._filter_key = wanted.key
        return asked

    def _density_for(self, asked: RunningQuery) -> Density:
        at, end, whose, density = self._density
        now = self._clock()
        if whose is asked and (end == self._ring.end or now - at < _DENSITY_FOR_S) and asked.index.progress >= 1.0:
            return density
        if whose is asked and now - at < _DENSITY_FOR_S:
            return density
        density = density_of(self._ring, asked.index)
        self._density = (now, self._ring.end, asked, density)
        return density
