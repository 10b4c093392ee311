"""What a run that has ended brought: time, promises, money, and what can be done now."""

from __future__ import annotations

from switchover.ui.presentation.line import Line, Span
from switchover.ui.presentation.moment import Moment
from switchover.ui.presentation.numbers import clock, signed, upright
from switchover.ui.presentation.objectives import objective_lines
from switchover.ui.presentation.words import step

__all__ = ["ended_lines"]


def ended_lines(moment: Moment, width: int) -> list[Line]:
    """Say how the run ended and what it brought."""
    view = moment.data.migration
    word = step(view.state)
    lines: list[Line] = [(Span(f" {word.glyph} run {view.run_id} {word.word}", word.style),)]
    if view.started_at is not None and view.ended_at is not None:
        lines.append(
            (
                Span(" took     ", "muted"),
                Span(upright(view.ended_at - view.started_at)),
                Span(f", ended {clock(view.ended_at)}", "muted"),
            )
        )
    if moment.data.header.live_side:
        lines.append((Span(" live     ", "muted"), Span(moment.data.header.live_side, "strong")))
    costs = moment.data.costs
    if view.state == "done" and costs.difference:
        difference = signed(costs.difference)
        saved = difference.startswith("−")
        lines.append(
            (
                Span(" costs    ", "muted"),
                Span(f"{difference} {costs.currency} a month", "money-saved" if saved else "money-added"),
                Span(f"  {costs.percent.replace('-', '−')}", "muted"),
            )
        )
    if view.objectives:
        lines.extend([(), *objective_lines(view, width)])
    lines.extend([(), (Span(" F", "key"), Span(" begins a new run (tab 6)", "muted"))])
    return lines
