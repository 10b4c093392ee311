"""The words that a state may have: on the wire, on the screen, in scripts. mypy finds a comparison with another."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = [
    "ActionKind",
    "AlertWord",
    "EventKind",
    "EvidenceWord",
    "GateWord",
    "LevelWord",
    "LogSourceWord",
    "NamedStatus",
    "PlanChangeKind",
    "PromiseWord",
    "RollbackWord",
    "ServiceWord",
    "SeverityWord",
    "SourceWord",
    "StageWord",
    "StatedEffect",
    "StatusWord",
    "StepEffect",
    "TopicWord",
]

StatusWord: TypeAlias = Literal["ok", "warn", "crit", "unknown", "skipped", "pending"]
NamedStatus: TypeAlias = StatusWord | Literal[""]  # of what may have no status
StageWord: TypeAlias = Literal[
    "pending", "running", "waiting", "done", "failed", "unknown", "skipped", "rolled_back", "aborted"
]  # of a run, a phase, a step, an action of a rollback
RollbackWord: TypeAlias = StageWord | Literal["stopped"]  # stopped: nothing of it runs
GateWord: TypeAlias = Literal[
    "pending", "waiting", "holding", "human", "decide", "passed", "failed", "rolled_back"
]  # human: asks for a go; decide: asks whether a warning may pass
ActionKind: TypeAlias = Literal[
    "start",  # there is no run yet
    "step",  # a command may run
    "confirm",  # a command waits for its typed confirmation
    "checklist",  # a human has items to tick
    "gate",  # a gate has to be looked at
    "human",  # a gate waits for a person's go
    "decide",  # a gate waits for a person to say whether a warning or what is not known may pass
    "wait",  # something runs
    "later",  # what comes next may not begin yet: a window, an earliest moment
    "failed",  # a unit failed; retry, resolve or roll back
    "resolve",  # an outcome is unknown; a person decides
    "rollback",  # a rollback was begun and is not through
    "done",
    "none",
]
ResolvedAs: TypeAlias = Literal["done", "failed", "retry", "rollback", "skip"]  # what an unknown outcome counts as
EvidenceWord: TypeAlias = Literal["none", "text", "file", "url"]
PromiseWord: TypeAlias = Literal["pending", "met", "missed", "unknown"]
StepEffect: TypeAlias = Literal["read", "creates", "changes", "destroys"]
StatedEffect: TypeAlias = StepEffect | Literal[""]  # of a step that does not say
PlanChangeKind: TypeAlias = Literal["added", "removed", "changed", "moved"]
ServiceWord: TypeAlias = Literal["running", "stopped", "unknown"]
SourceWord: TypeAlias = Literal["on", "off", "unused", "trouble", "unknown"]
LogSourceWord: TypeAlias = Literal["reading", "ended", "off"]
LevelWord: TypeAlias = Literal["", "debug", "info", "warn", "error", "fatal"]
SeverityWord: TypeAlias = Literal["critical", "error", "warning", "info"]  # of a notice
AlertWord: TypeAlias = Literal["pending", "firing", "escalated", "told"]  # told: a fact about a run
TopicWord: TypeAlias = Literal["gate", "unknown", "failed", "hold", "end", "budget"]  # what of a run is told
EventKind: TypeAlias = Literal[
    "run", "step", "gate", "check", "service", "alert", "agent", "action", "change", "incident"
]
