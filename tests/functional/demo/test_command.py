import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.functional.demo.conftest import Switchover

from switchover.demo.demo_marks import agents_of, marked, start_time
from switchover.demo.demo_processes import ask, end_all, is_running, recorded, start
from switchover.demo.layout import PARTS, Demo
from switchover.demo.shop_store import connect, counts


def test_headless_prints_the_plans_path_alone_and_keeps_no_pipe_open(folder: Path, switchover: Switchover) -> None:
    done = switchover("demo", folder, "--headless", timeout=60)
    assert done.stdout == f"{folder}/plan.yaml\n"
    demo = Demo.at(folder)
    assert is_running(demo, "old")
    assert is_running(demo, "door")
    assert not is_running(demo, "new")


def test_the_old_store_has_more_than_ten_thousand_rows_in_several_tables(demo: Demo) -> None:
    with connect(demo, "old") as store:
        found = counts(store)
    assert len(found) >= 3
    assert sum(found.values()) > 10_000


def test_laying_it_down_again_leaves_what_runs_and_restarts_what_does_not(demo: Demo, switchover: Switchover) -> None:
    door, old = recorded(demo, "door"), recorded(demo, "old")
    assert old is not None
    os.kill(old, signal.SIGKILL)
    assert switchover("demo", demo.directory, "--headless").returncode == 0
    assert recorded(demo, "door") == door
    assert recorded(demo, "old") not in (None, old)


def test_a_folder_with_other_files_is_refused_and_left_alone(folder: Path, switchover: Switchover) -> None:
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    done = switchover("demo", folder, "--headless")
    assert done.returncode == 1
    assert "thesis.txt" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(p.name for p in folder.iterdir()) == ["thesis.txt"]


