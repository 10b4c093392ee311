"""The timeline: what happened, newest first, by kinds and searched. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from switchover.ui.text.numbers import clock, clock_minute
from switchover.ui.text.state_words import outcome
from switchover.ui.text.styled_line import Line, StyledSpan, cut, line_width

if TYPE_CHECKING:
    from switchover.snapshot import TimelineRow

__all__ = ["KINDS", "filter_line", "kind_of", "timeline_rows"]

KINDS = ("deploys", "restarts", "steps", "config", "actions", "incident", "checks")
_WIDTH = 8
_RESTARTS = (" restarted", " stopped", " started", " running", " died", " ran out of memory", " failed", " paused")


def kind_of(row: TimelineRow) -> str:
    """Return which of KINDS a row is: what people look for, not where it came from."""
    if row.kind == "incident" or (row.kind == "action" and ": incident #" in row.text):
        return "incident"
    if row.kind in {"step", "run", "gate"}:
        return "steps"
    if row.kind == "action":
        return "actions"
    if row.kind == "change":
        if "config" in row.text or " reloaded" in row.text:
            return "config"
        return "deploys" if " deployed" in row.text or " image changed" in row.text else "restarts"
    if row.kind == "service" and any(word in row.text for word in _RESTARTS):
        return "restarts"
    return "checks"


def filter_line(chosen: Collection[str], rows: Sequence[TimelineRow], width: int) -> Line:
    """Write the kinds with their keys and how many rows each has; those that are not shown are muted."""
    counts = dict.fromkeys(KINDS, 0)
    for row in rows:
        counts[kind_of(row)] += 1
    gap = "  " if width >= 100 else " "
    spans: list[StyledSpan] = [StyledSpan(" 0", "key"), StyledSpan(" all", "strong" if not chosen else "muted")]
    for number, kind in enumerate(KINDS, 1):
        shown = not chosen or kind in chosen
        piece = [StyledSpan(f"{gap}{number}", "key"), StyledSpan(f" {kind}", "text" if shown else "muted")]
        if counts[kind] and width >= 100:
            piece.append(StyledSpan(f" {counts[kind]}", "muted"))
        if line_width((*spans, *piece)) > width:
            break
        spans += piece
    return tuple(spans)


def timeline_rows(
    rows: Sequence[TimelineRow], chosen: Collection[str], wanted: str, now: float, width: int
) -> list[Line]:
    """Write the rows of the chosen kinds that contain `wanted`, newest first, with a line where a day begins."""
    wanted = wanted.lower()
    lines: list[Line] = []
    day = ""
    for row in rows:
        kind = kind_of(row)
        if (chosen and kind not in chosen) or (wanted and wanted not in row.text.lower()):
            continue
        this = clock_minute(row.at, now)
        if ":" not in this and this != day:
            day = this
            lines.append((StyledSpan(f" {day}", "heading"),))
        word = outcome(row.status) if row.status else None
        room = max(width - 12 - _WIDTH - 4, 10)
        lines.append(
            (
                StyledSpan(f" {clock(row.at)} ", "muted"),
                StyledSpan(f"{word.glyph} " if word else "  ", word.style if word else "muted"),
                StyledSpan(f"{kind:<{_WIDTH}} ", "muted"),
                StyledSpan(cut(row.text, room), "text"),
            )
        )
    return lines
