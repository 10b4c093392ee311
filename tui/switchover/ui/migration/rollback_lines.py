"""The rollback paths as a choice: which are open, how long each takes, what it loses, what it would do."""

from __future__ import annotations

from switchover.snapshot import RollbackView
from switchover.ui.migration.rollback_progress import loss, time_text
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.state_words import way as way_word
from switchover.ui.text.styled_line import BLANK, Line, ListItem, StyledSpan, spread, wrap

__all__ = ["rollback_items", "way_actions", "way_name"]


def way_name(way: RollbackView) -> str:
    """Name a rollback path as the operator would."""
    return way.name or "step by step"


def way_actions(way: RollbackView) -> tuple[str, ...]:
    """Return what this way does, without what it cannot undo."""
    return tuple(step for step in way.steps if step not in way.cannot_undo)


def rollback_items(moment: RenderContext, width: int) -> list[ListItem]:
    """Return an item for each rollback path, those that are open first."""
    ways = sorted(moment.data.migration.rollbacks, key=lambda way: not way.available)
    return [
        ListItem(f"way:{way.name}", ((BLANK,) if index else ()) + tuple(_way(way, width)), min(index, 1))
        for index, way in enumerate(ways)
    ]


def _way(way: RollbackView, width: int) -> list[Line]:
    word = way_word(available=way.available)
    body = "text" if way.available else "muted"
    time, over = time_text(way)
    lines = [
        spread(
            (
                StyledSpan(f" {word.glyph} {word.word}  ", word.style),
                StyledSpan(way_name(way), "strong"),
                StyledSpan(f"  {way.title}", body),
            ),
            (StyledSpan(f" {time} ", "danger" if over else body),),
            width,
        )
    ]
    if way.reason:
        lines.extend((StyledSpan("           "), *line) for line in wrap(way.reason, width - 12, "outcome-warn"))
    lost = loss(way.data_loss, way.loses_since, way.loses_after)
    for index, line in enumerate(
        wrap(lost or "nothing that is known of", width - 18, "outcome-warn" if lost else body)
    ):
        lines.append((StyledSpan("           loses " if not index else " " * 17, "muted"), *line))
    for text in way.cannot_undo:
        lines.extend((StyledSpan("           "), *line) for line in wrap(f"! {text}", width - 12, "danger"))
    for number, step in enumerate(way_actions(way), 1):
        lines.extend(
            (StyledSpan(f"           {number}. " if not index else " " * 14, "muted"), *line)
            for index, line in enumerate(wrap(step, width - 15, body, limit=3))
        )
    return lines
