"""Lines as they are shown: without secrets, cut to what a screen needs, with marks where the pattern stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from switchover.logs.line_ring import SEGMENT, LineRing
from switchover.logs.long_line import LONG, LongLine
from switchover.logs.pattern_guard import TooSlowError, at_most
from switchover.logs.query import Find
from switchover.logs.reading.levels import LEVEL_NAMES
from switchover.redaction import Redactor
from switchover_checks.unknown_secrets import redact_unknown

__all__ = ["SHOWN", "Begun", "Shown"]

SHOWN = 4096  # characters of a line that are sent
_MOST_MARKS = 200
_BESIDE = 2  # lines of the same source on either side that a secret may come from or go on in
_REACH = 40  # lines that are looked through for them
_MARKING_S = 0.05
_TAB = 8


class Begun(NamedTuple):
    """An unfinished line: the number of its source, its time and level, and its text so far."""

    source: int
    at: float
    level: int
    text: str


class Shown:
    """Makes lines ready to be shown. `secrets` are values by name."""

    def __init__(self, ring: LineRing, names: Sequence[str], secrets: Mapping[str, str]) -> None:
        self._ring = ring
        self._names = names
        self.learn(secrets)

    def learn(self, secrets: Mapping[str, str]) -> None:
        """Take these out of every line from here on, also of those that were read before."""
        self._secrets = dict(secrets)
        self._redactor = Redactor(secrets)
        self._margin = 4 * max((len(value) for value in secrets.values()), default=0)
        self._has_secrets = bool(secrets)
        self._whole: tuple[int, str] = (-1, "")
        self._long: tuple[int, LongLine | None] = (-1, None)

    def lines(self, numbers: Sequence[int], find: Find | None) -> list[dict[str, Any]]:
        """Return lines as `logview.LogLine`. A pattern that searches for too long marks nothing."""
        texts = self.texts(numbers, SHOWN + self._margin)
        lines = []
        for seq in numbers:
            segment, offset = self._ring.segment(seq // SEGMENT), seq % SEGMENT
            text = texts[seq]
            line: dict[str, Any] = {
                "seq": seq,
                "at": segment.ats[offset],
                "source": self._names[segment.sources[offset]],
                "text": text[:SHOWN],
                "level": LEVEL_NAMES[segment.levels[offset]],
            }
            if segment.events[offset]:
                line["event"] = segment.events[offset]
            if len(segment.texts[offset]) > SHOWN or len(text) > SHOWN:
                line["more"] = max(len(text), len(segment.texts[offset])) - SHOWN
            lines.append(line)
        _mark(find, lines)
        return lines

    def begun(self, line: Begun, seq: int, find: Find | None) -> dict[str, Any]:
        """Return a line that has no end yet, as `logview.LogLine`."""
        text = self.text_begun(line)
        shown: dict[str, Any] = {"seq": seq, "at": line.at, "source": self._names[line.source], "text": text[:SHOWN]}
        shown |= {"level": LEVEL_NAMES[line.level], "more": max(0, len(text) - SHOWN)}
        _mark(find, [shown])
        return shown

    def text_begun(self, line: Begun) -> str:
        """Return its text without secrets; what may be the begin of one is held back until it is known."""
        if not self._has_secrets:
            return redact_unknown(line.text).expandtabs(_TAB)
        redactor = Redactor(self._secrets)
        end = self._ring.end
        before = sorted(self._beside(line.source, {end}))
        said = "".join(f"{self._ring.text(seq)[-SHOWN:]}\n" for seq in before) + line.text
        clean = redactor.feed(said.encode("utf-8", "replace")).decode("utf-8", "replace")
        return redact_unknown(clean.rpartition("\n")[2]).expandtabs(_TAB)

    def texts(self, numbers: Sequence[int], most: int | None = None) -> dict[int, str]:
        """Return texts by number, without secrets and tabs, each cut to about `most` characters."""
        if not self._has_secrets:
            return {seq: redact_unknown(self._text(seq, most)).expandtabs(_TAB) for seq in numbers}
        by_source: dict[int, set[int]] = {}
        for seq in numbers:
            by_source.setdefault(self._source(seq), set()).add(seq)
        shown: dict[int, str] = {}
        for source, wanted in by_source.items():
            around = sorted(wanted | self._beside(source, wanted))
            clean = self._redactor.redact_lines(
                [self._text(seq, most) if seq in wanted else self._ends(seq) for seq in around]
            )
            for seq, text in zip(around, clean, strict=True):
                if seq in wanted:
                    shown[seq] = redact_unknown(text).expandtabs(_TAB)
        return shown

    def is_long(self, seq: int) -> bool:
        """Tell whether a line is so long that it has to be made in pieces."""
        return len(self._ring.text(seq)) >= LONG

    def long(self, seq: int) -> LongLine:
        """Return a line that is made in pieces; the last one that was asked for is kept."""
        if self._long[0] != seq or self._long[1] is None:
            source = self._source(seq)
            beside = self._beside(source, {seq})
            before = [self._ring.text(near)[-SHOWN:] for near in sorted(near for near in beside if near < seq)]
            after = [self._ring.text(near)[:SHOWN] for near in sorted(near for near in beside if near > seq)]
            self._long = (seq, LongLine(self._secrets, before, self._ring.text(seq), after))
        made = self._long[1]
        assert made is not None
        return made

    def whole(self, seq: int) -> str:
        """Return all that is kept of a line."""
        if self._whole[0] != seq:
            self._whole = (seq, self.texts([seq])[seq])
        return self._whole[1]

    def _text(self, seq: int, most: int | None) -> str:
        text = self._ring.text(seq)
        return text if most is None else text[:most]

    def _ends(self, seq: int) -> str:
        """Return what of a neighbour a secret can come from or go on in."""
        text = self._ring.text(seq)
        return text if len(text) <= 2 * SHOWN else f"{text[:SHOWN]} {text[-SHOWN:]}"

    def _source(self, seq: int) -> int:
        return self._ring.segment(seq // SEGMENT).sources[seq % SEGMENT]

    def _beside(self, source: int, wanted: set[int]) -> set[int]:
        """Return lines of the same source around these, so that a secret over several lines is seen whole."""
        found: set[int] = set()
        for seq in wanted:
            for way in (-1, 1):
                left = _BESIDE
                near = seq + way
                while left and abs(near - seq) <= _REACH and self._ring.first <= near < self._ring.end:
                    if near in wanted:
                        break
                    if self._source(near) == source:
                        found.add(near)
                        left -= 1
                    near += way
        return found


def _mark(find: Find | None, lines: Sequence[dict[str, Any]]) -> None:
    if find is None:
        return
    with suppress(TooSlowError), at_most(_MARKING_S):
        for line in lines:
            if marks := list(_marks(find, line["text"])):
                line["marks"] = marks


def _marks(find: Find, text: str) -> Iterable[tuple[int, int]]:
    count = 0
    for match in find.pattern.finditer(text):
        if match.end() > match.start():
            yield match.span()
            count += 1
        if count >= _MOST_MARKS:
            return
