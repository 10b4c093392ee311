"""What a process must not load, looked at from outside: each case is a fresh interpreter."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "tui" / "switchover"
SCREEN = {"textual", "rich", "plotext"}
HEAVY = {"pydantic", "psutil", "httpx", "docker", "boto3", "botocore", "google", "ruamel", "psycopg"}
SLOW_SDKS = {"docker", "boto3", "botocore", "google", "grpc"}

REPORT = """
import json, sys
try:
    {code}
finally:
    sys.__stderr__.write("\\nMODULES " + json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})))
"""


def loaded_by(code: str, tmp_path: Path) -> set[str]:
    """Run `code` in an interpreter of its own and return the packages that it had loaded at its end."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", REPORT.format(code=code)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "SWITCHOVER_STATE": str(tmp_path / "state")},
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("MODULES ")]
    assert lines, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return set(json.loads(lines[-1].removeprefix("MODULES ")))


def command_line(*words: str) -> str:
    return f"from switchover.cli.parser import main; main({list(words)!r})"


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    path = tmp_path / "plan.yaml"
    path.write_text(
        "schema: 1\nid: small\ntitle: Small\n"
        "checks:\n  there: {kind: file, path: plan.yaml}\n"
        "phases:\n  - id: one\n    steps: [{id: look, run: 'true', effect: read}]\n    gate: {require: [there]}\n"
    )
    return path


def test_the_version_costs_next_to_nothing(tmp_path: Path) -> None:
    assert not loaded_by(command_line("--version"), tmp_path) & (SCREEN | HEAVY | {"msgspec", "asyncio", "sqlite3"})


@pytest.mark.parametrize("verb", ["check", "run", "rollback", "status", "report", "validate", "agent"])
def test_the_help_of_a_verb_loads_no_heavy_library(verb: str, tmp_path: Path) -> None:
    code = f"import contextlib\n    with contextlib.suppress(SystemExit): {command_line(verb, '--help').split('; ')[1]}"
    assert not loaded_by(f"from switchover.cli.parser import main\n    {code}", tmp_path) & (SCREEN | HEAVY)


@pytest.mark.parametrize("verb", ["check", "status", "validate", "report"])
def test_no_verb_loads_the_screen_or_an_sdk_that_it_does_not_need(verb: str, plan: Path, tmp_path: Path) -> None:
    assert not loaded_by(command_line(verb, str(plan)), tmp_path) & (SCREEN | SLOW_SDKS)


def test_the_screen_loads_neither_plans_nor_sdks_nor_polling(tmp_path: Path) -> None:
    everything = "; ".join(
        f"import {module}"
        for module in (
            "switchover.ui.app.opening",
            "switchover.ui.app.application",
            "switchover.ui.app.bridge",
            "switchover.agent.wire.client",
            "switchover.agent.process.lifecycle",
            "switchover.agent.wire.protocol",
        )
    )
    loaded = loaded_by(everything, tmp_path)
    assert not loaded & HEAVY
    assert "textual" in loaded


def test_the_agent_loads_no_screen_and_no_sdk_before_it_needs_one(tmp_path: Path) -> None:
    loaded = loaded_by(
        "import switchover.app, switchover.agent.process.agent_process, switchover.cli.verbs.agent", tmp_path
    )
    assert not loaded & (SCREEN | SLOW_SDKS)


def test_only_two_modules_write_to_the_standard_files() -> None:
    writers = {"cli/output.py", "cli/diagnostics.py"}
    writers |= {"ui/app/opening.py"}  # the last words of the screens, once the terminal is the operator's again
    alone = {"migration/steps/launcher.py", "migration/steps/shim.py"}  # run on their own, without this package
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name in writers | alone:
            continue
        nodes = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))
        found += [f"{name}:{n.lineno}" for n in nodes if isinstance(n.func, ast.Name) and n.func.id == "print"]
    assert found == []
