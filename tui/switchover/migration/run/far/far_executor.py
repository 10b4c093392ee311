"""What the executor asks of other machines: prepare there, carry out, follow, stop, clear away."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from switchover.errors import StateError
from switchover.hosts.host_line import LineError, RefusedByHostError
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_state import Attempt, RunState
from switchover.migration.run.execution_unit import ExecutionUnit
from switchover.migration.run.far.far_work import FarAttempt, FarWork, far_questions
from switchover.migration.steps.attempt import AttemptEnded, AttemptFolder, Truth

if TYPE_CHECKING:
    from switchover.migration.run.run_store import RunStore
    from switchover.migration.steps.spawn import ShimRequest

__all__ = ["FarExecutor", "folder_of"]

_KEPT_BYTES = 4 << 20
_ANSWER_S = 20.0
_LATE_ANSWER_S = 5.0
_ASK_AGAIN_S = 60.0


def folder_of(run_store: RunStore, name: str, number: int, run: RunState | None = None) -> AttemptFolder:
    """Return the place here of an attempt's records and output, and what they have to name to be believed.

    Without `run` it is one of the newest run.
    """
    state = run if run is not None else run_store.state
    place = AttemptFolder.of(run_store.workspace.run_directory(state.run_id), name, number)
    begun = next((a for a in state.unit(name).attempts if a.number == number), None)
    if begun is None or not run_store.is_here(begun):
        return place
    return replace(place, journal=run_store.journal_id, started=begun.record, prepared=begun.prepared)


class FarExecutor:
    """Carries out one unit on another machine at a time."""

    def __init__(self, run_store: RunStore) -> None:
        self._store = run_store
        self._work: FarWork | None = None
        self._asked = -_ASK_AGAIN_S

    @property
    def no_line(self) -> str:
        """Why the machine on which a unit goes on cannot be asked just now; empty while it can."""
        return self._work.broken if self._work is not None else ""

    async def prepare(self, unit: ExecutionUnit, ssh: str, folder: AttemptFolder) -> ev.FarPlace:
        """Set the folders of an attempt aside, here and there. Raise `StateError`."""
        return await FarWork(self._store).prepare(unit.machine or unit.run_on, ssh, unit.name, folder)

    async def carry_out(self, name: str, number: int, request: ShimRequest, stopped: str) -> Truth:
        """Let an attempt begin that was announced, and follow it to its end."""
        attempt = self._attempt(name, number)
        return await self._with_work(lambda work: work.carry_out(attempt, request), stopped)

    async def follow(self, name: str, number: int) -> Truth:
        """Find out about an attempt, and wait for its end where it goes on."""
        attempt = self._attempt(name, number)
        return await self._with_work(lambda work: work.follow(attempt))

    def stop(self) -> None:
        """Have it ended there."""
        if self._work is not None:
            self._work.stop()

    def is_there(self, name: str, number: int) -> bool:
        """Whether an attempt ran on other machines, and nothing of it here."""
        begun = next((a for a in self._store.state.unit(name).attempts if a.number == number), None)
        return begun is not None and (begun.far is not None or bool(begun.members))

    async def ask_alive(self, name: str, number: int, *, end: bool = False) -> tuple[str, ...]:
        """Return what still runs of an attempt, or of its parts, on other machines; with `end`, kill it first.

        Raise `LineError` where that cannot be asked.
        """
        begun = next((a for a in self._store.state.unit(name).attempts if a.number == number), None)
        found: list[str] = []
        for part in begun.members if begun is not None else ():
            last = self._store.state.unit(part).last
            if last is not None and last.outcome in ("", "unknown"):
                found += await self.ask_alive(part, last.number, end=end)
        attempt = self.attempt(name, number)
        if attempt is None:
            return tuple(found)
        line, questions = self._store.tools.hosts.to(attempt.far.ssh), far_questions(attempt.far, attempt.folder)
        try:
            if end:
                await line.ask("abort", _ANSWER_S, **questions)
                await line.ask("kill_rest", _ANSWER_S, **questions)
            head = (await line.ask("state", _ANSWER_S, **questions)).head
        except RefusedByHostError as error:
            raise LineError(str(error)) from error
        if head.get("truth") == "running" and not head["alive_now"]:
            found.append(f"its watcher on {attempt.far.host}")
        return (*found, *(f"pid {pid} on {attempt.far.host}" for pid in head["alive_now"]))

    def clear(self, name: str, number: int) -> None:
        """Remove what lies there of an attempt whose end is on record; nothing for one that ran here."""
        attempt = self.attempt(name, number)
        if attempt is not None:
            questions = far_questions(attempt.far, attempt.folder)
            self._store.far_left.remove(attempt.folder.directory.parent, attempt.far.name, questions)

    def may_learn_late(self) -> bool:
        """Whether it is time to ask once more for ends that nobody could learn when they were due."""
        due = time.monotonic() - self._asked >= _ASK_AGAIN_S
        return due and any(attempt.may_end_late and attempt.far for _, attempt in self._attempts())

    async def learn_late(self) -> list[tuple[str, int, AttemptEnded]]:
        """Ask other machines for the ends of attempts of which only that they are unknown is on record."""
        found: list[tuple[str, int, AttemptEnded]] = []
        if not self.may_learn_late():
            return found
        self._asked = time.monotonic()
        for name, one in self._attempts():
            attempt = self.attempt(name, one.number) if one.may_end_late else None
            if attempt is None:
                continue
            questions = far_questions(attempt.far, attempt.folder)
            with suppress(LineError, RefusedByHostError):
                line = self._store.tools.hosts.to(attempt.far.ssh)
                if (await line.ask("state", _LATE_ANSWER_S, **questions)).head["truth"] == "ended":
                    truth = await self.follow(name, one.number)
                    if isinstance(truth, AttemptEnded):
                        found.append((name, one.number, truth))
        return found

    def sweep(self) -> None:
        """Remove what lies on other machines of this run and is no longer needed."""
        open_ = {
            attempt.far.name: attempt
            for _, attempt in self._attempts()
            if attempt.far is not None and (not attempt.outcome or attempt.may_end_late)
        }
        state = self._store.state
        if state.exists and not state.open_units:
            self._store.far_left.sweep(self._store.workspace.run_directory(state.run_id), open_)

    def _attempts(self) -> list[tuple[str, Attempt]]:
        return [(name, attempt) for name, unit in self._store.state.units.items() for attempt in unit.attempts]

    def attempt(self, name: str, number: int, run: RunState | None = None) -> FarAttempt | None:
        """Return an attempt that ran on another machine; None for one that ran here."""
        state = run if run is not None else self._store.state
        begun = next((a for a in state.unit(name).attempts if a.number == number), None)
        if begun is None or begun.far is None:
            return None
        step = next((step for step in self._store.plan.all_steps if step.id == name.partition("@")[0]), None)
        unit = ExecutionUnit.of_step(step) if step is not None else None
        return FarAttempt(
            run_id=state.run_id,
            unit=name,
            far=begun.far,
            folder=folder_of(self._store, name, number, run),
            timeout_s=begun.timeout_s,
            captures=unit.captures if unit is not None else {},
            kept=(unit.max_output if unit is not None else None) or _KEPT_BYTES,
        )

    def _attempt(self, name: str, number: int) -> FarAttempt:
        attempt = self.attempt(name, number)
        if attempt is None:
            raise StateError(f"{name} did not run on another machine")
        return attempt

    async def _with_work(self, begin: Callable[[FarWork], Coroutine[Any, Any, Truth]], stopped: str = "") -> Truth:
        work = self._work = FarWork(self._store)
        if stopped:
            work.stop()
        try:
            return await begin(work)
        finally:
            self._work = None
