"""Text that Markdown shows as it is: no markup, no HTML, no way out of a table's cell. Pure.

Not every renderer knows an escaped `<` or fences. So HTML is written as entities, and lines of code are indented.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["code", "code_lines", "plain"]

_ACTIVE = re.compile(r"([\\`*\[\]|~#]|(?<![^\W_])_|_(?![^\W_]))")  # a `_` inside a word is only itself
_LIST = re.compile(r"(-+|\+|\d+[.)])(?=\s|\Z)")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def plain(text: str) -> str:
    """Return a text in one line, with nothing active in it."""
    text = _ACTIVE.sub(r"\\\1", " ".join(text.split("\n"))).strip().translate(_ENTITIES)
    return f"{found[0][:-1]}\\{text[found.end() - 1 :]}" if (found := _LIST.match(text)) else text


def code(text: str) -> str:
    """Return a text as code in a line. What could end a table's cell, or cannot stand in code, is plain text."""
    text = " ".join(text.split("\n"))
    if not text.strip() or "|" in text:
        return plain(text)
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def code_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines as a block of code, which begins and ends with an empty line."""
    yield ""
    yield from (f"    {part}" for line in lines for part in line.split("\n"))
    yield ""
