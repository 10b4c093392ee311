import sys
from pathlib import Path

from tests.functional.demo.conftest import Switchover
from tests.support.terminal import Terminal

from switchover.demo.demo_marks import agents_of
from switchover.demo.demo_processes import is_running
from switchover.demo.layout import Demo


def test_the_demo_opens_and_at_the_end_says_how_to_come_back_and_how_to_end_it(
    folder: Path, tmp_path: Path, switchover: Switchover
) -> None:
    command = [sys.executable, "-m", "switchover", "demo", "--state", str(tmp_path / "state"), str(folder)]
    with Terminal(command, columns=120, lines=30) as terminal:
        terminal.wait_for("live before")
        terminal.wait_for(lambda seen: "ok" in seen.text and "shop" in seen.text)
        terminal.send("6")
        terminal.wait_for("back_up")
        terminal.send("q")
        assert terminal.wait() == 0
        after = terminal.raw.decode(errors="replace")
    demo = Demo.at(folder)
    assert "come back" in after
    assert "--stop" in after
    assert is_running(demo, "old")
    assert agents_of(demo.plan)
    assert switchover("demo", folder, "--stop").returncode == 0
    assert not agents_of(demo.plan)
