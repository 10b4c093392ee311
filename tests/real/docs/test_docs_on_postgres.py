"""What the pages show of a shared journal works as shown, on a real server."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.blocks import DOCS, blocks_of
from tests.docs.playing import lay_down, play
from tests.real.conftest import Postgres

_SHOWN = "postgresql://ops@db.internal/switchover"


def test_every_command_on_a_shared_journal_does_what_its_page_promises(
    tmp_path: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SWITCHOVER_STATE", str(tmp_path / "state"))
    (tmp_path / "old").mkdir()
    lay_down(blocks_of(DOCS / "first-plan.md"), tmp_path)
    url = postgres.create()
    commands = [
        command._replace(line=command.line.replace(_SHOWN, url))
        for block in blocks_of(DOCS / "team.md")
        if block.mark == "postgresql"
        for command in block.commands()
    ]
    assert len(commands) >= 4
    said = play(commands, tmp_path, capsys)
    assert "phase move is through" in said
    assert "GRANT switchover_driver TO ana" in said
