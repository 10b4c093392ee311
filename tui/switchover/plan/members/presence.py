"""From when to when a thing of the plan is watched. Where it does not say so, the run's first need of it counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from switchover.plan.members.member_names import base_name
from switchover.plan.model import Alert, CheckSpec, MetricSpec, Phase, Plan, Service
from switchover.plan.step_model import Step

__all__ = ["ALWAYS", "FROM_THE_BEGINNING", "Presence", "WatchPoint", "presences", "step_uses"]

FROM_THE_BEGINNING = "run"


@dataclass(frozen=True, slots=True)
class WatchPoint:
    """A moment of the run.

    `at` says what counts: start and end of a phase or step, a step's turn, a gate's turn.
    """

    at: Literal["phase", "step", "turn", "gate"]
    phase: str
    step: str = ""

    @property
    def name(self) -> str:
        """The phase or step as a plan names it."""
        return f"{self.phase}.{self.step}" if self.step else self.phase


@dataclass(frozen=True, slots=True)
class Presence:
    """When a thing is watched. Without `since` it is from the beginning, without `until` to the end."""

    since: WatchPoint | None = None
    until: WatchPoint | None = None

    @property
    def as_written(self) -> Presence:
        """What the plan says itself, without what follows from its steps and gates."""
        follows = self.since is not None and self.since.at in ("turn", "gate")
        return replace(self, since=None) if follows else self


ALWAYS = Presence()


def presences(
    plan: Plan, parts: Mapping[str, CheckSpec] | Mapping[str, Service] | Mapping[str, MetricSpec] | Mapping[str, Alert]
) -> Mapping[str, Presence]:
    """Return when each of a plan's checks, services or metrics is watched, by its name."""
    first = _first_uses(plan)
    return {
        name: Presence(_since(part, first.get(name)), _named(part.until) if part.until else None)
        for name, part in parts.items()
    }


def step_uses(step: Step) -> Iterator[str]:
    """Yield what a step asks for: to be ready, confirmed, ticked, or decided."""
    yield from step.ready
    yield from step.verify
    if step.confirm is not None:
        yield from step.confirm.require
    for item in step.checklist:
        if item.check is not None:
            yield item.check


def _since(part: CheckSpec | Service | MetricSpec | Alert, used: WatchPoint | None) -> WatchPoint | None:
    if part.since is None:
        return used
    return None if part.since == FROM_THE_BEGINNING else _named(part.since)


def _named(text: str) -> WatchPoint:
    phase, _, step = text.partition(".")
    return WatchPoint("step" if step else "phase", phase, step)


def _first_uses(plan: Plan) -> Mapping[str, WatchPoint]:
    """Return the first step that names each thing, else the first gate that requires it."""
    steps: dict[str, WatchPoint] = {}
    gates: dict[str, WatchPoint] = {}
    for phase in plan.phases:
        for step in phase.steps:
            _note(steps, step_uses(step), WatchPoint("turn", phase.id, step.id))
        _note(gates, _required(phase), WatchPoint("gate", phase.id))
    return {**gates, **steps}


def _required(phase: Phase) -> Iterator[str]:
    yield from phase.gate.require if phase.gate is not None else ()


def _note(found: dict[str, WatchPoint], names: Iterator[str], point: WatchPoint) -> None:
    for name in names:
        found.setdefault(name, point)
        found.setdefault(base_name(name), point)
