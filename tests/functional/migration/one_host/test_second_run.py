"""The same plan driven a second time: from another home, by cron, by another account, or from a copy of its file.

The first run waits at a gate, and later it is over. The second is refused in words, and does nothing.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.conftest import missing
from tests.support.warm_program import run_switchover

from switchover.locations import host_registry, workspace_for
from switchover.migration.journal.host_registry import HostRegistry

PLAN = """
schema: 1
id: {name}
title: A plan
target: {name}
phases:
  - id: a
    steps:
      - {{id: dump, run: 'date +%s%N > backup; echo dump >> log', effect: creates}}
    gate: {{human: "All well?"}}
  - id: b
    steps:
      - {{id: cut, run: 'echo cut >> log', effect: changes}}
"""
PATHS = {"PATH": os.environ["PATH"]}
NOBODY = 65534
Run = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Place:
    """A folder that all accounts see, with a plan whose target nobody else has."""

    folder: Path

    @property
    def plan(self) -> Path:
        return self.folder / "plan.yaml"

    def home(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(exist_ok=True)
        return path

    def run(self, *words: str, env: Mapping[str, str] | None = None, plan: Path | None = None, uid: int = 0) -> Run:
        own = {**PATHS, "HOME": str(self.home("ana"))} if env is None else dict(env)
        return run_switchover("run", plan or self.plan, *words, cwd=self.folder, env=own, uid=uid)

    def second(self, way: str) -> Run:
        """Run it once more in some way."""
        match way:
            case "another home":
                return self.run(env={**PATHS, "HOME": str(self.home("ben"))})
            case "cron":
                return self.run(env=PATHS)
            case "another account":
                if os.geteuid() != 0:
                    missing("the right to become another account")
                home = self.home("nobody")
                os.chown(home, NOBODY, NOBODY)
                return self.run(env={**PATHS, "HOME": str(home)}, uid=NOBODY)
            case _:
                copied = self.home("copy") / "other.yaml"
                shutil.copy(self.plan, copied)
                return self.run(plan=copied)

    def done(self) -> tuple[str, str]:
        return (self.folder / "backup").read_text(), (self.folder / "log").read_text()


@pytest.fixture
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="switchover-second-"))
    folder.chmod(0o755)
    plan = folder / "plan.yaml"
    plan.write_text(PLAN.format(name=folder.name))
    yield Place(folder)
    shutil.rmtree(folder)
    home = Path(pwd.getpwuid(os.geteuid()).pw_dir)  # what is used where no home is named
    shutil.rmtree(workspace_for(home / ".local/state/switchover", plan).directory, ignore_errors=True)
    noted = host_registry({**PATHS, "HOME": str(folder)})  # what the host has where no settings name another
    assert noted is not None
    registry = HostRegistry.of(noted, folder.name, folder.name)
    for file in (*registry.paths("lock"), *registry.paths("json")):
        file.unlink()


@pytest.mark.parametrize("way", ["another home", "cron", "another account", "a copy"])
def test_a_second_run_is_refused_and_does_nothing_while_the_first_waits_and_when_it_is_over(
    place: Place, way: str
) -> None:
    first = place.run()
    assert (first.returncode, "--confirm a=go" in first.stderr) == (4, True), first.stderr
    states = place.home("ana") / ".local/state/switchover"
    (lies_in,) = (states / "workspaces").iterdir()
    before = place.done()

    waits = place.second(way)
    assert waits.returncode == 5, waits.stderr
    assert f"the target {place.folder.name} is held by run 1 of {place.folder.name}" in waits.stderr
    assert "drove last and which is not over" in waits.stderr
    assert str(lies_in) in waits.stderr
    assert place.done() == before

    assert place.run("--confirm", "a=go").returncode == 0
    after = place.done()
    assert after == (before[0], "dump\ncut\n")

    over = place.second(way)
    assert over.returncode == 5, over.stderr
    assert f"run 1 of {place.folder.name} is over already" in over.stderr
    assert str(lies_in) in over.stderr
    assert "--new" in over.stderr
    assert place.done() == after
