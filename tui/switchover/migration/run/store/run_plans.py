"""The plans that a run went by: the frozen text in force, and those that earlier steps began under."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from switchover.errors import PlanError, StateError
from switchover.locations import Workspace
from switchover.migration.facts.run_state import RunState
from switchover.plan.loader.load import LoadedPlan, load_plan_text
from switchover.plan.model import Plan, Step

__all__ = ["EarlierPlans", "plan_in_force", "why_another_plan"]


class EarlierPlans:
    """The frozen texts of a run that were in force before the present one, each read once."""

    def __init__(self) -> None:
        self._plans: dict[str, Plan] = {}

    def steps_begun(self, state: RunState, file: LoadedPlan) -> Mapping[str, Step]:
        """Return the steps that began under another text of the plan than the one in force, as they were then."""
        found = {}
        for name, unit in state.units.items():
            began = [a for a in unit.attempts if a.outcome != "not started" and a.plan_digest]
            if not began or began[-1].plan_digest == state.plan_digest:
                continue
            plan = self._plan_of(began[-1].plan_digest, state, file)
            step = next((s for s in plan.all_steps if s.id == name), None) if plan is not None else None
            if step is not None:
                found[name] = step
        return found

    def _plan_of(self, digest: str, state: RunState, file: LoadedPlan) -> Plan | None:
        text = state.plans.get(digest)
        if digest not in self._plans and text is not None:
            self._plans[digest] = load_plan_text(text, file.path, frozen=True).plan
        return self._plans.get(digest)


def plan_in_force(file: LoadedPlan, state: RunState) -> LoadedPlan:
    """Return the plan that the run was started with, whatever the file says by now."""
    if not state.exists or state.plan_digest == file.digest:
        return file
    try:
        frozen = load_plan_text(state.plan_text, file.path, frozen=True)
        return replace(frozen, code=frozen.code.as_before(file.code))
    except PlanError as error:
        raise StateError(
            "the plan that this run was started with cannot be read by this version",
            "go on with the version that started it",
        ) from error


def why_another_plan(state: RunState, file: LoadedPlan, digest: str, workspace: Workspace) -> str:
    """Say where the newest run went by another plan than the file holds now; empty where it is this one.

    Plans are one where their texts are: what a run did counts for no other. `digest` is the file's, empty where it
    cannot be read.
    """
    if not state.exists or digest == state.plan_digest:
        return ""
    if not digest:
        return f"{file.path} cannot be read"
    if state.plan_id != file.plan.id:
        return f"run {state.run_id} goes by another plan: {state.plan_id}, not {file.plan.id}"
    if workspace.shared is not None and state.plan_path not in (str(file.path), str(file.path.absolute())):
        whose = f"{state.plan_path} of {state.by.host}" if state.by else state.plan_path
        return f"run {state.run_id} goes by another text of this plan ({whose})"
    return f"{file.path.name} was edited since run {state.run_id} {'ended' if state.finished else 'began'}"
