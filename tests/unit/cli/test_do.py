"""`switchover do`: the useful commands of a plan on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchover.cli.parser import main

PLAN = """
schema: 1
id: shop
title: The shop
commands:
  look: {run: "echo seen; exit 7", effect: read}
  touch: {argv: [touch, touched], effect: changes}
"""


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWITCHOVER_STATE", str(tmp_path / "state"))
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN)
    return path


def test_one_that_reads_gives_its_output_and_its_exit_code(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["do", str(plan), "look"]) == 7
    assert capsys.readouterr().out == "seen\n"


def test_one_that_changes_something_wants_a_yes(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["do", str(plan), "touch"]) != 0
    assert "run it with --yes" in capsys.readouterr().err
    assert not (plan.parent / "touched").exists()
    assert main(["do", str(plan), "touch", "--yes"]) == 0
    assert (plan.parent / "touched").exists()


def test_without_a_name_they_are_listed_and_a_wrong_one_is_told(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["do", str(plan)]) == 0
    assert capsys.readouterr().out == "look   read     echo seen; exit 7\ntouch  changes  touch touched\n"
    assert main(["do", str(plan), "lok"]) != 0
    assert "did you mean 'look'?" in capsys.readouterr().err
