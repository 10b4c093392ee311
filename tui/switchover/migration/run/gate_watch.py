"""Gates: everything required is OK or let pass by a person, freshly observed, for long enough."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from switchover.clock import Clock
from switchover.migration.engine_ports import CheckEvaluator, CheckReading, Wait
from switchover.migration.facts.events import Evidence, Measurement
from switchover.migration.reports.run_view import GateLive
from switchover.migration.rules.waivers import Judged, problem_of
from switchover.plan.model import Gate, Plan
from switchover_checks.api import Status

__all__ = ["GateHoldLog", "GateObservation", "GateVerdict", "observe_gate", "watch_gate"]

_SHORTEST_WAIT_S = 0.05
_USUAL_WAIT_S = 15.0
_SHORTEST_NOTE_S = 10.0  # how often what is counted of a hold is written down, at most
_LONGEST_NOTE_S = 300.0


@dataclass(frozen=True, slots=True)
class GateObservation:
    """One round of some checks: the observations, and which of them are not OK."""

    evidence: tuple[Evidence, ...]
    readings: Mapping[str, CheckReading]

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not OK, in words."""
        return tuple(text for e in self.evidence if (text := problem_of(e)))


@dataclass(frozen=True, slots=True)
class GateVerdict:
    """How a gate came out. `undecided`: nothing failed, but a person has to say whether these checks may pass."""

    passed: bool
    reason: str
    evidence: tuple[Evidence, ...]
    held_s: float = 0.0
    measurements: tuple[Measurement, ...] = ()
    undecided: tuple[str, ...] = ()


class GateHoldLog(Protocol):
    """What is written down of a gate while it is watched, and what a person has let pass at it."""

    @property
    def counted_s(self) -> float:
        """How much of the hold is counted already, from an earlier watch."""

    @property
    def goes_on(self) -> bool:
        """Whether it was green when an earlier watch ended, so that this one goes on from there."""

    async def judge(self, seen: GateObservation) -> Judged:
        """Return what of a look stands in the way."""

    def open_for(self) -> float:
        """Return the seconds since the gate was opened."""

    def since_last_green(self) -> float | None:
        """Return the seconds since the last green round on record; None where that is unknown."""

    async def green(self) -> None:
        """Take notice that the hold begins to count."""

    async def counted(self, held_s: float) -> None:
        """Take notice of what is counted by now."""

    async def broken(self, reason: str, held_s: float, seen: GateObservation) -> None:
        """Take notice that the hold is broken."""

    async def waits(self, reason: str, left_s: float, seen: GateObservation) -> None:
        """Take notice of what the gate waits for, and for how long it does so yet."""


async def observe_gate(
    evaluator: CheckEvaluator, names: Sequence[str], clock: Clock, clean: Callable[[str], str]
) -> GateObservation:
    """Look at the checks now. Only OK counts: no reading, an old one, a warning or a skipped check is a problem."""
    if not names:
        return GateObservation((), {})
    asked_at = clock.now()
    readings = await evaluator.evaluate(names)
    evidence: list[Evidence] = []
    for name in names:
        reading = readings.get(name)
        if reading is None:
            evidence.append(Evidence(name, Status.UNKNOWN.label, "was not looked at", asked_at))
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
    return GateObservation(tuple(evidence), readings)


async def watch_gate(
    plan: Plan,
    phase: str,
    gate: Gate,
    *,
    look_at: Callable[[Sequence[str]], Awaitable[GateObservation]],
    prove: Callable[[], Awaitable[tuple[Measurement, ...]]],
    hold_log: GateHoldLog,
    clock: Clock,
    wait: Wait,
    publish: Callable[[GateLive], None],
) -> GateVerdict:
    """Watch until everything was green for long enough, or until the gate has waited long enough.

    `within` is the whole wait, from the gate's opening. After it, a look that is not green shuts the gate. So does
    one that nobody has answered. A hold that goes on then is let go on to its end; a broken one begins anew. Without
    `within`, what is not green at first shuts the gate. A broken hold may begin anew for as long as a hold lasts. A
    promise that is missed breaks no hold: it is measured again.

    Only time between two green looks counts, and only where the second came while the first was still fresh. What
    nobody watched was not green. Times are monotonic, so no change of the clock shortens them.
    """
    every, wanted, fresh = _interval(plan, gate), gate.hold, _fresh(plan, gate)
    hold = _Hold(hold_log, wanted, fresh)
    opened = clock.monotonic() - hold_log.open_for()
    was_green = hold_log.goes_on
    publish(GateLive(phase, reason=f"looks at {', '.join((*gate.require, *gate.prove))}"))
    while True:
        patience = None if hold.goes_on else _patience(gate, clock.monotonic() - opened)
        seen = await _seen(look_at, gate.require, patience, clock)
        judged = await hold_log.judge(seen)
        now = clock.monotonic()
        problems = judged.problems
        measurements: tuple[Measurement, ...] = ()
        is_missed = False
        if problems:
            await hold.red("; ".join(problems), seen)
        else:
            was_green = True
            held = await hold.green(now)
            if held < wanted:
                since = clock.now() - (now - hold.since)
                publish(GateLive(phase, "holding", judged.requirements, now - held, since, reason="holds green"))
                longest = min(every, wanted - held, fresh / 2)
                await wait(max(_SHORTEST_WAIT_S, longest))
                continue
            is_missed = bool(gate.prove)
            measurements, problems = await _proved(prove, gate.prove, patience)
            if not problems:
                return GateVerdict(True, "", seen.evidence, held, measurements)
        reason = "; ".join(problems)
        left = _allowed(gate, was_green=was_green, missed=is_missed) - (clock.monotonic() - opened)
        if left <= 0:
            undecided = judged.undecided if judged.problems else ()
            return GateVerdict(False, reason, seen.evidence, 0.0, measurements, undecided)
        await hold_log.waits(reason, left, seen)
        publish(GateLive(phase, "waiting", judged.requirements, deadline_at=clock.now() + left, reason=reason))
        await wait(max(_SHORTEST_WAIT_S, min(every, left)))


