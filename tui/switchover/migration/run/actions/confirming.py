"""A person's word for a step: its text, what it rests on, and whose it is."""

from __future__ import annotations

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.rules.confirmations import check_text, missing_person, second_person
from switchover.migration.rules.times import why_not_yet
from switchover.migration.rules.waivers import judge, unwaivable
from switchover.migration.run.action_runner import ActionRunner
from switchover.migration.run.run_store import RunStore
from switchover.plan.model import Step

__all__ = ["confirm_step", "confirmed", "refuse_other_text", "refuse_too_early"]


def refuse_other_text(runner: ActionRunner, step: Step, text: str | None) -> None:
    """Raise `RefusedError` unless this is the text that the step's confirmation asks for."""
    check_text(step, runner.executor.render(step.confirm.text) if step.confirm else "", text)


def refuse_too_early(run_store: RunStore, step: Step) -> None:
    """Raise `RefusedError` where the step's time has not come."""
    if why := why_not_yet(run_store.plan, run_store.state, step, run_store.moment()):
        raise RefusedError(f"{step.id} may not run yet: {why}", "come back when its time has come")


async def confirmed(
    runner: ActionRunner, step: Step, op: Operator, text: str | None
) -> tuple[str, tuple[ev.Evidence, ...]]:
    """Return the confirmation's text and what its checks say at this moment. Refuse where anything is lacking."""
    run_store = runner.run_store
    refuse_other_text(runner, step, text)
    refuse_too_early(run_store, step)
    moment = run_store.moment()
    evidence = await _rests_on(runner, step)
    lacking = missing_person(step, run_store.state, op, moment)
    if step.confirm is not None and step.confirm.persons > 1:
        await run_store.record(ev.ConfirmationGiven(step.id, op, text or "", evidence))
    if lacking:
        raise RefusedError(lacking, second_person(op, step.id))
    return text or "", evidence


async def confirm_step(runner: ActionRunner, step_id: str, op: Operator, text: str) -> None:
    """Put one person's word for a step that needs two on record."""
    run_store = runner.run_store
    runner.refuse_out_of_turn(step_id, "confirm")
    step = run_store.plan.step(step_id)
    if step.confirm is None or step.confirm.persons < 2:
        raise RefusedError(f"{step_id} needs one person, who runs it", f"--confirm {step_id}=TEXT of `run`")
    refuse_other_text(runner, step, text)
    missing_person(step, run_store.state, op, run_store.moment())
    seen = await _rests_on(runner, step)
    await run_store.record(ev.ConfirmationGiven(step_id, op, text, seen))


async def _rests_on(runner: ActionRunner, step: Step) -> tuple[ev.Evidence, ...]:
    """Look at what a step's confirmation requires. Raise `RefusedError` for what nobody has let pass."""
    run_store = runner.run_store
    seen = await run_store.look(step.confirm.require if step.confirm else ())
    place = f"step:{step.id}"
    forbidden = unwaivable(run_store.plan, place)
    judged = judge(seen.evidence, run_store.state, place, run_store.moment(), forbidden)
    for check, status in judged.lapsed:
        await run_store.record(ev.AcknowledgementEnded(place, check, status))
    if judged.problems:
        raise RefusedError(f"{step.id} may not run: {'; '.join(judged.problems)}", "mend it, then confirm again")
    return seen.evidence
