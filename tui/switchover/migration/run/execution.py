"""Carries out one unit: announced in the journal, run under a shim, its end journalled before it is published."""

from __future__ import annotations

import asyncio
import hashlib
import shlex
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from switchover.errors import RefusedError, StateError
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.outcome_rules import OutcomeRules
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.rules.step_outcomes import MAY_GO_ON, SSH_FAILED, judge_end
from switchover.migration.run.execution_unit import ExecutionUnit
from switchover.migration.run.far.far_executor import FarExecutor, folder_of
from switchover.migration.run.late_results import record_late
from switchover.migration.run.run_store import RunStore
from switchover.migration.run.unit_values import fill_argv, fill_environment, fill_text, read_outputs
from switchover.migration.steps.attempt import AttemptEnded, AttemptFolder, AttemptRunning, Lost, NeverStarted, Truth
from switchover.migration.steps.captured_secrets import sealed_about
from switchover.migration.steps.remote_clients import named_in
from switchover.migration.steps.spawn import LauncherLostError, ShimRequest, own_umask, readable
from switchover.migration.steps.step_files import keep_artifacts
from switchover.migration.steps.step_output import digest_output
from switchover.plan.command_model import SHELL

__all__ = ["ExecutionUnit", "Executor"]

_KEPT_BYTES = 4 << 20  # of a step's output: half of it for the beginning, half for the end
_NOTE_GONE = "the note of what it began elsewhere is gone, so that may still go on"
_NOBODY_KNOWS = "what nobody noted"


