"""Columns that line up: which of them show at a width, and a row cut to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from switchover.ui.text.styled_line import Line, StyledSpan, clean, fit, line_width, pad

__all__ = ["Column", "ColumnLayout", "header_line", "lay_out", "row_line", "widen"]

_GAP = 2
_NARROWEST = 6


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `grow` takes what is left over; `drop` > 0 may leave when it is narrow, the highest first."""

    title: str
    width: int
    align: str = "left"
    grow: int = 0
    drop: int = 0
    most: int = 400


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """The columns that show, by their index, with their widths."""

    columns: tuple[tuple[int, Column, int], ...]


def lay_out(columns: Sequence[Column], width: int) -> ColumnLayout:
    """Choose the columns for `width` cells and share out the rest among those that grow."""
    shown = list(enumerate(columns))

    def needed() -> int:
        return 1 + sum(column.width + _GAP for _, column in shown) - _GAP

    while needed() > width and any(column.drop for _, column in shown):
        shown.remove(max(shown, key=lambda entry: entry[1].drop))
    while (excess := needed() - width) > 0:
        place, (index, column) = max(enumerate(shown), key=lambda entry: entry[1][1].width)
        if column.width <= _NARROWEST:
            break
        shown[place] = (index, replace(column, width=max(column.width - excess, _NARROWEST)))
    spare = max(width - needed(), 0)
    weights = sum(column.grow for _, column in shown)
    placed = []
    left = spare
    for index, column in shown:
        extra = min(spare * column.grow // weights if weights else 0, left, max(column.most - column.width, 0))
        left -= extra
        placed.append((index, column, column.width + extra))
    return ColumnLayout(tuple(placed))


def widen(columns: Sequence[Column], index: int, texts: Iterable[str]) -> tuple[Column, ...]:
    """Make a column as wide as its longest text asks for, but no wider than it may be."""
    column = columns[index]
    longest = max((cell_len(clean(text)) for text in texts), default=0)
    fitted = replace(column, width=max(column.width, min(longest, column.most)))
    return (*columns[:index], fitted, *columns[index + 1 :])


def header_line(layout: ColumnLayout) -> Line:
    """Write the columns' titles."""
    text = " " + "  ".join(fit(column.title, width, column.align) for _, column, width in layout.columns)
    return (StyledSpan(text, "heading"),)


def row_line(layout: ColumnLayout, cells: Sequence[Line | StyledSpan]) -> Line:
    """Write a row's cells into the layout; each is cut or filled to its column."""
    spans: list[StyledSpan] = [StyledSpan(" ")]
    for position, (index, column, width) in enumerate(layout.columns):
        if position:
            spans.append(StyledSpan("  "))
        cell = cells[index]
        if isinstance(cell, StyledSpan):
            spans.append(StyledSpan(fit(cell.text, width, column.align), cell.style))
            continue
        missing = width - line_width(cell)
        if column.align == "right" and missing > 0:
            spans.append(StyledSpan(" " * missing))
            spans.extend(cell)
        else:
            spans.extend(pad(cell, width))
    return tuple(spans)
