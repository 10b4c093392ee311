from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from switchover.cli.parser import main

Write = Callable[..., Path]
Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a plan with these checks, all required by its gate."""

    def write(more: str = "", **checks: str) -> Path:
        lines = ["schema: 1", "id: shop", "title: The shop", more, "checks:"]
        lines += [f"  {name}: {spec}" for name, spec in checks.items()]
        lines += [
            "phases:",
            "  - id: data",
            '    steps: [{id: copy, run: "true", effect: read}]',
            f"    gate: {{require: [{', '.join(checks)}]}}",
        ]
        path = tmp_path / "plan.yaml"
        path.write_text("\n".join(lines))
        return path

    return write


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWITCHOVER_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture(autouse=True)
def _own_state(state: Path) -> None:
    return


@pytest.fixture
def check(capfd: pytest.CaptureFixture[str]) -> Check:
    """Run `switchover check` and return its exit code and what it wrote."""

    def check(plan: Path, *arguments: str) -> tuple[int, str, str]:
        code = main(["check", str(plan), *arguments])
        written = capfd.readouterr()
        return code, written.out, written.err

    return check
