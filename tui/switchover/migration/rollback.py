"""Ways back, worked out from the plan and what has begun. Pure: nothing here runs anything."""

from __future__ import annotations

from dataclasses import dataclass

from switchover.migration.state import RunState, Stage
from switchover.plan.model import Plan, RollbackAction, RollbackPlan, Step

__all__ = ["WayBack", "WayBackItem", "plan_way_back", "ways_back"]


@dataclass(frozen=True, slots=True)
class WayBackItem:
    """One command of a way back. `undoes` is the step that it compensates."""

    run: str
    env: tuple[tuple[str, str], ...]
    timeout_s: float
    undoes: str = ""
    expect_s: float | None = None
    cwd: str = ""

    @property
    def label(self) -> str:
        """A line for people."""
        text = " ".join(self.run.split())
        return f"undo {self.undoes}: {text}" if self.undoes else text


@dataclass(frozen=True, slots=True)
class WayBack:
    """A way back as it stands now. `name` is empty for undoing the begun steps one by one."""

    name: str
    title: str
    items: tuple[WayBackItem, ...]
    reason: str = ""  # why it is closed; empty when it is open
    cannot_undo: tuple[str, ...] = ()
    budget_s: float | None = None
    data_loss: str = ""
    verify: tuple[str, ...] = ()

    @property
    def available(self) -> bool:
        """Whether it can be gone now."""
        return not self.reason

    @property
    def expect_s(self) -> float | None:
        """How long it should take, where anything is known of that."""
        known = [item.expect_s for item in self.items if item.expect_s is not None]
        return sum(known) if known else None


def ways_back(plan: Plan, state: RunState) -> tuple[WayBack, ...]:
    """Return all ways back: step by step first, then the named ones in the order of the plan."""
    return tuple(plan_way_back(plan, state, name) for name in ("", *plan.rollback_plans))


def plan_way_back(plan: Plan, state: RunState, name: str = "") -> WayBack:
    """Work out one way back. Raise `KeyError` for a name that the plan does not have."""
    way = _named(plan, state, name, plan.rollback_plans[name]) if name else _step_by_step(plan, state)
    return _closed(way, state) or way


def _step_by_step(plan: Plan, state: RunState) -> WayBack:
    steps = _begun(plan, state)
    items = tuple(_item(step, step.rollback) for step in steps if step.rollback is not None)
    cannot = tuple(_cannot(step) for step in steps if step.rollback is None and step.effect != "read")
    reason = "" if items else "no step that can be undone has begun"
    return WayBack("", "Undo the begun steps, newest first", items, reason, tuple(c for c in cannot if c))


def _named(plan: Plan, state: RunState, name: str, spec: RollbackPlan) -> WayBack:
    items: list[WayBackItem] = []
    cannot: list[str] = []
    for action in spec.steps:
        if action.run is not None:
            items.append(WayBackItem(action.run, tuple(action.env.items()), action.timeout))
        for step in _begun(plan, state, frozenset(action.compensate)) if action.compensate else ():
            if step.rollback is not None:
                items.append(_item(step, step.rollback))
            elif step.effect != "read" and (text := _cannot(step)):
                cannot.append(text)
    reason = ""
    if not state.exists:
        reason = "nothing has begun"
    elif spec.valid_until and (point := _passed(plan, state, spec.valid_until)):
        reason = f"closed since {point} began"
    elif not items:
        reason = "nothing that it would undo has begun"
    return WayBack(
        name, spec.title, tuple(items), reason, tuple(cannot), spec.budget, spec.data_loss_window or "", spec.verify
    )


def _closed(way: WayBack, state: RunState) -> WayBack | None:
    done = state.rollback is not None and state.rollback.stage is Stage.DONE and state.rollback.name == way.name
    if not done:
        return None
    reason = "it has been gone already"
    return WayBack(way.name, way.title, way.items, reason, way.cannot_undo, way.budget_s, way.data_loss, way.verify)


def _begun(plan: Plan, state: RunState, phases: frozenset[str] | None = None) -> list[Step]:
    """Return the plan's steps that have begun and are not undone yet, the newest first."""
    known = {step.id: step for phase in plan.phases if phases is None or phase.id in phases for step in phase.steps}
    return [
        known[name]
        for name in reversed(state.order)
        if name in known and state.unit(name).began and state.unit(name).stage is not Stage.ROLLED_BACK
    ]


def _item(step: Step, action: RollbackAction) -> WayBackItem:
    return WayBackItem(
        action.run, tuple(action.env.items()), action.timeout, step.id, action.expect_duration, step.cwd or ""
    )


def _cannot(step: Step) -> str:
    if step.irreversible:
        return f"{step.id} cannot be undone: it is irreversible"
    if step.effect in ("changes", "destroys"):
        return f"{step.id} has no rollback: what it changed stays"
    return ""


def _passed(plan: Plan, state: RunState, until: str) -> str:
    """Return the point (`PHASE.STEP` or `PHASE`) if it has begun, else nothing."""
    phase_id, _, step_id = until.partition(".")
    if step_id:
        return until if state.unit(step_id).began else ""
    for phase in plan.phases:
        if phase.id == phase_id and any(state.unit(step.id).began for step in phase.steps):
            return until
    return ""
