"""What the end of a step counts as. Pure, from its exit record and the rules it was begun with."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from typing import Any

from switchover.migration.facts.outcome_rules import OutcomeRules
from switchover.migration.facts.step_events import Outcome
from switchover_checks.language.units import format_duration

__all__ = ["MAY_GO_ON", "SSH_FAILED", "judge_end"]

MAY_GO_ON = "{} was in it: what that began elsewhere may still go on"
SSH_FAILED = 255
_KILLED = range(129, 193)  # what a shell returns for a command that a signal ended
_SHELL_ENDINGS = {
    126: "the command cannot be executed (exit 126): it is not executable, or not a program",
    127: "a command was not found (exit 127)",
}


def judge_end(
    record: Mapping[str, Any], rules: OutcomeRules, remote: Sequence[str], stopped: str
) -> tuple[Outcome, list[str]]:
    """Return how an attempt ended, and why. `remote` are programs seen in it that hand work elsewhere."""
    code: int | None = record.get("exit_code")
    match record.get("ending", "exited"):
        case "timeout":
            took = format_duration(record["duration_s"])
            said = f"took longer than its timeout and was ended after {took}"
            if rules.timeout_means == "unknown":
                return "unknown", [said, "the plan says that this leaves open what it did"]
            if remote and rules.timeout_means != "failed":
                return "unknown", [said, _may_go_on(remote)]
            return "timeout", [said]
        case "aborted":
            said = stopped or "was stopped"
            return ("unknown", [said, _may_go_on(remote)]) if remote else ("aborted", [said])
        case "error":
            return "failed", [str(record.get("problem", ""))]
    if code in rules.ok:
        return "done", []
    if code is not None and code in (rules.unknown or ()):
        return "unknown", [f"ended with exit code {code}, which leaves open what it did"]
    said = _SHELL_ENDINGS.get(code or 0, f"failed with exit code {code}")
    if code is not None and code < 0:
        said = f"was killed by {_signal_name(-code)}"
    if remote and _cut_off(code, rules):
        return "unknown", [said, _may_go_on(remote)]
    return "failed", [said] if code is not None else []


def _cut_off(code: int | None, rules: OutcomeRules) -> bool:
    """Whether a signal cut it off, or ssh lost the other side."""
    if code is None:
        return False
    return code < 0 or code in _KILLED or (code == SSH_FAILED and rules.unknown is None)


def _may_go_on(remote: Sequence[str]) -> str:
    return MAY_GO_ON.format(" and ".join(remote))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
