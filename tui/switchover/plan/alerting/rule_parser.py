"""Reads an alert rule once, into closures. Nothing of its text is ever evaluated as code."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from switchover.plan.alerting.rule_tokens import RuleError, RuleToken, tokens_of
from switchover.plan.alerting.rule_truth import (
    COMPARISONS,
    Truth,
    all_of,
    any_of,
    both,
    compared,
    joined,
    negated,
    stands,
)
from switchover.plan.alerting.rule_values import WINDOW_FUNCTIONS, RuleFacts, RuleValue, Written, in_unit, written
from switchover.plan.complaints import did_you_mean
from switchover.plan.conditions import Condition
from switchover_checks.api import Status
from switchover_checks.language.units import parse_duration

__all__ = ["ParsedRule", "RuleNames", "parse_rule"]

_MOST_DEPTH = 30
_STATUSES = {status.name: status for status in Status}
_COSTS = {"month": "", "share": "%"}
_COMING_COSTS = ("pace", "spent")
_WORDS = frozenset({"and", "or", "not", "for", "clear", "keep", "metric", "absent", *WINDOW_FUNCTIONS})


@dataclass(frozen=True, slots=True)
class RuleNames:
    """What a rule may name: checks and services, and metrics with their units (empty where nobody knows it)."""

    watched: frozenset[str]
    metrics: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ParsedRule:
    """A rule that can be judged. `holds` returns None where something it needs is not known.

    `clears` is judged instead while the alert fires. `value` is the number that is compared, where there is one.
    """

    text: str
    holds: Truth
    clears: Truth
    value: Callable[[RuleFacts], float | None]
    hold_s: float = 0.0
    keep_s: float = 0.0
    subjects: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()


def parse_rule(text: str, names: RuleNames) -> ParsedRule:
    """Read a rule. Raise `RuleError` with the column and the nearest correct name."""
    return _Parser(text, names).whole()


def _no_number(_: RuleFacts) -> float | None:
    return None


class _Parser:
    """Recursive descent over the words."""

    def __init__(self, text: str, names: RuleNames) -> None:
        self._text, self._names = text, names
        self._tokens = tokens_of(text)
        self._next = self._depth = 0
        self._subjects: list[str] = []
        self._metrics: list[str] = []
        self._compared: list[tuple[RuleValue, str]] = []

    def whole(self) -> ParsedRule:
        holds = self._or()
        ends: dict[str, RuleToken] = {}
        while (word := self._accept("for", "clear", "keep")) is not None:
            if word.text in ends:
                raise self._error(f"{word.text!r} stands twice", word)
            ends[word.text] = self._take()
        if self._peek.kind != "end":
            raise self._error(f"did not expect {self._peek.text!r} here", self._peek)
        value = self._compared[0][0].of if self._compared else _no_number
        return ParsedRule(
            self._text.strip(),
            holds,
            self._clears(ends["clear"]) if "clear" in ends else holds,
            value,
            self._duration(ends["for"]) if "for" in ends else 0.0,
            self._duration(ends["keep"]) if "keep" in ends else 0.0,
            tuple(dict.fromkeys(self._subjects)),
            tuple(dict.fromkeys(self._metrics)),
        )

    def _clears(self, token: RuleToken) -> Truth:
        """Return what has to hold for the alert to go on firing."""
        if len(self._compared) != 1 or self._compared[0][1] not in ("<", "<=", ">", ">="):
            raise self._error('clear needs a rule of one comparison, such as metric("cpu") > 80% clear 75%', token)
        value, sign = self._compared[0]
        return self._against(value, sign, token)

    def _duration(self, token: RuleToken) -> float:
        try:
            return parse_duration(token.text)
        except ValueError as error:
            raise self._error(str(error), token) from None

    # Words

    @property
    def _peek(self) -> RuleToken:
        return self._tokens[self._next]

    def _take(self) -> RuleToken:
        token = self._peek
        self._next += token.kind != "end"
        return token

    def _accept(self, *texts: str) -> RuleToken | None:
        return self._take() if self._peek.kind in ("op", "name") and self._peek.text in texts else None

    def _need(self, text: str) -> RuleToken:
        token = self._accept(text)
        if token is None:
            raise self._error(f"expected {text!r}, not {self._peek.text or 'the end'!r}", self._peek)
        return token

    def _error(self, message: str, token: RuleToken) -> RuleError:
        return RuleError(message, self._text, token.at + 1)

    # Logic

    def _or(self) -> Truth:
        truth = self._and()
        while self._accept("or"):
            truth = any_of(truth, self._and())
        return truth

    def _and(self) -> Truth:
        truth = self._not()
        while self._accept("and"):
            truth = all_of(truth, self._not())
        return truth

    def _not(self) -> Truth:
        token = self._accept("not")
        if token is None:
            return self._comparison()
        self._deeper(token)
        inner = self._not()
        self._depth -= 1
        return negated(inner)

    def _deeper(self, token: RuleToken) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._error("nested too deeply", token)

    def _comparison(self) -> Truth:
        token = self._peek
        if token.kind == "name" and token.text == "absent":
            return self._absent()
        if token.kind == "name" and token.text not in _WORDS and not token.text.startswith("cost."):
            return self._check()
        if token.text == "(" and self._is_logic():
            self._deeper(self._take())
            inner = self._or()
            self._depth -= 1
            self._need(")")
            return inner
        left = self._sum()
        sign = self._accept(*COMPARISONS)
        if sign is None:
            raise self._error("this is a number, not something that holds or not; compare it", token)
        constant = self._peek
        if constant.kind == "number" and self._tokens[self._next + 1].text not in ("+", "-", "*", "/"):
            self._take()
            self._compared.append((left, sign.text))
            return self._against(left, sign.text, constant)
        right = self._sum()
        if left.unit and right.unit and left.unit != right.unit:
            raise self._error(f"values in {left.unit} are compared with values in {right.unit}", sign)
        return partial(both, left.of, right.of, COMPARISONS[sign.text])

    def _is_logic(self) -> bool:
        """Tell a bracket around something that holds or not from one around a number."""
        depth = 0
        for token in self._tokens[self._next :]:
            depth += (token.text == "(") - (token.text == ")")
            if token.text in COMPARISONS or token.text in ("and", "or", "not", "absent"):
                return True
            if depth == 0:
                return False
        return False

    def _check(self) -> Truth:
        name = self._take()
        sign = self._accept("==", "!=")
        if sign is None or self._peek.kind != "name":
            hint = f"; a metric is written metric({name.text!r})" if name.text in self._names.metrics else ""
            raise self._error(f"write {name.text} == CRIT, or {name.text} != OK{hint}", name)
        word = self._take()
        status = _STATUSES.get(word.text.upper())
        if status is None:
            hint = did_you_mean(word.text.upper(), _STATUSES) or f"; choose from {', '.join(_STATUSES)}"
            raise self._error(f"{word.text!r} is no status{hint}", word)
        if name.text not in self._names.watched:
            raise self._error(
                f"there is no check or service {name.text!r}{did_you_mean(name.text, self._names.watched)}", name
            )
        self._subjects.append(name.text)
        return stands(Condition(name.text, sign.text == "==", status))

    def _absent(self) -> Truth:
        self._take()
        self._need("(")
        name = self._metric()
        seconds = self._duration(self._take()) if self._accept(",") else 300.0
        self._need(")")
        return lambda facts: not facts.window(name, seconds, "count")

    # Numbers

    def _sum(self) -> RuleValue:
        left = self._product()
        while sign := self._accept("+", "-"):
            left = joined(left, self._product(), operator.add if sign.text == "+" else operator.sub)
        return left

    def _product(self) -> RuleValue:
        left = self._operand()
        while sign := self._accept("*", "/"):
            right = self._operand()
            unit = left.unit if right.unit is None else "" if left.unit is not None else right.unit
            left = RuleValue(joined(left, right, operator.mul if sign.text == "*" else operator.truediv).of, unit)
        return left

    def _operand(self) -> RuleValue:
        token = self._peek
        if token.kind == "number":
            number = self._written(self._take()).number
            return RuleValue(lambda _: number, None)
        if token.text == "(":
            self._deeper(self._take())
            inner = self._sum()
            self._depth -= 1
            self._need(")")
            return inner
        if token.kind == "name" and token.text.startswith("cost."):
            name = self._take().text.removeprefix("cost.")
            if name in _COMING_COSTS:
                raise self._error(f"cost.{name} is not there yet: it needs what was really spent", token)
            if name not in _COSTS:
                raise self._error(f"there is no cost.{name}{did_you_mean(name, _COSTS)}", token)
            return RuleValue(lambda facts: facts.cost(name), _COSTS[name])
        if token.text == "metric":
            metric = self._metric()
            return RuleValue(lambda facts: facts.value(metric), self._names.metrics[metric], metric)
        if token.text in WINDOW_FUNCTIONS:
            return self._window(self._take())
        raise self._error(f'expected metric("NAME") or a number, not {token.text or "the end"!r}', token)

    def _window(self, function: RuleToken) -> RuleValue:
        self._need("(")
        metric = self._metric()
        name, unit = function.text, self._names.metrics[metric]
        if self._accept(","):
            seconds = self._duration(self._take())
        elif name == "last":
            seconds = 300.0
        else:
            raise self._error(f"{name} needs a time: {name}(metric({metric!r}), 5m)", function)
        self._need(")")
        made = {"rate": f"{unit}/s", "count": ""}.get(name, unit)
        return RuleValue(
            lambda facts: facts.window(metric, seconds, name), made, "" if name in ("rate", "count") else metric
        )

    def _metric(self) -> str:
        self._need("metric")
        self._need("(")
        token = self._take()
        if token.kind != "text":
            raise self._error('the name of a metric stands in quotes: metric("cpu")', token)
        name = token.text[1:-1]
        if name not in self._names.metrics:
            members = [one for one in self._names.metrics if one.startswith(f"{name}[")]
            hint = f"; write {members[0]}" if members else did_you_mean(name, self._names.metrics)
            raise self._error(f"there is no metric {name!r}{hint}", token)
        self._need(")")
        self._metrics.append(name)
        return name

    def _written(self, token: RuleToken) -> Written:
        try:
            return written(token.text)
        except ValueError as error:
            raise self._error(str(error), token) from None

    def _against(self, value: RuleValue, sign: str, token: RuleToken) -> Truth:
        given = self._written(token)
        try:
            number = in_unit(given, value.unit or "")
        except ValueError as error:
            raise self._error(str(error), token) from None
        return compared(value, sign, number, in_base=value.unit == "" and given.measures in ("time", "size"))
