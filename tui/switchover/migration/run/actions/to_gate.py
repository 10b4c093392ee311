"""Runs one step after the other, up to the next gate or whatever needs a person."""

from __future__ import annotations

from switchover.errors import RefusedError
from switchover.migration.facts.operator import Operator
from switchover.migration.run.action_runner import ActionRunner
from switchover.migration.run.actions.step_actions import run_step

__all__ = ["next_by_itself", "run_to_gate", "stop_after_step"]


def next_by_itself(runner: ActionRunner) -> str:
    """Return the step that may run without a person being asked; empty where none is next.

    What destroys something, or cannot be undone, runs on its own key alone.
    """
    action = runner.action
    if action.kind != "step":
        return ""
    step = runner.run_store.plan.step(action.unit)
    return "" if step.irreversible or step.effect == "destroys" else step.id


async def run_to_gate(runner: ActionRunner, op: Operator) -> None:
    """Run the steps that are next by themselves, while each is done. A person may stop it at any moment.

    It keeps the run lock from the first to the last, so nobody comes in between. It goes no further where another
    person drives meanwhile.
    """
    runner.refuse_read_only()
    if runner.to_gate:
        raise RefusedError("the run goes on to its next gate already", "wait for it, or stop it")
    if not next_by_itself(runner):
        raise RefusedError(runner.action.in_words, runner.see_status)
    runner.to_gate = True
    try:
        async with runner.hold(op):
            driver = runner.run_store.state.driver
            while runner.to_gate and (step := next_by_itself(runner)):
                async with runner.acting(op, f"step {step}"):
                    await run_step(runner, step, op, None)
                if runner.run_store.state.driver != driver or runner.interrupted:
                    break
    finally:
        runner.to_gate = False
        runner.run_store.tools.on_change()


def stop_after_step(runner: ActionRunner) -> None:
    """Let the step that runs go on to its end, and begin no other. Raise `RefusedError` where that is so anyway."""
    if not runner.to_gate:
        raise RefusedError("no further step would begin by itself", runner.see_status)
    runner.to_gate = False
    runner.run_store.tools.on_change()
