"""What a step put out for later steps: opened from its record, judged by its type."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from switchover.migration.facts.run_state import RunState
from switchover.migration.run.execution_unit import ExecutionUnit
from switchover.migration.run.run_store import RunStore
from switchover.migration.steps.captured_secrets import read_captured
from switchover.plan.model import Variable
from switchover.plan.variables import check_value

__all__ = ["read_outputs"]


def read_outputs(
    run_store: RunStore, run: RunState, name: str, record: Mapping[str, Any], *, done: bool
) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Return what all may read, what only later steps get, and what is wrong with either."""
    step = next((step for step in run_store.plan.all_steps if step.id == name), None)
    unit = ExecutionUnit.of_step(step) if step is not None else None
    key, hidden = run_store.values.seal_key, unit.hidden if unit is not None else ()
    outputs, sealed, shut = read_captured(record, key, run.run_id, name, hidden, run_store.clean)
    notes = []
    if shut:
        notes.append(f"what it captured cannot be read without {key.path}: {', '.join(shut)}")
    if step is None:
        return outputs, sealed, notes
    for output, spec in step.captures.items():
        if output not in outputs or output in sealed:
            continue
        try:
            outputs[output] = check_value(output, Variable(type=spec.type), outputs[output])
        except ValueError as error:
            notes.append(f"output {error}")
            del outputs[output]
    lacking = [output for output in step.captures if output not in outputs and output not in shut]
    if done and (absent := [output for output in lacking if output not in record.get("outputs", {})]):
        notes.append(f"nothing in its output gave {', '.join(absent)}")
    return outputs, sealed, notes