@pytest.mark.parametrize("where", ["/proc/demo", "/dev/null"])
def test_a_place_that_cannot_hold_it_is_named(where: str, switchover: Switchover) -> None:
    done = switchover("demo", where, "--headless")
    assert done.returncode == 1
    assert where in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_relative_folder_and_a_link_to_it_are_the_same_demo(tmp_path: Path, folder: Path) -> None:
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    command = [sys.executable, "-m", "switchover", "demo", "--state", "state", "--headless"]
    paths = [
        subprocess.run([*command, name], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for name in (folder.name, "link")
    ]
    assert paths == [f"{folder.resolve()}/plan.yaml\n"] * 2


def test_without_a_terminal_it_says_how_to_go_on_and_starts_nothing(folder: Path, switchover: Switchover) -> None:
    done = switchover("demo", folder)
    assert done.returncode == 2
    assert "--headless" in done.stderr
    assert not folder.exists()


def test_stop_leaves_nothing_and_may_be_said_twice(demo: Demo, switchover: Switchover) -> None:
    start(demo, "old")
    assert marked(demo)
    first, second = switchover("demo", demo.directory, "--stop"), switchover("demo", demo.directory, "--stop")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert not marked(demo)
    assert "Nothing" in second.stdout
    assert demo.store("old").exists()


def test_stop_finds_what_has_no_record_any_more(demo: Demo, switchover: Switchover) -> None:
    for part in PARTS:
        demo.record(part).unlink(missing_ok=True)
    assert len(marked(demo)) == 2
    assert switchover("demo", demo.directory, "--stop").returncode == 0
    assert not marked(demo)


def test_stop_finds_what_a_killed_parent_left_behind(demo: Demo, switchover: Switchover) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(0, flush=True); time.sleep(600)"
    )
    code = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {stubborn!r}], start_new_session=True)\n"
        "time.sleep(600)"
    )
    environment = {**os.environ, "SWITCHOVER_DEMO_DIR": str(demo.directory)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline()
        parent.kill()
    assert len(marked(demo)) == 3
    assert switchover("demo", demo.directory, "--stop").returncode == 0
    assert not marked(demo)


def test_stop_never_ends_another_demo(demo: Demo, tmp_path: Path, switchover: Switchover) -> None:
    other = Demo.at(f"{demo.directory} 2")
    try:
        assert switchover("demo", other.directory, "--headless").returncode == 0
        assert switchover("demo", demo.directory, "--stop").returncode == 0
        assert is_running(other, "old")
        assert ask(other, "door", "/health")[0] == 200
    finally:
        end_all(other)


def test_stop_ends_nobody_who_took_over_a_recorded_number(demo: Demo, switchover: Switchover) -> None:
    end_all(demo)
    with subprocess.Popen(["sleep", "600"]) as stranger:
        demo.record("old").write_text(f"{stranger.pid} 1\n")
        assert switchover("demo", demo.directory, "--stop").returncode == 0
        assert start_time(stranger.pid) is not None
        stranger.kill()


def test_the_servers_end_by_themselves_when_their_folder_is_gone(demo: Demo) -> None:
    pids = [os.pidfd_open(pid) for pid in marked(demo)]
    assert len(pids) == 2
    shutil.rmtree(demo.directory)
    for pidfd in pids:
        assert select.select([pidfd], [], [], 30)[0]
        os.close(pidfd)


def test_stop_works_when_the_folder_is_damaged(demo: Demo, switchover: Switchover) -> None:
    demo.plan.unlink()
    demo.store("old").unlink()
    demo.record("old").unlink()
    assert switchover("demo", demo.directory, "--stop").returncode == 0
    assert not marked(demo)


def _start_agent(demo: Demo, state: Path) -> None:
    """Start an agent from a new interpreter: it is known by its command line."""
    command = [sys.executable, "-P", "-m", "switchover", "agent", "--state", str(state), "start", str(demo.plan)]
    subprocess.run(command, check=True, capture_output=True)


def test_stop_ends_the_agent_of_its_plan(demo: Demo, switchover: Switchover, tmp_path: Path) -> None:
    _start_agent(demo, tmp_path / "state")
    assert agents_of(demo.plan)
    assert switchover("demo", demo.directory, "--stop").returncode == 0
    assert not agents_of(demo.plan)


def test_stop_ends_an_agent_that_keeps_its_state_elsewhere(demo: Demo, switchover: Switchover, tmp_path: Path) -> None:
    _start_agent(demo, tmp_path / "other")
    (agent,) = agents_of(demo.plan)
    os.kill(agent, signal.SIGSTOP)
    assert switchover("demo", demo.directory, "--stop").returncode == 0
    assert not agents_of(demo.plan)


def test_two_who_lay_it_down_at_once_get_one_demo(folder: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "switchover",
        "demo",
        "--state",
        str(tmp_path / "state"),
        "--headless",
        str(folder),
    ]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) for _ in range(2)]
    assert [one.communicate(timeout=60)[0] for one in both] == [f"{folder}/plan.yaml\n"] * 2
    assert len(marked(Demo.at(folder))) == 2


@pytest.mark.parametrize("lost", ["plan.yaml", "live", "backups/nightly/old.sqlite", "stores/old.sqlite"])
def test_a_lay_down_that_was_cut_off_is_finished_by_the_next(lost: str, demo: Demo, switchover: Switchover) -> None:
    end_all(demo)
    (demo.directory / lost).unlink()
    if lost != "plan.yaml":
        demo.live_file.unlink(missing_ok=True)  # written last
    assert switchover("demo", demo.directory, "--headless").returncode == 0
    assert (demo.directory / lost).exists()
    assert ask(demo, "door", "/customers/1")[0] == 200


@pytest.mark.parametrize(
    ("file", "content"), [(".switchover-demo", "{"), (".switchover-demo", "[]"), ("live", "purple\n")]
)
def test_a_damaged_demo_is_told_in_a_line(file: str, content: str, demo: Demo, switchover: Switchover) -> None:
    (demo.directory / file).write_text(content)
    done = switchover("demo", demo.directory, "--headless")
    assert done.returncode == 1
    assert str(demo.directory) in done.stderr
    assert "defect" not in done.stderr
    assert switchover("demo", demo.directory, "--stop").returncode == 0
    assert not marked(demo)


def test_a_port_that_was_taken_meanwhile_is_told(demo: Demo, switchover: Switchover) -> None:
    end_all(demo)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", demo.ports().old))
        other.listen()
        done = switchover("demo", demo.directory, "--headless")
    assert done.returncode == 1
    assert "cannot listen" in done.stderr
