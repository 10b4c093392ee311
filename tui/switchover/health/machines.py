"""A check that looked at several machines: the worst result counts, and names its machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from switchover_checks.api import Result, Status, worst
from switchover_checks.runtime.runner import Outcome

__all__ = ["join_machines"]


def join_machines(host: str, outcomes: Mapping[str, Outcome]) -> Outcome:
    """Return one outcome of those on the machines of a host."""
    if len(outcomes) == 1:
        (outcome,) = outcomes.values()
        result = outcome.result
        return replace(outcome, result=replace(result, summary=f"{host}: {result.summary}"))
    results = {machine: outcome.result for machine, outcome in outcomes.items()}
    status = worst(result.status for result in results.values())
    bad = {machine: result for machine, result in results.items() if result.status is not Status.OK}
    summary = "; ".join(f"{machine}: {result.summary}" for machine, result in bad.items())
    result = Result(
        status,
        summary or f"{len(results)} machines as expected",
        tuple(replace(f, what=f"{machine} {f.what}") for machine, r in results.items() for f in r.findings),
        evidence={f"{machine} {what}": text for machine, r in results.items() for what, text in r.evidence.items()},
        metrics=next(result for result in results.values() if result.status is status).metrics,
    )
    return Outcome(
        result,
        min(outcome.started_at for outcome in outcomes.values()),
        max(outcome.duration_s for outcome in outcomes.values()),
    )
