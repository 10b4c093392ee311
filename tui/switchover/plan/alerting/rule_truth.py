"""What holds, what does not, and what nobody knows: None. Closures that a rule is made of."""

from __future__ import annotations

import operator
from collections.abc import Callable

from switchover.plan.alerting.rule_values import RuleFacts, RuleValue
from switchover.plan.conditions import Condition
from switchover_checks.api import Status

__all__ = ["COMPARISONS", "Truth", "all_of", "any_of", "both", "compared", "joined", "negated", "stands"]

Truth = Callable[[RuleFacts], bool | None]
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


def joined(left: RuleValue, right: RuleValue, work: Callable[[float, float], float]) -> RuleValue:
    """Join two numbers."""

    def numbers(facts: RuleFacts) -> float | None:
        a, b = left.of(facts), right.of(facts)
        if a is None or b is None:
            return None
        try:
            return work(a, b)
        except (ZeroDivisionError, OverflowError):
            return None

    return RuleValue(numbers, left.unit if left.unit is not None else right.unit)


def compared(value: RuleValue, sign: str, constant: float, *, in_base: bool) -> Truth:
    """Compare with a number. With `in_base` it is in seconds or bytes, whatever unit the values turn out to have."""
    of, compare, metric = value.of, COMPARISONS[sign], value.metric
    if in_base and metric:
        return lambda facts: None if (number := of(facts)) is None else compare(number * facts.scale(metric), constant)

    def holds(facts: RuleFacts) -> bool | None:
        number = of(facts)
        return None if number is None else compare(number, constant)

    return holds


def both(
    left: Callable[[RuleFacts], float | None],
    right: Callable[[RuleFacts], float | None],
    compare: Callable[[float, float], bool],
    facts: RuleFacts,
) -> bool | None:
    """Compare two numbers."""
    a, b = left(facts), right(facts)
    return None if a is None or b is None else compare(a, b)


def stands(condition: Condition) -> Truth:
    """Judge a check. One that is skipped or pending ends nothing. One that is not watched is not wrong."""
    unclear = (Status.SKIPPED, Status.PENDING)
    by_status = tuple(True if condition.holds(one) else None if one in unclear else False for one in Status)

    def judged(facts: RuleFacts) -> bool | None:
        status = facts.status(condition)
        return False if status is None else by_status[status]

    return judged


def all_of(left: Truth, right: Truth) -> Truth:
    """Tell whether both hold."""

    def judged(facts: RuleFacts) -> bool | None:
        first = left(facts)
        if first is False:
            return False
        second = right(facts)
        return second if first or second is False else None

    return judged


def any_of(left: Truth, right: Truth) -> Truth:
    """Tell whether one holds."""

    def judged(facts: RuleFacts) -> bool | None:
        first = left(facts)
        if first:
            return True
        second = right(facts)
        return second if first is False or second else None

    return judged


def negated(inner: Truth) -> Truth:
    """Tell whether it does not hold."""

    def judged(facts: RuleFacts) -> bool | None:
        truth = inner(facts)
        return None if truth is None else not truth

    return judged
