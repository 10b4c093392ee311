"""Lines of a log as rows of the screen: time, level, source and text; wrapped, or moved sideways."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.cells import cell_len

from switchover.snapshot.logview import LogLine
from switchover.ui.text.numbers import format_bytes
from switchover.ui.text.styled_line import Line, StyledSpan, clean, fit, line_width, pad, split_at
from switchover.zones import ZONE

__all__ = [
    "BAD",
    "COLOURS",
    "LogLayout",
    "day",
    "ending",
    "labels",
    "letter_of",
    "log_rows",
    "marked",
    "precise",
    "short",
]

BAD = frozenset(["error", "fatal"])
_LETTERS = {"debug": "D", "info": "I", "warn": "W", "error": "E", "fatal": "F"}
_LETTER_STYLES = {"debug": "muted", "warn": "outcome-warn", "error": "outcome-crit", "fatal": "outcome-crit"}
_TEXT_STYLES = {"debug": "log-debug", "warn": "log-warn", "error": "log-error", "fatal": "log-error"}
COLOURS = 6
_STAMP = re.compile(
    r"\[?(?:\d{4}[-/]\d\d[-/]\d\d[Tt ]|[A-Z][a-z]{2} [ \d]\d )?"
    rf"\d\d:(?P<m>\d\d):(?P<s>\d\d)(?:[.,]\d{{1,9}})?(?:{ZONE})?\]?[ ,:\t]+(?=\S)"
)


@dataclass(frozen=True, slots=True)
class LogLayout:
    """How lines are laid out. Several `sources` are named; `left` cells of the text are scrolled away."""

    width: int
    sources: tuple[str, ...] = ()
    times: bool = True
    wrap: bool = False
    left: int = 0

    @property
    def source_width(self) -> int:
        """How many cells a source's name gets."""
        if len(self.sources) < 2:
            return 0
        most = 20 if self.width >= 120 else 12 if self.width >= 80 else 8
        return min(max(cell_len(name) for name in labels(self.sources)), most)

    @property
    def indent(self) -> int:
        """How many cells stand before the text."""
        return 3 + (13 if self.times else 0) + (self.source_width + 1 if self.source_width else 0)


def short(name: str) -> str:
    """Return a source's name without the kind that stands before it."""
    kind, colon, rest = clean(name).partition(":")
    return rest if colon and rest and kind.isalpha() else clean(name)


def ending(text: str, width: int) -> str:
    """Shorten text to `width` cells, keeping its end: there a path or a name says what it is."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return f"…{text}"


@lru_cache(maxsize=32)
def labels(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return what distinguishes sources: their names without folders, and without words that all begin or end with."""
    files = [short(name).rpartition("/")[2] or short(name) for name in names]
    parts = [re.split(r"(?<=[-_./])", name) for name in (files if len(set(files)) == len(names) else map(short, names))]
    while len(parts) > 1 and all(len(part) > 1 for part in parts) and len({part[0] for part in parts}) == 1:
        parts = [part[1:] for part in parts]
    while len(parts) > 1 and all(len(part) > 1 for part in parts) and len({part[-1] for part in parts}) == 1:
        parts = [part[:-1] for part in parts]
    return tuple("".join(part).rstrip("-_./") or short(name) for part, name in zip(parts, names, strict=True))


def letter_of(level: str) -> StyledSpan:
    """Return the letter of a level; a blank where none is known."""
    return StyledSpan(_LETTERS.get(level, " "), _LETTER_STYLES.get(level, "text"))


def precise(at: float) -> str:
    """Write a moment as `14:02:31.417`, local."""
    seconds, thousandths = divmod(round(at * 1000), 1000)
    return f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{thousandths:03}"


