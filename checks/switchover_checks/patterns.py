"""Regular expressions with a bounded cost: a plan's pattern never holds up everything else.

`re` backtracks without a limit and cannot be interrupted, so patterns that can explode are refused when they are read,
and how much text a pattern is tried on depends on how often it may start over.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from re import _constants as codes  # type: ignore[attr-defined]  # the tree of the very engine that runs the pattern
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

__all__ = ["Pattern", "compile_pattern"]

_MOST_PATTERN = 1000
_LIMITS = (1 << 20, 1 << 14, 2048, 400)
_MANY = 100
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern and the longest text (one line of it, where lines may be tried singly) that it is tried on."""

    regex: re.Pattern[str]
    limit: int
    by_line: bool

    @property
    def text(self) -> str:
        """The pattern as written."""
        return self.regex.pattern

    def search(self, text: str) -> bool | None:
        """Tell whether the pattern is found. None: not in the part it was tried on, and there is more."""
        if len(text) <= self.limit:
            return self.regex.search(text) is not None
        pieces = text.split("\n") if self.by_line else [text]
        cut = False
        for piece in pieces:
            cut = cut or len(piece) > self.limit
            if self.regex.search(piece[: self.limit]):
                return True
        return None if cut else False


def compile_pattern(text: str) -> Pattern:
    """Compile a pattern. Raise `ValueError` for one that is wrong or may take forever."""
    if len(text) > _MOST_PATTERN:
        raise ValueError(f"the pattern is longer than {_MOST_PATTERN} characters")
    try:
        regex = re.compile(text)
        tree = parser.parse(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    restarts = _restarts(tree)
    if restarts >= len(_LIMITS):
        raise ValueError("the pattern may start over too often (too many * and + in a row); write it more exactly")
    whole = bool(regex.flags & (re.DOTALL | re.MULTILINE)) or any(
        s in text for s in ("\\n", "\\s", "\\A", "\\Z", "^", "$")
    )
    return Pattern(regex, _LIMITS[restarts], by_line=not whole)


def _restarts(tree: Any) -> int:
    """Count the repeats that may end anywhere; each multiplies the cost by the length of the text."""
    total = 0
    items = _flat(tree)
    for index, (op, value) in enumerate(items):
        following = items[index + 1] if index + 1 < len(items) else None
        if op in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            _, most, body = value
            ways = _ways(body)
            if most == codes.MAXREPEAT or most > _MANY:
                if ways > 1:
                    raise ValueError(
                        "a repeat or choice inside a repeat may take forever; write (?>...)+ or more exactly"
                    )
            elif math.isfinite(ways) and (ways > 1 and most * math.log10(ways) > _MOST_DIGITS):
                raise ValueError("a choice repeated that often may take forever; write it more exactly")
            if most != codes.MAXREPEAT and most <= _MANY:
                total += _restarts(body) * max(1, min(int(most), 4))
            else:
                total += 0 if following is not None and _disjoint(body, following) else 1
        elif op is codes.BRANCH:
            total += max((_restarts(branch) for branch in value[1]), default=0)
        elif op in (codes.ASSERT, codes.ASSERT_NOT):
            total += _restarts(value[1])
        elif op is codes.GROUPREF or op in (codes.ATOMIC_GROUP, codes.POSSESSIVE_REPEAT):
            total += 1
    return total


def _flat(tree: Any) -> list[tuple[Any, Any]]:
    """Return the items in a row, with those of plain groups in the place of the group."""
    items: list[tuple[Any, Any]] = []
    for op, value in tree:
        if op is codes.SUBPATTERN:
            items += _flat(value[-1])
        else:
            items.append((op, value))
    return items


def _ways(body: Any) -> float:
    """Estimate in how many ways one round of a repeat can be read: 1 without a choice, infinity without a bound."""
    ways = 1.0
    for op, value in body:
        if op in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            least, most, inner = value
            if most == codes.MAXREPEAT:
                return math.inf
            ways *= (most - least + 1) * min(_ways(inner) ** most, 1e9)
        elif op is codes.GROUPREF:
            return math.inf
        elif op is codes.SUBPATTERN:
            ways *= _ways(value[-1])
        elif op is codes.BRANCH:
            inner_ways = [_ways(branch) for branch in value[1]]
            begins = {_first_literal(branch) for branch in value[1]}
            clear = None not in begins and len(begins) == len(value[1])
            ways *= max(inner_ways, default=1.0) if clear else sum(inner_ways)
    return ways


def _first_literal(branch: Any) -> int | None:
    first = next(iter(branch), None)
    return int(first[1]) if first is not None and first[0] is codes.LITERAL else None


def _disjoint(body: Any, following: tuple[Any, Any]) -> bool:
    """Tell whether the character that follows a repeat cannot be part of it."""
    items = _flat(body)
    if len(items) != 1 or following[0] is not codes.LITERAL:
        return False
    op, value = items[0]
    if op is codes.LITERAL:
        return bool(value != following[1])
    if op is codes.NOT_LITERAL:
        return bool(value == following[1])
    return op is codes.IN and not _in_set(value, following[1])


def _in_set(members: Any, char: int) -> bool:
    negated, found = False, False
    for op, value in members:
        if op is codes.NEGATE:
            negated = True
        elif op is codes.LITERAL:
            found = found or value == char
        elif op is codes.RANGE:
            found = found or value[0] <= char <= value[1]
        elif op is codes.CATEGORY:
            found = found or re.match(_CATEGORY.get(value, ""), chr(char)) is not None
    return found != negated


_CATEGORY = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}
