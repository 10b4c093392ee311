"""The lines around a log: its density, where it went wrong, what is hidden, which sources there are."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from switchover.snapshot.logview import LogQuery, LogSourceState, LogWindow
from switchover.ui.logs.log_rows import COLOURS, ending, labels, short
from switchover.ui.logs.log_time import span_text
from switchover.ui.text.numbers import number
from switchover.ui.text.styled_line import Line, StyledSpan, clean, cut, join, line_width, spread, wrap

__all__ = [
    "LogScreenState",
    "bad_pattern",
    "density_line",
    "filtered",
    "has_older",
    "headline",
    "info_lines",
    "is_within",
    "legend_lines",
    "what_is_before",
    "why_empty",
]

_BLOCKS = "▁▂▃▄▅▆▇█"
_MOST_LEGEND, _MOST_INFO = 4, 3


@dataclass(frozen=True, slots=True)
class LogScreenState:
    """How the screen stands: what is asked for, and how it goes. `left` cells are scrolled away sideways.

    `pending`: the answer to what is asked for is on its way, so nothing is counted yet.
    """

    query: LogQuery
    following: bool
    asking: bool = False
    lost: str = ""
    note: str = ""
    left: int = 0
    pending: bool = False


def is_within(at: float, query: LogQuery) -> bool:
    """Say whether a moment is of the time that is asked for."""
    return (query.since is None or at >= query.since) and (query.until is None or at <= query.until)


def filtered(query: LogQuery) -> bool:
    """Say whether anything is hidden."""
    return bool(query.show or query.hide or query.least or query.since or query.until or query.sources)


def has_older(window: LogWindow) -> bool:
    """Say whether a log goes further back than it was read."""
    return any(source.older for source in window.sources)


def what_is_before(window: LogWindow, *, can_read: bool) -> str:
    """Say what there was before the first line that is kept; empty where that is the log's own first."""
    if window.dropped:
        return f"{window.dropped:,} earlier lines are no longer kept"
    if has_older(window):
        return "older lines are not read: " + ("g reads them" if can_read else "m reads a time")
    return ""


def bad_pattern(pattern: str) -> str:
    """Say in words what is wrong with a regular expression; empty where nothing is."""
    try:
        re.compile(pattern)
    except re.error as error:
        where = f", at character {error.pos + 1}" if error.pos is not None else ""
        return f"“{cut(pattern, 30)}” is not a pattern: {error.msg}{where}"
    except (OverflowError, RecursionError):
        return f"“{cut(pattern, 30)}” is not a pattern: it is too large"
    return ""


def headline(title: str, window: LogWindow, standing: LogScreenState) -> str:
    """Write the title: what it is the log of, and whether what comes is shown."""
    if standing.lost:
        state = "not read now"
    elif window.sources and all(source.state == "off" for source in window.sources):
        state = "nothing is read"
    elif standing.following and window.sources and all(source.state != "reading" for source in window.sources):
        state = "at the end, nothing more comes"
    elif standing.following and standing.asking:
        state = "for what is new"
    elif standing.following:
        rate = f" · {number(window.per_second)} lines/s" if window.per_second >= 0.1 else ""
        state = f"following{rate}"
    elif standing.pending:
        state = "paused"
    else:
        state = f"paused · {window.below:,} below" if window.below else "paused at the end"
    sideways = f" · from column {standing.left + 1}" if standing.left else ""
    return f"{'asking … · ' if standing.asking else ''}{state}{sideways} · {title}"


def info_lines(window: LogWindow, standing: LogScreenState, now: float, width: int) -> list[Line]:
    """Write what is hidden, and how many lines there are; what went wrong or was done in its place, whole."""
    if standing.lost or standing.note:
        said, style = (f"✗ {standing.lost}", "late") if standing.lost else (standing.note, "message-info")
        return [(StyledSpan(" "), *line) for line in wrap(said, width - 2, style, _MOST_INFO)]
    return [_hidden_line(window, standing, now, width)]


def _hidden_line(window: LogWindow, standing: LogScreenState, now: float, width: int) -> Line:
    query = standing.query
    fit_count = window.above + len(window.lines) + window.below
    hidden = [
        (StyledSpan("only ", "muted"), StyledSpan(f"/{clean(query.show)}/", "accent")) if query.show else (),
        (StyledSpan("not ", "muted"), StyledSpan(f"/{clean(query.hide)}/", "accent")) if query.hide else (),
        (StyledSpan(f"{query.least} and worse", "accent"),) if query.least else (),
        (StyledSpan(said, "accent"),) if (said := span_text(query.since, query.until, now)) else (),
        (StyledSpan(f"{len(query.sources)} of {len(window.sources)} sources", "accent"),) if query.sources else (),
        (StyledSpan(f"find “{clean(query.find)}” on {window.found:,}", "accent"),) if query.find else (),
    ]
    lines = "1 line" if window.kept == 1 else f"{window.kept:,} lines"
    count = f"{fit_count:,} of {lines}" if filtered(query) else lines
    if standing.pending:
        count = "counting …"
    elif window.progress < 1:
        count += f", {window.progress * 100:.0f} % looked through"
    elif has_older(window) and not window.dropped:
        count += ", older not read"
    elif window.dropped and width >= 100:
        count += f", {number(window.dropped)} older given up"
    counted: Line = (StyledSpan(f" {count} ", "muted"),)
    left = join(hidden, " · ")
    if line_width(left) + line_width(counted) > width - 1:  # how much is hidden may not be pushed out by what is sought
        return spread((StyledSpan(" "), *left), counted, width)
    return (StyledSpan(" "), *left, StyledSpan(" ·", "muted"), *counted) if left else counted


