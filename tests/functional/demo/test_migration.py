"""The demo's plan, carried through by the headless verbs as an operator's script would."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.functional.demo.conftest import Switchover

from switchover.demo.demo_marks import marked
from switchover.demo.demo_processes import ask, is_running
from switchover.demo.layout import Demo

_TYPED = "remove_old=remove old shop"


@pytest.fixture
def demo(demo: Demo) -> Demo:
    """Return a demo whose gates hold for a second, not for what a person watches."""
    plan = demo.plan.read_text(encoding="utf-8")
    brisk = plan.replace("hold: 5s", "hold: 1s").replace("hold: 3s", "hold: 1s")
    assert brisk.count("hold: 1s") == 2
    demo.plan.write_text(brisk, encoding="utf-8")
    return demo


def _states(demo: Demo, switchover: Switchover) -> dict[str, str]:
    done = switchover("status", demo.plan, "--format", "json")
    return {step["id"]: step["state"] for step in json.loads(done.stdout)["steps"]}


def _statuses(demo: Demo, switchover: Switchover) -> dict[str, str]:
    done = switchover("check", demo.plan, "--format", "json")
    return {check["name"]: check["status"].lower() for check in json.loads(done.stdout)["checks"]}


def test_the_plan_is_valid(demo: Demo, switchover: Switchover) -> None:
    done = switchover("validate", demo.plan)
    assert done.returncode == 0, done.stdout + done.stderr


def test_before_the_migration_all_is_well(demo: Demo, switchover: Switchover) -> None:
    done = switchover("check", demo.plan)
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_carried_through_with_one_typed_confirmation(demo: Demo, switchover: Switchover) -> None:
    waiting = switchover("run", demo.plan)
    assert waiting.returncode == 4, waiting.stdout + waiting.stderr
    assert "remove_old" in waiting.stdout + waiting.stderr
    assert demo.store("old").exists()
    assert ask(demo, "door", "/health")[1]["side"] == "new"

    wrong = switchover("run", demo.plan, "--confirm", "remove_old=yes")
    assert wrong.returncode != 0
    assert demo.store("old").exists()

    done = switchover("run", demo.plan, "--confirm", _TYPED)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not demo.store("old").exists()
    assert set(_states(demo, switchover).values()) == {"done"}
    assert not is_running(demo, "old")
    assert ask(demo, "door", "/customers/1")[0] == 200

    again = switchover("run", demo.plan)
    assert again.returncode == 0, again.stdout + again.stderr
    checked = switchover("check", demo.plan)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    report = switchover("report", demo.plan, "--format", "md")
    assert report.returncode == 0
    assert "remove_old" in report.stdout


def test_the_promise_is_proved_by_the_time_of_the_query_itself(demo: Demo, switchover: Switchover) -> None:
    switchover("run", demo.plan)
    [promise] = json.loads(switchover("report", demo.plan, "--format", "json").stdout)["promises"]
    assert (promise["unit"], promise["state"]) == ("ms", "met")
    slow = ask(demo, "old", "/report", timeout_s=60)[1]["query_ms"]
    assert slow / 5 < promise["before"] < slow * 5
    assert promise["after"] < promise["before"] / 5


def test_all_can_be_undone_before_the_clean_up(demo: Demo, switchover: Switchover) -> None:
    assert switchover("run", demo.plan).returncode == 4
    done = switchover("rollback", demo.plan)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ask(demo, "door", "/health")[1]["side"] == "old"
    assert not demo.store("new").exists()
    assert not is_running(demo, "new")
    assert list(demo.backups.glob("*/old.sqlite.sha256"))


def test_the_quick_way_back_leads_visitors_to_the_old_side(demo: Demo, switchover: Switchover) -> None:
    assert switchover("run", demo.plan, "--until", "switch").returncode == 0
    assert ask(demo, "door", "/_door")[1]["live"] == "new"
    done = switchover("rollback", demo.plan, "quick")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ask(demo, "door", "/_door")[1]["live"] == "old"


def test_a_dry_run_does_nothing(demo: Demo, switchover: Switchover) -> None:
    done = switchover("run", demo.plan, "--dry-run")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "switchover.demo.do" in done.stdout
    assert not demo.store("new").exists()
    assert [path.name for path in demo.backups.iterdir()] == ["nightly"]


@pytest.mark.parametrize(
    ("fault", "check"), [("down", "front_door"), ("disk", "writes"), ("slow", "speed"), ("corrupt", "nightly")]
)
def test_each_fault_is_found_by_the_checks_and_gone_when_mended(
    fault: str, check: str, demo: Demo, switchover: Switchover
) -> None:
    assert switchover("demo", demo.directory, "--fault", fault, "--headless").returncode == 0
    assert switchover("check", demo.plan).returncode == 2
    statuses = _statuses(demo, switchover)
    assert [name for name, status in statuses.items() if status == "crit"][:1] == [check] or statuses[check] == "crit"
    assert switchover("demo", demo.directory, "--mend").returncode == 0
    assert switchover("check", demo.plan).returncode == 0


def test_rows_altered_behind_the_copy_are_found(demo: Demo, switchover: Switchover) -> None:
    assert switchover("run", demo.plan, "--until", "data").returncode == 0
    assert switchover("demo", demo.directory, "--fault", "corrupt", "--headless").returncode == 0
    statuses = _statuses(demo, switchover)
    assert (statuses["rows"], statuses["sums"]) == ("ok", "crit")


def test_stop_in_the_middle_of_a_step_leaves_nothing_even_after_the_drivers_death(
    demo: Demo, switchover: Switchover, tmp_path: Path
) -> None:
    demo.plan.write_text(
        demo.plan.read_text(encoding="utf-8").replace(
            "switchover.demo.do copy'", "switchover.demo.do copy; sleep 600'", 1
        ),
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "switchover", "run", "--state", str(tmp_path / "state"), str(demo.plan)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as driver:
        while not _sleeping(demo):
            assert driver.poll() is None
        os.kill(driver.pid, signal.SIGKILL)
    assert switchover("demo", demo.directory, "--stop").returncode == 0
    assert not marked(demo)


def _sleeping(demo: Demo) -> bool:
    for pid in marked(demo):
        try:
            if b"sleep\x00600" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False
