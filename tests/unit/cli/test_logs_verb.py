"""`switchover logs`: what is a file and what a service is told by how it is written and what is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from switchover.cli.verbs.logs import sort_words
from switchover.errors import UsageError


def test_a_file_that_is_there_is_a_file_and_any_other_word_a_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.log").touch()
    (tmp_path / "plain").touch()
    (tmp_path / "web").mkdir()
    os.mkfifo(tmp_path / "pipe")
    services = ["api", "docker:shop-db-1", "web", "kubernetes:shop/web.log"]
    files = ["app.log", "plain", "pipe", "./later", "logs/later", "later.log"]
    assert sort_words([*services, *files, "/var/log/none"]) == (
        tuple(services),
        (*(f"{tmp_path}/{name.removeprefix('./')}" for name in files), "/var/log/none"),
    )


def test_without_a_terminal_it_says_what_to_use_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import argparse

    from switchover.cli.verbs import logs

    monkeypatch.setattr("os.isatty", lambda _descriptor: False)
    with pytest.raises(UsageError, match="needs a terminal"):
        logs.run(argparse.Namespace(names=["api"], state=str(tmp_path), plan=None, journal=None))
