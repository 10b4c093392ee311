"""What a run that has ended brought: time, promises, money, and what can be done now."""

from __future__ import annotations

from switchover.ui.migration.promise_lines import promise_lines
from switchover.ui.text.numbers import clock, signed, upright
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.state_words import step
from switchover.ui.text.styled_line import Line, StyledSpan

__all__ = ["ended_lines"]


def ended_lines(moment: RenderContext, width: int) -> list[Line]:
    """Say how the run ended and what it brought."""
    view = moment.data.migration
    word = step(view.state)
    lines: list[Line] = [(StyledSpan(f" {word.glyph} run {view.run_id} {word.word}", word.style),)]
    if view.started_at is not None and view.ended_at is not None:
        lines.append(
            (
                StyledSpan(" took     ", "muted"),
                StyledSpan(upright(view.ended_at - view.started_at)),
                StyledSpan(f", ended {clock(view.ended_at)}", "muted"),
            )
        )
    if moment.data.header.live_side:
        lines.append((StyledSpan(" live     ", "muted"), StyledSpan(moment.data.header.live_side, "strong")))
    costs = moment.data.costs
    if view.state == "done" and costs.difference:
        difference = signed(costs.difference)
        saved = difference.startswith("−")
        lines.append(
            (
                StyledSpan(" costs    ", "muted"),
                StyledSpan(f"{difference} {costs.currency} a month", "money-saved" if saved else "money-added"),
                StyledSpan(f"  {costs.percent.replace('-', '−')}", "muted"),
            )
        )
    if view.promises:
        lines.extend([(), *promise_lines(view, width)])
    lines.extend([(), (StyledSpan(" F", "key"), StyledSpan(" begins a new run (tab 6)", "muted"))])
    return lines
