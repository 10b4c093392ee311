"""What the migration promised, proved or refuted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switchover.ui.presentation.line import Line, Span
from switchover.ui.presentation.numbers import value_with_unit
from switchover.ui.presentation.table import Column, header_line, lay_out, row_line

if TYPE_CHECKING:
    from switchover.snapshot import MigrationView

__all__ = ["objective_lines"]

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


def objective_lines(view: MigrationView, width: int) -> list[Line]:
    """Return a line for each promise."""
    if not view.objectives:
        return [(), (Span("   the plan promises nothing that is measured", "muted"),)]
    layout = lay_out(_COLUMNS, width)
    lines = [header_line(layout)]
    for promise in view.objectives:
        text, style = _STATES.get(promise.state, ("? unknown", "outcome-unknown"))
        cells = [
            Span(promise.title or promise.name, "strong"),
            Span(value_with_unit(promise.before, promise.unit)),
            Span(value_with_unit(promise.after, promise.unit)),
            Span(promise.target, "muted"),
            Span(text, style),
        ]
        lines.append(row_line(layout, cells))
    return lines
