"""A report as Markdown: readable as it stands, and nothing in it can break out of its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from switchover.cli.report.report_blocks import Block, Cell, Code, FactList, Heading, Table, Text
from switchover.markdown import code, code_lines, plain

__all__ = ["to_markdown"]


def to_markdown(blocks: Iterable[Block]) -> str:
    """Return the text."""
    return "\n".join(line for block in blocks for line in (*_lines(block), "")).rstrip("\n")


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            state = f", {_cell(block.state)}" if block.state else ""
            yield f"{'#' * block.level} {plain(block.text)}{state}"
        case FactList():
            yield from (f"- {plain(name)}: {_cell(value)}" for name, value in block.rows)
        case Table():
            yield f"| {' | '.join(block.head)} |"
            yield "|" + "---|" * len(block.head)
            yield from (f"| {' | '.join(map(_cell, row))} |" for row in block.rows)
        case Text():
            yield plain(block.text)
        case Code():
            yield f"{plain(block.caption)}:"
            yield from code_lines(block.lines)


def _cell(cell: Cell) -> str:
    return code(cell.text) if cell.code else plain(cell.text)
