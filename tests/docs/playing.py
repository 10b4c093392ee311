"""Types the commands of a page as a reader would, in one folder, one after the other."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from tests.docs.blocks import Block, Command

from switchover.cli.parser import main

__all__ = ["lay_down", "play"]


def lay_down(blocks: Iterable[Block], folder: Path) -> None:
    """Write the blocks that say which file they are into `folder`."""
    for block in blocks:
        if block.mark.endswith((".yaml", ".py")):
            (folder / block.mark).write_text(block.text, encoding="utf-8")


def play(commands: Iterable[Command], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the commands in `folder`, which is the current one; each ends as its page promises. Return what they say.

    `switchover` runs in this process: starting Python for each would take longer than what they do.
    """
    said = ""
    for command in commands:
        typed, _, target = command.line.partition(" > ")
        words = shlex.split(typed)
        if words[0] != "switchover":
            done = subprocess.run(["sh", "-c", command.line], cwd=folder, check=False)
            assert done.returncode == command.code, command
            continue
        capsys.readouterr()
        code = main(words[1:])
        out, err = capsys.readouterr()
        assert code == command.code, (command, out, err)
        if target:
            (folder / target.strip()).write_text(out, encoding="utf-8")
        said += out + err
    return said
