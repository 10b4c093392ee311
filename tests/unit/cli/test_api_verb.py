"""`switchover api` says where the token lies, to people and to programs."""

from __future__ import annotations

import json

import pytest

from switchover.cli.parser import main


def test_a_program_learns_where_the_token_lies(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["api", "--format", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["token"].endswith("api.token")
