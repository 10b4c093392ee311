"""An agent of another version: replaced by a screen that opens, left alone by one that was there before."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from switchover import __version__
from switchover.agent.process import lifecycle
from switchover.agent.wire.protocol import WIRE, AgentInfo
from switchover.errors import VersionMismatchError
from switchover.locations import Workspace, workspace_for


def test_a_screen_that_was_attached_does_not_end_the_agent_of_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = workspace_for(tmp_path, None)
    running = AgentInfo(version="2", pid=1, workspace=str(place.directory), wire=WIRE)
    ended: list[str] = []
    monkeypatch.setattr(lifecycle, "ask", lambda _place: running)
    monkeypatch.setattr(lifecycle, "stop", lambda _place, **_: ended.append("stopped"))
    with pytest.raises(VersionMismatchError, match="version 2 now, this screen is version 1"):
        lifecycle.ensure_agent(place, None, version="1", replace=False)
    assert ended == []
    assert lifecycle.ensure_agent(place, None, version="2", replace=False) is running


@pytest.mark.parametrize("run_open", [False, True])
def test_an_idle_agent_whose_check_modules_were_edited_is_started_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_open: bool
) -> None:
    place, module = workspace_for(tmp_path, tmp_path / "plan.yaml"), tmp_path / "kind.py"
    module.write_text("x = 1")
    digest = hashlib.sha256(b"x = 1").hexdigest()
    modules = {str(module): digest}
    agents = [
        AgentInfo(version="1", pid=n, workspace="", run_open=run_open, modules=modules, wire=WIRE) for n in (1, 2)
    ]
    monkeypatch.setattr(lifecycle, "ask", lambda _place: agents[0])
    monkeypatch.setattr(lifecycle, "stop", lambda _place, **_: (agents.pop(0), module.write_text("x = 1")))
    assert lifecycle.ensure_agent(place, place.plan, version="1").pid == 1
    module.write_text("x = 2")
    assert lifecycle.ensure_agent(place, place.plan, version="1").pid == 2


@pytest.mark.parametrize("busy", ["", "step dump"])
def test_an_agent_that_speaks_an_older_line_is_told_and_started_again_unless_it_is_at_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, busy: str
) -> None:
    place = workspace_for(tmp_path, None)
    said = {"version": __version__, "pid": 1, "workspace": "", "busy": busy}  # as an agent said it that knew no line
    old = msgspec.convert(said, AgentInfo)
    new = replace(old, wire=WIRE)
    running, told = [old], []

    def stop(_place: Workspace, *, only_if_idle: bool = False) -> None:
        told.append(only_if_idle)
        running[:] = [new]

    monkeypatch.setattr(lifecycle, "ask", lambda _place: running[0])
    monkeypatch.setattr(lifecycle, "stop", stop)
    if busy:
        with pytest.raises(VersionMismatchError, match=rf"line 1, here {WIRE}.*step dump"):
            lifecycle.ensure_agent(place, None)
        assert told == []
    else:
        assert lifecycle.ensure_agent(place, None) is new
        assert told == [True]
        running[:] = [old]
        with pytest.raises(VersionMismatchError, match="line 1"):
            lifecycle.ensure_agent(place, None, replace=False)
