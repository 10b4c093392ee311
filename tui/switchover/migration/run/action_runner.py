"""Who may act, and when: one action at a time, under the run lock, on a state that is whole."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from switchover.errors import JournalAwayError, LockedError, RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.reports.run_view import GateLive
from switchover.migration.rules.next_action import Action, ActionKind, next_action
from switchover.migration.run.execution import ExecutionUnit, Executor
from switchover.migration.run.gate_watch import watch_gate
from switchover.migration.run.group_runner import GroupRunner
from switchover.migration.run.hold_log import HoldLog
from switchover.migration.run.measuring import judge_the_rest, prove_promises
from switchover.migration.run.recovery import StillRunning, apply_policy, find_truth
from switchover.migration.run.run_store import RunStore
from switchover.plan.model import Phase

__all__ = ["ActionRunner"]

_NOTE_AT_MOST_S = 1.0


class ActionRunner:
    """Carries out what the engine has decided, one action at a time."""

    def __init__(self, run_store: RunStore, *, read_only: bool) -> None:
        self.run_store = run_store
        self.executor = Executor(run_store)
        self.groups = GroupRunner(run_store)
        self._beside: list[Executor] = []
        self.read_only = read_only
        self.busy = ""
        self.gate: GateLive | None = None
        self.interrupted = ""  # why a drive goes no further
        self.handed_over = False
        self.to_gate = False  # whether the next step begins by itself once this one is done
        self._idle = asyncio.Event()
        self._idle.set()
        self._gate_task: asyncio.Task[Any] | None = None
        self._gate_stopped = ""
        self._gate_left = False
        self._gate_wake = asyncio.Event()
        self._attached: asyncio.Task[None] | None = None
        self._accepting: list[asyncio.Future[None]] = []

    async def aclose(self) -> None:
        """Let go. A step that runs goes on under its shim."""
        for task in (self._gate_task, self._attached):
            if task is not None and not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task
        await self.run_store.news.aclose()
        await self.run_store.aclose()

    @property
    def action(self) -> Action:
        """What comes next."""
        return next_action(self.run_store.plan, self.run_store.state)

    @property
    def see_status(self) -> str:
        """Where a person reads how the run stands."""
        return f"see `{self.run_store.workspace.command('status')}`"

    @property
    def no_line(self) -> Mapping[str, str]:
        """Why other machines cannot be asked just now about units that go on there."""
        units = self.run_store.state.open_units
        alone = {units[0]: self.executor.there.no_line} if units and self.executor.there.no_line else {}
        return {**alone, **self.groups.no_line}

    # The right to act

    def refuse_out_of_turn(self, unit: str, *kinds: ActionKind) -> None:
        """Raise `RefusedError` unless the unit comes next, as one of these kinds of action."""
        action = self.action
        if action.unit != unit or action.kind not in kinds:
            raise RefusedError(f"it is not {unit}'s turn: {action.in_words}", self.see_status)

    def refuse_read_only(self) -> None:
        """Raise `RefusedError` where nothing may be changed."""
        if self.read_only:
            raise RefusedError("this is read-only", "start it without --read-only to act")

    @asynccontextmanager
    async def hold(self, op: Operator) -> AsyncIterator[None]:
        """Keep the run lock over several actions."""
        self.refuse_read_only()
        await self.run_store.lock.acquire(op)
        try:
            yield
        finally:
            await self.run_store.lock.release()

    @asynccontextmanager
    async def acting(self, op: Operator, what: str, *, settled: bool = True, deciding: str = "") -> AsyncIterator[None]:
        """Take the lock and what others have written; with `settled`, leave no unit without its truth.

        `deciding` is a unit that may be left without it where it runs elsewhere. A person is about to say what became
        of it.
        """
        self.refuse_read_only()
        if self.busy:
            raise RefusedError(f"{self.busy} is going on", "wait for it, or abort it")
        self.busy = what  # before anything is waited for, so that a second action is refused
        self.executor.stopped_because = ""
        self._idle.clear()
        held = False
        try:
            await self.run_store.lock.acquire(op)
            held = True
            await self.run_store.refresh(writable=True)
            self.run_store.refuse_impossible()
            if settled and self.run_store.state.open_units:
                await self._find_truth(op)
                for unit in self.run_store.state.open_units:
                    if self.run_store.elsewhere(unit) is None:
                        raise RefusedError(f"{unit} still runs", "wait for it, or abort it")
                    if unit != deciding:
                        raise self._runs_elsewhere(unit)
            yield
        finally:
            if self._attached is None:
                self._at_rest()
            if held:
                await self.run_store.lock.release()

    def _runs_elsewhere(self, unit: str) -> RefusedError:
        return RefusedError(
            f"{unit} runs on {self.run_store.elsewhere(unit)}, and only there can be told what became of it",
            "go on with `switchover run` there; if that machine is lost: "
            f"`{self.run_store.workspace.command('run')} --resolve {unit}=done|failed|retry|rollback --reason TEXT`",
        )

    @asynccontextmanager
    async def beside(self, op: Operator, what: str) -> AsyncIterator[None]:
        """Act while a gate is watched, which looks again at once afterwards; else like any other action."""
        self.refuse_read_only()
        if self._gate_task is None:
            async with self.acting(op, what):
                yield
            return
        yield
        self._gate_wake.set()

    async def note(self, op: Operator, event: ev.Event) -> None:
        """Write down a fact about who drives, whatever goes on. Before there is a run, nothing is written."""
        held = self.run_store.lock.held
        await self.run_store.lock.acquire(op)
        try:
            if not held:
                await self.run_store.refresh(writable=True)
            if self.run_store.state.exists and not (self.run_store.state.finished or self.run_store.state.impossible):
                await self.run_store.record(event)
        finally:
            await self.run_store.lock.release()

    async def idle(self) -> None:
        """Wait until no action goes on."""
        await self._idle.wait()

    def _at_rest(self) -> None:
        self.busy = ""
        self._idle.set()
        self.run_store.tools.on_change()

    # Telling that an action is under way

    async def submit(self, action: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin an action; return once it is accepted (it is journalled or runs), raise where it is refused."""
        accepted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._accepting.append(accepted)
        task = asyncio.ensure_future(action)
        try:
            await asyncio.wait({task, accepted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if accepted in self._accepting:
                self._accepting.remove(accepted)
        if task.done():
            task.result()
        return task

    def accept(self) -> None:
        """Say that the action is accepted."""
        for accepted in self._accepting:
            if not accepted.done():
                accepted.set_result(None)
        self._accepting.clear()

    # Recovery

    async def recover(self, op: Operator) -> None:
        """Find the truth about what was left open; attach to what still runs. Leave it to whoever else drives."""
        if self.read_only or self.busy:
            return
        await self.run_store.refresh()
        here = [unit for unit in self.run_store.state.open_units if self.run_store.elsewhere(unit) is None]
        late = self.executor.there.may_learn_late() or await self.executor.late_ends()
        if here or self._unended() or late:
            with suppress(LockedError):
                async with self.acting(op, "recovery", settled=False):
                    await self._find_truth(op)
                    await self.end_if_through(op)

    async def settled(self) -> None:
        """Wait for the end of a unit that was attached to."""
        if self._attached is not None:
            await asyncio.shield(self._attached)

    async def _find_truth(self, op: Operator) -> None:
        running = await find_truth(self.run_store, self.executor, self.groups, op)
        if running:
            await self.run_store.lock.acquire(op)
            self.busy = f"step {', '.join(one.unit for one in running)}"
            self._attached = asyncio.ensure_future(self._attach(running, op))

    async def _attach(self, running: Sequence[StillRunning], op: Operator) -> None:
        self._beside = [Executor(self.run_store) for _ in running[1:]]
        try:
            executors = (self.executor, *self._beside)
            await asyncio.gather(*(self._attach_one(*pair, op) for pair in zip(running, executors, strict=True)))
            await self.end_if_through(op)
        finally:
            self._attached, self._beside = None, []
            await self.run_store.lock.release()
            self._at_rest()

    async def _attach_one(self, running: StillRunning, executor: Executor, op: Operator) -> None:
        if running.group is not None:
            truth = await running.group
        else:
            truth = await executor.attach(running.unit, running.attempt, running.pidfd, running.following)
        await apply_policy(self.run_store, running.unit, truth, op)

    # Steps and gates

    async def execute(
        self, unit: ExecutionUnit, op: Operator, confirmed: str, evidence: tuple[ev.Evidence, ...]
    ) -> None:
        """Run a unit to its end."""

        def accepted(record: ev.Record) -> None:
            if isinstance(record.event, ev.StepStarted):
                self.accept()

        self.run_store.listeners.append(accepted)
        try:
            if self.groups.machines(unit):
                number = self.executor.unused_number(unit.name)
                self.executor.attempt(unit.name, number).make()
                truth = await self.groups.run(unit, op, number, confirmed=confirmed, evidence=evidence)
            else:
                truth = await self.executor.run(unit, op, confirmed=confirmed, evidence=evidence)
        finally:
            self.run_store.listeners.remove(accepted)
        await apply_policy(self.run_store, unit.name, truth, op)
        await self.end_if_through(op)

    async def execute_beside(self, units: Sequence[ExecutionUnit], op: Operator) -> None:
        """Run units side by side, each under a watcher of its own, until all have ended.

        One that cannot be begun, or ends badly, lets the others end. What it raised is raised then.
        """
        self._beside = [Executor(self.run_store) for _ in units]
        self.accept()
        try:
            ended = await asyncio.gather(
                *(one.run(unit, op) for one, unit in zip(self._beside, units, strict=True)), return_exceptions=True
            )
        finally:
            self._beside = []
        for unit, truth in zip(units, ended, strict=True):
            if not isinstance(truth, BaseException):
                await apply_policy(self.run_store, unit.name, truth, op)
        for truth in ended:
            if isinstance(truth, BaseException):
                raise truth

    async def watch_gate(self, phase: Phase, op: Operator) -> bool:
        """Watch a gate until it opens, fails, is stopped, or waits for a person. Return whether it is open."""
        run_store, gate = self.run_store, phase.gate
        if gate is None:
            raise RefusedError(f"phase {phase.id} has no gate")
        if not (gate.require or gate.prove or gate.human):
            await run_store.record(ev.GateFailed(phase.id, "the gate requires nothing, so it proves nothing"))
            return False

        def is_owed(state: RunState) -> bool:
            return state.gate(phase.id).stage is Stage.RUNNING

        self._gate_stopped, self._gate_left = "", False
        self._gate_task = asyncio.ensure_future(
            watch_gate(
                run_store.plan,
                phase.id,
                gate,
                look_at=run_store.look,
                prove=lambda: prove_promises(run_store, gate.prove, f"gate:{phase.id}"),
                hold_log=HoldLog(run_store, phase.id, gate),
                clock=run_store.tools.clock,
                wait=self.pause,
                publish=self._publish_gate,
            )
        )
        try:
            verdict = await self._gate_task
        except asyncio.CancelledError:
            if self._gate_left:
                return False  # nothing is recorded: whoever drives next watches it on
            if not self._gate_stopped:
                raise  # it is we who are cancelled
            await run_store.record_when_back(ev.GateFailed(phase.id, self._gate_stopped), is_owed)
            return False
        finally:
            self._gate_task.cancel()
            self._gate_task = None
            self.gate = None
        event: ev.Event = ev.GatePassed(phase.id, verdict.evidence, verdict.held_s, verdict.measurements)
        if verdict.undecided:
            event = ev.GateUndecided(phase.id, verdict.reason, verdict.undecided, verdict.evidence)
        elif not verdict.passed:
            event = ev.GateFailed(phase.id, verdict.reason, verdict.evidence, verdict.measurements)
        elif gate.human:
            event = ev.GateWaitsForHuman(phase.id, verdict.evidence, verdict.held_s)
        await run_store.record_when_back(event, is_owed)
        await self.end_if_through(op)
        return run_store.state.gate(phase.id).stage is Stage.DONE

    async def pause(self, seconds: float) -> None:
        """Wait, but no longer than until a person has let something pass, or stopped what goes on."""
        self._gate_wake.clear()
        pause = asyncio.ensure_future(self.run_store.tools.wait(seconds))
        woken = asyncio.ensure_future(self._gate_wake.wait())
        try:
            await asyncio.wait({pause, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (pause, woken):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def leave(self, why: str) -> None:
        """Begin nothing more; let a gate be watched by others. A step that runs is not disturbed."""
        self.interrupted, self.handed_over = why, True
        if self._gate_task is not None:
            self._gate_left = True
            self._gate_task.cancel()

    async def stop(self, op: Operator, reason: str) -> None:
        """Stop the step or gate that goes on."""
        running = self.run_store.state.open_units
        reason = self.run_store.clean(reason)
        said = f"stopped by {op.who}" + (f": {reason}" if reason else "")
        if self.run_store.outage.waiting:
            self.run_store.outage.give_up()  # it has ended; only the journal is waited for
            return
        noting = asyncio.ensure_future(
            self.run_store.record(ev.AbortRequested(running[0] if running else self.busy, reason, op))
        )
        await asyncio.wait({noting}, timeout=_NOTE_AT_MOST_S)  # a stop stays possible while the journal is away
        if self._gate_task is not None:
            self._gate_stopped = said
            self._gate_task.cancel()
        else:
            self.executor.stop(said)
            for executor in self._beside:
                executor.stop(said)
            self.groups.stop(said)
            self._gate_wake.set()
        with suppress(JournalAwayError):  # the end that it leads to says who stopped it
            await noting

    async def end_if_through(self, op: Operator) -> None:
        """Close the run once nothing is left to do."""
        if self._unended():
            await judge_the_rest(self.run_store)
            await self.run_store.record(ev.RunEnded("done", op))
            self.executor.there.sweep()

    def _unended(self) -> bool:
        """Whether all is done but the run's end is not on record."""
        state = self.run_store.state
        through = next_action(self.run_store.plan, state).kind == "done"
        return through and state.exists and not state.finished and state.rollback is None

    def _publish_gate(self, gate: GateLive) -> None:
        self.gate = gate
        self.run_store.tools.on_change()
