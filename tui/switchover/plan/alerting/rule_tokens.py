"""Words of an alert rule, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["RuleError", "RuleToken", "tokens_of"]

_MOST_TEXT = 1000
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+(?![A-Za-z]))?(?:%|/(?:s|min|h)\b|[A-Za-z][A-Za-z0-9.]*)?)
      |(?P<text>"[^"]*"|'[^']*')
      |(?P<name>[A-Za-z_][\w-]*(?:\[[\w.,-]+\])?(?:\.[A-Za-z_]\w*)*)
      |(?P<op>==|!=|<=|>=|[<>(),+*/-])""",
    re.VERBOSE,
)
TokenKind = Literal["number", "text", "name", "op", "end"]


class RuleError(ValueError):
    """A rule that cannot be read; `column` counts from 1."""

    def __init__(self, message: str, text: str, column: int) -> None:
        super().__init__(f"{message} (column {column} of {text[:80]!r})")
        self.message = message
        self.column = column


@dataclass(frozen=True, slots=True)
class RuleToken:
    """A word at its place."""

    kind: TokenKind
    text: str
    at: int


def tokens_of(text: str) -> list[RuleToken]:
    """Return the words of a rule, and its end. Raise `RuleError`."""
    if len(text) > _MOST_TEXT:
        raise RuleError(f"longer than {_MOST_TEXT} characters", text, _MOST_TEXT)
    found: list[RuleToken] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            hint = "; write == to compare" if text[position] == "=" else ""
            raise RuleError(f"{text[position]!r} means nothing here{hint}", text, position + 1)
        kind = match.lastgroup
        if kind in ("number", "text", "name", "op"):
            found.append(RuleToken(kind, match[0], position))  # type: ignore[arg-type]
        position = match.end()
    found.append(RuleToken("end", "", len(text)))
    return found
