"""The line to the agent: started, lost, found again; and given up only before anything was ever seen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.support.ui_samples import StillClock

from switchover.agent.wire.client import AgentClient
from switchover.agent.wire.protocol import AgentInfo
from switchover.commands.command import Command
from switchover.commands.run import RunNext
from switchover.errors import (
    AgentError,
    AgentStoppedError,
    PlanError,
    PlanProblem,
    SwitchoverError,
    VersionMismatchError,
)
from switchover.locations import workspace_for
from switchover.snapshot import Snapshot
from switchover.ui.app.bridge import ActionFailed, AgentConnection, AgentSource, agent_attacher
from switchover.ui.text.render_context import AgentLink

Answer = TypeVar("Answer")


class FakeClient:
    def __init__(self, *snapshots: Snapshot) -> None:
        self._snapshots = snapshots
        self.closed = False

    async def snapshots(self) -> AsyncIterator[Snapshot]:
        for snapshot in self._snapshots:
            yield snapshot
        raise AgentError("the line to the agent is lost")

    async def send(self, command: Command[Answer]) -> Answer:
        raise AssertionError(command)

    async def aclose(self) -> None:
        self.closed = True


class Attacher:
    """Attaches to one thing after the other; an exception is raised."""

    def __init__(self, *ends: FakeClient | SwitchoverError) -> None:
        self._ends = list(ends)

    async def __call__(self, on_action_failed: ActionFailed) -> AgentConnection:
        end = self._ends.pop(0)
        if isinstance(end, SwitchoverError):
            raise end
        return end


def source(*ends: FakeClient | SwitchoverError) -> AgentSource:
    return AgentSource(Attacher(*ends), StillClock(), Path("/var/log/agent.log"), first_pause_s=0.0)


def ignore(error: SwitchoverError) -> None:
    del error


async def told(feed: AgentSource, count: int) -> list[str]:
    words: list[str] = []
    updates = feed.snapshots(ignore)
    async for update in updates:
        words.append(update.state if isinstance(update, AgentLink) else f"seq {update.seq}")
        if len(words) == count:
            break
    await updates.aclose()  # type: ignore[attr-defined]
    return words


async def test_an_agent_that_dies_is_found_again() -> None:
    first, second = FakeClient(Snapshot(1), Snapshot(2)), FakeClient(Snapshot(3))
    feed = source(first, second)
    assert await told(feed, 7) == ["starting", "live", "seq 1", "seq 2", "lost", "live", "seq 3"]
    assert first.closed


async def test_an_agent_that_somebody_stopped_is_waited_for_and_not_started_again() -> None:
    asked: list[str] = []

    class Stopped(FakeClient):
        async def snapshots(self) -> AsyncIterator[Snapshot]:
            yield Snapshot(1)
            raise AgentStoppedError("stopped by ana")

    async def comes_back() -> None:
        asked.append("does it run?")

    feed = AgentSource(
        Attacher(Stopped(), FakeClient(Snapshot(2))),
        StillClock(),
        Path("/var/log/agent.log"),
        first_pause_s=0.0,
        comes_back=comes_back,
    )
    assert await told(feed, 6) == ["starting", "live", "seq 1", "stopped", "live", "seq 2"]
    assert asked == ["does it run?"]


async def test_an_agent_that_cannot_start_again_stays_lost_but_is_tried_on() -> None:
    feed = source(
        FakeClient(Snapshot(1)),
        AgentError("no"),
        PlanError([PlanProblem("p", 1, 1, "", "bad")]),
        FakeClient(Snapshot(2)),
    )
    assert await told(feed, 8) == ["starting", "live", "seq 1", "lost", "lost", "lost", "live", "seq 2"]


async def test_a_plan_with_errors_ends_it_at_once() -> None:
    with pytest.raises(PlanError):
        await told(source(PlanError([PlanProblem("plan.yaml", 3, 1, "phases", "wrong")])), 5)


async def test_another_version_at_work_is_said_at_once() -> None:
    with pytest.raises(VersionMismatchError):
        await told(source(VersionMismatchError("other")), 5)


async def test_an_agent_that_never_starts_is_given_up_with_its_log() -> None:
    with pytest.raises(AgentError) as caught:
        await told(source(AgentError("no"), AgentError("no"), AgentError("no")), 9)
    assert "agent.log" in caught.value.hint


async def test_a_request_without_a_line_is_refused_with_what_to_do() -> None:
    with pytest.raises(AgentError) as caught:
        await source().send(RunNext())
    assert caught.value.hint


async def test_what_the_agent_warns_of_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class WarningClient(AgentClient):
        async def connect(self, socket: Path) -> None:
            del socket

        async def hello(self, operator: Any, *, read_only: bool = False) -> AgentInfo:
            del operator, read_only
            return AgentInfo("1", 1, "w", warning="logind would end it")

    monkeypatch.setattr("switchover.agent.wire.client.AgentClient", WarningClient)
    monkeypatch.setattr("switchover.agent.process.lifecycle.ensure_agent", lambda *_, **__: None)
    heard: list[str] = []
    attach = agent_attacher(workspace_for(tmp_path, None), None, read_only=False)
    for _ in range(2):
        await (await attach(lambda error: heard.append(error.title))).aclose()
    assert heard == ["logind would end it"]
