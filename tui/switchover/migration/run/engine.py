"""The engine: every action that a person or a script can take on a run, with all its refusals."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from switchover import __version__
from switchover.errors import JournalError, RefusedError, UsageError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.journal.run_lock import read_holder
from switchover.migration.reports.run_timeline import timeline
from switchover.migration.rules.confirmations import check_text, missing_person, second_person, why_not_yet
from switchover.migration.rules.next_action import Action, may_repeat, next_action
from switchover.migration.rules.waivers import judge, unwaivable
from switchover.migration.run.action_runner import ActionRunner
from switchover.migration.run.decisions import acknowledge, waive
from switchover.migration.run.elsewhere import refuse_open_elsewhere, refuse_over_elsewhere
from switchover.migration.run.execution import ExecutionUnit
from switchover.migration.run.forget import said_to_forget, take_word
from switchover.migration.run.live_view import live_view, outage_text
from switchover.migration.run.plan_rebase import adopt, examine_difference
from switchover.migration.run.rehearsal import rehearse
from switchover.migration.run.rollback_runner import (
    open_rollback_path,
    refuse_loss,
    roll_back,
    rollback_path_named,
    unit_of,
)
from switchover.migration.run.run_store import RunStore, Tools
from switchover.migration.run.unattended import DriveOutcome, drive
from switchover.migration.steps.step_output import read_output
from switchover.plan.model import Gate
from switchover.plan.variables import Scope, resolve_variables

if TYPE_CHECKING:
    from switchover.clock import Clock
    from switchover.locations import Workspace
    from switchover.migration.engine_ports import CheckEvaluator, Secrets
    from switchover.migration.rules.rollback_paths import RollbackPath
    from switchover.plan.loader.load import LoadedPlan
    from switchover.plan.model import Step
    from switchover.snapshot import Holder, MigrationView, PlanDifference, Rehearsal, StepView, TimelineRow

__all__ = ["Engine"]


class Engine:
    """Drives the newest run of a workspace. One action at a time; `abort` and `rollback` may break in at any moment.

    Every action takes the run lock, takes in what others have written, and refuses (`RefusedError`, `LockedError`)
    before anything has happened. All of it is journalled.
    """

    def __init__(self, run_store: RunStore, *, read_only: bool = False) -> None:
        self.run_store = run_store
        self._timeline: tuple[str, tuple[TimelineRow, ...]] = ("", ())
        self._driver = ActionRunner(run_store, read_only=read_only)
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
        await self._driver.aclose()

    # What is so

    @property
    def _see_status(self) -> str:
        return f"see `{self.run_store.workspace.command('status')}`"

    @property
    def state(self) -> RunState:
        """The state of the newest run."""
        return self.run_store.state

    @property
    def loaded(self) -> LoadedPlan:
        """The plan in force: the one that the run was started with, or the file's before there is a run."""
        return self.run_store.loaded

    @property
    def plan_digest(self) -> str:
        """The SHA-256 of the plan that an open run goes by, else of the one that the next begins with."""
        is_open = self.state.exists and not self.state.finished
        return self.state.plan_digest if is_open else self.run_store.file.digest

    @property
    def plan_edited(self) -> bool:
        """Whether the plan's file has changed since the run began (which goes by the frozen text)."""
        return self.run_store.plan_edited

    @property
    def other_plan(self) -> str:
        """Where the newest run goes by another plan than the file holds now, in words; else empty."""
        return self.run_store.other_plan

    @property
    def busy(self) -> str:
        """What this engine is doing now; empty when nothing."""
        return self._driver.busy

    @property
    def action(self) -> Action:
        """What comes next."""
        return next_action(self.run_store.plan, self.state)

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

    @property
    def outage(self) -> str:
        """Since when a shared journal is away, and why; empty while it is there."""
        return outage_text(self.run_store)

    async def until_journal_is_back(self) -> None:
        """Wait until a shared journal that was away answers, is ours, and has been read."""
        await self.run_store.until_back()

    def holder(self) -> Holder | None:
        """Return who drives the run now."""
        host = self.run_store.host
        here = read_holder(self.run_store.workspace.lock) or (host.holder() if host is not None else None)
        return here or self.run_store.line.holder

    def notices(self) -> tuple[str, ...]:
        """Return what a person should know before a run goes on: files that are not believed, runs that are over."""
        host = self.run_store.host
        if host is None:
            return ("no folder of this host lets all accounts see this run: another account is not kept from it",)
        over = [
            f"run {run.head.run} of {run.plan} is over already: {run.who} drove it, its state lies in {run.directory}; "
            "what begins here is another run"
            for run in host.registry.elsewhere(self.run_store.workspace.directory)
            if run.is_over and run.plan == self.run_store.file.plan.id and not self.state.exists
        ]
        return (*host.find_not_believed(), *over)

    def scope(self) -> Scope:
        """Return what templates are filled from, as things stand."""
        return self.run_store.scope()

    def revealed_scope(self) -> Scope:
        """Return what commands and checks are filled from: with the real values of what was captured as a secret."""
        return self.run_store.revealed_scope()

    @property
    def captured_secrets(self) -> Mapping[str, str]:
        """What was captured and nobody may read, so that it can be kept out of all that is written."""
        return self.run_store.captured_secrets()

    def view(self) -> MigrationView:
        """Return the run as a client shows it."""
        driven = self.holder() is not None
        return live_view(self.run_store, self._driver.executor, self._driver.gate, driven=driven)

    def view_step(self, step_id: str) -> StepView:
        """Return one step as a client shows it."""
        return next(step for phase in self.view().phases for step in phase.steps if step.id == step_id)

    def lost_sight_of(self) -> tuple[str, ...]:
        """Return the units that began, have no end on record, and that nobody watches: `recover` finds out."""
        if self.busy or self.holder() is not None:
            return ()
        return tuple(
            name
            for name in self.state.open_units
            if (last := self.state.unit(name).last)
            and self.run_store.elsewhere(name) is None
            and not self._driver.executor.attempt(name, last.number).watched()
        )

    def records(self) -> tuple[ev.Record, ...]:
        """Return all that is on record of this run."""
        return tuple(self.run_store.records)

    def head_hash(self) -> str:
        """Return the hash that vouches for the whole journal up to now."""
        return self.run_store.line.tip.hash

    def timeline(self) -> tuple[TimelineRow, ...]:
        """Return what happened in this run, oldest first."""
        records = self.records()
        told, rows = self._timeline
        if told != self.state.run_id or len(rows) > len(records):
            rows = ()
        if len(rows) < len(records):  # only what is new is put into words
            rollback = self.state.rollback
            rows = (*rows, *timeline(records[len(rows) :], rollback.begun if rollback is not None else None))
        self._timeline = (self.state.run_id, rows)
        return rows

    def read_output(self, step_id: str, attempt: int, offset: int, limit: int) -> tuple[str, int, bool]:
        """Return what a unit wrote from an absolute offset on, the next offset, and whether that was all."""
        last = self.state.unit(step_id).last
        place = self.run_store.elsewhere(step_id)
        if place is not None and last is not None and last.number == attempt:
            text = f"its output is on {place}\n".encode()
            return text[offset:].decode(errors="replace"), len(text), True
        runs = last is not None and last.number == attempt and self.state.unit(step_id).stage is Stage.RUNNING
        directory = self._driver.executor.attempt(step_id, attempt).directory
        chunk = read_output(directory, offset, limit, ended=not runs)
        return chunk.text, chunk.next_offset, chunk.complete

    # Carrying on

    async def submit(self, action: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin an action; return once it is accepted (it is journalled or runs), raise where it is refused."""
        return await self._driver.submit(action)

    def hold(self, op: Operator) -> AbstractAsyncContextManager[None]:
        """Keep the run lock over several actions."""
        return self._driver.hold(op)

    async def recover(self, op: Operator | None = None) -> None:
        """Find the truth about what was left open; attach to what still runs. Leave it to whoever else drives."""
        await self._driver.recover(op or Operator.current())

    @property
    def interrupted(self) -> str:
        """Why a drive goes no further than what it is at; empty while it may."""
        return self._driver.interrupted

    @property
    def handed_over(self) -> bool:
        """Whether it goes no further because another person drives."""
        return self._driver.handed_over

    def interrupt(self, op: Operator, reason: str) -> None:
        """Stop what goes on, and let a drive begin nothing more."""
        self._driver.interrupted = reason
        if self.busy:
            self._stopping = asyncio.ensure_future(self._driver.stop(op, reason))
        else:
            self.run_store.outage.give_up()

    async def settled(self) -> None:
        """Wait for the end of a unit that was attached to."""
        await self._driver.settled()

    async def drive(
        self,
        op: Operator,
        *,
        until: str | None = None,
        confirmations: Mapping[str, str] | None = None,
        ticks: Mapping[str, str] | None = None,
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
        """Begin a run: freeze the file as it is now and the variables, measure what the objectives compare with.

        Raise `PlanError` for a file that has been edited since and has errors.
        """
        async with self._driver.acting(op, "start"):
            run_store = self.run_store
            _refuse_second_run(run_store.state, new=new)
            file = run_store.file = await run_store.read_file()
            run_store.hold_target_of(file.plan, op)
            refuse_open_elsewhere(run_store.workspace, file.plan, run_store.journal_id)
            if not new:
                refuse_over_elsewhere(run_store.workspace, file, run_store.journal_id)
            run_id = str(run_store.line.runs + 1)
            _refuse_what_another_left(run_store.workspace, run_id)
            event = ev.RunStarted(
                run_id=run_id,
                by=op,
                plan_id=file.plan.id,
                plan_title=file.plan.title,
                plan_path=str(file.path),
                plan_digest=file.digest,
                plan_text=file.text,
                target=file.plan.target or "",
                variables=_freeze(run_store, run_id, variables or {}),
                version=__version__,
                given_up=run_store.clean(said_to_forget(run_store.workspace)),
            )
            await run_store.record(event, run_id=run_id)
            take_word(run_store.workspace)
            self._driver.accept()
            if file.plan.performance:
                units = {name: one.unit for name, one in file.plan.performance.items() if one.unit}
                values = await run_store.measure(tuple(file.plan.performance), "before")
                await run_store.record(ev.BaselineMeasured(values, units))

    async def give(self, op: Operator, variables: Mapping[str, str]) -> None:
        """Give values to variables that are still open; one that is known already cannot change any more."""
        async with self._driver.acting(op, "variables"):
            run_store = self.run_store
            checked = resolve_variables(run_store.plan, {**run_store.state.variables, **variables}, {}).values
            known = run_store.resolve().values
            for name in variables:
                if name in known and known[name] != checked[name]:
                    raise RefusedError(
                        f"{name} is {known[name]!r} and frozen for this run", "abort it to start another"
                    )
            fresh = {name: checked[name] for name in variables if name not in known}
            if fresh:
                await run_store.record(ev.VariablesGiven(fresh, op))

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
        async with self._driver.acting(op, "rebase"):
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
                raise RefusedError(_why_nothing(action), self._see_status)

    async def run_step(self, step_id: str, op: Operator, confirmation: str | None = None) -> None:
        """Run a step, if it is its turn, to its end. Its outcome is in `state`."""
        async with self._driver.acting(op, f"step {step_id}"):
            action = self.action
            if action.unit != step_id or action.kind not in ("step", "confirm"):
                raise RefusedError(f"it is not {step_id}'s turn: {_why_nothing(action)}", self._see_status)
            step = self.run_store.plan.step(step_id)
            confirmed = ""
            evidence: tuple[ev.Evidence, ...] = ()
            if step.confirm is not None or step.irreversible:
                confirmed, evidence = await self._confirmed(step, op, confirmation)
            await self._driver.execute(ExecutionUnit.of_step(step), op, confirmed, evidence)

    async def check_gate(self, phase: str, op: Operator) -> bool:
        """Watch a gate until it opens, fails, or waits for a person. Return whether it is open."""
        async with self._driver.acting(op, f"gate {phase}"):
            action = self.action
            if action.phase != phase or action.kind not in ("gate", "human", "decide"):
                raise RefusedError(f"it is not gate {phase}'s turn: {_why_nothing(action)}", self._see_status)
            spec = next(p for p in self.run_store.plan.phases if p.id == phase)
            gate = spec.gate or Gate()
            if not gate.soak or self.state.gate(phase).stage is not Stage.RUNNING:  # else its watcher died: go on
                await self.run_store.record(ev.GateOpened(phase, op, (*gate.require, *gate.prove)))
            self._driver.accept()
            return await self._driver.watch_gate(spec, op)

    @property
    def unwatched_gate(self) -> str:
        """The phase whose gate was being watched when its watcher died; empty where there is none."""
        if self.busy or self._driver.read_only or not self.state.exists:
            return ""
        action = self.action
        if action.kind != "gate" or self.state.gate(action.phase).stage is not Stage.RUNNING:
            return ""
        return action.phase if self.holder() is None else ""

    async def watch_on(self) -> bool:
        """Watch the gate that nobody watches any more, in the name of who opened it."""
        phase = self.unwatched_gate
        return bool(phase) and await self.check_gate(phase, self.state.gate(phase).by or Operator.current())

    async def acknowledge(self, check: str, op: Operator, reason: str) -> None:
        """Let a warning pass where the run stands (its gate, or the step that waits to be confirmed)."""
        async with self._driver.beside(op, f"acknowledge {check}"):
            await acknowledge(self.run_store, self.action, check, op, reason)

    async def waive(self, check: str, op: Operator, reason: str, for_s: float) -> None:
        """Let a check pass where the run stands, whatever it says, for a while."""
        async with self._driver.beside(op, f"waive {check}"):
            await waive(self.run_store, self.action, check, op, reason, for_s)

    async def confirm(self, step_id: str, op: Operator, text: str) -> None:
        """Give one person's word for a step that needs two. It runs once the driver confirms it as well."""
        async with self._driver.acting(op, f"confirm {step_id}"):
            if self.action.unit != step_id or self.action.kind != "confirm":
                raise RefusedError(f"it is not {step_id}'s turn: {_why_nothing(self.action)}", self._see_status)
            step = self.run_store.plan.step(step_id)
            if step.confirm is None or step.confirm.persons < 2:
                raise RefusedError(f"{step_id} needs one person, who runs it", f"--confirm {step_id}=TEXT of `run`")
            check_text(step, self._wanted(step), text)
            missing_person(step, self.state, op, self.run_store.moment())
            seen = await self._rests_on(step)
            await self.run_store.record(ev.ConfirmationGiven(step_id, op, text, seen))

    async def note(self, op: Operator, event: ev.Event) -> None:
        """Write down a fact about who drives, whatever goes on."""
        self._driver.refuse_read_only()
        await self._driver.note(op, event)

    def hand_over(self, why: str) -> None:
        """Let a drive begin nothing more, so that another may; what runs goes on to its end."""
        self._driver.leave(why)

    async def answer_gate(self, phase: str, op: Operator, yes: bool, note: str = "") -> bool:
        """Say go or no-go. Go judges the gate once more, at this moment."""
        async with self._driver.acting(op, f"gate {phase}"):
            run_store = self.run_store
            if self.action.kind != "human" or self.action.phase != phase:
                raise RefusedError(f"gate {phase} does not wait for an answer", self._see_status)
            note = run_store.clean(note)
            if not yes:
                await run_store.record(ev.GateAnswered(phase, False, note, op))
                await run_store.record(ev.GateFailed(phase, f"{op.who} said no-go" + (f": {note}" if note else "")))
                return False
            gate = next(p.gate for p in run_store.plan.phases if p.id == phase)
            evidence, measurements = await self._still_green(phase, gate)
            await run_store.record(ev.GateAnswered(phase, True, note, op))
            await run_store.record(ev.GatePassed(phase, evidence, run_store.state.gate(phase).held_s, measurements))
            await self._driver.end_if_through(op)
            return True

    async def tick(self, step_id: str, item: int, op: Operator, evidence: str = "") -> None:
        """Mark one item of a manual step as done (items count from 0)."""
        async with self._driver.acting(op, f"step {step_id}"):
            action = self.action
            if action.unit != step_id or action.kind != "manual":
                raise RefusedError(f"it is not {step_id}'s turn: {_why_nothing(action)}", self._see_status)
            step = self.run_store.plan.step(step_id)
            if not 0 <= item < len(step.manual):
                raise RefusedError(f"{step_id} has no item {item + 1}", f"it has {len(step.manual)}")
            evidence = self.run_store.clean(evidence).strip()
            if step.evidence == "required" and not evidence:
                raise RefusedError(f"{step_id} needs evidence for each item", "write a note, or name a file")
            done = {*self.state.unit(step_id).ticks, item}
            await self.run_store.record(ev.Ticked(step_id, item, evidence, op, len(done) == len(step.manual)))
            await self._driver.end_if_through(op)

    async def resolve(self, step_id: str, choice: str, reason: str, op: Operator) -> None:
        """Decide what an unknown outcome counts as: done, failed, retry or rollback; in a rollback also skip.

        A failed step that was mended by hand may be called done. One that began on a machine that is lost is unknown.
        """
        async with self._driver.acting(op, f"step {step_id}", deciding=step_id):
            unit, run_store = self.state.unit(step_id), self.run_store
            lost = run_store.elsewhere(step_id) if unit.stage is Stage.RUNNING else None
            if (unit.stage not in (Stage.UNKNOWN, Stage.FAILED) and lost is None) or unit.last is None:
                raise RefusedError(f"{step_id} has no unknown outcome: it is {unit.stage}", self._see_status)
            if self.action.unit != step_id:
                raise RefusedError(f"{step_id} is not what the run waits for", self._see_status)
            chosen = _choice(choice)
            undoes = step_id.startswith("rollback:")
            if chosen == "skip" and not undoes:
                raise RefusedError(f"{step_id} cannot be skipped: only an action of a rollback can")
            if chosen == "rollback" and undoes:
                raise RefusedError(f"{step_id} is part of a rollback already", "choose done, failed, retry or skip")
            reason = run_store.clean(reason).strip()
            if not reason:
                raise RefusedError("a reason is needed", "say how you know: --reason TEXT")
            alive = self._driver.executor.attempt(step_id, unit.last.number).alive(run_store.tools.clock.boot_id())
            if alive and chosen != "failed":
                pids = ", ".join(map(str, alive))
                raise RefusedError(f"{step_id} still runs without its watcher: pid {pids}", "wait for it, or abort it")
            if chosen == "rollback" and self.state.rollback is None:
                refuse_loss(run_store, open_rollback_path(run_store, ""), ())
            if lost is not None:
                why = f"it ran on {lost}, which {op.who} says is lost"
                await run_store.record(ev.StepUnknown(step_id, unit.last.number, why))
            await run_store.record(ev.StepResolved(step_id, unit.last.number, chosen, reason, op))
            await self._driver.end_if_through(op)
        if chosen == "rollback":
            await self.rollback(self.state.rollback.name if self.state.rollback else None, op)

    async def retry(self, step_id: str, op: Operator, confirmation: str | None = None) -> None:
        """Run a failed unit again, or a done step whose gate is not passed yet."""
        async with self._driver.acting(op, f"step {step_id}"):
            action, rollback = self.action, self.state.rollback
            failed = action.kind == "failed" and action.unit == step_id
            if not failed and step_id not in may_repeat(self.run_store.plan, self.state):
                raise RefusedError(
                    f"{step_id} has not failed: it is {self.state.unit(step_id).stage}", self._see_status
                )
            if rollback is None:
                step = self.run_store.plan.step(step_id)
                if step.confirm is not None or step.irreversible:
                    check_text(step, self._wanted(step), confirmation)
                await self.run_store.record(ev.StepRetried(step_id, op, "" if failed else action.phase))
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
        if name is None and self.state.rollback is not None and not self.state.finished:
            name = self.state.rollback.name  # the one that was begun
        self._driver.refuse_read_only()
        if self.state.rollback is None and (way := rollback_path_named(self.run_store, name or "")).available:
            refuse_loss(self.run_store, way, accept)
        if self.busy:
            if self.busy == "rollback":
                raise RefusedError("a rollback is going on", "wait for it, or abort it")
            await self._driver.stop(op, "a rollback was asked for")
            await self._driver.idle()
        async with self._driver.acting(op, "rollback"):
            if self.state.rollback is None:
                open_rollback_path(self.run_store, name or "")
            if self.state.finished:
                refuse_open_elsewhere(self.run_store.workspace, self.run_store.plan, self.run_store.journal_id)
            self._driver.accept()
            units = [unit_of(self.state.rollback, action) for action in again]
            await roll_back(self.run_store, self._driver.executor, op, name or "", accept, units)
        return None

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
        self._driver.refuse_read_only()
        if self.busy:
            await self._driver.stop(op, reason)
            return
        async with self._driver.acting(op, "abort"):
            action, run_store = self.action, self.run_store
            reason = run_store.clean(reason)
            last = self.state.unit(action.unit).last if action.kind == "resolve" else None
            if last is not None:
                attempt = self._driver.executor.attempt(action.unit, last.number)
                if attempt.kill_rest(run_store.tools.clock.boot_id()):
                    await run_store.record(ev.AbortRequested(action.unit, reason, op))
                    return
            if not self.state.exists or self.state.finished:
                raise RefusedError("nothing runs that could be stopped")
            await run_store.record(ev.AbortRequested("run", reason, op))
            await run_store.record(
                ev.RunEnded("aborted", op, f"stopped by {op.who}" + (f": {reason}" if reason else ""))
            )

    # Inside

    async def _confirmed(self, step: Step, op: Operator, text: str | None) -> tuple[str, tuple[ev.Evidence, ...]]:
        """Return the confirmation's text and what its checks say at this moment. Refuse where anything is lacking."""
        check_text(step, self._wanted(step), text)
        moment = self.run_store.moment()
        if why := why_not_yet(self.run_store.plan, self.state, step, moment):
            raise RefusedError(f"{step.id} may not run yet: {why}", "come back when its time has come")
        evidence = await self._rests_on(step)
        lacking = missing_person(step, self.state, op, moment)
        if step.confirm is not None and step.confirm.persons > 1:
            await self.run_store.record(ev.ConfirmationGiven(step.id, op, text or "", evidence))
        if lacking:
            raise RefusedError(lacking, second_person(op, step))
        return text or "", evidence

    async def _rests_on(self, step: Step) -> tuple[ev.Evidence, ...]:
        """Look at what a step's confirmation requires. Raise `RefusedError` for what nobody has let pass."""
        seen = await self.run_store.look(step.confirm.require if step.confirm else ())
        place = f"step:{step.id}"
        forbidden = unwaivable(self.run_store.plan, place)
        judged = judge(seen.evidence, self.state, place, self.run_store.moment(), forbidden)
        for check, status in judged.lapsed:
            await self.run_store.record(ev.AcknowledgementEnded(place, check, status))
        if judged.problems:
            raise RefusedError(f"{step.id} may not run: {'; '.join(judged.problems)}", "mend it, then confirm again")
        return seen.evidence

    def _wanted(self, step: Step) -> str:
        return self._driver.executor.render(step.confirm.type) if step.confirm else ""

    async def _still_green(
        self, phase: str, gate: Gate | None
    ) -> tuple[tuple[ev.Evidence, ...], tuple[ev.Measurement, ...]]:
        run_store = self.run_store
        seen = await run_store.look(gate.require if gate else ())
        measurements = await run_store.prove(gate.prove) if gate and gate.prove else ()
        judged = judge(seen.evidence, self.state, f"gate:{phase}", run_store.moment())
        for check, status in judged.lapsed:
            await run_store.record(ev.AcknowledgementEnded(f"gate:{phase}", check, status))
        problems = [*judged.problems, *(f"{m.objective} is {m.state}" for m in measurements if m.state != "met")]
        if problems:
            text = "; ".join(problems)
            await run_store.record(ev.GateFailed(phase, text, seen.evidence, measurements))
            raise RefusedError(f"gate {phase} is no longer green: {text}", "mend it and check again")
        return seen.evidence, measurements


def _freeze(run_store: RunStore, run_id: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables as they are frozen at the start. Raise `RefusedError` for what has to be asked for."""
    plan = run_store.file.plan
    resolution = resolve_variables(plan, dict(given), {}, Scope.of(plan, run_store.file.directory, run_id))
    if resolution.missing:
        hint = " ".join(f"--var {name}=VALUE" for name in resolution.missing)
        raise UsageError(f"the plan asks for {', '.join(resolution.missing)}", hint)
    if resolution.refused:
        raise RefusedError("; ".join(resolution.refused.values()), "give it with --var, or mend the plan")
    return {n: v for n, v in resolution.values.items() if n in given or not plan.vars[n].from_output}


def _refuse_what_another_left(workspace: Workspace, run_id: str) -> None:
    """Raise `JournalError` where a run of this number has been here already, of which the journal knows nothing."""
    directory = workspace.run_directory(run_id)
    if os.path.lexists(directory):
        raise JournalError(
            f"{directory} tells of a run that the journal does not know: the journal has lost records",
            "bring the newest copy of the journal back; where it is lost, and you know what was done, say so: "
            f"`{workspace.command('run')} --forget --reason TEXT`",
        )


def _choice(text: str) -> ev.Choice:
    match text:
        case "done" | "failed" | "retry" | "rollback" | "skip":
            return text
        case _:
            raise RefusedError(f"{text!r} is no choice", "choose done, failed, retry or rollback")


def _refuse_second_run(state: RunState, *, new: bool) -> None:
    if state.exists and not state.finished:
        raise RefusedError(f"run {state.run_id} goes on already", "go on with it, or abort it first")
    if state.finished and not new:
        raise RefusedError(f"run {state.run_id} is over ({state.stage})", "begin another with --new")


def _why_nothing(action: Action) -> str:
    words = {
        "start": "there is no run yet",
        "wait": f"{action.unit} runs",
        "failed": f"{action.unit} failed",
        "resolve": f"the outcome of {action.unit} is unknown",
        "manual": f"{action.unit} has items for a person to tick",
        "confirm": f"{action.unit} comes next",
        "step": f"{action.unit} comes next",
        "gate": f"gate {action.phase} comes next",
        "human": f"gate {action.phase} waits for a person's go",
        "decide": f"gate {action.phase} waits for a person to decide: {action.reason}",
        "rollback": "a rollback was begun",
        "done": "all is done",
    }
    return words.get(action.kind) or action.reason or "this run is over"
