"""Gates: everything required OK, freshly seen, for as long as the gate is to be held."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from switchover.clock import Clock
from switchover.migration.api import CheckEvaluator, CheckReading, Wait
from switchover.migration.events import Evidence, Measurement
from switchover.migration.view import GateLive
from switchover.plan.model import Gate, Plan
from switchover.snapshot import Requirement
from switchover_checks.api import Status

__all__ = ["GateVerdict", "Look", "look", "watch_gate"]

_SHORTEST_WAIT_S = 0.05


@dataclass(frozen=True, slots=True)
class Look:
    """One look at some checks: what was seen, and what of it is not OK."""

    evidence: tuple[Evidence, ...]
    problems: tuple[str, ...]
    readings: Mapping[str, CheckReading]

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The same for the screen."""
        return tuple(Requirement(e.check, e.status, e.summary) for e in self.evidence)


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """How a gate came out."""

    passed: bool
    reason: str
    evidence: tuple[Evidence, ...]
    held_s: float = 0.0
    measurements: tuple[Measurement, ...] = ()


async def look(evaluator: CheckEvaluator, names: Sequence[str], clock: Clock, clean: Callable[[str], str]) -> Look:
    """Look at the checks now. Only OK counts: no reading, an old one, a warning or a skipped check is a problem."""
    if not names:
        return Look((), (), {})
    asked_at = clock.now()
    readings = await evaluator.evaluate(names)
    evidence: list[Evidence] = []
    problems: list[str] = []
    for name in names:
        reading = readings.get(name)
        if reading is None:
            evidence.append(Evidence(name, Status.UNKNOWN.label, "was not looked at", asked_at))
            problems.append(f"{name} was not looked at")
            continue
        status, summary = reading.status, clean(reading.result.summary)
        if status is Status.OK and reading.result.status is not Status.OK:
            status = reading.result.status
        if status is Status.OK and reading.observed_at < asked_at - 1.0:
            status, summary = Status.UNKNOWN, "was not looked at anew"
        findings = tuple(
            (f.what, clean(f.expected), clean(f.observed), f.status.label) for f in reading.result.findings
        )
        evidence.append(Evidence(name, status.label, summary, reading.observed_at, findings))
        if status is Status.WARN:
            problems.append(f"{name} warns: {summary}; a warning has to be mended before the gate opens")
        elif status is not Status.OK:
            problems.append(f"{name} is {status.label}: {summary}")
    return Look(tuple(evidence), tuple(problems), readings)


async def watch_gate(
    plan: Plan,
    phase: str,
    gate: Gate,
    *,
    look_at: Callable[[Sequence[str]], Awaitable[Look]],
    prove: Callable[[], Awaitable[tuple[Measurement, ...]]],
    clock: Clock,
    wait: Wait,
    publish: Callable[[GateLive], None],
) -> GateVerdict:
    """Watch until everything was green for `hold`, or red for longer than the gate allows.

    A broken hold starts anew. Times are monotonic, so no change of the clock shortens them.
    """
    every = _interval(plan, gate)
    green_since: float | None = None
    red_since: float | None = None
    was_green = False
    publish(GateLive(phase, reason="looks"))
    while True:
        seen = await look_at(gate.require)
        now = clock.monotonic()
        problems = seen.problems
        measurements: tuple[Measurement, ...] = ()
        if not problems:
            green_since = now if green_since is None else green_since
            held = now - green_since
            was_green, red_since = True, None
            if held >= gate.hold:
                measurements = await prove() if gate.prove else ()
                problems = tuple(_missed(m) for m in measurements if m.state != "met")
                if not problems:
                    return GateVerdict(True, "", seen.evidence, held, measurements)
            else:
                publish(
                    GateLive(phase, "holding", seen.requirements, green_since, clock.now() - held, reason="holds green")
                )
                await wait(max(_SHORTEST_WAIT_S, min(every, gate.hold - held)))
                continue
        green_since = None
        red_since = now if red_since is None else red_since
        allowed = gate.retry.for_ if gate.retry else gate.hold if was_green and not measurements else 0.0
        left = allowed - (clock.monotonic() - red_since)
        reason = "; ".join(problems)
        if left <= 0:
            return GateVerdict(False, reason, seen.evidence, 0.0, measurements)
        publish(GateLive(phase, "waiting", seen.requirements, deadline_at=clock.now() + left, reason=reason))
        await wait(max(_SHORTEST_WAIT_S, min(every, left)))


def _missed(measurement: Measurement) -> str:
    if measurement.state == "unknown":
        sides = {"before": measurement.before, "after": measurement.after}
        lacking = " and ".join(side for side, value in sides.items() if value is None) or "target"
        return f"{measurement.objective} could not be measured ({lacking})"
    return (
        f"{measurement.objective} is missed: {measurement.target}, "
        f"with before {measurement.before:g} and after {measurement.after:g}"
    )


def _interval(plan: Plan, gate: Gate) -> float:
    if gate.retry is not None:
        every = gate.retry.every
    else:
        every = min((plan.checks[name].every for name in gate.require if name in plan.checks), default=15.0)
    return min(every, gate.hold / 3) if gate.hold else every
