"""Measures what a migration promises: before it, after it, and whether that is what was promised."""

from __future__ import annotations

from collections.abc import Sequence

from switchover.migration.facts import events as ev
from switchover.migration.rules.measured_objectives import checks_measured, judge, measure
from switchover.migration.run.run_store import RunStore

__all__ = ["measure_objectives", "prove_objectives"]


async def measure_objectives(run_store: RunStore, names: Sequence[str], side: str) -> dict[str, float | None]:
    """Measure one side of the named objectives."""
    wanted = {name: run_store.plan.performance[name] for name in names}
    seen = await run_store.look(checks_measured(wanted, side))
    return {name: measure(getattr(o, side), seen.readings) for name, o in wanted.items()}


async def prove_objectives(run_store: RunStore, names: Sequence[str]) -> tuple[ev.Measurement, ...]:
    """Measure `after` and judge the named objectives against what was measured at the start."""
    after = await measure_objectives(run_store, names, "after")
    baseline = run_store.state.baseline or {}
    objectives = run_store.plan.performance
    return tuple(judge(name, objectives[name], baseline.get(name), after[name]) for name in names)
