"""An agent of another version: replaced by a screen that opens, left alone by one that was there before."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from switchover.agent.process import lifecycle
from switchover.agent.wire.protocol import AgentInfo
from switchover.errors import VersionMismatchError
from switchover.locations import workspace_for


def test_a_screen_that_was_attached_does_not_end_the_agent_of_a_newer_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = workspace_for(tmp_path, None)
    running = AgentInfo(version="2", pid=1, workspace=str(place.directory))
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
    agents = [AgentInfo(version="1", pid=n, workspace="", run_open=run_open, modules=modules) for n in (1, 2)]
    monkeypatch.setattr(lifecycle, "ask", lambda _place: agents[0])
    monkeypatch.setattr(lifecycle, "stop", lambda _place, **_: (agents.pop(0), module.write_text("x = 1")))
    assert lifecycle.ensure_agent(place, place.plan, version="1").pid == 1
    module.write_text("x = 2")
    assert lifecycle.ensure_agent(place, place.plan, version="1").pid == 2
