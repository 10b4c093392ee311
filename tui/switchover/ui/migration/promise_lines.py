"""What the migration promised, proved or refuted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switchover.ui.text.columns import Column, header_line, lay_out, row_line
from switchover.ui.text.numbers import value_with_unit
from switchover.ui.text.styled_line import Line, StyledSpan

if TYPE_CHECKING:
    from switchover.snapshot import MigrationView

__all__ = ["promise_lines"]

_COLUMNS = (
    Column("promise", 20, grow=3, most=44),
    Column("before", 9, "right"),
    Column("after", 9, "right"),
    Column("wanted", 12, grow=2, drop=1, most=40),
    Column("", 9),
)
_STATES = {
    "met": ("✓ met", "outcome-ok"),
    "missed": ("✗ missed", "outcome-crit"),
    "unknown": ("? unknown", "outcome-unknown"),
    "pending": ("○ not yet", "outcome-pending"),
}


def promise_lines(view: MigrationView, width: int) -> list[Line]:
    """Return a line for each promise."""
    if not view.promises:
        return [(), (StyledSpan("   the plan promises nothing that is measured", "muted"),)]
    layout = lay_out(_COLUMNS, width)
    lines = [header_line(layout)]
    for promise in view.promises:
        text, style = _STATES.get(promise.state, ("? unknown", "outcome-unknown"))
        cells = [
            StyledSpan(promise.title or promise.name, "strong"),
            StyledSpan(value_with_unit(promise.before, promise.unit)),
            StyledSpan(value_with_unit(promise.after, promise.unit)),
            StyledSpan(promise.target, "muted"),
            StyledSpan(text, style),
        ]
        lines.append(row_line(layout, cells))
    return lines
