"""What is told on leaving works as it is printed."""

from __future__ import annotations

import re
import shlex
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.support.ui_samples import trouble

from switchover.cli.screen_options import same_place
from switchover.ui.app.opening import _say_goodbye


def test_the_goodbye_names_the_place_that_was_given(capsys: pytest.CaptureFixture[str]) -> None:
    data = replace(trouble(), header=replace(trouble().header, plan_path="/my plans/p.yaml"))
    app = SimpleNamespace(crash="", failure=None, moment=SimpleNamespace(data=data), return_code=0)
    given = Namespace(state="/my state", journal="postgresql://ops@db/x")
    assert _say_goodbye(app, Path("log"), 0, same_place(given)) == 0  # type: ignore[arg-type]
    commands = [shlex.split(command) for command in re.findall("`(.*?)`", capsys.readouterr().err)]
    place = ["--state", "/my state", "--journal", "postgresql://ops@db/x", "/my plans/p.yaml"]
    assert commands == [["switchover", *place], ["switchover", "status", *place]]


def test_where_nothing_was_given_nothing_is_added() -> None:
    assert same_place(Namespace(state=None, journal=None)) == ""
    assert same_place(Namespace(state=None)) == ""
