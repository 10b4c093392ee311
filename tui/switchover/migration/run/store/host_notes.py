"""What this host's registry says of the run. It is kept true while we drive, whichever target the plan names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from switchover.locations import Workspace
from switchover.migration.facts import events as ev
from switchover.migration.facts.operator import Operator
from switchover.migration.facts.run_state import RunState
from switchover.migration.journal.checkpoints import Checkpoint
from switchover.migration.journal.host_lock import HostLock, host_of
from switchover.migration.journal.host_registry import RunNote
from switchover.migration.journal.run_lock import RunLock
from switchover.plan.model import Plan

__all__ = ["HostNotes", "checkpoint_of"]


class _Run(Protocol):
    """What is noted: the newest run of a workspace."""

    @property
    def workspace(self) -> Workspace: ...

    @property
    def plan(self) -> Plan: ...

    @property
    def state(self) -> RunState: ...

    @property
    def records(self) -> Sequence[ev.Record]: ...

    @property
    def lock(self) -> RunLock: ...

    @property
    def journal_id(self) -> str: ...


class HostNotes:
    """Notes the run in this host's registry, where all accounts see it."""

    def __init__(self, run: _Run, host: HostLock | None) -> None:
        self.host = host
        self._run = run

    def hold_target_of(self, plan: Plan, operator: Operator) -> None:
        """Hold what an edited plan names by now, instead of what it named before. Raise `LockedError`."""
        host = host_of(self._run.workspace, plan)
        if host is None or self.host is None or host.registry == self.host.registry:
            return
        host.hold(operator)
        self.host.leave()
        self._use(host)

    def follow_target(self) -> None:
        """Go by the target that an open run was begun on, whatever an edited file names by now."""
        if self._run.state.finished:
            return
        if self._run.lock.operator is not None:
            self.hold_target_of(self._run.plan, self._run.lock.operator)
        else:
            self._use(host_of(self._run.workspace, self._run.plan))

    def noted(self) -> Checkpoint | None:
        """Return how far the run's journal went, as this host has it."""
        return self.host.registry.head_of(self._run.workspace.directory) if self.host is not None else None

    def note(self, record: ev.Record) -> None:
        """Note the newest record."""
        if self.host is not None:
            self.host.note(self._note_of(checkpoint_of(record, self._run.journal_id)))

    def renew(self) -> None:
        """Where we drive, say what the journal says: a driver may have died before it could."""
        run, host = self._run, self.host
        if host is None or not host.held or run.state.impossible:
            return
        noted = host.registry.note_of(run.workspace.directory)
        if not run.records:
            if noted is not None and not noted.head.seq:
                host.change(lambda notes: notes.without(noted.directory))  # it never began
            return
        head = checkpoint_of(run.records[-1], run.journal_id)
        if noted is None or (noted.head, noted.is_over) != (head, run.state.finished):
            host.note(self._note_of(head))

    def note_intent(self, event: ev.RunStarted | ev.RollbackStarted, run_id: str, now: float) -> None:
        """Let the target be held before its run is on record: dying in between must not leave it free."""
        run = self._run
        if self.host is None or not (isinstance(event, ev.RunStarted) or run.state.finished):
            return
        begins = Checkpoint(run_id, 0, "", now, "RunStarted", run.journal_id)
        head = checkpoint_of(run.records[-1], run.journal_id) if run.records else begins
        self.host.note(replace(self._note_of(head), is_over=False))

    def _use(self, host: HostLock | None) -> None:
        self.host = self._run.lock.host = host

    def _note_of(self, head: Checkpoint) -> RunNote:
        run = self._run
        by = run.lock.operator or run.state.by
        return RunNote(
            directory=str(run.workspace.directory),
            plan=run.plan.id,
            plan_path=str(run.workspace.plan or ""),
            plan_digest=run.state.plan_digest,
            journal_name=run.workspace.journal_name,
            who=by.who if by is not None else "",
            host=by.host if by is not None else "",
            is_over=run.state.finished,
            head=head,
        )


def checkpoint_of(record: ev.Record, journal_id: str) -> Checkpoint:
    """Return what is noted of a record outside its journal."""
    return Checkpoint(record.run_id, record.seq, record.hash, record.at, type(record.event).__name__, journal_id)
