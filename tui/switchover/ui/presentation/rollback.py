"""The ways back as a choice: which are open, how long each takes, what it loses, what it would do."""

from __future__ import annotations

from switchover.snapshot import RollbackView
from switchover.ui.presentation.line import BLANK, Item, Line, Span, spread, wrap
from switchover.ui.presentation.moment import Moment
from switchover.ui.presentation.rolling import loss, time_text
from switchover.ui.presentation.words import way as way_word

__all__ = ["rollback_items", "way_actions", "way_name"]


def way_name(way: RollbackView) -> str:
    """Name a way back as the operator would."""
    return way.name or "step by step"


def way_actions(way: RollbackView) -> tuple[str, ...]:
    """Return what this way does, without what it cannot undo."""
    return tuple(step for step in way.steps if step not in way.cannot_undo)


def rollback_items(moment: Moment, width: int) -> list[Item]:
    """Return an item for each way back, those that are open first."""
    ways = sorted(moment.data.migration.rollbacks, key=lambda way: not way.available)
    return [
        Item(f"way:{way.name}", ((BLANK,) if index else ()) + tuple(_way(way, width)), min(index, 1))
        for index, way in enumerate(ways)
    ]


def _way(way: RollbackView, width: int) -> list[Line]:
    word = way_word(available=way.available)
    body = "text" if way.available else "muted"
    time, over = time_text(way)
    lines = [
        spread(
            (
                Span(f" {word.glyph} {word.word}  ", word.style),
                Span(way_name(way), "strong"),
                Span(f"  {way.title}", body),
            ),
            (Span(f" {time} ", "danger" if over else body),),
            width,
        )
    ]
    if way.reason:
        lines.extend((Span("           "), *line) for line in wrap(way.reason, width - 12, "outcome-warn"))
    lost = loss(way.data_loss, way.loses_since, way.loses_after)
    for index, line in enumerate(
        wrap(lost or "nothing that is known of", width - 18, "outcome-warn" if lost else body)
    ):
        lines.append((Span("           loses " if not index else " " * 17, "muted"), *line))
    for text in way.cannot_undo:
        lines.extend((Span("           "), *line) for line in wrap(f"! {text}", width - 12, "danger"))
    for number, step in enumerate(way_actions(way), 1):
        lines.extend(
            (Span(f"           {number}. " if not index else " " * 14, "muted"), *line)
            for index, line in enumerate(wrap(step, width - 15, body, limit=3))
        )
    return lines
