"""A run as it stands: everything that can be read of it, and nothing that changes it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from switchover import __version__
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.journal.run_lock import read_holder
from switchover.migration.reports.run_timeline import timeline
from switchover.migration.rules.next_action import Action
from switchover.migration.rules.times import why_not_yet
from switchover.migration.run.action_runner import ActionRunner
from switchover.migration.run.actions.gate_actions import unwatched_gate
from switchover.migration.run.live_view import live_view, outage_text, with_broken_lines
from switchover.migration.run.run_store import RunStore
from switchover.migration.steps.step_output import read_output
from switchover.plan.loader.whole_text import split_parts
from switchover.plan.variables import Scope

if TYPE_CHECKING:
    from switchover.plan.loader.load import LoadedPlan
    from switchover.snapshot import Holder, MigrationView, StepView, TimelineRow

__all__ = ["ObservedRun"]


class ObservedRun:
    """The newest run of a workspace, read only."""

    def __init__(self, run_store: RunStore, runner: ActionRunner) -> None:
        self.run_store = run_store
        self._runner = runner
        self._timeline: tuple[str, tuple[TimelineRow, ...]] = ("", ())

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
        """The SHA-256 of the plan's own file, as an open run goes by it, else as the next will."""
        is_open = self.state.exists and not self.state.finished
        own, _ = split_parts(self.state.plan_text if is_open else self.run_store.file.text)
        return hashlib.sha256(own.encode("utf-8", "surrogateescape")).hexdigest()

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
        return self._runner.busy

    @property
    def action(self) -> Action:
        """What comes next."""
        return self._runner.action

    def too_early(self, step_id: str) -> str:
        """Return why the time of a step has not come; empty where it has."""
        run_store = self.run_store
        return why_not_yet(run_store.plan, run_store.state, run_store.plan.step(step_id), run_store.moment())

    @property
    def outage(self) -> str:
        """Since when a shared journal is away, and why; empty while it is there."""
        return outage_text(self.run_store)

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
        return (*host.find_not_believed(), *over, *self._begun_by_another_version())

    def _begun_by_another_version(self) -> tuple[str, ...]:
        began = self.run_store.records[0].event if self.run_store.records else None
        if self.state.finished or not isinstance(began, ev.RunStarted) or began.version == __version__:
            return ()
        begun = f"run {self.state.run_id} was begun by switchover {began.version}, and this is {__version__}"
        return (f"{begun}: it goes on by the plan that it was begun with",)

    def scope(self) -> Scope:
        """Return what templates are filled from, as things stand."""
        return self.run_store.values.scope()

    def revealed_scope(self) -> Scope:
        """Return what commands and checks are filled from: with the real values of what was captured as a secret."""
        return self.run_store.values.revealed_scope()

    @property
    def captured_secrets(self) -> Mapping[str, str]:
        """What was captured and nobody may read, so that it can be kept out of all that is written."""
        return self.run_store.values.captured_secrets()

    def view(self) -> MigrationView:
        """Return the run as a client shows it."""
        driven = self.holder() is not None
        runner = self._runner
        view = live_view(self.run_store, runner.executor, runner.gate, driven=driven)
        view = replace(view, to_gate=runner.to_gate)
        return with_broken_lines(view, runner.no_line) if runner.no_line else view

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
            and not self._runner.executor.attempt(name, last.number).watched()
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
        directory = self._runner.executor.attempt(step_id, attempt).directory
        chunk = read_output(directory, offset, limit, ended=not runs)
        return chunk.text, chunk.next_offset, chunk.complete

    @property
    def unwatched_gate(self) -> str:
        """The phase whose gate was being watched when its watcher died; empty where there is none."""
        phase = unwatched_gate(self._runner)
        return phase if phase and self.holder() is None else ""

    @property
    def interrupted(self) -> str:
        """Why a drive goes no further than what it is at; empty while it may."""
        return self._runner.interrupted

    @property
    def handed_over(self) -> bool:
        """Whether it goes no further because another person drives."""
        return self._runner.handed_over
