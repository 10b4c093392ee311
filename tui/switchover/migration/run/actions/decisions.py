"""What a person decides about a check that is not fine: an acknowledged warning, or a waiver. Both give a reason."""

from __future__ import annotations

from shlex import quote

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.rules.measured_promises import unmeasured_before
from switchover.migration.rules.next_action import Action
from switchover.migration.rules.waivers import unwaivable
from switchover.migration.run.measuring import prove_promises
from switchover.migration.run.run_store import RunStore
from switchover.snapshot.states import StatusWord
from switchover_checks.language.units import format_duration

__all__ = ["LONGEST_WAIVER_S", "acknowledge", "waive"]

LONGEST_WAIVER_S = 7 * 86400.0


async def acknowledge(run_store: RunStore, action: Action, check: str, op: Operator, reason: str) -> None:
    """Let a warning pass, for as long as it stays one. Raise `RefusedError` where there is none."""
    place = _place(run_store, action, check)
    reason = _reason(run_store, reason)
    _refuse_unwaivable(run_store, place, check)
    seen = await _look(run_store, check)
    if seen.status == "ok":
        raise RefusedError(f"{check} is ok now: there is nothing to acknowledge")
    if seen.status != "warn":
        instead = f"{run_store.workspace.command('waive')} {quote(check)} --reason TEXT --for 2h"
        raise RefusedError(
            f"{check} is {seen.status}, not a warning: {seen.summary}", f"mend it, or waive it for a while: `{instead}`"
        )
    await run_store.record(ev.WarningAcknowledged(place, check, reason, op, seen.summary))


async def waive(run_store: RunStore, action: Action, check: str, op: Operator, reason: str, for_s: float) -> None:
    """Let a check pass for `for_s` seconds. Raise `RefusedError` where it is fine, or where nobody may."""
    place = _place(run_store, action, check)
    reason = _reason(run_store, reason)
    if not 0 < for_s <= LONGEST_WAIVER_S:
        raise RefusedError(f"a waiver lasts no longer than {format_duration(LONGEST_WAIVER_S)}", "such as --for 2h")
    _refuse_unwaivable(run_store, place, check)
    seen = await _look(run_store, check)
    if seen.status == "ok":
        raise RefusedError(f"{check} is ok now: there is nothing to waive")
    until = run_store.tools.clock.now() + for_s
    await run_store.record(ev.RequirementWaived(place, check, reason, op, for_s, until, seen.status))


def _place(run_store: RunStore, action: Action, check: str) -> str:
    """Return the place where the run stands, if it requires the check."""
    required: tuple[str, ...] = ()
    place = ""
    if action.kind in ("gate", "human", "decide"):
        gate = next(p.gate for p in run_store.plan.phases if p.id == action.phase)
        required, place = (*gate.require, *gate.prove) if gate is not None else (), f"gate:{action.phase}"
    elif action.kind == "confirm":
        confirm = run_store.plan.step(action.unit).confirm
        required, place = confirm.require if confirm is not None else (), f"step:{action.unit}"
        required += unmeasured_before(run_store.plan, run_store.state)
    elif action.kind == "step":
        required, place = unmeasured_before(run_store.plan, run_store.state), f"step:{action.unit}"
        if not required:
            place = ""
    elif action.kind == "checklist":
        items = run_store.plan.step(action.unit).checklist
        required, place = tuple(item.check for item in items if item.check), f"step:{action.unit}"
    if not place:
        raise RefusedError("the run waits for no check now", f"see `{run_store.workspace.command('status')}`")
    if check not in required:
        raise RefusedError(f"{place.replace(':', ' ')} does not require {check}", f"it requires: {', '.join(required)}")
    return place


def _reason(run_store: RunStore, reason: str) -> str:
    reason = run_store.clean(reason).strip()
    if not reason:
        raise RefusedError("a reason is needed: it stands in the report", "--reason TEXT")
    return reason


def _refuse_unwaivable(run_store: RunStore, place: str, check: str) -> None:
    if check in unwaivable(run_store.plan, place):
        raise RefusedError(
            f"{place.removeprefix('step:')} cannot be undone and rests on the backup {check}: nobody may waive that",
            "make a backup that passes",
        )


async def _look(run_store: RunStore, check: str) -> ev.Evidence:
    if check in unmeasured_before(run_store.plan, run_store.state):
        return ev.Evidence(check, "unknown", "could not be measured before", run_store.tools.clock.now())
    if check in run_store.plan.promises and check not in run_store.plan.checks:
        measured = (await prove_promises(run_store, (check,)))[0]
        status: StatusWord = {"met": "ok", "missed": "warn"}.get(measured.state, "unknown")  # type: ignore[assignment]
        return ev.Evidence(check, status, f"the promise is {measured.state}", run_store.tools.clock.now())
    return (await run_store.look((check,))).evidence[0]
