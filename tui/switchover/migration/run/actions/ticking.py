"""A person ticks an item of a checklist: with the evidence that it asks for, while its check is fine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import Stage
from switchover.migration.rules.next_action import may_still_tick
from switchover.migration.rules.waivers import judge
from switchover.migration.run.action_runner import ActionRunner
from switchover.migration.run.actions.confirming import refuse_too_early
from switchover.migration.run.run_store import RunStore
from switchover.migration.steps.kept_evidence import keep_evidence
from switchover.plan.model import ChecklistItem, Step

__all__ = ["tick_item"]


async def tick_item(
    runner: ActionRunner, step_id: str, number: int, op: Operator, evidence: str, path: Path | None
) -> None:
    """Put on record that an item (they count from 0) is done. Raise `RefusedError` for what is lacking."""
    run_store = runner.run_store
    if number not in may_still_tick(run_store.plan, run_store.state, step_id):
        runner.refuse_out_of_turn(step_id, "checklist")
    step = run_store.plan.step(step_id)
    if not 0 <= number < len(step.checklist):
        raise RefusedError(f"{step_id} has no item {number + 1}", f"it has {len(step.checklist)}")
    refuse_too_early(run_store, step)
    item, name = step.checklist[number], f"item {number + 1} of {step_id}"
    evidence = run_store.clean(evidence).strip()
    _refuse_other_evidence(item, name, evidence, path)
    seen = await _rests_on(run_store, step, item, name)
    file = await _kept(run_store, step_id, number, path) if path is not None else None
    complete = _is_complete(run_store, step, number)
    await run_store.record(ev.Ticked(step_id, number, evidence, op, complete, file, seen))
    await runner.end_if_through(op)


def _refuse_other_evidence(item: ChecklistItem, name: str, evidence: str, path: Path | None) -> None:
    """Raise `RefusedError` unless what is given is what the item asks for."""
    match item.evidence:
        case "file" if path is None:
            raise RefusedError(f"{name} needs a file as evidence", "name the file: it is copied with its digest")
        case "text" if not evidence:
            raise RefusedError(f"{name} needs evidence", "write how it is known")
        case "url" if not _is_address(evidence):
            raise RefusedError(f"{name} needs an address as evidence", "such as https://grafana.example.org/d/1")
    if path is not None and item.evidence != "file":
        raise RefusedError(f"{name} takes no file", "write how it is known, or say `evidence: file` in the plan")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not set(text) & set(" \t\n")
    except ValueError:
        return False


async def _rests_on(run_store: RunStore, step: Step, item: ChecklistItem, name: str) -> tuple[ev.Evidence, ...]:
    """Look at the item's check now. Raise `RefusedError` where it is not fine and nobody has let it pass."""
    if item.check is None:
        return ()
    seen = await run_store.look((item.check,))
    place = f"step:{step.id}"
    judged = judge(seen.evidence, run_store.state, place, run_store.moment())
    for check, status in judged.lapsed:
        await run_store.record(ev.AcknowledgementEnded(place, check, status))
    if judged.problems:
        raise RefusedError(f"{name} rests on a check: {'; '.join(judged.problems)}", "mend it, then tick again")
    return seen.evidence


async def _kept(run_store: RunStore, step_id: str, number: int, path: Path) -> ev.EvidenceFile:
    directory = run_store.workspace.run_directory(run_store.state.run_id)
    place = run_store.place_of_a_start()
    return await asyncio.to_thread(
        keep_evidence, directory, f"{step_id}.{number + 1}", path, place, run_store.values.without_secrets
    )


def _is_complete(run_store: RunStore, step: Step, number: int) -> bool:
    unit = run_store.state.unit(step.id)
    ticked = {*unit.ticks, number}
    return unit.stage is not Stage.DONE and all(n in ticked or i.optional for n, i in enumerate(step.checklist))
