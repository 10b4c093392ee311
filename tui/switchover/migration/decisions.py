"""What a person decides about a check that is not fine: an acknowledged warning, or a waiver. Both give a reason."""

from __future__ import annotations

from switchover.errors import RefusedError
from switchover.migration import events as ev
from switchover.migration.exceptions import unwaivable
from switchover.migration.keeper import Keeper
from switchover.migration.next import Action
from switchover.migration.operator import Operator
from switchover_checks.units import format_duration

__all__ = ["LONGEST_WAIVER_S", "acknowledge", "waive"]

LONGEST_WAIVER_S = 7 * 86400.0


async def acknowledge(keeper: Keeper, action: Action, check: str, op: Operator, reason: str) -> None:
    """Let a warning pass, for as long as it stays one. Raise `RefusedError` where there is none."""
    place = _place(keeper, action, check)
    reason = _reason(keeper, reason)
    _refuse_unwaivable(keeper, place, check)
    seen = await _look(keeper, check)
    if seen.status == "ok":
        raise RefusedError(f"{check} is ok now: there is nothing to acknowledge")
    if seen.status != "warn":
        raise RefusedError(
            f"{check} is {seen.status}, not a warning: {seen.summary}",
            f"mend it, or waive it for a while: `switchover waive PLAN {check} --reason TEXT --for 2h`",
        )
    await keeper.record(ev.WarningAcknowledged(place, check, reason, op, seen.summary))


async def waive(keeper: Keeper, action: Action, check: str, op: Operator, reason: str, for_s: float) -> None:
    """Let a check pass for `for_s` seconds. Raise `RefusedError` where it is fine, or where nobody may."""
    place = _place(keeper, action, check)
    reason = _reason(keeper, reason)
    if not 0 < for_s <= LONGEST_WAIVER_S:
        raise RefusedError(f"a waiver lasts no longer than {format_duration(LONGEST_WAIVER_S)}", "such as --for 2h")
    _refuse_unwaivable(keeper, place, check)
    seen = await _look(keeper, check)
    if seen.status == "ok":
        raise RefusedError(f"{check} is ok now: there is nothing to waive")
    until = keeper.tools.clock.now() + for_s
    await keeper.record(ev.RequirementWaived(place, check, reason, op, for_s, until, seen.status))


def _place(keeper: Keeper, action: Action, check: str) -> str:
    """Return the place where the run stands, if it requires the check."""
    required: tuple[str, ...] = ()
    place = ""
    if action.kind in ("gate", "human", "decide"):
        gate = next(p.gate for p in keeper.plan.phases if p.id == action.phase)
        required, place = gate.require if gate is not None else (), f"gate:{action.phase}"
    elif action.kind == "confirm":
        confirm = keeper.plan.step(action.unit).confirm
        required, place = confirm.require if confirm is not None else (), f"step:{action.unit}"
    if not place:
        raise RefusedError("the run waits for no check now", "see `switchover status`")
    if check not in required:
        raise RefusedError(f"{place.replace(':', ' ')} does not require {check}", f"it requires: {', '.join(required)}")
    return place


def _reason(keeper: Keeper, reason: str) -> str:
    reason = keeper.clean(reason).strip()
    if not reason:
        raise RefusedError("a reason is needed: it stands in the report", "--reason TEXT")
    return reason


def _refuse_unwaivable(keeper: Keeper, place: str, check: str) -> None:
    if check in unwaivable(keeper.plan, place):
        raise RefusedError(
            f"{place.removeprefix('step:')} cannot be undone and rests on the backup {check}: nobody may waive that",
            "make a backup that passes",
        )


async def _look(keeper: Keeper, check: str) -> ev.Evidence:
    return (await keeper.look((check,))).evidence[0]
