"""Numbers that are taken out of what a command prints: by a path, or by a pattern with one group."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from switchover_checks.api import Finding, Status
from switchover_checks.language.expect import Expectation, NameType, Unavailable, parse_value
from switchover_checks.language.patterns import Pattern, compile_pattern

__all__ = ["TextNumber", "number_in", "unit_of"]

_MOST_TEXT = 1 << 20
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class TextNumber:
    """A pattern whose one group is a number in `stdout`."""

    pattern: Pattern

    @property
    def names(self) -> frozenset[str]:
        """What it looks at."""
        return frozenset({"stdout"})

    def number(self, facts: Mapping[str, Any]) -> float | Finding:
        """Return the first number that fits, or the finding that says why there is none."""
        text, what = facts["stdout"], f"/{self.pattern.text}/"
        if isinstance(text, Unavailable):
            return Finding(what, "a number", text.reason, Status.UNKNOWN)
        if not self.pattern.search(text[:_MOST_TEXT]):
            return Finding(what, "a number", "nothing in the output fits", Status.UNKNOWN)
        found = self.pattern.regex.search(text[:_MOST_TEXT])
        said = (found[1] or "").strip() if found else ""
        if not _NUMBER.fullmatch(said):
            return Finding(what, "a number", repr(said[:60]), Status.UNKNOWN)
        return float(said.replace(",", "."))


def number_in(names: Mapping[str, NameType]) -> Callable[[object], Expectation | TextNumber]:
    """Return what reads a path over `names`, or `/pattern/`."""

    def read(text: object) -> Expectation | TextNumber:
        if not isinstance(text, str):
            raise ValueError(f"a path is text such as json.rows, or a pattern /(\\d+) rows/, not {text!r}")  # noqa: TRY004
        if len(text) < 2 or not (text.startswith("/") and text.endswith("/")):
            return parse_value(text, names)
        pattern = compile_pattern(text[1:-1])
        if pattern.regex.groups != 1:
            raise ValueError(f"the pattern {text} needs one group (…) around the number")
        return TextNumber(pattern)

    return read


def unit_of(name: str) -> str:
    """Return the unit that a metric's name ends with, as in `query_ms`; none where it does not."""
    end = name.rpartition("_")[2]
    return end if end in ("ms", "s") and end != name else ""
