"""Going a way back: journalled like the steps, resumable like them, its time measured."""

from __future__ import annotations

from switchover.errors import RefusedError
from switchover.migration import events as ev
from switchover.migration.confirm import elapsed
from switchover.migration.execution import Executor, Unit
from switchover.migration.keeper import Keeper
from switchover.migration.operator import Operator
from switchover.migration.rollback import WayBack, plan_way_back
from switchover.migration.state import RollbackState, Stage

__all__ = ["find_way", "roll_back"]


def find_way(keeper: Keeper, name: str) -> WayBack:
    """Return the way back of that name if it is open. Raise `RefusedError` that says why it is not."""
    try:
        way = plan_way_back(keeper.plan, keeper.state, name)
    except KeyError:
        known = ", ".join(keeper.plan.rollback_plans) or "none"
        raise RefusedError(f"the plan has no rollback {name!r}", f"it has: {known}") from None
    if not way.available:
        label = name or "the rollback step by step"
        raise RefusedError(f"{label} is not open: {way.reason}", "see `switchover status` for the ways back")
    return way


async def roll_back(keeper: Keeper, executor: Executor, operator: Operator, name: str) -> bool:
    """Go a way back, or go on with it. Return whether it is through; where not, the state says what failed."""
    rollback = keeper.state.rollback
    if rollback is None or keeper.state.finished or rollback.name != name:
        rollback = _begin(keeper, operator, find_way(keeper, name))
    for item in rollback.items:
        unit = keeper.state.unit(item.unit)
        if unit.stage is Stage.DONE:
            continue
        if unit.stage is Stage.UNKNOWN:
            raise RefusedError(
                f"{item.unit} of the rollback has an unknown outcome: {unit.reason}",
                f"say how it ended: --resolve {item.unit}=done|failed|retry --reason TEXT",
            )
        if unit.stage is Stage.FAILED:
            keeper.record(ev.StepRetried(item.unit, operator))
        await executor.run(Unit.of_item(item), operator)
        if keeper.state.unit(item.unit).stage is not Stage.DONE:
            return False
    await _finish(keeper, operator, rollback)
    return True


def _begin(keeper: Keeper, operator: Operator, way: WayBack) -> RollbackState:
    before = keeper.state.rollback
    number = before.number + 1 if before else 1
    items = tuple(
        ev.RollbackItem(f"rollback:{number}:{index}", item.run, item.undoes, dict(item.env), item.cwd, item.timeout_s)
        for index, item in enumerate(way.items)
    )
    keeper.record(ev.RollbackStarted(number, way.name, operator, items, way.cannot_undo, way.budget_s))
    started = keeper.state.rollback
    if started is None:  # pragma: no cover - it was recorded just now
        raise RefusedError("the rollback could not be begun")
    return started


async def _finish(keeper: Keeper, operator: Operator, rollback: RollbackState) -> None:
    if rollback.stage is not Stage.DONE:
        took = elapsed(rollback.started, keeper.moment())
        within = None if rollback.budget_s is None else took <= rollback.budget_s
        verify = keeper.plan.rollback_plans[rollback.name].verify if rollback.name else ()
        seen = await keeper.look(verify)
        keeper.record(ev.RollbackEnded(rollback.number, took, within, seen.evidence))
    what = f"rolled back by {rollback.name}" if rollback.name else "rolled back step by step"
    keeper.record(ev.RunEnded("rolled_back", operator, what))
