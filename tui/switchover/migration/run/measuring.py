"""Measures what a migration promises: before it, after it, and whether that is what was promised."""

from __future__ import annotations

from collections.abc import Sequence

from switchover.migration.facts import events as ev
from switchover.migration.rules.measured_promises import checks_measured, judge, measure
from switchover.migration.run.run_store import RunStore

__all__ = ["measure_promises", "prove_promises"]


async def measure_promises(run_store: RunStore, names: Sequence[str], side: str) -> dict[str, float | None]:
    """Measure one side of the named promises."""
    wanted = {name: run_store.plan.promises[name] for name in names}
    seen = await run_store.look(checks_measured(wanted, side))
    return {name: measure(getattr(o, side).value, seen.readings) for name, o in wanted.items()}


async def prove_promises(run_store: RunStore, names: Sequence[str]) -> tuple[ev.Measurement, ...]:
    """Measure `after` and judge the named promises against what was measured at the start."""
    after = await measure_promises(run_store, names, "after")
    baseline = run_store.state.baseline or {}
    promises = run_store.plan.promises
    return tuple(judge(name, promises[name], baseline.get(name), after[name]) for name in names)
