"""Regular expressions with a bounded cost: a plan's pattern never holds up everything else.

`re` backtracks without a limit and cannot be interrupted. So the worst cost of a pattern is estimated when it is read,
as `factor * length ** power`. A pattern that can explode is refused. A text is tried only as far as the budget reaches.
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
_BUDGET = 4e8
"""Steps of the engine that one search may take at worst: about a second."""
_LEAST_LENGTH = 100
_MOST_DIGITS = 30
_MUCH = 1e30


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern and what it can cost. `by_line`: a long text may be tried line by line."""

    regex: re.Pattern[str]
    factor: float
    power: int
    by_line: bool

    @property
    def text(self) -> str:
        """The pattern as written."""
        return self.regex.pattern

    def search(self, text: str) -> bool | None:
        """Tell whether the pattern is found. None: not in the part it was tried on, and there is more."""
        whole = self._reach(_BUDGET)
        if len(text) <= whole:
            return self.regex.search(text) is not None
        left, cut = _BUDGET, False
        for piece in text.split("\n") if self.by_line else [text]:
            reach = self._reach(left)
            cut = cut or len(piece) > reach
            if self.regex.search(piece[:reach]):
                return True
            left -= self.factor * min(len(piece), reach) ** self.power
            if left <= 0:
                return None
        return None if cut else False

    def _reach(self, budget: float) -> int:
        return int(min((budget / self.factor) ** (1 / self.power), 1e9))


@dataclass(frozen=True, slots=True)
class _Cost:
    """What a sequence can cost at one place of the text.

    `repeats`: those without an end that may have to be shortened. `ways`: bounded choices, multiplied. `steps`:
    characters that one way looks at, without those of endless repeats. `endless`: a repeat without an end that is never
    shortened.
    """

    repeats: int = 0
    ways: float = 1.0
    steps: float = 1.0
    endless: bool = False


def compile_pattern(text: str) -> Pattern:
    """Compile a pattern. Raise `ValueError` for one that is wrong or may take forever."""
    if len(text) > _MOST_PATTERN:
        raise ValueError(f"the pattern is longer than {_MOST_PATTERN} characters")
    try:
        regex = re.compile(text)
        tree = parser.parse(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    cost = _cost(tree, last=True)
    power = 1 + cost.repeats + int(cost.endless)
    factor = cost.ways * cost.steps
    across_lines = any(s in text for s in ("\\n", "\\s", "\\A", "\\Z", "^", "$"))
    whole = bool(regex.flags & (re.DOTALL | re.MULTILINE)) or across_lines
    pattern = Pattern(regex, factor, power, by_line=not whole)
    if (_BUDGET / factor) ** (1 / power) < _LEAST_LENGTH:
        raise ValueError("the pattern may take forever: too many repeats in a row; write it more exactly")
    return pattern


def _cost(tree: Any, *, last: bool = False) -> _Cost:
    """Estimate what a sequence costs. `last`: nothing follows it, so its last repeat never has to be shortened."""
    repeats, ways, steps, endless = 0, 1.0, 0.0, False
    items = _flat(tree)
    for index, (op, value) in enumerate(items):
        following = items[index + 1] if index + 1 < len(items) else None
        if op in _REPEATS:
            fixed = (following is None and last) or (following is not None and _disjoint(value[2], following))
            inner = _repeat_cost(value, fixed=fixed)
        elif op is codes.BRANCH:
            branches = [_cost(branch) for branch in value[1]]
            chosen = max(b.ways for b in branches) if _distinct(value[1]) else sum(b.ways for b in branches)
            inner = _Cost(
                max(b.repeats for b in branches),
                chosen,
                sum(b.steps for b in branches),
                any(b.endless for b in branches),
            )
        elif op in (codes.ASSERT, codes.ASSERT_NOT):
            inner = _cost(value[1])
        elif op is codes.ATOMIC_GROUP:
            inner = _cost(value)
        elif op is codes.GROUPREF:
            inner = _Cost(1)
        elif op is codes.GROUPREF_EXISTS:
            raise ValueError("a pattern that depends on a group may take forever; write it without")
        else:
            inner = _Cost()
        repeats, ways, steps = repeats + inner.repeats, min(ways * inner.ways, _MUCH), min(steps + inner.steps, _MUCH)
        endless = endless or inner.endless
    return _Cost(repeats, ways, max(1.0, steps), endless)


def _repeat_cost(value: Any, *, fixed: bool) -> _Cost:
    least, most, body = value
    inside = _cost(body)
    if most == codes.MAXREPEAT:
        if inside.ways > 1 or inside.repeats > 0:
            raise ValueError("a repeat or choice inside a repeat may take forever; write (?>...)+ or more exactly")
        return _Cost(0 if fixed else 1, 1.0, inside.steps, endless=fixed)
    if most * (inside.repeats + math.log10(inside.ways)) > _MOST_DIGITS:
        raise ValueError("a choice repeated that often may take forever; write it more exactly")
    own = 1.0 if fixed else float(most - least + 1)
    count = int(most)
    return _Cost(inside.repeats * count, own * inside.ways**count, inside.steps * max(1, count), inside.endless)


def _flat(tree: Any) -> list[tuple[Any, Any]]:
    """Return the items in a row, with those of plain groups in the place of the group."""
    items: list[tuple[Any, Any]] = []
    for op, value in tree:
        if op is codes.SUBPATTERN:
            items += _flat(value[-1])
        else:
            items.append((op, value))
    return items


def _distinct(branches: Any) -> bool:
    """Tell whether the first character decides which branch it is."""
    first = [_flat(branch)[:1] for branch in branches]
    letters = [items[0][1] for items in first if items and items[0][0] is codes.LITERAL]
    return len(set(letters)) == len(first)


def _disjoint(body: Any, following: tuple[Any, Any]) -> bool:
    """Tell whether the character that follows a repeat cannot end one of its rounds: then where it ends is fixed."""
    items = _flat(body)
    if not items or following[0] is not codes.LITERAL:
        return False
    if (
        len(items) > 1
    ):  # rounds of several characters: fixed when each begins with a character that is not the following
        return items[0][0] is codes.LITERAL and items[0][1] != following[1]
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


_REPEATS = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)
_CATEGORY = {
    codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D",
    codes.CATEGORY_SPACE: r"\s",
    codes.CATEGORY_NOT_SPACE: r"\S",
    codes.CATEGORY_WORD: r"\w",
    codes.CATEGORY_NOT_WORD: r"\W",
}