def density_line(window: LogWindow, first: float | None, last: float | None, width: int) -> Line:
    """Draw how many lines there were over time, errors and warnings coloured and counted, and which part is shown."""
    buckets, begin, end = window.density, window.density_from, window.density_to
    if not buckets:
        return (StyledSpan(" no lines yet" if not window.kept else " ", "muted"),)
    format_ = "%H:%M:%S" if end - begin < 600 else "%H:%M" if end - begin < 20 * 3600 else "%d %b"
    labels = [time.strftime(format_, time.localtime(at)) for at in (begin, end)]
    errors, warnings = sum(one[2] for one in buckets), sum(one[1] for one in buckets)
    said: Line = (
        StyledSpan(f" {number(errors)} {'error' if errors == 1 else 'errors'}", "outcome-crit" if errors else "muted"),
        StyledSpan(
            f" {number(warnings)} {'warning' if warnings == 1 else 'warnings'} ", "log-warn" if warnings else "muted"
        ),
    )
    before, after = StyledSpan(f" {labels[0]} ", "muted"), StyledSpan(f" {labels[1]}", "muted")
    room = width - line_width((before, after, *said))
    if end <= begin:
        return (before, *said)
    if room < 10:
        said, room = (), width - line_width((before, after))
    cells = _resample(buckets, max(room, 1))
    most = max(one[0] for one in cells)
    here = _here(first, last, begin, end, len(cells))
    return (before, *_blocks(cells, most, here), after, *said)


def _here(first: float | None, last: float | None, begin: float, end: float, count: int) -> range:
    """Return the cells that the window covers, at least one."""
    if first is None or last is None:
        return range(0)
    low, high = (int(min(max((at - begin) / (end - begin), 0.0), 1.0) * (count - 1e-6)) for at in (first, last))
    return range(min(low, high), max(low, high) + 1)


def _resample(buckets: Sequence[tuple[int, int, int]], room: int) -> list[tuple[float, int, int]]:
    """Fit buckets to cells: many become one with all that was in them, one is drawn over several."""
    count = len(buckets)
    if count <= room:
        return [buckets[cell * count // room] for cell in range(room)]
    cells = []
    for cell in range(room):
        part = buckets[cell * count // room : max((cell + 1) * count // room, cell * count // room + 1)]
        cells.append(
            (sum(one[0] for one in part) / len(part), sum(one[1] for one in part), sum(one[2] for one in part))
        )
    return cells


def _blocks(cells: Sequence[tuple[float, int, int]], most: float, here: range) -> Line:
    spans: list[StyledSpan] = []
    for index, (lines, warnings, errors) in enumerate(cells):
        style = "outcome-crit" if errors else "outcome-warn" if warnings else "spark-line"
        style = "log-here" if index in here else style
        # few lines beside a flood are still seen: the height grows with their square root
        height = math.ceil(len(_BLOCKS) * math.sqrt(lines / most)) if lines and most else 0
        block = _BLOCKS[min(max(height, 1), len(_BLOCKS)) - 1] if height else " "
        if spans and spans[-1].style == style:
            spans[-1] = StyledSpan(spans[-1].text + block, style)
        else:
            spans.append(StyledSpan(block, style))
    return tuple(spans)


def legend_lines(sources: Sequence[LogSourceState], query: LogQuery, width: int) -> list[Line]:
    """Write the sources with the keys that show and hide them, then what is wrong; nothing where one is fine."""
    wrong = [source for source in sources if source.why or source.state != "reading"]
    if len(sources) < 2 and not wrong:
        return []
    parts: list[Line] = []
    room = max((width - 2) // max(len(sources), 1) - 5, 8)
    names = labels(tuple(source.name for source in sources))
    for index, source in enumerate(sources):
        shown = not query.sources or source.name in query.sources
        style = f"log-source-{index % COLOURS + 1}" if shown else "muted"
        key = f"{index + 1} " if index < 9 and len(sources) > 1 else ""
        whole = short(source.name)
        name = whole if cell_len(whole) <= room else ending(names[index], room)
        said = f" {source.state}" if source.state != "reading" and not source.why else ""
        parts.append(
            (StyledSpan(key, "key"), StyledSpan(name if shown else f"({name})", style), StyledSpan(said, "muted"))
        )
    lines: list[Line] = [(StyledSpan(" "), *join(parts, "  "))] if len(sources) > 1 else []
    for source in wrong:
        if source.why:
            word = "" if source.state == "reading" else f"{source.state}: "
            rows = wrap(f"{short(source.name)}: {word}{source.why}", width - 2, "log-warn", 2)
            lines += [(StyledSpan(" "), *row) for row in rows]
    return lines[:_MOST_LEGEND]


def why_empty(state: LogScreenState, window: LogWindow, *, answered: bool, is_lost: bool) -> list[Line]:
    """Say why there are no lines. Where the agent is lost, that is said elsewhere."""
    if is_lost:
        said = ""
    elif not answered:
        said = "asking for the log …"
    elif state.pending:
        said = "asking for these lines …"
    elif window.progress < 1:
        said = "looking through what is kept …"
    elif window.kept and filtered(state.query):
        said = f"none of {window.kept:,} lines fits what is asked for: esc shows all"
    elif window.sources and all(source.state == "off" for source in window.sources):
        said = "no source can be read: below stands why"
    else:
        said = "no lines yet; what comes is shown here"
    return [(), (StyledSpan(f"   {said}", "muted"),)]