def day(at: float) -> str:
    """Write a moment's local day."""
    return _day_of(int(at // 900))  # no time zone begins its day within a quarter of an hour


@lru_cache(maxsize=1024)
def _day_of(quarter: int) -> str:
    return time.strftime("%a %d %b %Y", time.localtime(quarter * 900))


@lru_cache(maxsize=4096)
def log_rows(line: LogLine, layout: LogLayout, heading: str = "") -> tuple[Line, ...]:
    """Return the rows of a line, each at most `layout.width` cells wide. `heading` is a row of its own before them."""
    above: list[Line] = (
        [(StyledSpan(f" {fit(f'── {heading} ', max(layout.width - 2, 0))}", "heading"),)] if heading else []
    )
    first = _before(line, layout)
    room = max(layout.width - line_width(first), 1)
    spans = marked(line, behind=_own_time(line) if layout.times else 0)
    said = f"{format_bytes(line.more)} more" + (", enter opens" if layout.width >= 80 else "")
    more = StyledSpan(f" … {said}", "accent") if line.more else None
    if not layout.wrap:
        spans = _without(spans, layout.left)
        if more is None:
            return (*above, (*first, *spans))
        shown = pad(tuple(spans), max(room - cell_len(more.text) + 2, 0))  # cut text ends with an ellipsis of its own
        return (*above, (*first, *shown, StyledSpan(f" {said}", "accent")))
    pieces = _chop([*spans, more] if more else spans, room)
    blank = StyledSpan(" " * line_width(first))
    return (*above, (*first, *pieces[0]), *((blank, *piece) for piece in pieces[1:]))


def _before(line: LogLine, layout: LogLayout) -> Line:
    """Return what stands before the text: a place for the cursor's bar, time, level, source."""
    spans = [
        StyledSpan(f" {precise(line.at)} ", "muted") if layout.times else StyledSpan(" "),
        letter_of(line.level),
        StyledSpan(" "),
    ]
    if size := layout.source_width:
        number = layout.sources.index(line.source) if line.source in layout.sources else 0
        name = labels(layout.sources)[number]
        spans += [StyledSpan(fit(ending(name, size), size), f"log-source-{number % COLOURS + 1}"), StyledSpan(" ")]
    return tuple(spans)


def _own_time(line: LogLine) -> int:
    """Return how many characters at the begin say again when it was written; 0 where they say anything else."""
    found = _STAMP.match(line.text)
    if found is None or (line.marks and line.marks[0][0] < found.end()):
        return 0
    minutes, seconds = divmod(int(line.at), 60)
    same = int(found["s"]) == seconds and int(found["m"]) % 15 == minutes % 15  # zones differ by quarters of an hour
    return found.end() if same and found.end() < len(line.text) else 0


def marked(line: LogLine, behind: int = 0) -> list[StyledSpan]:
    """Return the text behind so many characters, what was searched for marked; harmless for cells."""
    style = _TEXT_STYLES.get(line.level, "text")
    spans: list[StyledSpan] = []
    at = behind
    for start, end in line.marks:
        if at <= start < end <= len(line.text):
            spans += [StyledSpan(clean(line.text[at:start]), style), StyledSpan(clean(line.text[start:end]), "match")]
            at = end
    return [span for span in (*spans, StyledSpan(clean(line.text[at:]), style)) if span.text]


def _without(spans: Sequence[StyledSpan], left: int) -> list[StyledSpan]:
    """Leave out the first `left` cells; a wide character that is cut in half leaves a blank."""
    kept: list[StyledSpan] = []
    for text, style in spans:
        size = cell_len(text)
        if left <= 0:
            kept.append(StyledSpan(text, style))
        elif size > left:
            head, tail = (text[:left], text[left:]) if text.isascii() else split_at(text, left)
            missing = left - cell_len(head)  # below 0: one wide character that is wider than all there is to leave out
            kept.append(StyledSpan(" " + tail[1:] if missing > 0 else tail if missing == 0 else " " + tail, style))
        left -= size
    return kept


def _chop(spans: Sequence[StyledSpan], room: int) -> list[Line]:
    """Break spans into rows of at most `room` cells; there is at least one."""
    rows: list[Line] = []
    row: list[StyledSpan] = []
    used = 0
    for text, style in spans:
        rest = text
        while rest:
            if room - used < 1:
                rows.append(tuple(row))
                row, used = [], 0
            head, tail = (rest[: room - used], rest[room - used :]) if rest.isascii() else split_at(rest, room - used)
            if cell_len(head) > room - used and row:  # a wide character that stands alone does not fit here
                rows.append(tuple(row))
                row, used = [], 0
                continue
            row.append(StyledSpan(head, style))
            used += cell_len(head)
            rest = tail
    return [*rows, tuple(row)]
