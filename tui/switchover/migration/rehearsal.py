"""A rollback rehearsed: all that it would do, and what its checks say now. Executes nothing with an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switchover.migration.execution import SHELL
from switchover.migration.rollback import WayBack, as_if_begun, plan_way_back
from switchover.migration.rollback_view import way_view
from switchover.migration.rolling import look_up_way
from switchover.redaction import neutralise
from switchover.snapshot import Rehearsal, RehearsedAction, Requirement

if TYPE_CHECKING:
    from switchover.migration.keeper import Keeper

__all__ = ["rehearse"]


async def rehearse(keeper: Keeper, name: str) -> Rehearsal:
    """Work the way back out, open or not, and look at what it would verify. Changes nothing, journals nothing.

    Before anything has begun, it is worked out as if every step had that may while this way is open. Raise
    `RefusedError` where the plan has no way of that name.
    """
    way, assumed = look_up_way(keeper, name), False
    if not any(keeper.state.unit(step.id).began for step in keeper.plan.all_steps):
        way, assumed = plan_way_back(keeper.plan, as_if_begun(keeper.plan, name), name, {}, keeper.measured), True
    seen = await keeper.look(way.verify) if way.verify else None
    return Rehearsal(
        way=way_view(way, keeper.plan),
        actions=_actions(way),
        assumed=assumed,
        verify=tuple(Requirement(e.check, e.status, neutralise(e.summary)) for e in (seen.evidence if seen else ())),
    )


def _actions(way: WayBack) -> tuple[RehearsedAction, ...]:
    return tuple(
        RehearsedAction(
            argv=(*SHELL, neutralise(item.run)),
            env_names=tuple(sorted(name for name, _ in item.env)),
            undoes=item.undoes,
            timeout_s=item.timeout_s,
            expect_s=item.expect_s,
            measured=item.measured,
        )
        for item in way.items
    )
