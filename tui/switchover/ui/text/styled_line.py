"""Lines of styled text: the one shape between presentation and widgets.

A span names its style by meaning (`outcome-ok`), never by colour. Text is made harmless here. Control characters, and
those that turn the direction of writing, show as `·`. Nothing is ever read as markup.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple, Self

from rich.cells import cell_len, get_character_cell_size, set_cell_size

__all__ = [
    "BLANK",
    "Line",
    "ListItem",
    "ListItems",
    "StyledSpan",
    "address_of",
    "clean",
    "cut",
    "fit",
    "indent",
    "join",
    "line_width",
    "linked",
    "pad",
    "plain",
    "restyle",
    "rule",
    "split_at",
    "spread",
    "wrap",
]

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


class StyledSpan(NamedTuple):
    """A piece of text in one style, named by its meaning."""

    text: str
    style: str = "text"


_LINK = "link "
_ADDRESS = re.compile(r"https?://[!-~]{1,1000}")


def linked(address: str) -> StyledSpan:
    """Return an address that the terminal opens where it can; one that is none of the web's is only text."""
    return StyledSpan(address, f"{_LINK}{address}" if _ADDRESS.fullmatch(address) else "text")


def address_of(style: str) -> str:
    """Return the address that a style leads to; empty where it is no link."""
    return style.removeprefix(_LINK) if style.startswith(_LINK) else ""


Line = tuple[StyledSpan, ...]
BLANK: Line = ()


class ListItem(NamedTuple):
    """One thing in a list that a cursor can stand on: a stable key, and its lines.

    The first `above` lines are a heading that the cursor does not mark.
    """

    key: str
    lines: tuple[Line, ...]
    above: int = 0


@dataclass(frozen=True, slots=True)
class ListItems:
    """Many things in a list, each made when it is shown.

    `begins` holds the line at which each begins, and at its end the number of all lines. `make` gives the item at an
    index; it has as many lines as `begins` says.
    """

    keys: tuple[str, ...]
    begins: Sequence[int]
    make: Callable[[int], ListItem]

    @classmethod
    def of(cls, items: Sequence[ListItem]) -> Self:
        """Return items that are made already."""
        begins = list(accumulate((len(item.lines) for item in items), initial=0))
        return cls(tuple(item.key for item in items), begins, tuple(items).__getitem__)

    @classmethod
    def lines_of(cls, keys: Sequence[str], line: Callable[[int], Line]) -> Self:
        """Return items of one line each; `line` makes that of an index."""
        names = tuple(keys)
        return cls(names, range(len(names) + 1), lambda index: ListItem(names[index], (line(index),)))

    @property
    def lines(self) -> int:
        """How many lines all of them have."""
        return self.begins[-1] if self.begins else 0

    def height(self, index: int) -> int:
        """How many lines one of them has."""
        return self.begins[index + 1] - self.begins[index]

    def at(self, line: int) -> int:
        """Return the index of the item that a line belongs to."""
        return bisect_right(self.begins, line, 0, len(self.keys)) - 1

    def window(self, top: int, room: int) -> list[Line]:
        """Return `room` lines from the line `top` on, or as many as there are."""
        shown: list[Line] = []
        index = max(self.at(top), 0)
        while len(shown) < room and index < len(self.keys):
            lines = self.make(index).lines
            skipped = max(top - self.begins[index], 0)
            shown.extend(lines[skipped : skipped + room - len(shown)])
            index += 1
        return shown


def clean(text: str) -> str:
    """Make text from outside harmless for a cell: one line, no control characters."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub("·", text.replace("\t", "    "))


def cut(text: str, width: int) -> str:
    """Shorten text to `width` cells; an ellipsis says that something is missing."""
    text = clean(text)
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return set_cell_size(text, width - 1).rstrip() + "…"


def fit(text: str, width: int, align: str = "left") -> str:
    """Make text exactly `width` cells wide."""
    text = cut(text, width)
    space = " " * (width - cell_len(text))
    return space + text if align == "right" else text + space


def line_width(line: Line) -> int:
    """Count the cells of a line."""
    return sum(cell_len(span.text) for span in line)


def plain(line: Line) -> str:
    """Return the line's text alone."""
    return "".join(span.text for span in line)


def pad(line: Line, width: int) -> Line:
    """Make a line exactly `width` cells wide, cutting with an ellipsis where it is too long."""
    used = 0
    kept: list[StyledSpan] = []
    total = line_width(line)
    if total <= width:
        return (*line, StyledSpan(" " * (width - total))) if total < width else line
    for text, style in line:
        size = cell_len(text)
        if used + size >= width:
            kept.append(
                StyledSpan(fit(text, width - used) if size > width - used else _mark_cut(text, width - used), style)
            )
            break
        kept.append(StyledSpan(text, style))
        used += size
    return tuple(kept)


def _mark_cut(text: str, width: int) -> str:
    """End a text that fits exactly, but has more behind it, with an ellipsis."""
    return set_cell_size(text, width - 1) + "…" if width > 0 else ""


def join(parts: Iterable[Line], separator: str = "  ", style: str = "muted") -> Line:
    """Put lines behind each other with a separator between those that are not empty."""
    spans: list[StyledSpan] = []
    for part in parts:
        if not part:
            continue
        if spans:
            spans.append(StyledSpan(separator, style))
        spans.extend(part)
    return tuple(spans)


def spread(left: Line, right: Line, width: int) -> Line:
    """Set `left` and `right` at the two ends of a line; the left side gives way."""
    room = width - line_width(right)
    if room <= 0:
        return pad(right, width)
    return (*pad(left, room), *right)


def restyle(line: Line, style: str) -> Line:
    """Give the whole line one style."""
    return tuple(StyledSpan(span.text, style) for span in line)


def indent(line: Line, by: int) -> Line:
    """Move a line to the right."""
    return (StyledSpan(" " * by), *line)


def rule(width: int) -> Line:
    """Draw the rule between two zones."""
    return (StyledSpan("─" * width, "rule"),)


def wrap(text: str, width: int, style: str = "text", limit: int | None = None) -> list[Line]:
    """Break text into lines of at most `width` cells, at spaces or within a word that is too long."""
    width = max(width, 1)
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        lines.extend(_wrap_paragraph(clean(paragraph), width))
    if limit is not None and len(lines) > limit:
        lines = [*lines[: limit - 1], cut(lines[limit - 1] + " …", width) if limit else ""]
    return [(StyledSpan(line, style),) for line in lines]


def _wrap_paragraph(text: str, width: int) -> list[str]:
    lines: list[str] = []
    current = ""
    for word in _words(text):
        if cell_len(current) + cell_len(word.rstrip()) <= width:
            current += word
            continue
        if current.strip():
            lines.append(current.rstrip())
            current = ""
        rest = word
        while cell_len(rest.rstrip()) > width:
            head, rest = split_at(rest, width)
            lines.append(head)
        current = rest
    lines.append(current.rstrip())
    return lines


def split_at(text: str, width: int) -> tuple[str, str]:
    """Split text where `width` cells are full; the first part holds at least one character."""
    used = 0
    for index, character in enumerate(text):
        used += get_character_cell_size(character)
        if used > width and index:
            return text[:index], text[index:]
    return text, ""


def _words(text: str) -> Sequence[str]:
    return re.findall(r"\s*\S+\s?|\s+", text) or [""]
