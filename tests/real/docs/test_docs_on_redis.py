"""What the first page promises a newcomer, on two real servers: a Redis moves, goes back, and moves for good."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.blocks import DOCS, blocks_of
from tests.docs.playing import play
from tests.support.servers.redis import redis_server


def test_a_newcomer_moves_a_redis_as_the_first_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SWITCHOVER_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    blocks = list(blocks_of(DOCS / "first-plan.md"))
    with (
        redis_server(tmp_path / "old") as old,
        redis_server(tmp_path / "new", "--repl-diskless-sync-delay", "0") as new,
    ):

        def here(text: str) -> str:
            return text.replace("6390", str(old.port)).replace("6391", str(new.port))

        (plan,) = (block.text for block in blocks if block.mark == "redis.yaml")
        commands = [
            command._replace(line=here(command.line))
            for block in blocks
            if block.mark == "redis"
            for command in block.commands()
        ]
        assert len(commands) >= 15
        written = next(n for n, command in enumerate(commands) if "redis.yaml" in command.line)
        said = play(commands[:written], folder, capsys)
        (folder / "redis.yaml").write_text(here(plan), encoding="utf-8")
        said += play(commands[written:], folder, capsys)
        assert old.cli("get", "greeting") == new.cli("get", "greeting") == "hello"
        assert new.cli("role").startswith("master")
    assert f"redis_server_answers_{old.port}" in (folder / "switchover.yaml").read_text("utf-8")
    assert "run 1 is rolled back" in said or "rolled back" in said
    assert "run 2 is done" in said
    assert "The cache to its new server" in (folder / "redis-report.md").read_text("utf-8")
