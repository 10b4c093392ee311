"""What is to be executed: a step's command, or an action of a rollback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from switchover.migration.facts import events as ev
from switchover.migration.facts.outcome_rules import OutcomeRules
from switchover.migration.steps.captured_secrets import is_secret_by_name
from switchover.plan.command_model import SHELL
from switchover.plan.model import Step
from switchover.plan.notations import parse_capture

__all__ = ["ExecutionUnit"]


@dataclass(frozen=True, slots=True)
class ExecutionUnit:
    """What is to be executed. `argv`, `env` and `cwd` still hold their templates.

    Without `run_on` it runs here. `ssh` is what that host is called, where that is not left to the plan. `machine` is
    the one of a group that does a part of it.
    With `is_shell`, the last word is a text for a shell, which never has any.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    timeout_s: float
    cwd: str = ""
    captures: Mapping[str, str] = field(default_factory=dict)
    rollback: str = ""
    hidden: tuple[str, ...] = ()
    max_output: int | None = None
    label: str = ""
    run_on: str = ""
    ssh: str = ""
    machine: str = ""
    serial: int = 1
    max_fail: int = 0
    rules: OutcomeRules = field(default_factory=OutcomeRules)
    condition: str = ""
    beside: tuple[str, ...] = ()

    @classmethod
    def of_step(cls, step: Step) -> ExecutionUnit:
        """Return a step's command as a unit."""
        return cls(
            step.id,
            step.argv or (*SHELL, step.run or ""),
            step.env,
            step.timeout,
            step.cwd or "",
            {name: parse_capture(output.from_).wanted for name, output in step.captures.items()},
            step.undo.command if step.undo else "",
            tuple(name for name, output in step.captures.items() if output.secret or is_secret_by_name(name)),
            step.max_output,
            run_on=step.run_on or "",
            serial=step.serial,
            max_fail=step.max_fail,
            rules=OutcomeRules(
                step.ok, step.unknown, step.timeout_means or "", step.ready, step.ready_within if step.ready else 0.0
            ),
        )

    @classmethod
    def of_item(cls, item: ev.RollbackItem) -> ExecutionUnit:
        """Return an action of a rollback as a unit."""
        argv = item.argv or (*SHELL, item.run)
        return cls(
            item.unit, argv, item.env, item.timeout_s, item.cwd, label=item.undoes, run_on=item.run_on, ssh=item.ssh
        )

    @property
    def is_shell(self) -> bool:
        """Whether a shell reads its text."""
        return len(self.argv) == len(SHELL) + 1 and self.argv[: len(SHELL)] == SHELL
