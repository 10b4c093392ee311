"""A hub and an engine that do as they are told, for the agent's own tests."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, cast

from switchover.commands.command import CommandTarget
from switchover.errors import RefusedError
from switchover.migration.facts.events import Event
from switchover.migration.facts.operator import Operator
from switchover.services.provider_api import LogSource, LogSpan
from switchover.snapshot import (
    Holder,
    KnownIssueView,
    MigrationView,
    PhaseView,
    PlanDifference,
    Rehearsal,
    RollbackView,
    SilenceRecord,
    Snapshot,
    StepView,
)
from switchover.snapshot.states import StageWord
from switchover.snapshot.triage_view import SourceNote


class FakeSilencing:
    """Keeps nothing, and answers as the one of alerts does."""

    async def all(self) -> tuple[SilenceRecord, ...]:
        return (SilenceRecord("1", ("a",), 0.0, 1.0, "ann", "why"),)

    async def silence(self, *_: object) -> SilenceRecord:
        return (await self.all())[0]

    acknowledge = end = silence


class FakePast:
    """Has measured nothing."""

    async def columns(self, _metric: str, since: float, _until: float, count: int) -> list[Any]:
        return [(since, None, None, None)] * count


class FakeHub:
    """Publishes what a test gives it."""

    def __init__(self) -> None:
        self.snapshot = Snapshot(seq=1, at=100.0)
        self.snapshot_age_s = 0.0
        self.rechecked: list[tuple[str, ...]] = []
        self.reports = self
        self.past: Any = FakePast()
        self.alarms = self
        self.silencing = FakeSilencing()
        self.logs: dict[str, LogSource] = {}
        self.viewers: dict[object, bool] = {}
        self.acted: list[tuple[str, str, str, str, list[str]]] = []
        self._fresh = asyncio.Event()
        self.broken = False

    def publish(self, **changes: Any) -> Snapshot:
        self.snapshot = replace(self.snapshot, seq=self.snapshot.seq + 1, **changes)
        self._fresh.set()
        self._fresh = asyncio.Event()
        return self.snapshot

    async def next_snapshot(self, after_seq: int) -> Snapshot:
        while self.snapshot.seq <= after_seq:
            await self._fresh.wait()
        return self.snapshot

    async def run(self) -> None:
        await asyncio.Event().wait()

    def engine_changed(self) -> None:
        pass

    def drives(self, driver: Holder | None, asking: Holder | None, until: float | None) -> None:
        header = replace(self.snapshot.header, driver=driver, asking=asking, asking_until=until)
        self.publish(header=header)

    def accept(self, check: str, status: str, text: str) -> None:
        self.acted.append(("report", check, status, text, []))

    async def recheck(self, names: Sequence[str]) -> None:
        self.rechecked.append(tuple(names))

    def seen(self, name: str) -> None:
        self.acted.append(("seen", name, "", "", []))

    def note_viewer(self, who: object, *, found: bool = False, gone: bool = False) -> None:
        self.viewers.pop(who, None)
        if not gone:
            self.viewers[who] = found

    async def log_sources(self, names: Sequence[str], span: LogSpan) -> list[LogSource | tuple[str, str]]:
        return [self.logs.get(name, (name, "keeps no log")) for name in names]

    async def act(
        self,
        items: Sequence[tuple[str, str, float | None]],
        action: str,
        argument: str,
        confirmation: str,
        op: Operator,
    ) -> Sequence[Mapping[str, Any]]:
        self.acted.append((op.who, action, argument, confirmation, [item[0] for item in items]))
        return [{"id": item[0], "ok": True, "text": f"{action} done"} for item in items]

    async def command(self, name: str, what: str, argument: str, op: Operator) -> Sequence[str]:
        return ("docker", what, name)

    async def inspect(self, name: str) -> str:
        return f"all about {name}"

    def sources(self) -> tuple[SourceNote, ...]:
        return (SourceNote("docker", "off", "no daemon"),)

    @property
    def current(self) -> Self:
        return self

    @property
    def triage(self) -> FakeTriage:
        return FakeTriage()


def target_of(hub: FakeHub, engine: FakeEngine | None, **more: Any) -> CommandTarget:
    """Return fakes for commands to act on."""
    return CommandTarget(cast("Any", hub), cast("Any", engine), **more)


class FakeUsefulCommands:
    async def run(self, name: str, confirmation: str, op: Operator, *, only_reads: bool) -> list[tuple[str, int, str]]:
        return [("true", 0, "done")]


class FakeTriage:
    """What is wrong, where little is."""

    commands = FakeUsefulCommands()

    def look(self, entry: str, about: str) -> KnownIssueView:
        return KnownIssueView("It is down", matches=True, id=entry, about=(about,))

    async def diagnose(self, entry: str, about: str, command: int | None, token: str) -> Sequence[tuple[str, int, str]]:
        if entry != "plan:0":
            raise RefusedError(f"there is no trouble {entry}")
        return [("true", 0, "fine")]

    def cancel(self, token: str) -> None:
        pass

    async def solve(
        self, entry: str, about: str, solution: int, confirmation: str, op: Operator, answers: dict[str, str]
    ) -> tuple[str, int, str]:
        return ("true", 0, "done")

    async def open_incident(self, title: str, op: Operator) -> str:
        return "1"

    async def note_incident(self, text: str, op: Operator) -> None:
        pass

    async def close_incident(self, text: str, op: Operator) -> Path:
        return Path("/incidents/0001.md")

    def all_incidents(self) -> Sequence[Mapping[str, Any]]:
        return ()

    async def bundle(self, op: Operator) -> tuple[Path, int]:
        return Path("/bundles/one.tar.gz"), 1


class FakeEngine:
    """Holds each step until the test lets it end."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.may_end = asyncio.Event()
        self.began = asyncio.Event()
        self.refuse: Exception | None = None
        self.recovered = asyncio.Event()
        self.step_running = ""
        self.run_state: StageWord = "pending"
        self.noted: list[Event] = []

    @property
    def plan_digest(self) -> str:
        return ""

    def view(self) -> MigrationView:
        steps = (StepView(self.step_running, "", "running", "read"),) if self.step_running else ()
        return MigrationView("r1", self.run_state, phases=(PhaseView("one", "One", "running", steps),))

    async def _act(self, *call: Any) -> None:
        self.calls.append(call)
        if self.refuse is not None:
            raise self.refuse

    @property
    def busy(self) -> str:
        return f"step {self.step_running}" if self.step_running else ""

    async def refresh(self) -> bool:
        return False

    async def news(self) -> bool:
        await asyncio.Event().wait()
        return False

    async def submit(self, action: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(action)
        accepted = asyncio.get_running_loop().create_task(self.began.wait())
        await asyncio.wait({task, accepted}, return_when=asyncio.FIRST_COMPLETED)
        accepted.cancel()
        if task.done():
            task.result()
        return task

    async def give(self, op: Operator, variables: Mapping[str, str]) -> None:
        await self._act("give", op.who, dict(variables))

    async def start(self, op: Operator, variables: Mapping[str, str] | None = None, *, new: bool = False) -> None:
        await self._act("start", op.who, dict(variables or {}), new)

    async def run_next(self, op: Operator, confirmation: str | None = None) -> None:
        await self._act("run_next", op.who, confirmation)

    async def run_to_gate(self, op: Operator) -> None:
        await self._act("run_to_gate", op.who)

    def stop_after_step(self) -> None:
        self.calls.append(("stop_after_step",))

    async def run_step(self, step_id: str, op: Operator, confirmation: str | None = None) -> None:
        self.began.set()
        await self.may_end.wait()
        await self._act("run_step", step_id, op.who, confirmation)

    async def check_gate(self, phase: str, op: Operator) -> None:
        await self._act("check_gate", phase)

    async def answer_gate(self, phase: str, op: Operator, yes: bool, note: str) -> None:
        await self._act("answer_gate", phase, yes, note)

    async def tick(self, step_id: str, item: int, op: Operator, evidence: str, file: Path | None) -> None:
        await self._act("tick", step_id, item, evidence, str(file or ""))

    async def resolve(self, step_id: str, choice: str, reason: str, op: Operator) -> None:
        await self._act("resolve", step_id, choice, reason)

    async def retry(self, step_id: str, op: Operator, confirmation: str | None = None) -> None:
        await self._act("retry", step_id)

    async def rollback(
        self, name: str | None, op: Operator, *, dry_run: bool = False, accept: tuple[str, ...] = ()
    ) -> None:
        self.accepted: tuple[str, ...] = accept
        await self._act("rollback", name, dry_run)

    async def rehearse(self, name: str | None) -> Rehearsal:
        return Rehearsal(RollbackView(name or "", "", available=True))

    async def difference(self) -> PlanDifference:
        return PlanDifference(same=True)

    async def rebase(self, op: Operator, variables: object, reason: str, digest: str) -> None:
        await self._act("rebase", variables, reason, digest)

    async def put_off(
        self, op: Operator, at: float, expires: float, until: str, variables: object, *, new: bool
    ) -> None:
        await self._act("put_off", at, expires, until, variables, new)

    async def cancel_appointment(self) -> str:
        await self._act("cancel_appointment")
        return "at ten"

    @property
    def appointment_due(self) -> bool:
        return False

    async def abort(self, op: Operator, reason: str) -> None:
        await self._act("abort", reason)

    async def acknowledge(self, check: str, op: Operator, reason: str) -> None:
        await self._act("acknowledge", check, op.who, reason)

    async def waive(self, check: str, op: Operator, reason: str, for_s: float) -> None:
        await self._act("waive", check, op.who, reason, for_s)

    async def confirm(self, step_id: str, op: Operator, text: str) -> None:
        await self._act("confirm", step_id, op, text)

    async def note(self, op: Operator, event: Event) -> None:
        self.noted.append(event)

    def holder(self) -> Holder | None:
        return None

    @property
    def unwatched_gate(self) -> str:
        return ""

    async def watch_on(self) -> None:
        self.calls.append(("watch_on",))

    async def recover(self) -> None:
        self.recovered.set()

    def read_output(self, step_id: str, attempt: int, offset: int, limit: int) -> tuple[str, int, bool]:
        return (f"{step_id}:{attempt}", offset + 5, True)
