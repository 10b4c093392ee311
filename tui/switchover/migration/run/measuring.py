"""Measures what a migration promises: before it, after it, and whether that is what was promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from shlex import quote

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.rules.measured_promises import (
    due_now,
    judge,
    measure,
    source_of,
    step_value,
    taken,
    unmeasured_before,
)
from switchover.migration.run.run_store import RunStore
from switchover.plan.model import Step
from switchover.plan.promise_model import measured_item

__all__ = ["judge_the_rest", "measure_due", "measure_promises", "prove_promises", "refuse_unmeasured"]

_BETWEEN_SAMPLES_S = 1.0
_BLOCKS_NOTHING = "it blocks nothing"


async def measure_promises(run_store: RunStore, names: Sequence[str], side: str) -> dict[str, float | None]:
    """Measure one side of the named promises, as often as each says."""
    found: dict[str, float | None] = {}
    samples: dict[str, list[float | None]] = {}
    sources: dict[str, str] = {}
    for name in names:
        source = source_of(run_store.plan.promises[name], side)
        if not isinstance(source, str):
            found[name] = source
        elif source.startswith("step."):
            found[name] = step_value(source, run_store.state)
        else:
            sources[name], samples[name] = source, []
    for number in range(max((run_store.plan.promises[name].samples for name in sources), default=0)):
        wanted = {name: one for name, one in sources.items() if number < run_store.plan.promises[name].samples}
        if number:
            await run_store.tools.wait(_BETWEEN_SAMPLES_S)
        seen = await run_store.look(tuple(dict.fromkeys(measured_item(one)[0] for one in wanted.values())))
        for name, source in wanted.items():
            samples[name].append(measure(source, seen.readings, run_store.plan.promises[name]))
    return found | {name: taken(run_store.plan.promises[name], values) for name, values in samples.items()}


async def measure_due(run_store: RunStore) -> None:
    """Measure each value whose phase has ended, before anything else begins."""
    due = due_now(run_store.plan, run_store.state)
    if not due:
        return
    values = {
        side: await measure_promises(run_store, [name for name, of in due if of == side], side)
        for side in ("before", "after")
    }
    units = {name: one.unit for name, one in run_store.plan.promises.items() if one.unit}
    await run_store.record(ev.PromisesMeasured(values["before"], values["after"], (), units))


async def prove_promises(run_store: RunStore, names: Sequence[str], place: str = "") -> tuple[ev.Measurement, ...]:
    """Measure `after` and judge the named promises. What its phase has measured already is not measured again.

    At a gate (`place`), the plan or a person may let pass one that is not kept.
    """
    known = run_store.state.afters
    fresh = await measure_promises(run_store, [name for name in names if name not in known], "after")
    baseline = run_store.state.baseline or {}
    promises = run_store.plan.promises
    judged = (judge(n, promises[n], baseline.get(n), known[n] if n in known else fresh[n]) for n in names)
    return tuple(one if one.state == "met" else _let_pass(run_store, one, place) for one in judged)


def _let_pass(run_store: RunStore, measured: ev.Measurement, place: str) -> ev.Measurement:
    if not run_store.plan.promises[measured.promise].blocks:
        return replace(measured, let_pass=_BLOCKS_NOTHING)
    key = (place, measured.promise)
    waiver, acknowledged = run_store.state.waivers.get(key), run_store.state.acknowledgements.get(key)
    given = waiver if waiver is not None and waiver.holds(run_store.moment()) else acknowledged
    return replace(measured, let_pass=f"{given.by.who}: {given.reason}") if given is not None else measured


async def judge_the_rest(run_store: RunStore) -> None:
    """Measure and judge at the end what no gate has proved, so that the report tells it."""
    await measure_due(run_store)
    left = [name for name in run_store.plan.promises if name not in run_store.state.measurements]
    if left:
        measured = await prove_promises(run_store, left)
        units = {name: one.unit for name, one in run_store.plan.promises.items() if one.unit}
        await run_store.record(ev.PromisesMeasured({}, {}, measured, units))


async def refuse_unmeasured(run_store: RunStore, step: Step) -> None:
    """Raise `RefusedError` where a first change would take away what a promise is compared with.

    What was lacking is measured once more. A person may waive it with a reason.
    """
    plan, state = run_store.plan, run_store.state
    changed = any(state.unit(one.id).began for one in plan.all_steps if one.effect not in (None, "read"))
    if changed or step.effect in (None, "read") or not unmeasured_before(plan, state):
        return
    again = await measure_promises(run_store, unmeasured_before(plan, state), "before")
    found: dict[str, float | None] = {name: value for name, value in again.items() if value is not None}
    if found:
        units = {name: one.unit for name, one in plan.promises.items() if one.unit}
        await run_store.record(ev.PromisesMeasured(found, {}, (), units))
    now, waivers = run_store.moment(), run_store.state.waivers
    left = [
        name
        for name in unmeasured_before(plan, run_store.state)
        if (waiver := waivers.get((f"step:{step.id}", name))) is None or not waiver.holds(now)
    ]
    if left:
        waive = f"{run_store.workspace.command('waive')} {quote(left[0])} --reason TEXT --for 2h"
        raise RefusedError(
            f"{step.id} is the first change, and could not be measured before it: {', '.join(left)}",
            f"see to what measures it, then run again; or go without: `{waive}`",
        )
