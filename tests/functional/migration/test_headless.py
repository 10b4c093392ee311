"""The verbs as a script uses them: exit codes, what is on standard output, what is left on disk."""

import json
import os
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.warm_program import run_switchover

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    def run(verb: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run_switchover(verb, tmp_path / "plan.yaml", "--state", tmp_path / "state", *arguments, timeout=60)

    return run


def _write(directory: Path, text: str) -> None:
    (directory / "plan.yaml").write_text("schema: 1\nid: p\ntitle: A plan\n" + textwrap.dedent(text))


PLAN = """
target: shop
phases:
  - id: a
    steps:
      - {id: one, run: 'echo one | tee -a log', effect: changes, rollback: {run: 'echo undo >> log'}}
    gate: {human: "All well?"}
  - id: b
    steps:
      - {id: look, checklist: [{text: see it, evidence: text}, {text: hear it, evidence: text}]}
      - {id: two, run: 'echo two >> log; test ! -e broken', effect: changes, confirm: {text: 'two on shop'}}
"""


def test_a_migration_is_carried_through_by_exit_codes_alone(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PLAN)
    first = cli("run")
    assert (first.returncode, "--confirm a=go" in first.stderr) == (4, True), first.stderr
    second = cli("run", "--confirm", "a=go", "--until", "a")
    assert second.returncode == 0, second.stderr
    third = cli("run")
    assert third.returncode == 4
    assert "see it" in third.stderr
    assert "--tick look.1=" in third.stderr
    (tmp_path / "heard.txt").write_text("heard\nby ben\n")
    fourth = cli("run", "--tick", "look.1=seen by ana", "--tick", f"look.2=@{tmp_path}/heard.txt")
    assert (fourth.returncode, '--confirm two="two on shop"' in fourth.stderr) == (4, True), fourth.stderr
    wrong = cli("run", "--confirm", "two=two")
    assert wrong.returncode == 4
    (tmp_path / "broken").touch()
    failed = cli("run", "--confirm", "two=two on shop")
    assert (failed.returncode, "--retry two" in failed.stderr) == (1, True), failed.stderr
    assert cli("run").returncode == 1
    (tmp_path / "broken").unlink()
    for words in (("--confirm", "two=wrong"), ()):
        wrong = cli("run", "--retry", "two", *words)
        assert wrong.returncode == 4, "what is confirmed wrongly has one exit code"
        assert "type exactly: two on shop" in wrong.stderr
    done = cli("run", "--retry", "two", "--confirm", "two=two on shop")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log").read_text().split() == ["one", "two", "two"]
    again = cli("run")
    assert (again.returncode, "run 1 is done" in again.stdout) == (0, True)
    assert (tmp_path / "log").read_text().split() == ["one", "two", "two"]
    report = cli("report", "--format", "json")
    document = json.loads(report.stdout)
    assert document["run"]["state"] == "done"
    assert [item["evidence"] for item in document["phases"][1]["steps"][0]["items"]] == ["seen by ana", "heard\nby ben"]
    assert document["confirmations"][0]["typed"] == "two on shop"
    markdown = cli("report")
    assert "| two | done | 2 | 0 |" in markdown.stdout


def test_status_is_json_alone_before_and_after_and_writes_nothing(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PLAN)
    before = json.loads(cli("status", "--format", "json").stdout)
    assert before["run"] == {"id": None, "state": "pending", "phase": None, "step": None, "other_plan": None}
    assert before["steps"][0] == {
        "id": "one",
        "state": "pending",
        "attempts": 0,
        "exit_code": None,
        "started_at": None,
        "ended_at": None,
        "due_at": None,
        "progress": None,
    }
    assert not (tmp_path / "state").exists()
    cli("run")
    after = json.loads(cli("status", "--format", "json").stdout)
    assert (after["run"]["state"], after["run"]["phase"]) == ("waiting", "a")
    assert (after["steps"][0]["state"], after["steps"][0]["exit_code"]) == ("done", 0)
    assert after["gate"]["state"] == "human"
    assert cli("status").returncode == 0


def test_a_dry_run_shows_everything_and_touches_nothing(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PLAN)
    shown = cli("run", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert '["/bin/sh", "-e", "-c", "echo one | tee -a log"]' in shown.stdout
    assert 'type "two on shop"' in shown.stdout
    assert "All well?" in shown.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["plan.yaml"]


def test_a_report_without_a_run_is_a_clear_error(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PLAN)
    report = cli("report")
    assert (report.returncode, report.stdout) == (1, "")
    assert "there is no run to report on yet" in report.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("--until", "c"), 2, "no phase 'c'"),
        (("--confirm", "twoo=x"), 2, "did you mean two?"),
        (("--confirm", "two"), 2, "write --confirm"),
        (("--var", "x=1"), 2, "no variable 'x'"),
        (("--yes",), 2, "--yes"),
        (("--retry", "on"), 2, "did you mean one?"),
        (("--tick", "look.9=x"), 2, "look has no item '9'"),
        (("--tick", "look.x=x"), 2, "look has no item 'x'"),
        (("--tick", "one=x"), 2, "one has no items to tick"),
        (("--tick", "look=@none.txt"), 2, "--tick @none.txt: it cannot be read: No such file"),
        (("--tick", "look=@/"), 2, "it cannot be read: Is a directory"),
        (("--tick", "look=@/dev/null"), 2, "it cannot be read: it is not a regular file"),
        (("--confirm", "one=x"), 2, "one asks for no confirmation"),
        (("--resolve", "onee=done", "--reason", "seen"), 2, "did you mean one?"),
        (("--resolve", "one=dome", "--reason", "seen"), 2, "did you mean done?"),
    ],
)
def test_wrong_usage_is_refused_before_anything_happens(
    tmp_path: Path, cli: Cli, arguments: tuple[str, ...], code: int, text: str
) -> None:
    _write(tmp_path, PLAN)
    refused = cli("run", *arguments)
    assert refused.returncode == code
    assert text in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "log").exists()


