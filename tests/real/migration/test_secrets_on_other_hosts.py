"""What another host prints of a secret, in whatever form, is taken out of step, check and records as here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.functional.secrets.canary import VALUES, assert_clean, assert_nothing_below
from tests.support.servers.sshd import run_sshd

from switchover.cli.parser import main

PLAN = """
schema: 1
id: far
title: Far
secrets: {{pw: {{ref: "file:canary-file"}}}}
checks:
  far: {{kind: command, command: '{far}; exit 3', effect: read, every: 1s}}
phases:
  - id: a
    steps:
      - {{id: shows, run: '{far}', effect: read, outputs: {{line: 'stdout:/^password=(.*)$/'}}}}
"""


@pytest.fixture
def far(tmp_path: Path) -> Iterator[str]:
    """A command that has a real server here print a secret that it alone has in its environment."""
    folder = tmp_path / "sshd"
    folder.mkdir()
    shutil.copy(Path(__file__).parents[2] / "functional" / "secrets" / "disguise.sh", folder)
    (folder / "kept").write_text(VALUES["from_cmd"])
    with run_sshd(folder, {}) as server:
        (folder / "client").write_text(server.client_configuration("far"))
        there = f"cd {folder}; export P=\\$(cat kept); bash disguise.sh P; bash disguise.sh P >&2"
        yield f'ssh -F {folder}/client far "{there}"'


def test_a_canary_that_another_host_prints_is_found_nowhere(
    far: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    folder = tmp_path / "plan"
    folder.mkdir()
    (folder / "plan.yaml").write_text(PLAN.format(far=far))
    (folder / "canary-file").write_text(VALUES["from_cmd"])
    state = tmp_path / "state"
    monkeypatch.setenv("SWITCHOVER_STATE", str(state))
    plan = str(folder / "plan.yaml")
    for words in (["check", plan, "--format", "json"], ["run", plan], ["report", plan], ["audit", "show", plan]):
        main(words)
        written = capfdbinary.readouterr()
        assert_clean(written.out + written.err, words)
        if words[0] in ("check", "report"):
            assert b"secret pw" in written.out
    assert "exit.json" in assert_nothing_below([state], but=folder)
