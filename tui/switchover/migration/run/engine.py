"""The engine: every action that a person or a script can take on a run, with all its refusals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.run.action_runner import ActionRunner
from switchover.migration.run.actions import appointment
from switchover.migration.run.actions.confirming import confirm_step
from switchover.migration.run.actions.decisions import acknowledge, waive
from switchover.migration.run.actions.gate_actions import answer_gate, check_gate, second_go
from switchover.migration.run.actions.pruning import prune_outputs
from switchover.migration.run.actions.starting import give_variables, start_run
from switchover.migration.run.actions.step_actions import choice_named, resolve_step, retry_step, run_step
from switchover.migration.run.actions.stopping import abort, take_rollback_path
from switchover.migration.run.actions.ticking import tick_item
from switchover.migration.run.actions.to_gate import run_to_gate, stop_after_step
from switchover.migration.run.observed_run import ObservedRun
from switchover.migration.run.plan_rebase import adopt, examine_difference
from switchover.migration.run.rehearsal import rehearse
from switchover.migration.run.rollback_runner import open_rollback_path, unit_of
from switchover.migration.run.run_store import RunStore
from switchover.migration.run.store.tools import Tools
from switchover.migration.run.unattended import DriveOutcome, GivenEvidence, drive

if TYPE_CHECKING:
    from switchover.clock import Clock
    from switchover.locations import Workspace
    from switchover.migration.engine_ports import CheckEvaluator, Secrets
    from switchover.migration.rules.rollback_paths import RollbackPath
    from switchover.plan.loader.load import LoadedPlan
    from switchover.snapshot import PlanDifference, Rehearsal

__all__ = ["Engine"]


class Engine(ObservedRun):
    """Drives the newest run of a workspace. One action at a time; `abort` and `rollback` may break in at any moment.

    Every action takes the run lock, takes in what others have written, and refuses (`RefusedError`, `LockedError`)
    before anything has happened. All of it is journalled.
    """

    def __init__(self, run_store: RunStore, *, read_only: bool = False) -> None:
        super().__init__(run_store, ActionRunner(run_store, read_only=read_only))
        self._stopping: asyncio.Task[None] | None = None

    @classmethod
    def open(
        cls,
        loaded: LoadedPlan,
        workspace: Workspace,
        evaluator: CheckEvaluator,
        clock: Clock,
        *,
        read_only: bool = False,
        secrets: Secrets,
        on_change: Callable[[], None] | None = None,
        on_plan: Callable[[LoadedPlan], None] | None = None,
        tools: Tools | None = None,
        even_refused: bool = False,
    ) -> Self:
        """Open the engine on what is there. Changes nothing; `recover` finds out about what was left open.

        With `even_refused` also on a journal that cannot be used: then it tells why, and refuses all that acts.
        """
        tools = tools or Tools(clock, evaluator, secrets)
        if on_change is not None:
            tools = replace(tools, on_change=on_change)
        if on_plan is not None:
            tools = replace(tools, on_plan=on_plan)
        run_store = RunStore(loaded, workspace, tools, notes=not read_only)
        run_store.open(even_refused=even_refused)
        return cls(run_store, read_only=read_only)

    async def aclose(self) -> None:
        """Let go of everything. A step that runs goes on under its shim."""
        await self._runner.aclose()

    # Carrying on

    def listen(self, listener: Callable[[ev.Record], None]) -> None:
        """Call `listener` with each record that this engine writes, once it is durable."""
        self.run_store.listeners.append(listener)

    async def refresh(self) -> bool:
        """Take in what another process has journalled; return whether there was anything."""
        moved = await (self.run_store.keep_line() if self.busy else self.run_store.refresh())
        return self.run_store.look_elsewhere() or moved

    async def news(self) -> bool:
        """Wait until a `refresh` is worth it. A file is read now and then; a database emits events, which is True."""
        return await self.run_store.news.wait()

    async def until_journal_is_back(self) -> None:
        """Wait until a shared journal that was away answers, is ours, and has been read."""
        await self.run_store.until_back()

    async def submit(self, action: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin an action; return once it is accepted (it is journalled or runs), raise where it is refused."""
        return await self._runner.submit(action)

    def hold(self, op: Operator) -> AbstractAsyncContextManager[None]:
        """Keep the run lock over several actions."""
        return self._runner.hold(op)

    async def recover(self, op: Operator | None = None) -> None:
        """Find the truth about what was left open; attach to what still runs. Leave it to whoever else drives."""
        await self._runner.recover(op or Operator.current())

    def interrupt(self, op: Operator, reason: str) -> None:
        """Stop what goes on, and let a drive begin nothing more."""
        self._runner.interrupted = reason
        if self.busy:
            self._stopping = asyncio.ensure_future(self._runner.stop(op, reason))
        else:
            self.run_store.outage.give_up()

    async def settled(self) -> None:
        """Wait for the end of a unit that was attached to."""
        await self._runner.settled()

    async def drive(
        self,
        op: Operator,
        *,
        until: str | None = None,
        confirmations: Mapping[str, str] | None = None,
        ticks: Mapping[str, str | GivenEvidence] | None = None,
        variables: Mapping[str, str] | None = None,
        retry: tuple[str, ...] = (),
        new: bool = False,
    ) -> DriveOutcome:
        """Do all that needs no person, as far as it goes; say where it stopped and why."""
        return await drive(
            self,
            op,
            until=until,
            confirmations=confirmations or {},
            ticks=ticks or {},
            variables=variables or {},
            retry=retry,
            new=new,
        )

    # Actions

    async def start(self, op: Operator, variables: Mapping[str, str] | None = None, new: bool = False) -> None:
        """Begin a run: freeze the file as it is now and the variables, measure what the promises compare with.

        Raise `PlanError` for a file that has been edited since and has errors.
        """
        async with self._runner.acting(op, "start"):
            await start_run(self._runner, op, variables or {}, new=new)

    async def give(self, op: Operator, variables: Mapping[str, str]) -> None:
        """Give values to variables that are still open; one that is known already cannot change any more."""
        async with self._runner.acting(op, "variables"):
            await give_variables(self._runner, op, variables)

    async def difference(self) -> PlanDifference:
        """Compare the plan's file, as it is now, with the plan in force."""
        await self.run_store.refresh()
        return await examine_difference(self.run_store)

    async def rebase(
        self, op: Operator, variables: Mapping[str, str] | None = None, reason: str = "", digest: str = ""
    ) -> tuple[str, ...]:
        """Let the open run go by the plan as its file has it now; return what changed. What has begun stays as it is.

        `digest` is that of the text that was read. Without an open run, the next one begins with that plan.
        """
        async with self._runner.acting(op, "rebase"):
            return await adopt(self.run_store, op, variables or {}, reason, digest)

    async def run_next(self, op: Operator, confirmation: str | None = None) -> None:
        """Do the next thing that needs no person: a step or a gate. With the right text, also a confirmed step."""
        await self.recover(op)
        action = self.action
        match action.kind:
            case "step" | "confirm":
                await self.run_step(action.unit, op, confirmation)
            case "gate" | "decide":
                await self.check_gate(action.phase, op)
            case "rollback":
                await self.rollback(self.state.rollback.name if self.state.rollback else None, op)
            case _:
                raise RefusedError(action.in_words, self._runner.see_status)

    async def run_to_gate(self, op: Operator) -> None:
        """Run one step after the other, up to the next gate or question. `abort` stops it at any moment."""
        await self.recover(op)
        await run_to_gate(self._runner, op)

    def stop_after_step(self) -> None:
        """Let `run_to_gate` begin no other step; what runs goes on to its end."""
        stop_after_step(self._runner)

    async def run_step(self, step_id: str, op: Operator, confirmation: str | None = None) -> None:
        """Run a step, if it is its turn, to its end. Its outcome is in `state`."""
        async with self._runner.acting(op, f"step {step_id}"):
            await run_step(self._runner, step_id, op, confirmation)

    async def check_gate(self, phase: str, op: Operator) -> bool:
        """Watch a gate until it opens, fails, or waits for a person. Return whether it is open."""
        async with self._runner.acting(op, f"gate {phase}"):
            return await check_gate(self._runner, phase, op)

    async def watch_on(self) -> bool:
        """Watch the gate that nobody watches any more, in the name of who opened it."""
        phase = self.unwatched_gate
        return bool(phase) and await self.check_gate(phase, self.state.gate(phase).by or Operator.current())

    async def acknowledge(self, check: str, op: Operator, reason: str) -> None:
        """Let a warning pass where the run stands (its gate, or the step that waits to be confirmed)."""
        async with self._runner.beside(op, f"acknowledge {check}"):
            await acknowledge(self.run_store, self.action, check, op, reason)

    async def waive(self, check: str, op: Operator, reason: str, for_s: float) -> None:
        """Let a check pass where the run stands, whatever it says, for a while."""
        async with self._runner.beside(op, f"waive {check}"):
            await waive(self.run_store, self.action, check, op, reason, for_s)

    async def confirm(self, name: str, op: Operator, text: str) -> None:
        """Give one person's word for a step or a gate that needs two. It goes on once the driver does so as well."""
        async with self._runner.acting(op, f"confirm {name}"):
            if any(phase.id == name for phase in self.loaded.plan.phases) and self.action.unit != name:
                await second_go(self._runner, name, op, text)
            else:
                await confirm_step(self._runner, name, op, text)

    async def put_off(
        self, op: Operator, at: float, expires: float, until: str, variables: Mapping[str, str], *, new: bool
    ) -> None:
        """Let the run begin, or go on, by itself at a later time: an agent does so. Times are epoch seconds."""
        self._runner.refuse_read_only()
        appointment.make(self, appointment.Appointment(at, expires, op, until, dict(variables), new))

    async def cancel_appointment(self) -> str:
        """Take back what was put off; return what it was."""
        self._runner.refuse_read_only()
        return appointment.cancel(self)

    @property
    def appointment_due(self) -> bool:
        """Whether what was put off is to be done now."""
        return not self._runner.read_only and appointment.is_due(self)

    async def keep_appointment(self) -> None:
        """Do what was put off until now."""
        await appointment.keep(self)

    async def note(self, op: Operator, event: ev.Event) -> None:
        """Write down a fact about who drives, whatever goes on."""
        self._runner.refuse_read_only()
        await self._runner.note(op, event)

    def hand_over(self, why: str) -> None:
        """Let a drive begin nothing more, so that another may; what runs goes on to its end."""
        self._runner.leave(why)

    async def answer_gate(self, phase: str, op: Operator, yes: bool, note: str = "") -> bool:
        """Say go or no-go. Go judges the gate once more, at this moment."""
        async with self._runner.acting(op, f"gate {phase}"):
            return await answer_gate(self._runner, phase, op, note, yes=yes)

    async def tick(self, step_id: str, item: int, op: Operator, evidence: str = "", file: Path | None = None) -> None:
        """Mark one item of a checklist as done (items count from 0). A copy of `file` is kept."""
        async with self._runner.acting(op, f"step {step_id}"):
            await tick_item(self._runner, step_id, item, op, evidence, file)

    async def resolve(self, step_id: str, choice: str, reason: str, op: Operator) -> None:
        """Decide what an unknown outcome counts as: done, failed, retry or rollback; in a rollback also skip.

        A failed step that was mended by hand may be called done. One that began on a machine that is lost is unknown.
        """
        chosen = choice_named(choice)
        async with self._runner.acting(op, f"step {step_id}", deciding=step_id):
            await resolve_step(self._runner, step_id, chosen, reason, op)
        if chosen == "rollback":
            await self.rollback(self.state.rollback.name if self.state.rollback else None, op)

    async def retry(self, step_id: str, op: Operator, confirmation: str | None = None) -> None:
        """Run a failed unit again, or a done step whose gate is not passed yet."""
        async with self._runner.acting(op, f"step {step_id}"):
            rollback = self.state.rollback
            await retry_step(self._runner, step_id, op, confirmation)
        if rollback is not None:
            await self.rollback(rollback.name, op, again=(step_id,))
        elif self.action.kind in ("step", "confirm"):
            await self.run_step(step_id, op, confirmation)

    async def rollback(
        self,
        name: str | None,
        op: Operator,
        dry_run: bool = False,
        accept: Collection[str] = (),
        again: Collection[str] = (),
    ) -> RollbackPath | None:
        """Take a rollback path (None: undo the begun steps one by one). With `dry_run` only return what it would do.

        `accept` names the begun steps that no rollback path undoes; without them it is refused before anything is
        stopped. `again` names the actions of the one that was begun which failed and are to run again.
        """
        if dry_run:
            return open_rollback_path(self.run_store, name or "")
        await take_rollback_path(self._runner, name, op, accept, again)
        return None

    async def prune_outputs(self, op: Operator, run_ids: Sequence[str]) -> None:
        """Remove what the steps of runs that are over wrote; the journal keeps what happened."""
        async with self._runner.acting(op, "prune", settled=False):
            await prune_outputs(self._runner, op, run_ids)

    async def rehearse(self, name: str | None) -> Rehearsal:
        """Return all that taking a rollback path would do, open or not, and what its checks say now.

        Executes nothing.
        """
        return await rehearse(self.run_store, name or "")

    async def skip(self, action: str, reason: str, op: Operator) -> None:
        """Leave an action of the rollback out, named by its number, by the step that it undoes, or by itself."""
        await self.resolve(unit_of(self.state.rollback, action), "skip", reason, op)

    async def abort(self, op: Operator, reason: str = "") -> None:
        """Stop what goes on: a step (ended with all its processes), a gate, else the whole run."""
        await abort(self._runner, op, reason)