def test_rollback_by_exit_codes(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PLAN)
    assert cli("rollback").returncode == 1
    cli("run")
    dry = cli("rollback", "--dry-run")
    assert (dry.returncode, "undoes one" in dry.stdout) == (0, True)
    done = cli("rollback")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log").read_text().split() == ["one", "undo"]
    assert json.loads(cli("status", "--format", "json").stdout)["run"]["state"] == "rolled_back"
    over = cli("run")
    assert (over.returncode, "--new" in over.stderr) == (1, True)


SLOW = """
phases:
  - id: a
    steps:
      - {id: s, run: 'echo s >> log; touch up; while ! [ -e go ]; do sleep 0.01; done', effect: changes}
"""


def _start(directory: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "switchover", "run", str(directory / "plan.yaml"), "--state", str(directory / "state")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    give_up = time.monotonic() + 30
    while not (directory / "up").exists():
        assert time.monotonic() < give_up
        time.sleep(0.01)
    return process


def test_the_second_run_exits_5_and_names_the_first(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, SLOW)
    first = _start(tmp_path)
    second = cli("run")
    assert (second.returncode, f"pid {first.pid}" in second.stderr) == (5, True), second.stderr
    assert cli("rollback").returncode == 5
    assert json.loads(cli("status", "--format", "json").stdout)["run"] == {
        "id": "1",
        "state": "running",
        "phase": "a",
        "step": "s",
        "other_plan": None,
    }
    (tmp_path / "go").touch()
    first.communicate(timeout=30)
    assert first.returncode == 0


def test_killed_with_9_the_step_goes_on_and_the_next_run_finds_its_end(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, SLOW)
    first = _start(tmp_path)
    first.kill()
    first.communicate()
    assert json.loads(cli("status", "--format", "json").stdout)["run"]["state"] == "running"
    (tmp_path / "go").touch()
    done = cli("run")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log").read_text() == "s\n"


def test_ctrl_c_ends_the_step_with_all_its_processes_and_is_journalled(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, SLOW.replace("touch up;", "sleep 600 & echo $! > pid; touch up;"))
    first = _start(tmp_path)
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=30)
    assert (first.returncode, "Traceback" in said) == (1, False)
    assert "--retry s" in said
    assert not os.path.exists(f"/proc/{int((tmp_path / 'pid').read_text())}")  # noqa: PTH110
    assert json.loads(cli("status", "--format", "json").stdout)["steps"][0]["state"] == "failed"


def test_a_run_that_can_neither_go_on_nor_back_is_given_up_with_a_reason(tmp_path: Path, cli: Cli) -> None:
    _write(
        tmp_path, PLAN.replace("echo one | tee -a log", "misspelt").replace(", rollback: {run: 'echo undo >> log'}", "")
    )
    assert cli("run").returncode == 1
    assert cli("rollback").returncode == 1
    again = cli("run", "--new")
    assert (again.returncode, "--abort --reason TEXT" in again.stderr) == (1, True)
    assert cli("run", "--abort").returncode == 2
    given_up = cli("run", "--abort", "--reason", "misspelt")
    assert (given_up.returncode, given_up.stderr) == (0, "")
    assert cli("run", "--abort", "--reason", "twice").returncode == 1
    _write(tmp_path, PLAN)
    assert cli("run", "--new").returncode == 4


