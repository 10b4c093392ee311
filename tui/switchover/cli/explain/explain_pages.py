"""The pages that explain what no table of keys can: how expressions are written."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import switchover

__all__ = ["PAGES", "page_lines", "page_text", "sections"]

PAGES = {"expressions": "what `expect`, `when`, ranges and templates may say"}
_TITLE = re.compile(r"^## (.+)$")


def page_lines(name: str) -> Iterator[str]:
    """Yield the lines of a page as Markdown."""
    page = Path(switchover.__file__).parent / "examples" / f"{name}.md"
    yield from page.read_text(encoding="utf-8").splitlines()


def sections(name: str) -> dict[str, list[str]]:
    """Return the sections of a page by the first word of their title, in small letters."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in page_lines(name):
        if title := _TITLE.match(line):
            lines = found.setdefault(re.split(r"[^\w]+", title[1].strip("`"))[0].lower(), [])
        lines.append(line)
    return found


def page_text(lines: list[str], width: int) -> list[str]:
    """Return a page for a terminal: titles without signs, blocks indented, tables in columns."""
    text: list[str] = []
    rows: list[list[str]] = []
    fenced = False
    for line in [*lines, ""]:
        if line.startswith("```"):
            fenced = not fenced
        elif line.startswith("|"):
            rows.append([_plain(cell.strip()) for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
        else:
            text += [*_columns(rows), *([f"  {line}"] if fenced else textwrap.wrap(_plain(line), width) or [""])]
            rows = []
    return text[:-1]


def _plain(text: str) -> str:
    """Take the signs of Markdown out of a line."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", re.sub(r"^#+ |`|\*\*|\\(?=\|)", "", text))


def _columns(rows: list[list[str]]) -> list[str]:
    shown = [row for row in rows if set("".join(row)) != {"-"}]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    return [f"  {'  '.join(map(str.ljust, row, widths))}".rstrip() for row in shown]
