"""What the agent's server needs from the hub and the engine, so that it can be tested with small fakes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from switchover.migration.facts.events import Event
from switchover.migration.facts.operator import Operator
from switchover.services.provider_api import LogSource, LogSpan
from switchover.snapshot import Holder, KnownIssueView, MigrationView, Snapshot

__all__ = ["EnginePort", "HubPort", "TriagePort"]


class HubPort(Protocol):
    """The hub as the server uses it."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest Snapshot."""

    @property
    def snapshot_age_s(self) -> float:
        """How many seconds ago a Snapshot was published. Many mean that nobody watches."""

    async def next_snapshot(self, after_seq: int, /) -> Snapshot:
        """Wait for a Snapshot newer than `after_seq`; only the newest counts."""

    async def run(self) -> None:
        """Watch until cancelled."""

    def engine_changed(self) -> None:
        """Take notice that the run moved."""

    def drives(self, driver: Holder | None, asking: Holder | None, until: float | None, /) -> None:
        """Say on every screen who drives, who asks to take over, and until when that may be answered."""

    async def recheck(self, names: Sequence[str], /) -> None:
        """Run these checks now; all of them where none is named."""

    def seen(self, name: str, /) -> None:
        """Take notice that a person has looked at what is kept until then."""

    def note_viewer(self, who: object, /, *, found: bool = ..., gone: bool = ...) -> None:
        """Take notice that a client looks, whether it wants what is in no plan, or that it has gone."""

    async def act(
        self,
        items: Sequence[tuple[str, str, float | None]],
        action: str,
        argument: str,
        confirmation: str,
        op: Operator,
        /,
    ) -> Sequence[Mapping[str, Any]]:
        """Do something to services, each given by id, identity and when it was seen; tell for each what came of it."""

    async def command(self, name: str, what: str, argument: str, op: Operator, /) -> Sequence[str]:
        """Return how a person would type it."""

    async def inspect(self, name: str, /) -> str:
        """Return all that is known of a service, in lines."""

    def sources(self) -> Sequence[Mapping[str, str]]:
        """Return every source of services: name, state, why."""

    async def log_sources(self, names: Sequence[str], span: LogSpan, /) -> Sequence[LogSource | tuple[str, str]]:
        """Return where the logs of services are read; (name, reason) for one that has none."""

    @property
    def triage(self) -> TriagePort:
        """What may be asked about what is wrong."""


class TriagePort(Protocol):
    """What may be asked about what is wrong, as the server uses it. Refusals are `RefusedError`."""

    def look(self, entry: str, about: str, /) -> KnownIssueView:
        """Return an entry as it applies to what is wrong."""

    async def diagnose(
        self, entry: str, about: str, command: int | None, token: str, /
    ) -> Sequence[tuple[str, int, str]]:
        """Run one of an entry's commands, or all: command, exit code, output."""

    def cancel(self, token: str, /) -> None:
        """End what was asked for under this token."""

    async def solve(
        self, entry: str, about: str, solution: int, confirmation: str, op: Operator, /
    ) -> tuple[str, int, str]:
        """Run a solution: command, exit code, output."""

    async def open_incident(self, title: str, op: Operator, /) -> str:
        """Open an incident; return its number."""

    async def note_incident(self, text: str, op: Operator, /) -> None:
        """Write a note down."""

    async def close_incident(self, text: str, op: Operator, /) -> Path:
        """Close the incident; return where its report lies."""

    def all_incidents(self) -> Sequence[Mapping[str, Any]]:
        """Return every incident, newest first."""

    async def bundle(self, op: Operator, /) -> tuple[Path, int]:
        """Make a bundle for a colleague; return its path and its size in bytes."""


class EnginePort(Protocol):
    """The engine as the server uses it. Refusals are `RefusedError` or `LockedError`."""

    def view(self) -> MigrationView:
        """Return the run as it stands."""

    @property
    def plan_digest(self) -> str:
        """The SHA-256 of the plan that an open run goes by, else of the one that the next begins with."""

    @property
    def busy(self) -> str:
        """What the engine is doing now; empty when nothing."""

    async def refresh(self) -> bool:
        """Take in what another process has journalled; return whether there was anything."""

    async def news(self) -> bool:
        """Wait until it is worth to refresh; return whether something is known to have happened."""

    async def submit(self, action: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin an action; return once it is accepted, raise where it is refused."""

    async def start(self, operator: Operator, /, variables: Mapping[str, str] | None = ..., *, new: bool = ...) -> Any:
        """Begin a run."""

    async def give(self, operator: Operator, variables: Mapping[str, str], /) -> Any:
        """Give values to variables that are still open."""

    async def run_next(self, operator: Operator, /, confirmation: str | None = ...) -> Any:
        """Do the next automatic thing."""

    async def run_step(self, step_id: str, operator: Operator, /, confirmation: str | None = ...) -> Any:
        """Run one step."""

    async def check_gate(self, phase: str, operator: Operator, /) -> Any:
        """Wait for a gate and hold it."""

    async def answer_gate(self, phase: str, operator: Operator, yes: bool, note: str, /) -> Any:
        """Answer a gate that asks a human."""

    async def tick(self, step_id: str, item: int, operator: Operator, evidence: str, /) -> Any:
        """Tick an item of a manual step."""

    async def resolve(self, step_id: str, choice: Any, reason: str, operator: Operator, /) -> Any:
        """Say what became of a step whose outcome is unknown."""

    async def retry(self, step_id: str, operator: Operator, /, confirmation: str | None = ...) -> Any:
        """Run a failed step again."""

    async def rollback(
        self, name: str | None, operator: Operator, /, *, dry_run: bool = ..., accept: tuple[str, ...] = ...
    ) -> Any:
        """Take a rollback path."""

    async def rehearse(self, name: str | None, /) -> Any:
        """Tell all that a rollback path would do, and do nothing."""

    async def difference(self) -> Any:
        """Compare the plan's file with the plan in force."""

    async def rebase(self, operator: Operator, variables: Mapping[str, str] | None, reason: str, digest: str, /) -> Any:
        """Let the open run go by the plan as its file has it now."""

    async def abort(self, operator: Operator, reason: str, /) -> Any:
        """End what runs now."""

    async def acknowledge(self, check: str, operator: Operator, reason: str, /) -> Any:
        """Let a warning pass while it stays one."""

    async def waive(self, check: str, operator: Operator, reason: str, for_s: float, /) -> Any:
        """Let a check that is not fine pass for a while."""

    async def confirm(self, step_id: str, operator: Operator, text: str, /) -> Any:
        """Give a second person's word for a step."""

    async def note(self, operator: Operator, event: Event, /) -> None:
        """Journal a fact about who drives."""

    def holder(self) -> Holder | None:
        """Return who has the run's lock, in whatever process."""

    @property
    def unwatched_gate(self) -> str:
        """The phase whose gate was being watched when its watcher died; empty where there is none."""

    async def watch_on(self) -> Any:
        """Watch that gate."""

    async def recover(self) -> Any:
        """Learn what became of the steps that an earlier process started."""

    def read_output(self, step_id: str, attempt: int, offset: int, limit: int, /) -> tuple[str, int, bool]:
        """Read a step's output from `offset`: text, next offset, whether it is complete."""
