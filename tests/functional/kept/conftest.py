"""A home of its own with plans in it, and a registry that nobody else writes to."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.warm_program import run_switchover

PLAN = """
schema: 1
id: {name}
title: Move {name}
target: {name}
{more}
phases:
  - id: a
    steps:
      - {{id: one, run: 'echo one of {name}', effect: read}}
    gate: {{human: "All well?"}}
  - id: b
    steps:
      - {{id: two, run: 'echo two', effect: read}}
"""


@dataclass(frozen=True)
class Home:
    """Runs the command line as an operator of this home does."""

    folder: Path

    @property
    def state(self) -> Path:
        return self.folder / ".local/state/switchover"

    def plan(self, name: str, more: str = "", *, gate: bool = True) -> Path:
        text = PLAN.format(name=name, more=more)
        path = self.folder / f"{name}.yaml"
        path.write_text(text if gate else text.replace('    gate: {human: "All well?"}\n', ""))
        return path

    def do(self, *words: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "PYTHON", "LC_", "LANG"))}
        done = run_switchover(*words, cwd=self.folder, env={**kept, "HOME": str(self.folder)})
        assert done.returncode == code, done.stdout + done.stderr
        return done

    def ask(self, *words: str | Path, code: int = 0) -> Any:
        return json.loads(self.do(*words, "--format", "json", code=code).stdout)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    settings = tmp_path / ".config/switchover/settings.toml"
    settings.parent.mkdir(parents=True)
    (tmp_path / "registry").mkdir(mode=0o700)
    settings.write_text(f'registry = "{tmp_path}/registry"\n')
    return Home(tmp_path)
