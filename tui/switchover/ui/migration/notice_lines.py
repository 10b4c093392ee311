"""What must be read before acting on the run: a journal refused or not believed, another who holds it."""

from __future__ import annotations

from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

__all__ = ["notice_lines"]

_MOST = 5


def notice_lines(moment: RenderContext, width: int) -> list[Line]:
    """Return it in full lines; nothing where there is nothing of the kind."""
    view = moment.data.migration
    lines: list[Line] = []
    loud = (view.journal_refused, view.not_believed)
    for text, style in (
        *((text, "danger") for text in loud),
        (view.held_elsewhere, "outcome-warn"),
        (view.put_off, "late"),
    ):
        if text:
            first, *more = wrap(text, width - 4, style, limit=_MOST)
            lines += [(StyledSpan(" ! ", style), *first), *((StyledSpan("   "), *line) for line in more)]
    return lines
