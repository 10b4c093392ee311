"""The language of `when`: `api_up == CRIT for 2m`, `running[pg] != OK`. And of `only_if`, which is an expression."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from switchover.plan.complaints import did_you_mean
from switchover.plan.model import Plan
from switchover_checks.api import Status
from switchover_checks.language.expect import Expectation, NameType, parse
from switchover_checks.language.units import parse_duration

__all__ = ["Condition", "checks_in", "parse_alternatives", "parse_condition", "read_condition"]

_SHAPE = re.compile(
    r"\s*(?P<subject>[A-Za-z_][\w-]*(?:\[[\w.,-]+\])?)\s*(?P<operator>==|!=)\s*(?P<status>[A-Za-z]+)"
    r"(?:\s+for\s+(?P<hold>\S+))?\s*"
)
_OR = re.compile(r"\s+or\s+")
_KINDS: dict[str, NameType] = {"int": "number", "float": "number", "port": "number", "bool": "bool"}
_WORDS = {status.name: status for status in Status}


@dataclass(frozen=True, slots=True)
class Condition:
    """A check's status compared with one, that must hold for `hold_s` seconds."""

    subject: str
    equal: bool
    status: Status
    hold_s: float = 0.0

    def holds(self, status: Status | None) -> bool:
        """Say whether it holds for a check at `status`. For an unknown check, or one never probed, it does not."""
        if status is None or (status is Status.PENDING and self.status is not Status.PENDING):
            return False
        return (status is self.status) == self.equal


def parse_condition(text: str) -> Condition:
    """Read a condition. Raise `ValueError` that says how one is written."""
    match = _SHAPE.fullmatch(text) if len(text) <= 300 else None
    if match is None:
        raise ValueError(f"{text[:60]!r} is not a condition; write CHECK == CRIT, or CHECK != OK for 2m")
    status = _WORDS.get(match["status"].upper())
    if status is None:
        word = match["status"]
        hint = did_you_mean(word.upper(), _WORDS) or f"; choose from {', '.join(_WORDS)}"
        raise ValueError(f"{word!r} is no status{hint}")
    hold = parse_duration(match["hold"]) if match["hold"] else 0.0
    return Condition(match["subject"], match["operator"] == "==", status, hold)


def parse_alternatives(text: str) -> tuple[Condition, ...]:
    """Read `A == CRIT or B == CRIT for 1m`: any of them, each so long. Raise `ValueError`."""
    read = [parse_condition(part) for part in _OR.split(text)]
    return tuple(replace(one, hold_s=one.hold_s or read[-1].hold_s) for one in read)


def read_condition(plan: Plan, text: str) -> Expectation:
    """Read a condition. Raise `ValueError` that says what cannot be read."""
    names: dict[str, NameType] = {status.name: "text" for status in Status}
    names |= dict.fromkeys(plan.checks, "text")
    names |= {name: _KINDS.get(variable.type, "text") for name, variable in plan.vars.items()}
    return parse(text, {**names, "step": "any"})


def checks_in(plan: Plan, condition: Expectation) -> tuple[str, ...]:
    """Return the checks that a condition looks at."""
    return tuple(sorted(name for name in condition.names if name in plan.checks and name not in plan.vars))
