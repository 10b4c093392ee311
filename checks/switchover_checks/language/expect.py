"""The language of `expect:`: what an observation must be, parsed once when the plan is read.

    status == 200                      == != < <= > >=
    time < 1s                          durations 500ms 1s 5m, sizes 1MiB, percents 20%
    body.items[0].name matches "x.*"   fields, indexes, ["odd key"]; matches, contains, in, not in
    len(body) > 0                      len, lower, number, exists
    state == 'running' and not (restarts > 3 or oom == true)

Each kind gives its names types. So `time < 1` and `status == 'ok'` are errors when the plan is read. Cost is bounded:
by the length and depth of the expression, and by what patterns are allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BeforeValidator, PlainValidator

from switchover_checks.api import Finding
from switchover_checks.language.expect_sense import senseless
from switchover_checks.language.expect_tree import (
    Call,
    Comparison,
    Constant,
    Logic,
    Node,
    Path,
    Unavailable,
    Unit,
    find,
    number_at,
)
from switchover_checks.language.patterns import compile_pattern
from switchover_checks.language.suggest import did_you_mean
from switchover_checks.language.units import exact_number, parse_duration, parse_size

__all__ = ["AS_LIST", "ExpectError", "Expectation", "NameType", "Unavailable", "expected_in", "parse", "parse_value"]

NameType = Literal["number", "duration", "size", "percent", "text", "bool", "list", "any"]
"""What a name of a kind stands for; `any` is JSON or a value whose type only the probe knows."""

_MOST_TEXT = 2000
_MOST_DEPTH = 30
_FUNCTIONS = {"len": "number", "lower": "text", "number": "number", "exists": "bool"}
_WORDS = {"and", "or", "not", "in", "contains", "matches", "true", "false", "null"}
_UNITS: Mapping[str, Unit] = {"duration": "duration", "size": "size", "percent": "percent"}
_TOKEN = re.compile(
    r"""(?P<space>\s+)
      |(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+(?![A-Za-z]))?)(?P<unit>%|[A-Za-z][A-Za-z0-9.]*)?
      |(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      |(?P<name>[A-Za-z_][A-Za-z0-9_-]*)
      |(?P<op>==|!=|<=|>=|[<>()\[\].,])""",
    re.VERBOSE,
)


class ExpectError(ValueError):
    """An expectation that cannot be read; `column` counts from 1."""

    def __init__(self, message: str, text: str, column: int) -> None:
        super().__init__(f"{message} (column {column} of {text!r})")
        self.message = message
        self.column = column


@dataclass(frozen=True, slots=True)
class Expectation:
    """A parsed expectation."""

    text: str
    root: Node
    names: frozenset[str] = frozenset()
    """The names that it looks at."""

    def check(self, facts: Mapping[str, Any]) -> Finding:
        """Compare with what was observed. Never raises; what cannot be judged is never OK."""
        return find(self.root, facts)

    def number(self, facts: Mapping[str, Any]) -> float | Finding:
        """Return the number that it stands for, or the finding that says why there is none. Never raises."""
        return number_at(self.root, facts)

    def __str__(self) -> str:
        return self.text


def expected_in(names: Mapping[str, NameType], *, value: bool = False) -> PlainValidator:
    """Make the pydantic validator that parses text into an `ExpectedState` over `names`; with `value` into a number."""

    def read(text: object) -> Expectation:
        if isinstance(text, Expectation):
            return text
        if not isinstance(text, str):
            such = "a path is text such as body.query_ms" if value else 'an expectation is text such as "status == 200"'
            raise ValueError(f"{such}, not {text!r}")  # noqa: TRY004
        return parse_value(text, names) if value else parse(text, names)

    return PlainValidator(read, json_schema_input_type=str)


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


AS_LIST = BeforeValidator(_as_list, json_schema_input_type=str | list[str])
"""For a field that takes one expectation or a list of them."""


def parse(text: str, names: Mapping[str, NameType]) -> Expectation:
    """Parse an expectation over `names`. Raise `ExpectError` with the column and the nearest correct name."""
    if len(text) > _MOST_TEXT:
        raise ExpectError(f"longer than {_MOST_TEXT} characters", text[:40], _MOST_TEXT)
    parser = _Parser(text, names)
    root, kind = parser.whole()
    if kind not in ("bool", "any") or isinstance(root, Constant):
        raise ExpectError(f"this is {_noun(kind)}, not something that holds or not; compare it", text, 1)
    if (found := senseless(root)) is not None:
        part, why = found
        raise ExpectError(f"{part.text!r} {why}", text, text.find(part.text) + 1)
    return Expectation(text.strip(), root, frozenset(parser.used))


def parse_value(text: str, names: Mapping[str, NameType]) -> Expectation:
    """Parse the path of a number over `names`, such as `body.query_ms` or `len(body)`. Raise `ExpectError`."""
    if len(text) > _MOST_TEXT:
        raise ExpectError(f"longer than {_MOST_TEXT} characters", text[:40], _MOST_TEXT)
    parser = _Parser(text, names)
    root, kind = parser.whole()
    if not isinstance(root, Path | Call) or kind in ("bool", "text", "list"):
        raise ExpectError(f"this is {_noun(kind)}, not a number that is looked up; write body.query_ms", text, 1)
    return Expectation(text.strip(), root, frozenset(parser.used))


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int
    end: int
    unit: str = ""


def _tokens(text: str) -> list[_Token]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            hint = "; write == to compare" if text[position] == "=" else ""
            hint = hint or ("; a text needs its closing quote" if text[position] in "'\"" else "")
            raise ExpectError(f"{text[position]!r} means nothing here{hint}", text, position + 1)
        position = match.end()
        kind = match.lastgroup or ""
        if kind != "space":
            kind = "number" if kind == "unit" else kind
            found.append(_Token(kind, match[0], match.start(), match.end(), match["unit"] or ""))
    found.append(_Token("end", "", len(text), len(text)))
    return found


class _Parser:
    """Recursive descent; every method returns the node and its type."""

    def __init__(self, text: str, names: Mapping[str, NameType]) -> None:
        self._text, self._names = text, names
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0
        self.used: set[str] = set()

    def whole(self) -> tuple[Node, str]:
        """Parse all of the text."""
        result = self._or()
        if self._peek.kind != "end":
            raise self._error(f"did not expect {self._peek.text!r} here", self._peek)
        return result

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._peek
        self._next += token.kind != "end"
        return token

    def _accept(self, *texts: str) -> _Token | None:
        token = self._peek
        return self._take() if token.kind in ("op", "name") and token.text in texts else None

    def _need(self, text: str) -> _Token:
        token = self._accept(text)
        if token is None:
            raise self._error(f"expected {text!r}, not {self._peek.text or 'the end'!r}", self._peek)
        return token

    def _error(self, message: str, token: _Token) -> ExpectError:
        return ExpectError(message, self._text, token.at + 1)

    def _span(self, start: int) -> str:
        return self._text[start : self._tokens[self._next - 1].end]

    def _or(self) -> tuple[Node, str]:
        return self._chain("or", self._and)

    def _and(self) -> tuple[Node, str]:
        return self._chain("and", self._not)

    def _chain(self, word: str, inner: Any) -> tuple[Node, str]:
        start = self._peek.at
        node, kind = inner()
        parts = [node]
        while self._accept(word):
            self._truth(kind, start)
            at = self._peek.at
            node, kind = inner()
            self._truth(kind, at)
            parts.append(node)
        return (Logic(word, tuple(parts), self._span(start)), "bool") if len(parts) > 1 else (node, kind)

    def _truth(self, kind: str, at: int) -> None:
        if kind not in ("bool", "any"):
            raise ExpectError(f"this is {_noun(kind)}, not something that holds or not; compare it", self._text, at + 1)

    def _not(self) -> tuple[Node, str]:
        token = self._accept("not")
        if token is None:
            return self._comparison()
        self._deeper(token)
        node, kind = self._not()
        self._depth -= 1
        self._truth(kind, token.at)
        return Logic("not", (node,), self._span(token.at)), "bool"

    def _deeper(self, token: _Token) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._error("nested too deeply", token)

    def _comparison(self) -> tuple[Node, str]:
        start = self._peek.at
        left, left_kind = self._operand()
        negated = None
        if self._peek.text == "not" and self._tokens[self._next + 1].text in ("in", "contains", "matches"):
            negated = self._take()
        operator = self._accept("==", "!=", "<", "<=", ">", ">=", "matches", "contains", "in")
        if operator is None:
            return left, left_kind
        right, right_kind = self._operand()
        pattern = None
        if operator.text == "matches":
            if not isinstance(right, Constant) or not isinstance(right.value, str):
                raise self._error("matches needs a pattern in quotes", operator)
            self._fits(left_kind, "text", operator)
            try:
                pattern = compile_pattern(right.value)
            except ValueError as error:
                raise self._error(str(error), operator) from None
        elif operator.text in ("==", "!="):
            self._fits(left_kind, right_kind, operator)
        elif operator.text not in ("in", "contains"):
            for kind in (left_kind, right_kind):
                if kind in ("bool", "list", "null"):
                    raise self._error(f"{_noun(kind)} is neither more nor less than anything", operator)
            self._fits(left_kind, right_kind, operator)
        else:
            box = left_kind if operator.text == "contains" else right_kind
            if box not in ("text", "list", "any"):
                raise self._error(f"{_noun(box)} cannot contain anything", operator)
        node = Comparison(operator.text, left, right, self._span(start), pattern)
        return (Logic("not", (node,), node.text), "bool") if negated else (node, "bool")

    def _fits(self, left: str, right: str, at: _Token) -> None:
        if left == right or "any" in (left, right) or "null" in (left, right):
            return
        examples = {"duration": "1s or 500ms", "size": "1MiB", "percent": "20%"}
        for a, b in ((left, right), (right, left)):
            if a in examples and b == "number":
                raise self._error(
                    f"{_noun(a)} is compared with a bare number; write the unit, such as {examples[a]}", at
                )
        raise self._error(f"{_noun(left)} cannot be compared with {_noun(right)}", at)

    def _operand(self) -> tuple[Node, str]:
        token = self._take()
        if token.kind == "number":
            return self._number(token)
        if token.kind == "text":
            return Constant(_unquote(token.text), token.text), "text"
        if token.text == "(":
            self._deeper(token)
            node, kind = self._or()
            self._need(")")
            self._depth -= 1
            return node, kind
        if token.text == "[":
            return self._list(token)
        if token.kind != "name" or token.text in ("and", "or", "not", "in", "contains", "matches"):
            raise self._error(f"expected a name or a value, not {token.text or 'the end'!r}", token)
        if token.text in ("true", "false"):
            return Constant(token.text == "true", token.text), "bool"
        if token.text == "null":
            return Constant(None, token.text), "null"
        return self._call(token) if self._peek.text == "(" else self._path(token)

    def _number(self, token: _Token) -> tuple[Node, str]:
        number = token.text.removesuffix(token.unit) if token.unit else token.text
        if token.unit in ("", "%"):
            try:
                value = exact_number(number)
            except ValueError as error:
                raise self._error(str(error), token) from None
            return (
                (Constant(value, token.text, "percent"), "percent")
                if token.unit
                else (Constant(value, token.text), "number")
            )
        for read, kind in ((parse_duration, "duration"), (parse_size, "size")):
            try:
                return Constant(read(token.text), token.text, _UNITS[kind]), kind
            except ValueError:
                continue
        units = ("us", "ms", "s", "m", "h", "d", "w", "B", "KB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB")
        raise self._error(f"{token.unit!r} is not a unit{did_you_mean(token.unit, units)}", token)

    def _list(self, token: _Token) -> tuple[Node, str]:
        values: list[Any] = []
        while not self._accept("]"):
            if values:
                self._need(",")
            item, _ = self._operand()
            if not isinstance(item, Constant):
                raise self._error("a list holds written values only", token)
            values.append(item.value)
        return Constant(tuple(values), self._span(token.at)), "list"

    def _call(self, token: _Token) -> tuple[Node, str]:
        if token.text not in _FUNCTIONS:
            raise self._error(f"there is no function {token.text!r}{did_you_mean(token.text, _FUNCTIONS)}", token)
        opening = self._need("(")
        self._deeper(opening)
        argument, kind = self._operand()
        self._depth -= 1
        self._need(")")
        takes = {"len": ("text", "list", "any"), "lower": ("text", "any"), "number": ("text", "number", "any")}
        if kind not in takes.get(token.text, (kind,)):
            raise self._error(f"{token.text}() cannot take {_noun(kind)}", token)
        return Call(token.text, argument, self._span(token.at)), _FUNCTIONS[token.text]

    def _path(self, token: _Token) -> tuple[Node, str]:
        kind = self._names.get(token.text)
        if kind is None:
            raise self._error(f"there is no {token.text!r} here{did_you_mean(token.text, self._names)}", token)
        self.used.add(token.text)
        parts: list[str | int] = []
        while step := self._accept(".", "["):
            field = self._take()
            if step.text == ".":
                if field.kind not in ("name", "number") or not re.fullmatch(r"[\w-]+", field.text):
                    raise self._error("expected the name of a field after the dot", field)
                parts.append(field.text)
            else:
                if field.kind == "text":
                    parts.append(_unquote(field.text))
                elif field.kind == "number" and re.fullmatch(r"-?\d+", field.text):
                    parts.append(int(field.text))
                else:
                    raise self._error("expected a position or a key in quotes", field)
                self._need("]")
        if parts and kind not in ("any", "list"):
            raise self._error(f"{token.text} is {_noun(kind)} and has no fields", token)
        return Path(token.text, tuple(parts), self._span(token.at), _UNITS.get(kind, "")), "any" if parts else kind


def _unquote(text: str) -> str:
    return re.sub(r"\\(['\"\\])", r"\1", text[1:-1]).replace("\\n", "\n").replace("\\t", "\t")


def _noun(kind: str) -> str:
    nouns = {"bool": "true or false", "list": "a list", "text": "a text", "null": "null", "any": "a value"}
    return nouns.get(kind, f"a {kind}")
