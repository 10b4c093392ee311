from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.load import load_plan_text

Problems = Callable[[str], list[str]]


@pytest.fixture
def example() -> str:
    """Give the text of a plan that uses every part of the format and is right."""
    return (Path(__file__).parent / "fixtures" / "worked_example.yaml").read_text(encoding="utf-8")


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    """Give a function that returns the problems of a plan's text, each as `LINE:COLUMN: PATH: MESSAGE`."""

    def find(text: str) -> list[str]:
        try:
            load_plan_text(text, tmp_path / "plan.yaml")
        except PlanError as error:
            return [str(problem).removeprefix(f"{tmp_path / 'plan.yaml'}:") for problem in error.problems]
        return []

    return find
