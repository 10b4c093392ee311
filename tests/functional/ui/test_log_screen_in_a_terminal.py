"""The log screen on a real agent, in a terminal: a file that grows, an agent that is killed, text that does harm."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.terminal import Terminal

HARM = "\x1b[2J\x1b]0;owned\x07\x1b[31m[bold]x[/bold] \x9b2J \u202etxt.exe"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Path]:
    """A directory without a plan, and the agent of the host after the test ended."""
    folder = tmp_path / "host"
    folder.mkdir()
    yield folder
    subprocess.run(switchover(folder, "agent", "stop"), cwd=folder, capture_output=True, check=False, timeout=60)


def switchover(host: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "switchover", *words, "--state", str(host.parent / "state")]


def open_log(host: Path, log: Path) -> Terminal:
    command = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(host), *switchover(host)]
    terminal = Terminal(command, columns=100, lines=30, env={"SSH_CONNECTION": "", "HOME": str(host.parent)})
    terminal.wait_for("nothing to report", 60)
    terminal.send(":")
    terminal.wait_for("do or open")
    terminal.send("open a log")
    terminal.wait_for("open a log file")
    terminal.settle()
    terminal.send("enter")
    terminal.wait_for("merged by time")
    terminal.settle()
    terminal.send("\x15")
    terminal.settle()
    terminal.send(str(log))
    terminal.wait_for(log.name)
    terminal.settle()
    terminal.send("enter")
    terminal.wait_for("following")
    return terminal


def append(log: Path, *lines: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def agent_pid(host: Path) -> int:
    record = next((host.parent / "state" / "workspaces").glob("*/agent.json"))
    return int(json.loads(record.read_text(encoding="utf-8"))["pid"])


def test_a_file_is_followed_searched_and_found_again_after_the_agent_was_killed(host: Path, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, *(f"2026-01-28T12:00:{number:02}Z INFO request {number}" for number in range(60)))
    with open_log(host, log) as terminal:
        terminal.wait_for("request 59")
        append(log, "2026-01-28T12:01:00Z ERROR it broke")
        terminal.wait_for("it broke")
        terminal.send("/")
        terminal.wait_for("enter take it")
        terminal.send("request 7")
        terminal.settle()
        terminal.send("enter")
        terminal.wait_for("find “request 7” on 1")
        terminal.wait_for(
            lambda seen: any(row.startswith("▌") and "request 7" in row for row in seen.text.splitlines())
        )
        os.kill(agent_pid(host), signal.SIGKILL)
        terminal.wait_for("lost")
        terminal.wait_for(lambda seen: "● now" in seen.text and "lost" not in seen.text, 60)
        append(log, "2026-01-28T12:02:00Z INFO after the loss")
        terminal.send("G")
        terminal.wait_for("after the loss")


def test_what_a_log_says_never_reaches_the_terminal_as_anything_but_text(host: Path, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, f"INFO begin {HARM} end", "INFO second")
    with open_log(host, log) as terminal:
        terminal.wait_for("second")
        terminal.send("k", "k", "w")
        terminal.settle()
        terminal.send("enter")
        terminal.wait_for("characters")
        terminal.settle()
        assert "[bold]x[/bold]" in terminal.text
        raw = bytes(terminal.raw).decode("utf-8", "replace")
        assert "\x1b]0;owned" not in raw
        assert "\x1b[31m[bold]" not in raw
        assert "\x9b2J" not in raw
        assert "\u202e" not in raw


def test_a_line_of_ten_megabytes_holds_up_no_key(host: Path, tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    append(log, *(f"INFO line {number}" for number in range(50)), "WARN " + "0123456789" * 1_000_000, "INFO last")
    with open_log(host, log) as terminal:
        terminal.wait_for("more, enter opens", 60)
        terminal.send("k")
        terminal.wait_for("paused")
        terminal.send("enter")
        terminal.wait_for("characters")
        terminal.send("escape")
        terminal.wait_for("paused")
        terminal.send("g")
        terminal.wait_for("line 0")