class Executor:
    """Runs units one at a time, and finds the truth about one that somebody else started."""

    def __init__(self, run_store: RunStore) -> None:
        self._run_store = run_store
        self._pidfd = -1
        self.there = FarExecutor(run_store)
        self.stopped_because = ""

    async def run(
        self, unit: ExecutionUnit, operator: Operator, *, confirmed: str = "", evidence: tuple[ev.Evidence, ...] = ()
    ) -> Truth:
        """Run it to its end, which is in the journal when this returns. Raise where it cannot be started."""
        run_store = self._run_store
        number = self.unused_number(unit.name)
        unit = self._of_group(unit)
        env = await fill_environment(run_store, unit, number)
        argv = fill_argv(run_store, unit)
        cwd, far, prepared = self.render(unit.cwd), None, ""
        if unit.run_on:
            ssh = self.render(unit.ssh or run_store.plan.hosts[unit.run_on].destinations[0])
            far = await self.there.prepare(unit, ssh, self.attempt(unit.name, number))
        else:
            cwd = str(run_store.loaded.directory / cwd)
            prepared = self.attempt(unit.name, number).prepare().prepared
        started = ev.StepStarted(
            unit=unit.name,
            attempt=number,
            by=operator,
            argv=argv,
            argv_digest=hashlib.sha256("\0".join(argv).encode("utf-8", "surrogateescape")).hexdigest(),
            env_names=tuple(sorted(unit.env)),
            cwd=cwd,
            plan_digest=run_store.loaded.digest,
            timeout_s=unit.timeout_s,
            rollback=unit.rollback,
            confirmed=confirmed,
            evidence=evidence,
            place=run_store.place_of_a_start(),
            prepared=prepared,
            rules=unit.rules,
            condition=unit.condition,
            beside=unit.beside,
            far=far,
        )
        if self.stopped_because:
            raise RefusedError(f"{unit.name} was not started: {self.stopped_because}", "run it again when it may")
        await run_store.record(started)
        attempt = self.attempt(unit.name, number)
        request = self._request(replace(unit, argv=argv), attempt, env, cwd)
        if far is not None:
            truth = await self.there.carry_out(unit.name, number, request, self.stopped_because)
        else:
            truth = await self._launch(unit, number, attempt, request)
        while isinstance(truth, AttemptRunning):
            truth = await self._watch(truth, attempt)
        await self.settle(unit.name, number, truth)
        if isinstance(truth, NeverStarted):
            raise StateError(f"{unit.name} was not started: {truth.reason}", "see to it, then go on")
        return truth

    def _of_group(self, unit: ExecutionUnit) -> ExecutionUnit:
        """Name the machine where a unit is an action on one of a group."""
        host = self._run_store.plan.hosts.get(unit.run_on) if unit.ssh and not unit.machine else None
        many = host is not None and len(host.destinations) > 1
        return replace(unit, machine=self.render(unit.ssh)) if many else unit

    async def attach(self, name: str, number: int, pidfd: int, following: asyncio.Task[Truth] | None = None) -> Truth:
        """Wait for the end of a unit that runs under its shim already, and record it."""
        truth: Truth = AttemptRunning(pidfd) if following is None else await following
        while isinstance(truth, AttemptRunning):
            truth = await self._watch(truth, self.attempt(name, number))
        await self.settle(name, number, truth)
        return truth

    def attempt(self, name: str, number: int, run: RunState | None = None) -> AttemptFolder:
        """Return the place of an attempt's records and output, and what they have to name to be believed.

        Without `run` it is one of the newest run.
        """
        return folder_of(self._run_store, name, number, run)

    def unused_number(self, name: str) -> int:
        """Return the next number whose place is free: no attempt's place is ever used again."""
        last = self._run_store.state.unit(name).last
        number = last.number + 1 if last is not None else 1
        while not self.attempt(name, number).is_free:
            number += 1
        return number

    def stop(self, reason: str) -> None:
        """Ask the shim to end its step, now or as soon as there is one."""
        self.stopped_because = reason
        if self._pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGTERM)
        self.there.stop()

    def render(self, text: str) -> str:
        """Fill in variables. Raise `RefusedError` that says which value is missing and how to give it."""
        return fill_text(self._run_store, text)

    async def settle(self, name: str, number: int, truth: Truth) -> None:
        """Write down what became of an attempt, however long the journal is away. A step that runs is left alone."""
        event: ev.StepEnded | ev.StepNotStarted | ev.StepUnknown
        match truth:
            case AttemptEnded(exit_record):
                state = self._run_store.state
                event = self._ended(state, name, number, exit_record)
                event = await self._with_what_it_left(event)
            case NeverStarted(reason):
                event = ev.StepNotStarted(name, number, reason)
            case Lost(reason=reason):
                event = ev.StepUnknown(name, number, *self._lost(name, number, reason))
            case AttemptRunning():
                return

        run_id = self._run_store.state.run_id

        def is_owed(state: RunState) -> bool:
            unit = state.unit(name)
            return (
                state.run_id == run_id
                and unit.stage is Stage.RUNNING
                and unit.last is not None
                and unit.last.number == number
            )

        await self._run_store.record_when_back(event, is_owed)
        if isinstance(event, ev.StepEnded):
            await self._tell_late(run_id, event)
        if not isinstance(event, ev.StepUnknown):
            self.there.clear(name, number)

    async def settle_late(self) -> None:
        """Write down how attempts ended of which only that it was unknown is on record, though others went on."""
        boot_id = self._run_store.tools.clock.boot_id()
        for run, name, number in await self.late_ends():
            began = next(a for a in run.unit(name).attempts if a.number == number).started
            truth = self.attempt(name, number, run).find_out(boot_id, began.boot_id)
            if isinstance(truth, AttemptEnded):
                await self._tell_late(run.run_id, self._ended(run, name, number, truth.record))
        run = self._run_store.state
        for name, number, ended in await self.there.learn_late():
            await self._tell_late(run.run_id, self._ended(run, name, number, ended.record))
            self.there.clear(name, number)
        self.there.sweep()

    async def late_ends(self) -> list[tuple[RunState, str, int]]:
        """Return the attempts of all runs whose end lies here by now, and whose outcome was decided without it."""
        store = self._run_store
        runs = [store.state]
        for run_id in sorted({found[0] for found in store.history.never_learned} - {store.state.run_id}):
            attempts = [found[1:] for found in store.history.never_learned if found[0] == run_id]
            folders = [AttemptFolder.of(store.workspace.run_directory(run_id), *attempt) for attempt in attempts]
            if any(folder.may_have_ended for folder in folders):
                runs.append(await store.state_of(run_id))
        return [
            (run, name, one.number)
            for run in runs
            for name, unit in run.units.items()
            for one in unit.attempts
            if one.may_end_late and store.is_here(one) and self.attempt(name, one.number, run).finished
        ]

    async def _tell_late(self, run_id: str, end: ev.StepEnded) -> None:
        """Record an end that others did not wait for, as one that came late."""
        late = ev.StepEndedLate(end.unit, end.attempt, end.outcome, end.exit_code, end.duration_s, end.reason)
        await record_late(self._run_store, run_id, late)

    def _request(self, unit: ExecutionUnit, attempt: AttemptFolder, env: Mapping[str, str], cwd: str) -> ShimRequest:
        run_store = self._run_store
        kept = unit.max_output or _KEPT_BYTES
        return ShimRequest(
            directory=str(attempt.directory),
            journal=attempt.journal,
            started=attempt.started,
            argv=unit.argv,
            cwd=cwd,
            boot_id=run_store.tools.clock.boot_id(),
            timeout_s=unit.timeout_s,
            env=env,
            secrets=run_store.values.secrets(),
            captures=unit.captures,
            hidden=unit.hidden,
            seal_key=run_store.values.seal_key.need().hex() if unit.captures else "",
            sealed_about=sealed_about(run_store.state.run_id, unit.name),
            grace_s=run_store.tools.grace_s,
            umask=own_umask(),
            head_bytes=max(1, kept // 2),
            segment_bytes=max(1, kept // 4),
        )

    async def _launch(self, unit: ExecutionUnit, number: int, attempt: AttemptFolder, request: ShimRequest) -> Truth:
        run_store = self._run_store
        run_store.tools.barrier(f"before launch of {unit.name} {number}")
        try:
            watcher = await run_store.tools.launcher.start(request)
        except LauncherLostError:
            boot_id = run_store.tools.clock.boot_id()
            return attempt.find_out(boot_id, boot_id)
        return AttemptRunning(*watcher)

    async def _watch(self, running: AttemptRunning, attempt: AttemptFolder) -> Truth:
        self._pidfd = running.pidfd
        if self.stopped_because:
            self.stop(self.stopped_because)
        try:
            self._run_store.tools.on_change()
            if running.told is not None:
                await readable(running.told)
            if not attempt.finished:  # nobody is there to tell, or the shim died first
                await readable(running.pidfd)
        finally:
            self._pidfd = -1
            running.close()
        return attempt.after_shim()

    def _ended(
        self,
        run: RunState,
        name: str,
        number: int,
        record: Mapping[str, Any],
    ) -> ev.StepEnded:
        code = record.get("exit_code")
        begun = next((a for a in run.unit(name).attempts if a.number == number), None)
        remote = tuple(str(client) for client in record.get("remote", ()))
        if not remote and code == SSH_FAILED and (client := self._named(name, run)):
            remote = (client,)  # too short-lived to be seen
        outcome, notes = judge_end(record, begun.rules if begun else OutcomeRules(), remote, self.stopped_because)
        outputs, sealed, more = read_outputs(self._run_store, run, name, record, done=outcome == "done")
        notes += more
        if record.get("output_lost"):
            notes.append("some of its output was lost: the disk was full")
        elif record.get("output_gone"):
            notes.append("some of its output was removed while it ran")
        if record.get("survivors"):
            notes.append(f"could not be ended: pid {', '.join(map(str, record['survivors']))}")
        return ev.StepEnded(
            unit=name,
            attempt=number,
            outcome=outcome,
            exit_code=code,
            duration_s=float(record.get("duration_s", 0.0)),
            reason=self._run_store.clean("; ".join(notes)),
            outputs=outputs,
            output_bytes=int(record.get("output_bytes", 0)),
            output_sha256=self._digest(self.attempt(name, number, run)),
            remote=remote,
            sealed=sealed,
        )

    async def _with_what_it_left(self, end: ev.StepEnded) -> ev.StepEnded:
        """Copy what the step is to leave, before its end is on record."""
        store = self._run_store
        step = next((step for step in store.plan.all_steps if step.id == end.unit), None)
        begun = store.state.unit(end.unit).last
        if step is None or not step.keep or begun is None or begun.far is not None:
            return end
        kept, notes = await asyncio.to_thread(
            keep_artifacts,
            store.workspace.run_directory(store.state.run_id),
            f"{end.unit}.{end.attempt}",
            store.loaded.directory / fill_text(store, step.cwd or ""),
            step.keep,
            begun.started.at,
            begun.place,
            store.values.cleaner_for(end.unit, end.sealed),
        )
        return replace(end, kept=kept, reason="; ".join(filter(None, (end.reason, *notes))))

    def _lost(self, name: str, number: int, reason: str) -> tuple[str, tuple[str, ...]]:
        """Return why an outcome is unknown, and what of it may go on elsewhere."""
        named = self._named(name, self._run_store.state)
        remote = self.attempt(name, number).remote
        if not remote and named:
            remote = (named,)
        if remote is None:
            return f"{reason}; {_NOTE_GONE}", (_NOBODY_KNOWS,)
        return f"{reason}; {MAY_GO_ON.format(' and '.join(remote))}" if remote else reason, remote

    def _named(self, name: str, run: RunState) -> str:
        """Return the remote shell that a unit's command names, if it names one."""
        last = run.unit(name).last
        if last is None or not last.argv:
            return ""
        return named_in(last.argv[-1] if last.argv[:-1] == SHELL else shlex.join(last.argv))

    def _digest(self, attempt: AttemptFolder) -> str:
        try:
            return digest_output(attempt.directory)
        except OSError:
            return ""
