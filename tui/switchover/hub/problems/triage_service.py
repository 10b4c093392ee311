"""Answers questions about what is wrong: a diagnosis, a solution, the incident, the bundle."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from switchover.clock import Clock
from switchover.errors import RefusedError
from switchover.hub.history.operations import Operations
from switchover.hub.hub_ports import TriageHub
from switchover.hub.problems.bundler import Bundler, LogSources
from switchover.hub.problems.cases import Cases
from switchover.hub.problems.diagnosis import Diagnosis
from switchover.hub.problems.incidents import Incidents
from switchover.hub.problems.known_issues import KnownIssues
from switchover.hub.problems.problem_logs import ProblemLogs
from switchover.hub.problems.solver import ServiceAct, Solver
from switchover.hub.problems.useful_commands import UsefulCommands
from switchover.locations import Workspace
from switchover.migration.facts.operator import Operator
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.secrets.secret_store import SecretSource, why_held_back
from switchover.snapshot import KnownIssueView, Snapshot

__all__ = ["INCIDENTS", "TriageService"]

INCIDENTS = "incidents"  # the folder, beside the journal

Result = tuple[str, int, str]


class TriageService:
    """Answers, of one plan in force."""

    def __init__(
        self,
        loaded: LoadedPlan | None,
        workspace: Workspace,
        known_issues: KnownIssues,
        operations: Operations,
        clock: Clock,
        *,
        act: ServiceAct,
        log_sources: LogSources,
        hub: TriageHub,
        secrets: SecretSource | None = None,
        read_only: bool = False,
    ) -> None:
        directory = loaded.directory if loaded is not None else workspace.directory
        self._hub = hub
        self._secrets = secrets
        self._read_only = read_only
        self._operations = operations
        self._cases = Cases(loaded, known_issues, hub)
        self._diagnosis = Diagnosis(self._cases, directory, hub, secrets=secrets, read_only=read_only)
        self._solver = Solver(
            self._cases,
            operations,
            act,
            directory,
            hub,
            clock,
            secrets=secrets,
            read_only=read_only,
        )
        self.commands = UsefulCommands(self._cases, operations, self._diagnosis, secrets)
        self._bundler = Bundler(workspace, loaded, log_sources, hub.redact)
        self.incidents = Incidents(workspace.directory / INCIDENTS, operations, clock, hub)
        self.logs = ProblemLogs(log_sources, clock, hub)

    def follow(self, now: Snapshot) -> None:
        """Take notice of a Snapshot that was published."""
        if not self._read_only:
            self.incidents.follow(now)
        self.logs.follow(now)

    async def aclose(self) -> None:
        """Let go of what is read."""
        await self.logs.aclose()

    def look(self, entry: str, about: str) -> KnownIssueView:
        """Return an entry as it applies to what is wrong. Raise `RefusedError` where that is not so."""
        return self._cases.view_of(self._cases.reopen(entry, about))

    async def diagnose(self, entry: str, about: str, command: int | None, token: str) -> list[Result]:
        """Run one command of an entry, or all."""
        return await self._diagnosis.run(entry, about, command, token)

    def cancel(self, token: str) -> None:
        """End what was asked for under this token."""
        self._diagnosis.cancel(token)

    async def solve(
        self,
        entry: str,
        about: str,
        solution: int,
        confirmation: str,
        operator: Operator,
        answers: Mapping[str, str] | None = None,
    ) -> Result:
        """Run a solution."""
        return await self._solver.run(entry, about, solution, confirmation, operator, answers)

    async def open_incident(self, title: str, operator: Operator) -> str:
        """Open an incident and return its number."""
        self._refuse_read_only()
        return await self.incidents.open(title, operator, self._hub.snapshot)

    async def note_incident(self, text: str, operator: Operator) -> None:
        """Write a note down."""
        self._refuse_read_only()
        await self.incidents.note(text, operator)

    async def close_incident(self, text: str, operator: Operator) -> Path:
        """Close the incident and return where its report lies."""
        self._refuse_read_only()
        return await self.incidents.close(text, operator, self._hub.snapshot)

    def all_incidents(self) -> list[dict[str, Any]]:
        """Return every incident, newest first."""
        return self.incidents.all()

    async def bundle(self, operator: Operator) -> tuple[Path, int]:
        """Make a bundle; return its path and its size in bytes."""
        await why_held_back(self._secrets)  # logs are in it: what can be known is to be kept out of them
        path, size = await self._bundler.make(self._hub.snapshot)
        if not self._read_only:
            await self._operations.record(operator, "made a bundle", path.name)
        return path, size

    def _refuse_read_only(self) -> None:
        if self._read_only:
            raise RefusedError("incidents are not written down here", "this agent only watches")
