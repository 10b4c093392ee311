"""The ways back as a choice: which are open, how long each takes, what it loses, what it would do."""

from __future__ import annotations

from switchover.snapshot import RollbackView
from switchover.ui.presentation.line import BLANK, Item, Line, Span, spread, wrap
from switchover.ui.presentation.moment import Moment
from switchover.ui.presentation.numbers import age
from switchover.ui.presentation.words import way as way_word

__all__ = ["rollback_items", "way_name"]


def way_name(way: RollbackView) -> str:
    """Name a way back as the operator would."""
    return way.name or "step by step"


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
    seconds = way.expect_s if way.expect_s is not None else way.budget_s
    time = f"~{age(seconds)}" if seconds else "time not known"
    budget = f", may take {age(way.budget_s)}" if way.budget_s and way.expect_s is not None else ""
    lines = [
        spread(
            (
                Span(f" {word.glyph} {word.word}  ", word.style),
                Span(way_name(way), "strong"),
                Span(f"  {way.title}", body),
            ),
            (Span(f" {time}{budget} ", body),),
            width,
        )
    ]
    if way.reason:
        lines.extend((Span("           "), *line) for line in wrap(way.reason, width - 12, "outcome-warn"))
    loses = way.data_loss or "nothing that is known of"
    lines.append((Span("           loses ", "muted"), Span(loses, "outcome-warn" if way.data_loss else body)))
    for number, step in enumerate(way.steps, 1):
        lines.extend(
            (Span(f"           {number}. " if not index else " " * 14, "muted"), *line)
            for index, line in enumerate(wrap(step, width - 15, body, limit=3))
        )
    return lines