def _allowed(gate: Gate, *, was_green: bool, missed: bool) -> float:
    """Return how long, from its opening, a gate may not be green without being shut."""
    if gate.within is not None:
        return gate.within
    return gate.hold if was_green and not missed else 0.0


def _patience(gate: Gate, open_for_s: float) -> float | None:
    """Return how long a look may take before it counts as unanswered. The last one has a round's time of its own."""
    if gate.within is None:
        return None
    return max(gate.within - open_for_s, min(gate.every or _USUAL_WAIT_S, gate.within))


async def _seen(
    look_at: Callable[[Sequence[str]], Awaitable[GateObservation]],
    names: Sequence[str],
    patience: float | None,
    clock: Clock,
) -> GateObservation:
    try:
        async with asyncio.timeout(patience):  # `wait_for` loses a cancellation that comes with the answer
            return await look_at(names)
    except TimeoutError:
        said, at = "had not answered when the gate's time was over", clock.now()
        return GateObservation(tuple(Evidence(name, Status.UNKNOWN.label, said, at) for name in names), {})


async def _proved(
    prove: Callable[[], Awaitable[tuple[Measurement, ...]]], names: Sequence[str], patience: float | None
) -> tuple[tuple[Measurement, ...], tuple[str, ...]]:
    """Return what was measured, and what of it stands in the way."""
    if not names:
        return (), ()
    try:
        async with asyncio.timeout(patience):
            measurements = await prove()
    except TimeoutError:
        return (), tuple(f"{name} could not be measured in time" for name in names)
    return measurements, tuple(_missed(m) for m in measurements if m.state != "met" and not m.let_pass)


class _Hold:
    """Counts how long a gate was green, and has it written down."""

    def __init__(self, hold_log: GateHoldLog, wanted_s: float, fresh_s: float) -> None:
        self.held = hold_log.counted_s
        self.since = 0.0  # monotonic, when this watch saw it green first
        self._hold_log = hold_log
        self._wanted = wanted_s
        self._fresh = fresh_s
        self._last: float | None = None
        self._resumed = hold_log.goes_on
        self._told = self.held

    @property
    def goes_on(self) -> bool:
        """Whether it counts and is not through, so that a look may take the time that its checks have."""
        return (self._last is not None or self._resumed) and self.held < self._wanted

    async def green(self, now: float) -> float:
        """Take in a green look; return how much is counted now."""
        if self._last is None:
            self.since = now
            if self._resumed:
                gap = self._hold_log.since_last_green()
                self.held += gap if gap is not None and gap <= self._fresh else 0.0
                await self._hold_log.counted(self.held)
            elif self._wanted:
                await self._hold_log.green()
        elif now - self._last <= self._fresh:
            self.held += now - self._last
        self._last = now
        if self.held - self._told >= min(max(self._wanted / 200, _SHORTEST_NOTE_S), _LONGEST_NOTE_S):
            self._told = self.held
            await self._hold_log.counted(self.held)
        return self.held

    async def red(self, reason: str, seen: GateObservation) -> None:
        """Take in that it is not green (any more)."""
        if self._last is not None or self._resumed:
            if self._wanted:
                await self._hold_log.broken(reason, self.held, seen)
            self.held, self._last, self._told, self._resumed = 0.0, None, 0.0, False


def _missed(measurement: Measurement) -> str:
    if measurement.state == "unknown":
        sides = {"before": measurement.before, "after": measurement.after}
        lacking = " and ".join(side for side, value in sides.items() if value is None) or "target"
        return f"{measurement.promise} could not be measured ({lacking})"
    before = f"before {measurement.before:g} and " if measurement.before is not None else ""
    return f"{measurement.promise} is missed: {measurement.target}, with {before}after {measurement.after:g}"


def _interval(plan: Plan, gate: Gate) -> float:
    every = gate.every
    if every is None and gate.within is None:
        specs = [plan.checks[name] for name in gate.require if name in plan.checks]
        every = min((spec.every_s for spec in specs if not spec.on_demand), default=None)
    every = every or _USUAL_WAIT_S
    return min(every, gate.hold / 3) if gate.hold else every


def _fresh(plan: Plan, gate: Gate) -> float:
    """Return how long a round stays true: as long as its shortest-lived check."""
    specs = [plan.checks[name] for name in gate.require if name in plan.checks]
    asked = _interval(plan, gate)  # by the gate itself, where nobody else looks
    seconds = ((asked if spec.on_demand else spec.every_s, spec.timeout_s) for spec in specs)
    return min((2 * every + timeout for every, timeout in seconds), default=float("inf"))
