"""A window onto a log, as screens ask for it and the log reader answers. Plain data, known to both.

The reader keeps the lines; a screen only ever asks for those that it shows. A line is known by its number, which grows
over all sources of one stream and never changes. Text is already redacted and free of control characters.
"""

from __future__ import annotations

from dataclasses import dataclass

from switchover.snapshot.states import LevelWord, LogSourceWord

__all__ = ["LEVELS", "LogLine", "LogQuery", "LogSourceState", "LogWindow"]

LEVELS: tuple[LevelWord, ...] = ("debug", "info", "warn", "error", "fatal")


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Which lines are wanted.

    `show` and `hide` are regular expressions: a line has to match the one and not the other. `find` is marked
    and counted (a regular expression too, without regard to case unless it has a capital letter). `least` is a level.
    `since` and `until` are epoch seconds. `sources` are names; all of them where none is given.
    """

    show: str = ""
    hide: str = ""
    find: str = ""
    least: LevelWord = ""
    since: float | None = None
    until: float | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. `at` is when it says it was written (epoch seconds), else when it was read.

    `text` is cut to what a screen needs; `more` says how many characters are left out. `marks` are where `find` stands.
    `event` is the same for all lines of one error or warning (a stack trace). It is 0 for a line on its own.
    """

    seq: int
    at: float
    source: str
    text: str
    level: LevelWord = ""
    more: int = 0
    marks: tuple[tuple[int, int], ...] = ()
    event: int = 0


@dataclass(frozen=True, slots=True)
class LogSourceState:
    """A source of the stream. `state`: reading, ended, off. `why` says why it is off, or what was lost.

    `older` says that there are, or may be, older lines than those that were asked for: they were not read.
    """

    name: str
    state: LogSourceWord
    why: str = ""
    lines: int = 0
    older: bool = False


@dataclass(frozen=True, slots=True)
class LogWindow:
    """The lines that a screen shows, and where they stand.

    `above` and `below` count the lines that fit the query before and after these. `kept` counts all kept lines,
    `dropped` those given up to keep within bounds. `found` counts the lines with `find`. `density` are buckets from
    `density_from` to `density_to`: (lines, warnings, errors), the last two by event. `problem` says what is wrong with
    the query. `progress` is how much of what is kept was searched through: 1.0 is all. `newest` is the number of the
    newest line of all, -1 before the first.
    """

    lines: tuple[LogLine, ...] = ()
    above: int = 0
    below: int = 0
    kept: int = 0
    dropped: int = 0
    found: int = 0
    per_second: float = 0.0
    density: tuple[tuple[int, int, int], ...] = ()
    density_from: float = 0.0
    density_to: float = 0.0
    sources: tuple[LogSourceState, ...] = ()
    problem: str = ""
    progress: float = 1.0
    newest: int = -1
