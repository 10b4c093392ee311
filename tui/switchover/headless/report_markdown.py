"""A report as Markdown: readable as it stands, and nothing in it can break out of its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from switchover.headless.report_blocks import Block, Cell, Code, Facts, Heading, Table, Text

__all__ = ["to_markdown"]

_ACTIVE = re.compile(r"([\\`*\[\]<>|])")


def to_markdown(blocks: Iterable[Block]) -> str:
    """Return the text."""
    return "\n".join(line for block in blocks for line in (*_lines(block), "")).rstrip("\n")


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            state = f", {_cell(block.state)}" if block.state else ""
            yield f"{'#' * block.level} {_plain(block.text)}{state}"
        case Facts():
            yield from (f"- {_plain(name)}: {_cell(value)}" for name, value in block.rows)
        case Table():
            yield f"| {' | '.join(block.head)} |"
            yield "|" + "---|" * len(block.head)
            yield from (f"| {' | '.join(map(_cell, row))} |" for row in block.rows)
        case Text():
            yield _plain(block.text)
        case Code():
            longest = max((len(run) for line in block.lines for run in re.findall("`+", line)), default=0)
            fence = "`" * max(3, longest + 1)
            yield f"{_plain(block.caption)}:"
            yield ""
            yield fence
            yield from block.lines
            yield fence


def _cell(cell: Cell) -> str:
    if not cell.code or not cell.text:
        return _plain(cell.text)
    text = " ".join(cell.text.split("\n")).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _plain(text: str) -> str:
    return _ACTIVE.sub(r"\\\1", " ".join(text.split("\n")))
