"""The engine: every action that a person or a script can take on a run, with all its refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from switchover import __version__
from switchover.errors import LockedError, RefusedError
from switchover.migration import events as ev
from switchover.migration.confirm import check_text, missing_person, why_not_yet
from switchover.migration.execution import Executor, Unit
from switchover.migration.gates import watch_gate
from switchover.migration.keeper import Keeper, Tools
from switchover.migration.lock import read_holder
from switchover.migration.next import Action, next_action
from switchover.migration.operator import Operator
from switchover.migration.output import read_output, read_tail
from switchover.migration.recovery import StillRunning, find_truth
from switchover.migration.rollback import WayBack
from switchover.migration.rolling import find_way, roll_back
from switchover.migration.state import RunState, Stage
from switchover.migration.timeline import timeline
from switchover.migration.view import GateLive, OutputTail, ViewContext, build_view
from switchover.plan.model import Phase, Step
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, render, resolve_variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from switchover.clock import Clock
    from switchover.locations import Workspace
    from switchover.migration.api import CheckEvaluator, Secrets
    from switchover.plan.load import LoadedPlan
    from switchover.plan.variables import Scope
    from switchover.snapshot import Holder, MigrationView, TimelineRow

__all__ = ["Engine"]

TAIL_LINES = 200


class Engine:
    """Drives the newest run of a workspace. One action at a time; `abort` and `rollback` may break in at any moment.

    Every action takes the driver's lock, takes in what others have written, and refuses (`RefusedError`, `LockedError`)
    before anything has happened. All of it is journalled.
    """

    def __init__(self, keeper: Keeper, *, read_only: bool = False) -> None:
        self.keeper = keeper
        self.read_only = read_only
        self._executor = Executor(keeper)
        self._busy = ""
        self._idle = asyncio.Event()
        self._idle.set()
        self._gate: GateLive | None = None
        self._gate_task: asyncio.Task[Any] | None = None
        self._gate_stopped = ""
        self._attached: asyncio.Task[None] | None = None
        self._accepting: list[asyncio.Future[None]] = []

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
        tools: Tools | None = None,
    ) -> Self:
        """Open the engine on what is there. Changes nothing; `recover` finds out about what was left open."""
        tools = tools or Tools(clock, evaluator, secrets)
        if on_change is not None:
            tools = replace(tools, on_change=on_change)
        keeper = Keeper(loaded, workspace, tools)
        keeper.refresh()
        return cls(keeper, read_only=read_only)

    async def aclose(self) -> None:
        """Let go of everything. A step that runs goes on under its shim."""
        for task in (self._gate_task, self._attached):
            if task is not None and not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task
        self.keeper.close()

    # What is so

    @property
    def state(self) -> RunState:
        """The state of the newest run."""
        return self.keeper.state

    @property
    def plan_edited(self) -> bool:
        """Whether the plan's file has changed since the run began (which goes by the frozen text)."""
        return self.keeper.plan_edited

    @property
    def busy(self) -> str:
        """What this engine is doing now; empty when nothing."""
        return self._busy

    @property
    def action(self) -> Action:
        """What comes next."""
        return next_action(self.keeper.plan, self.state)

    def refresh(self) -> bool:
        """Take in what another process has journalled; return whether there was anything."""
        return False if self._busy else self.keeper.refresh()

    def holder(self) -> Holder | None:
        """Who drives the run now."""
        return read_holder(self.keeper.workspace.lock)

    def scope(self) -> Scope:
        """Return what templates are filled from, as things stand."""
        return self.keeper.scope()

    def view(self) -> MigrationView:
        """Return the run as a client shows it."""
        keeper = self.keeper
        moment = keeper.moment()
        scope = keeper.scope()

        def fill(text: str) -> str:
            try:
                return render(text, scope)
            except (MissingValueError, TemplateError):
                return text

        reasons = {}
        action = self.action
        step = next((s for s in keeper.plan.all_steps if s.id == action.unit), None)
        if step is not None and action.kind == "confirm":
            reasons[step.id] = why_not_yet(keeper.plan, self.state, step, moment)
        return build_view(
            keeper.plan,
            self.state,
            ViewContext(
                moment.at,
                moment.mono,
                moment.boot_id,
                fill,
                self._gate,
                self._output(),
                keeper.measured,
                self._needed(),
                reasons,
            ),
        )

    def timeline(self) -> tuple[TimelineRow, ...]:
        """Return what happened in this run, oldest first."""
        journal = self.keeper.journal
        if journal is None or not self.state.exists:
            return ()
        return timeline(journal.records(self.state.run_id))

    def read_output(self, step_id: str, attempt: int, offset: int, limit: int) -> tuple[str, int, bool]:
        """Return what a unit wrote from an absolute offset on, the next offset, and whether that was all."""
        runs = self.state.unit(step_id).stage is Stage.RUNNING
        directory = self._executor.attempt(step_id, attempt).directory
        chunk = read_output(directory, offset, limit, ended=not runs)
        return chunk.text, chunk.next_offset, chunk.complete

    def way_back(self, name: str | None) -> WayBack:
        """Return what a rollback would do now. Raise `RefusedError` where it is closed."""
        return find_way(self.keeper, name or "")

    # Actions

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

    @contextmanager
    def hold(self, operator: Operator) -> Iterator[None]:
        """Keep the driver's lock over several actions."""
        self._refuse_read_only()
        self.keeper.lock.acquire(operator)
        try:
            yield
        finally:
            self.keeper.lock.release()

    async def recover(self, operator: Operator | None = None) -> None:
        """Find the truth about what was left open; attach to what still runs. Does nothing where somebody else drives."""
        if self.read_only or self._busy:
            return
        self.keeper.refresh()
        if not self.state.open_units:
            return
        operator = operator or Operator.current()
        with suppress(LockedError):
            async with self._acting(operator, "recovery", settled=False):
                await self._find_truth(operator)

    async def settled(self) -> None:
        """Wait for the end of a unit that was attached to."""
        if self._attached is not None:
            await asyncio.shield(self._attached)

    async def start(self, operator: Operator, variables: Mapping[str, str] | None = None, *, new: bool = False) -> None:
        """Begin a run: freeze plan and variables, measure what the objectives compare with."""
        async with self._acting(operator, "start"):
            keeper = self.keeper
            if keeper.state.exists and not (keeper.state.finished and (new or keeper.state.stage is not Stage.DONE)):
                raise RefusedError(
                    "this plan's run is done"
                    if keeper.state.finished
                    else f"run {keeper.state.run_id} goes on already",
                    "begin another with --new" if keeper.state.finished else "go on with it, or abort it first",
                )
            file, plan = keeper.file, keeper.file.plan
            number = str(len(keeper.journal.runs()) + 1 if keeper.journal else 1)
            scope_now = replace(keeper.scope(), run_id=number)
            resolution = resolve_variables(plan, dict(variables or {}), {}, scope_now)
            if resolution.missing:
                needed = ", ".join(resolution.missing)
                raise RefusedError(
                    f"the plan asks for {needed}", " ".join(f"--var {n}=VALUE" for n in resolution.missing)
                )
            given = set(variables or {})
            frozen = {n: v for n, v in resolution.values.items() if n in given or not plan.vars[n].from_output}
            event = ev.RunStarted(
                run_id=number,
                by=operator,
                plan_id=plan.id,
                plan_title=plan.title,
                plan_path=str(file.path),
                plan_digest=file.digest,
                plan_text=file.text,
                target=plan.target or "",
                variables=frozen,
                version=__version__,
            )
            keeper.record(event, run_id=number)
            self._accept()
            if plan.performance:
                keeper.record(ev.BaselineMeasured(await keeper.measure(tuple(plan.performance), "before")))

    async def give(self, operator: Operator, variables: Mapping[str, str]) -> None:
        """Give values to variables that are still open; one that is known already cannot change any more."""
        async with self._acting(operator, "variables"):
            known = self.keeper.resolve().values
            fresh = {name: text for name, text in variables.items() if known.get(name) != text}
            for name in fresh:
                if name in known:
                    raise RefusedError(
                        f"{name} is {known[name]!r} and frozen for this run", "abort it to start another"
                    )
            resolve_variables(self.keeper.plan, {**self.state.variables, **fresh}, self.state.outputs)
            if fresh:
                self.keeper.record(ev.VariablesGiven(fresh, operator))

    async def run_next(self, operator: Operator, confirmation: str | None = None) -> None:
        """Do the next thing that needs no person: a step or a gate; with the right text also a confirmed step."""
        await self.recover(operator)
        action = self.action
        match action.kind:
            case "step" | "confirm":
                await self.run_step(action.unit, operator, confirmation)
            case "gate":
                await self.check_gate(action.phase, operator)
            case "rollback":
                await self.rollback(self.state.rollback.name if self.state.rollback else None, operator)
            case _:
                raise RefusedError(_why_nothing(action), "see `switchover status`")

    async def run_step(self, step_id: str, operator: Operator, confirmation: str | None = None) -> None:
        """Run a step, if it is its turn, to its end. Its outcome is in `state`."""
        async with self._acting(operator, f"step {step_id}"):
            action = self.action
            if action.unit != step_id or action.kind not in ("step", "confirm"):
                raise RefusedError(f"it is not {step_id}'s turn: {_why_nothing(action)}", "see `switchover status`")
            step = self.keeper.plan.step(step_id)
            confirmed = ""
            evidence: tuple[ev.Evidence, ...] = ()
            if step.confirm is not None or step.irreversible:
                confirmed, evidence = await self._confirmed(step, operator, confirmation)
            await self._execute(Unit.of_step(step), operator, confirmed, evidence)

    async def check_gate(self, phase_id: str, operator: Operator) -> bool:
        """Watch a gate until it opens, fails, or waits for a person. Return whether it is open."""
        async with self._acting(operator, f"gate {phase_id}"):
            action = self.action
            if action.phase != phase_id or action.kind not in ("gate", "human"):
                raise RefusedError(
                    f"it is not gate {phase_id}'s turn: {_why_nothing(action)}", "see `switchover status`"
                )
            phase = self._phase(phase_id)
            self.keeper.record(ev.GateOpened(phase_id, operator))
            self._accept()
            return await self._watch_gate(phase, human_said=False)

    async def answer_gate(self, phase_id: str, operator: Operator, yes: bool, note: str = "") -> bool:
        """Say go or no-go. Go looks at the gate once more, at this moment."""
        async with self._acting(operator, f"gate {phase_id}"):
            if self.action.kind != "human" or self.action.phase != phase_id:
                raise RefusedError(f"gate {phase_id} does not wait for an answer", "see `switchover status`")
            gate = self._phase(phase_id).gate
            note = self.keeper.clean(note)
            if not yes:
                self.keeper.record(ev.GateAnswered(phase_id, False, note, operator))
                self.keeper.record(
                    ev.GateFailed(phase_id, f"{operator.who} said no-go" + (f": {note}" if note else ""))
                )
                return False
            seen = await self.keeper.look(gate.require if gate else ())
            measurements = await self.keeper.prove(gate.prove) if gate and gate.prove else ()
            problems = [*seen.problems, *(f"{m.objective} is {m.state}" for m in measurements if m.state != "met")]
            if problems:
                self.keeper.record(ev.GateFailed(phase_id, "; ".join(problems), seen.evidence, measurements))
                raise RefusedError(
                    f"gate {phase_id} is no longer green: {'; '.join(problems)}", "mend it and check again"
                )
            self.keeper.record(ev.GateAnswered(phase_id, True, note, operator))
            self.keeper.record(ev.GatePassed(phase_id, seen.evidence, self.state.gate(phase_id).held_s, measurements))
            self._end_if_through(operator)
            return True

    async def tick(self, step_id: str, item: int, operator: Operator, evidence: str = "") -> None:
        """Mark one item of a manual step as done (items count from 0)."""
        async with self._acting(operator, f"step {step_id}"):
            action = self.action
            if action.unit != step_id or action.kind != "manual":
                raise RefusedError(f"it is not {step_id}'s turn: {_why_nothing(action)}", "see `switchover status`")
            step = self.keeper.plan.step(step_id)
            if not 0 <= item < len(step.manual):
                raise RefusedError(f"{step_id} has no item {item + 1}", f"it has {len(step.manual)}")
            evidence = self.keeper.clean(evidence).strip()
            if step.evidence == "required" and not evidence:
                raise RefusedError(f"{step_id} needs evidence for each item", "write a note, or name a file")
            done = {*self.state.unit(step_id).ticks, item}
            self.keeper.record(ev.Ticked(step_id, item, evidence, operator, len(done) == len(step.manual)))
            self._end_if_through(operator)

    async def resolve(self, step_id: str, choice: ev.Choice, reason: str, operator: Operator) -> None:
        """Decide what an unknown outcome counts as (or that a failed step was mended by hand: `done`)."""
        async with self._acting(operator, f"step {step_id}"):
            unit = self.state.unit(step_id)
            if unit.stage not in (Stage.UNKNOWN, Stage.FAILED) or unit.last is None:
                raise RefusedError(f"{step_id} has no unknown outcome: it is {unit.stage}", "see `switchover status`")
            if self.action.unit != step_id:
                raise RefusedError(f"{step_id} is not what the run waits for", "see `switchover status`")
            reason = self.keeper.clean(reason).strip()
            if not reason:
                raise RefusedError("a reason is needed", "say how you know: --reason TEXT")
            alive = self._executor.attempt(step_id, unit.last.number).alive(self.keeper.tools.clock.boot_id())
            if alive and choice != "failed":
                numbers = ", ".join(map(str, alive))
                raise RefusedError(
                    f"{step_id} still runs without its watcher: pid {numbers}", "wait for it to end, or abort it first"
                )
            self.keeper.record(ev.StepResolved(step_id, unit.last.number, choice, reason, operator))
            self._end_if_through(operator)
        if choice == "rollback":
            await self.rollback(None, operator)

    async def retry(self, step_id: str, operator: Operator, confirmation: str | None = None) -> None:
        """Run a failed unit again."""
        async with self._acting(operator, f"step {step_id}"):
            action = self.action
            if action.kind != "failed" or action.unit != step_id:
                raise RefusedError(f"{step_id} has not failed", "see `switchover status`")
            rollback = self.state.rollback
            if rollback is None:
                step = self.keeper.plan.step(step_id)
                if step.confirm is not None or step.irreversible:
                    check_text(step, self._wanted(step), confirmation)
                self.keeper.record(ev.StepRetried(step_id, operator))
        if rollback is not None:
            await self.rollback(rollback.name, operator)
        else:
            await self.run_step(step_id, operator, confirmation)

    async def rollback(self, name: str | None, operator: Operator, *, dry_run: bool = False) -> WayBack | None:
        """Go a way back (None: undo the begun steps one by one). With `dry_run` only return what it would do."""
        name = name or ""
        if dry_run:
            return find_way(self.keeper, name)
        self._refuse_read_only()
        if self._busy:
            await self.abort(operator, "a rollback was asked for")
            await self._idle.wait()
        async with self._acting(operator, "rollback"):
            self._accept()
            await roll_back(self.keeper, self._executor, operator, name)
        return None

    async def abort(self, operator: Operator, reason: str = "") -> None:
        """Stop what goes on: a step (ended with all its processes), a gate, else the whole run."""
        self._refuse_read_only()
        said = f"stopped by {operator.who}" + (f": {self.keeper.clean(reason)}" if reason else "")
        if self._busy:
            running = self.state.open_units
            what = running[0] if running else self._busy
            self.keeper.record(ev.AbortRequested(what, reason, operator))
            if self._gate_task is not None:
                self._gate_stopped = said
                self._gate_task.cancel()
            else:
                self._executor.stop(said)
            return
        async with self._acting(operator, "abort"):
            action = self.action
            if action.kind == "resolve":
                last = self.state.unit(action.unit).last
                boot_id = self.keeper.tools.clock.boot_id()
                if last and self._executor.attempt(action.unit, last.number).kill_rest(boot_id):
                    self.keeper.record(ev.AbortRequested(action.unit, reason, operator))
                    return
            if not self.state.exists or self.state.finished:
                raise RefusedError("nothing runs that could be stopped")
            self.keeper.record(ev.AbortRequested("run", reason, operator))
            self.keeper.record(ev.RunEnded("aborted", operator, said))

    # Inside

    @asynccontextmanager
    async def _acting(self, operator: Operator, what: str, *, settled: bool = True) -> AsyncIterator[None]:
        self._refuse_read_only()
        if self._busy:
            raise RefusedError(f"{self._busy} is going on", "wait for it, or abort it")
        self.keeper.lock.acquire(operator)
        self._busy = what
        self._idle.clear()
        try:
            self.keeper.refresh(writable=True)
            if settled and self.state.open_units:
                await self._find_truth(operator)
                if self.state.open_units:
                    raise RefusedError(f"{self.state.open_units[0]} still runs", "wait for it, or abort it")
            yield
        finally:
            if self._attached is None:
                self._at_rest()
            self.keeper.lock.release()

    def _at_rest(self) -> None:
        self._busy = ""
        self._idle.set()
        self.keeper.tools.on_change()

    def _accept(self) -> None:
        for accepted in self._accepting:
            if not accepted.done():
                accepted.set_result(None)
        self._accepting.clear()

    def _refuse_read_only(self) -> None:
        if self.read_only:
            raise RefusedError("this is read-only", "start it without --read-only to act")

    async def _find_truth(self, operator: Operator) -> None:
        running = await find_truth(self.keeper, self._executor, operator)
        if running is not None:
            self.keeper.lock.acquire(operator)
            self._busy = f"step {running.unit}"
            self._attached = asyncio.ensure_future(self._attach(running))

    async def _attach(self, running: StillRunning) -> None:
        try:
            await self._executor.attach(running.unit, running.attempt, running.pidfd)
            self._end_if_through(Operator.current())
        finally:
            self._attached = None
            self.keeper.lock.release()
            self._at_rest()

    async def _execute(self, unit: Unit, operator: Operator, confirmed: str, evidence: tuple[ev.Evidence, ...]) -> None:
        def accepted(record: ev.Record) -> None:
            if isinstance(record.event, ev.StepStarted):
                self._accept()

        self.keeper.listeners.append(accepted)
        try:
            await self._executor.run(unit, operator, confirmed=confirmed, evidence=evidence)
        finally:
            self.keeper.listeners.remove(accepted)
        self._end_if_through(operator)

    async def _confirmed(self, step: Step, operator: Operator, text: str | None) -> tuple[str, tuple[ev.Evidence, ...]]:
        """Return the confirmation's text and what its checks say at this moment. Refuse where anything is lacking."""
        check_text(step, self._wanted(step), text)
        moment = self.keeper.moment()
        if why := why_not_yet(self.keeper.plan, self.state, step, moment):
            raise RefusedError(f"{step.id} may not run yet: {why}", "come back when its time has come")
        seen = await self.keeper.look(step.confirm.require if step.confirm else ())
        if seen.problems:
            raise RefusedError(f"{step.id} may not run: {'; '.join(seen.problems)}", "mend it, then confirm again")
        lacking = missing_person(step, self.state, operator, moment)
        if step.confirm is not None and step.confirm.persons > 1:
            self.keeper.record(ev.ConfirmationGiven(step.id, operator, text or "", seen.evidence))
        if lacking:
            raise RefusedError(lacking, "a second person, under their own login, has to type it too")
        return text or "", seen.evidence

    def _wanted(self, step: Step) -> str:
        return self._executor.render(step.confirm.type) if step.confirm else ""

    async def _watch_gate(self, phase: Phase, *, human_said: bool) -> bool:
        gate = phase.gate
        if gate is None:
            raise RefusedError(f"phase {phase.id} has no gate")
        if not (gate.require or gate.prove or gate.human):
            self.keeper.record(ev.GateFailed(phase.id, "the gate requires nothing, so it proves nothing"))
            return False
        self._gate_stopped = ""
        self._gate_task = asyncio.ensure_future(
            watch_gate(
                self.keeper.plan,
                phase.id,
                gate,
                look_at=self.keeper.look,
                prove=lambda: self.keeper.prove(gate.prove),
                clock=self.keeper.tools.clock,
                wait=self.keeper.tools.wait,
                publish=self._publish_gate,
            )
        )
        try:
            verdict = await self._gate_task
        except asyncio.CancelledError:
            if not self._gate_stopped:
                raise  # it is we who are cancelled
            self.keeper.record(ev.GateFailed(phase.id, self._gate_stopped))
            return False
        finally:
            self._gate_task.cancel()
            self._gate_task = None
            self._gate = None
        if not verdict.passed:
            self.keeper.record(ev.GateFailed(phase.id, verdict.reason, verdict.evidence, verdict.measurements))
            return False
        if gate.human and not human_said:
            self.keeper.record(ev.GateWaitsForHuman(phase.id, verdict.evidence))
            return False
        self.keeper.record(ev.GatePassed(phase.id, verdict.evidence, verdict.held_s, verdict.measurements))
        self._end_if_through(Operator.current())
        return True

    def _publish_gate(self, gate: GateLive) -> None:
        self._gate = gate
        self.keeper.tools.on_change()

    def _end_if_through(self, operator: Operator) -> None:
        """Close the run once nothing is left to do."""
        if not self.state.finished and self.state.rollback is None and self.action.kind == "done":
            self.keeper.record(ev.RunEnded("done", operator))

    def _phase(self, phase_id: str) -> Phase:
        return next(phase for phase in self.keeper.plan.phases if phase.id == phase_id)

    def _needed(self) -> tuple[tuple[str, str, str], ...]:
        plan = self.keeper.plan if self.state.exists else self.keeper.file.plan
        missing = self.keeper.resolve().missing
        return tuple((n, plan.vars[n].type, plan.vars[n].ask or n) for n in missing if n in plan.vars)

    def _output(self) -> OutputTail:
        """Return the last lines of what runs, else of what ran last."""
        latest = None
        for name, unit in self.state.units.items():
            if unit.last and unit.last.argv and (latest is None or unit.last.started.at >= latest[2]):
                latest = (name, unit.last.number, unit.last.started.at)
        if latest is None:
            return OutputTail()
        lines, total = read_tail(self._executor.attempt(latest[0], latest[1]).directory, TAIL_LINES)
        return OutputTail(latest[0], latest[1], lines, total)


def _refuse_second_run(state: RunState, *, new: bool) -> None:
    if state.exists and not state.finished:
        raise RefusedError(f"run {state.run_id} goes on already", "go on with it, or abort it first")
    if state.finished and not new:
        raise RefusedError(f"run {state.run_id} is over ({state.stage})", "begin another with --new")


def _why_nothing(action: Action) -> str:
    match action.kind:
        case "start":
            return "there is no run yet"
        case "wait":
            return f"{action.unit} runs"
        case "failed":
            return f"{action.unit} failed"
        case "resolve":
            return f"the outcome of {action.unit} is unknown"
        case "manual":
            return f"{action.unit} has items for a person to tick"
        case "confirm" | "step":
            return f"{action.unit} comes next"
        case "gate":
            return f"gate {action.phase} comes next"
        case "human":
            return f"gate {action.phase} waits for a person's go"
        case "rollback":
            return "a rollback was begun"
        case "done":
            return "all is done"
    return action.reason or "this run is over"