def test_giving_up_ends_the_step_that_goes_on_without_a_driver(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, SLOW.replace("touch up;", "echo $$ > pid; touch up;"))
    first = _start(tmp_path)
    first.kill()
    first.communicate()
    given_up = cli("run", "--abort", "--reason", "wrong host")
    assert given_up.returncode == 0, given_up.stderr
    assert not os.path.exists(f"/proc/{int((tmp_path / 'pid').read_text())}")  # noqa: PTH110
    assert json.loads(cli("status", "--format", "json").stdout)["steps"][0]["state"] == "failed"


def test_a_failed_way_back_says_in_every_verb_what_works(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PLAN.replace("echo undo >> log", "echo no mender; test -e mended"))
    cli("run")
    stopped = cli("rollback")
    assert "last lines of rollback:1:0:\n  no mender" in stopped.stdout
    assert (stopped.returncode, "--resolve rollback:1:0=done --reason TEXT" in stopped.stderr) == (1, True)
    on = cli("run")
    assert on.returncode == 1
    assert f"switchover rollback {tmp_path / 'plan.yaml'} --state {tmp_path / 'state'} --retry 1`" in on.stderr
    assert cli("run", "--resolve", "rollback:1:0=done", "--reason", "by hand").returncode == 1
    assert cli("rollback").returncode == 0


def test_an_unknown_outcome_of_a_way_back_exits_3_until_it_is_resolved(tmp_path: Path, cli: Cli) -> None:
    kills_its_watcher = "echo begun >> log; kill -9 $PPID; while ! [ -e go ]; do sleep 0.01; done"
    _write(tmp_path, PLAN.replace("echo undo >> log", kills_its_watcher))
    cli("run")
    for _ in range(2):
        unknown = cli("rollback")
        assert (unknown.returncode, "--resolve rollback:1:0=done|" in unknown.stderr) == (3, True), unknown.stderr
        (tmp_path / "go").touch()
    cli("run", "--resolve", "rollback:1:0=done", "--reason", "seen")
    assert cli("rollback").returncode == 0
    assert (tmp_path / "log").read_text().split() == ["one", "begun"]


def test_nothing_is_undone_while_a_step_that_lost_its_watcher_still_does_it(tmp_path: Path, cli: Cli) -> None:
    orphan = "echo $$ > pid; kill -9 $PPID; sleep 600; echo late >> log"
    undo = 'if grep -q "^State:.[RSD]" /proc/$(cat pid)/status; then echo alive >> log; fi; echo undo >> log'
    _write(tmp_path, PLAN.replace("echo one | tee -a log", orphan).replace("echo undo >> log", undo))
    assert cli("run").returncode == 3
    back = cli("rollback")
    assert back.returncode == 0, back.stdout + back.stderr
    assert (tmp_path / "log").read_text().split() == ["undo"]


def test_going_back_needs_no_plan_file_even_when_all_is_done(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PLAN.replace(", confirm: {text: 'two on shop'}", ""))
    assert cli("run", "--confirm", "a=go", "--tick", "look=seen").returncode == 0
    (tmp_path / "plan.yaml").write_text("schema: [")
    back = cli("rollback")
    assert back.returncode == 0, back.stderr
    assert (tmp_path / "log").read_text().split() == ["one", "two", "undo"]


def test_a_value_that_the_plan_asks_for_and_nobody_gave_is_usage(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, "vars: {host: {type: str, ask: Which?}}" + PLAN)
    refused = cli("run")
    assert (refused.returncode, "--var host=VALUE" in refused.stderr) == (2, True)


def test_an_unknown_outcome_exits_3_and_is_resolved_by_option(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, SLOW)
    first = _start(tmp_path)
    first.kill()
    first.communicate()
    (claim,) = tmp_path.glob("state/workspaces/*/runs/1/s.1/claim")
    shim = os.pidfd_open(json.loads(claim.read_text())["shim"])
    signal.pidfd_send_signal(shim, signal.SIGKILL)
    os.close(shim)
    (tmp_path / "go").touch()
    unknown = cli("run")
    assert unknown.returncode == 3, unknown.stderr
    assert "--resolve s=done|failed|retry|rollback --reason TEXT" in unknown.stderr
    unsaid = cli("run", "--resolve", "s=done")
    assert (unsaid.returncode, "a reason is needed" in unsaid.stderr) == (1, True)
    done = cli("run", "--resolve", "s=done", "--reason", "seen in the log")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log").read_text() == "s\n"


