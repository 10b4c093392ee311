"""Two small things that many screens need: a labelled line, and whether a value is late."""

from __future__ import annotations

from switchover.ui.text.styled_line import Line, StyledSpan

__all__ = ["fact", "is_late"]


def is_late(observed_at: float | None, stale_after_s: float, now: float) -> bool:
    """Say whether a value is older than it may be."""
    return observed_at is not None and now - observed_at > stale_after_s


def fact(label: str, line: Line) -> Line:
    """Write a labelled line of a detail."""
    return (StyledSpan(f" {label:<11}", "muted"), *line)
