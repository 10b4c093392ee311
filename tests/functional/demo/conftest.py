"""A demo for each test, ended when the test is."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.warm_program import run_switchover

from switchover.demo.demo_marks import agents_of
from switchover.demo.demo_processes import end_all
from switchover.demo.layout import Demo

Switchover = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def switchover(tmp_path: Path) -> Switchover:
    """Run the command line as a program of its own, with a state directory for this test."""

    def run(*arguments: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        verb, *rest = map(str, arguments)
        return run_switchover(verb, "--state", tmp_path / "state", *rest, timeout=timeout)

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where a demo may be laid down; a space and an umlaut in the name, as people have them."""
    path = tmp_path / "my dämo"
    yield path
    demo = Demo.at(path)
    end_all(demo, agents_of(demo.plan))


@pytest.fixture
def demo(folder: Path, switchover: Switchover) -> Demo:
    """Return a demo that is laid down and runs."""
    done = switchover("demo", folder, "--headless")
    assert done.returncode == 0, done.stderr
    return Demo.at(folder)