def test_a_read_only_state_directory_starts_nothing(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PLAN)
    (tmp_path / "state").write_text("a file is in the way")
    refused = cli("run")
    assert refused.returncode == 1
    assert "cannot use the state directory" in refused.stderr
    assert not (tmp_path / "log").exists()


def test_what_was_given_and_served_nothing_is_said(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, PLAN)
    cli("run")
    told = cli("run", "--retry", "two", "--tick", "look.2=heard", "--confirm", "two=two on shop")
    assert told.returncode == 4
    assert "--retry two was not used: two is pending" in told.stderr
    assert "--tick look.2 was not used: look is pending" in told.stderr
    assert "--confirm two was not used: two is pending" in told.stderr
    used = cli("run", "--confirm", "a=go")
    assert "not used" not in used.stderr


def test_a_rollback_says_first_what_stays_and_needs_it_accepted(tmp_path: Path, cli: Cli) -> None:
    _write(
        tmp_path,
        """
checks: {saved: {kind: backup, path: saved.txt, restore_test: 'true'}}
phases:
  - id: a
    steps:
      - {id: copy, run: 'true', effect: changes, rollback: {run: 'echo uncopy >> log'}}
      - {id: burn, run: 'true', effect: destroys, rollback: impossible, confirm: {text: burn it, require: [saved]}}
""",
    )
    (tmp_path / "saved.txt").write_text("all that was there\n" * 100)
    assert cli("run", "--confirm", "burn=burn it").returncode == 0
    refused = cli("rollback")
    assert refused.returncode == 4, refused.stderr
    assert "! burn cannot be undone" in refused.stdout
    assert "--accept-loss burn" in refused.stderr
    assert not (tmp_path / "log").exists()
    assert cli("rollback", "--accept-loss", "bur").returncode == 2
    assert cli("rollback", "--accept-loss", "copy").returncode == 2
    gone = cli("rollback", "--accept-loss", "burn")
    assert gone.returncode == 0, gone.stderr
    assert gone.stdout.index("! burn cannot be undone") < gone.stdout.index("undo copy started")
    assert (tmp_path / "log").read_text() == "uncopy\n"


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_status_says_what_is_to_be_decided_after_everything_was_killed(tmp_path: Path, cli: Cli) -> None:
    _write(tmp_path, "phases: [{id: a, steps: [{id: one, run: 'echo $$ > pid; sleep 60', effect: changes}]}]\n")
    command = [sys.executable, "-m", "switchover", "run", str(tmp_path / "plan.yaml"), "--state"]
    command.append(str(tmp_path / "state"))
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0)
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text().strip():
        assert process.poll() is None
        time.sleep(0.02)
    step = int((tmp_path / "pid").read_text())
    shim = _parent_of(step)
    launcher = _parent_of(shim)
    assert launcher > 1
    handles = [os.pidfd_open(pid) for pid in (process.pid, launcher, shim, step)]
    for handle in handles:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    for handle in handles:
        select.select([handle], [], [], 30)
        os.close(handle)
    process.wait()
    said = cli("status").stdout
    assert "run 1: unknown" in said
    assert "next: find out what became of one: `switchover run " in said
    assert "--resolve one=done|failed|retry|rollback --reason TEXT" in said
    assert "one runs" not in said
    cli("run")
    decided = cli("status").stdout
    assert "next: say how one ended" in decided
    assert "--resolve one=done|failed|retry|rollback --reason TEXT" in decided


def test_a_gate_that_waits_says_what_for_and_ends_by_itself(tmp_path: Path) -> None:
    (tmp_path / "plan.yaml").write_text(
        "schema: 1\nid: p\ntitle: A plan\n"
        "checks: {fine: {kind: command, command: 'true'}}\n"
        "phases: [{id: a, gate: {require: [fine], prove: [p], within: 1s, every: 200ms}}]\n"
        "promises: {p: {title: p, before: {value: 10}, after: {value: 10}, target: 'after < before'}}\n"
    )
    done = run_switchover("run", "plan.yaml", "--state", "state", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "gate a is looked at: fine, p" in done.stdout
    assert "gate a waits: p is missed: after < before, with before 10 and after 10; until 20" in done.stdout
    assert "gate a stays shut: p is missed" in done.stderr
