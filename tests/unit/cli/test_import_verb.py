"""`import` from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchover.cli.parser import main

GOSS = "port:\n  tcp:22: {listening: true}\nfile:\n  /etc/passwd: {exists: true, owner: root}\n"


@pytest.fixture
def goss(tmp_path: Path) -> Path:
    path = tmp_path / "goss.yaml"
    path.write_text(GOSS)
    return path


def test_the_plan_goes_to_standard_output_and_the_rest_is_told(goss: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(goss)]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("schema: 1\nid: imported\n")
    assert err.splitlines() == [
        f'{goss}:4: file["/etc/passwd"].owner: not carried: nothing in a plan stands for it',
        "2 checks and 0 services; 2 of 3 keys carried, 1 not carried",
    ]


def test_a_file_that_is_there_is_never_overwritten(goss: Path, capfd: pytest.CaptureFixture[str]) -> None:
    plan = goss.with_name("plan.yaml")
    assert main(["import", str(goss), "--output", str(plan), "--id", "mine"]) == 0
    written = plan.read_text()
    assert "id: mine" in written
    assert main(["import", str(goss), "--output", str(plan)]) == 2
    assert plan.read_text() == written
    assert "is not overwritten" in capfd.readouterr().err
    assert main(["validate", str(plan)]) == 0


@pytest.mark.parametrize("words", [["none.yaml"], ["--id", "no name"], ["--format", "nothing"]])
def test_what_cannot_be_is_refused_in_words(goss: Path, capfd: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert main(["import", str(goss), *words]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback" not in err
