"""What happened, as lines: the last few in one, or a line each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from switchover.ui.text.numbers import clock_minute
from switchover.ui.text.state_words import outcome
from switchover.ui.text.styled_line import Line, StyledSpan, cut, join, line_width

if TYPE_CHECKING:
    from switchover.snapshot import TimelineRow

__all__ = ["timeline_line", "timeline_lines"]


def timeline_line(rows: Sequence[TimelineRow], now: float, width: int) -> Line:
    """Write what happened last in one line, newest first."""
    parts: list[Line] = []
    for row in rows[:6]:
        part: Line = (
            StyledSpan(f"{clock_minute(row.at, now)} ", "muted"),
            StyledSpan(row.text, outcome(row.status).style if row.status in {"crit", "warn"} else "muted"),
        )
        if parts and line_width(join([*parts, part], " · ")) > width - 2:
            break
        parts.append(part)
    return (StyledSpan(" "), *join(parts, " · "))


def timeline_lines(rows: Sequence[TimelineRow], now: float, width: int) -> list[Line]:
    """Write what happened, a line each, newest first."""
    lines: list[Line] = []
    for row in rows:
        word = outcome(row.status) if row.status else None
        lines.append(
            (
                StyledSpan(f" {clock_minute(row.at, now)} ", "muted"),
                StyledSpan(f"{word.glyph} " if word else "  ", word.style if word else "muted"),
                StyledSpan(cut(row.text, max(width - 10, 4)), "text"),
            )
        )
    return lines
