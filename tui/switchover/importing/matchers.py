"""What goss says of a value, as expressions of `expect`: plain values, lists of patterns, and matchers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from switchover.importing.plan_draft import text_of
from switchover.importing.source_keys import Source, as_text

__all__ = ["each_wish", "number_expectation", "output_expectations", "size_bounds", "value_expectation"]

_NUMBER = r"-?\d+(\.\d+)?"
_COMPARED = {"gt": ">", "ge": ">=", "lt": "<", "le": "<=", "equal": "=="}


def each_wish(said: Source | None) -> list[Source]:
    """Return what must all be true, one by one, so that a part without words here costs no other part."""
    if said is None:
        return []
    if isinstance(said.value, list) and said.value:
        return [one for part in said.children() for one in each_wish(part)]
    joined = said.get("and")
    if joined is not None and len(said.value) == 1 and isinstance(joined.value, list) and joined.value:
        return [one for part in joined.children() for one in each_wish(part)]
    return [said]


def size_bounds(value: Any) -> dict[str, int] | None:
    """Return the least and the greatest size that a number or one matcher stands for."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"min_size": value, "max_size": value} if value >= 0 else None
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((matcher, wanted),) = value.items()
    if matcher == "and" and isinstance(wanted, list) and wanted:
        return _both_bounds([size_bounds(one) for one in wanted])
    if not isinstance(wanted, int) or isinstance(wanted, bool):
        return None
    bounds = {
        "equal": {"min_size": wanted, "max_size": wanted},
        "gt": {"min_size": wanted + 1},
        "ge": {"min_size": wanted},
        "lt": {"max_size": wanted - 1},
        "le": {"max_size": wanted},
    }.get(str(matcher))
    return bounds if bounds is not None and min(bounds.values()) >= 0 else None


def _both_bounds(parts: list[dict[str, int] | None]) -> dict[str, int] | None:
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    least = [part["min_size"] for part in known if "min_size" in part]
    most = [part["max_size"] for part in known if "max_size" in part]
    return {**({"min_size": max(least)} if least else {}), **({"max_size": min(most)} if most else {})}


def value_expectation(name: str, value: Any, *, is_list: bool = False) -> str | None:
    """Return what `name` must be: a plain value or a matcher. None for what has no expression here."""
    if isinstance(value, bool):
        return f"{name} == {as_text(value)}"
    if isinstance(value, int | float):
        return f"{name} == {as_text(value)}"
    if isinstance(value, str):
        return f"{text_of(value)} in {name}" if is_list else f"{name} == {text_of(value)}"
    if isinstance(value, list):
        return _joined(name, value, "and", is_list=is_list) if is_list else None
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    ((matcher, wanted),) = value.items()
    return _matched(name, str(matcher), wanted, is_list=is_list)


def number_expectation(name: str, value: Any) -> str | None:
    """Return what a number must be; text that is no number has no expression."""
    if isinstance(value, str):
        return f"{name} == {value}" if re.fullmatch(_NUMBER, value) else None
    return value_expectation(name, value)


def output_expectations(name: str, value: Any) -> list[str] | None:
    """Return what a text must be like, as goss reads `stdout`, `body` and `contents`: all of a list of patterns."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return [_pattern(name, as_text(value))]
    if isinstance(value, list):
        found = [_pattern(name, as_text(p)) if isinstance(p, str | int | float) else None for p in value]
        return [p for p in found if p is not None] if None not in found else None
    expression = value_expectation(name, value)
    return [expression] if expression is not None else None


def _pattern(name: str, text: str) -> str:
    """Read `word`, `/expression/`, and both with `!` before them. A backslash before these makes plain text."""
    negated = text.startswith("!")
    text = text[1:] if negated else text
    if len(text) > 1 and text.startswith("/") and text.endswith("/"):
        found = f"{name} matches {text_of(text[1:-1])}"
    else:
        plain = text[1:] if text.startswith(("\\!", "\\/")) else text
        found = f"{name} contains {text_of(plain)}"
    return f"not ({found})" if negated else found


def _matched(name: str, matcher: str, wanted: Any, *, is_list: bool) -> str | None:
    if matcher == "not":
        inner = value_expectation(name, wanted, is_list=is_list)
        return f"not ({inner})" if inner is not None else None
    if matcher in ("and", "or") and isinstance(wanted, list) and wanted:
        return _joined(name, wanted, matcher, is_list=is_list)
    if matcher in ("contain-elements", "contain-element") and is_list:
        wanted = wanted if isinstance(wanted, list) else [wanted]
        return _joined(name, wanted, "and", is_list=True)
    if matcher in _COMPARED and isinstance(wanted, int | float):
        return f"{name} {_COMPARED[matcher]} {as_text(wanted)}"
    if matcher in _COMPARED and matcher != "equal" and isinstance(wanted, str) and re.fullmatch(_NUMBER, wanted):
        return f"{name} {_COMPARED[matcher]} {wanted}"
    if matcher == "have-len" and isinstance(wanted, int):
        return f"len({name}) == {wanted}"
    write = _TEXT_MATCHERS.get(matcher)
    return write(name, wanted) if write is not None and isinstance(wanted, str) and not is_list else None


def _joined(name: str, wanted: list[Any], word: str, *, is_list: bool) -> str | None:
    parts = [value_expectation(name, one, is_list=is_list) for one in wanted]
    if not parts or None in parts:
        return None
    return f" {word} ".join(f"({part})" for part in parts) if len(parts) > 1 else parts[0]


_TEXT_MATCHERS: Mapping[str, Callable[[str, str], str]] = {
    "equal": lambda name, wanted: f"{name} == {text_of(wanted)}",
    "match-regexp": lambda name, wanted: f"{name} matches {text_of(wanted)}",
    "contain-substring": lambda name, wanted: f"{name} contains {text_of(wanted)}",
    "have-prefix": lambda name, wanted: f"{name} matches {text_of('^' + re.escape(wanted))}",
    "have-suffix": lambda name, wanted: f"{name} matches {text_of(re.escape(wanted) + '$')}",
}
