"""A rollback rehearsed: all that it would do, and what its checks say now. Executes nothing with an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switchover.migration.facts.display import display
from switchover.migration.reports.rollback_view import rollback_path_view
from switchover.migration.rules.rollback_paths import RollbackPath, as_if_begun, planned_rollback_path
from switchover.migration.run.rollback_runner import rollback_path_named
from switchover.plan.command_model import SHELL
from switchover.snapshot import Rehearsal, RehearsedAction, Requirement

if TYPE_CHECKING:
    from switchover.migration.run.run_store import RunStore

__all__ = ["rehearse"]


async def rehearse(run_store: RunStore, name: str) -> Rehearsal:
    """Work the rollback path out, open or not, and probe what it would verify. Changes nothing, journals nothing.

    Before anything has begun, it is worked out as if every step had that may while this way is open. Raise
    `RefusedError` where the plan has no way of that name.
    """
    way, assumed = rollback_path_named(run_store, name), False
    plan = run_store.plan
    if not any(run_store.state.unit(step.id).began for step in plan.all_steps):
        way = planned_rollback_path(plan, as_if_begun(plan, name), name, {}, run_store.history.durations)
        assumed = True
    seen = await run_store.look(way.verify) if way.verify else None
    return Rehearsal(
        way=rollback_path_view(way, run_store.plan),
        actions=_actions(way),
        assumed=assumed,
        verify=tuple(Requirement(e.check, e.status, display(e.summary)) for e in (seen.evidence if seen else ())),
    )


def _actions(way: RollbackPath) -> tuple[RehearsedAction, ...]:
    return tuple(
        RehearsedAction(
            argv=tuple(map(display, item.argv or (*SHELL, item.run))),
            env_names=tuple(sorted(name for name, _ in item.env)),
            undoes=item.undoes,
            timeout_s=item.timeout_s,
            expect_s=item.expect_s,
            measured=item.measured,
            run_on=item.place,
            title=display(item.title),
            optional=item.optional,
        )
        for item in way.items
    )
