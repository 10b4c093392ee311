"""`runs` lists what there is, and a run belongs to the id and target of its plan, wherever the file lies by now."""

import json
import shutil

from tests.functional.kept.conftest import Home

WAITS = 4  # exit code of a run that waits for a person


def test_every_run_is_listed_open_ones_first_with_where_its_state_lies(home: Home) -> None:
    assert home.do("runs").stdout == "there is no run on this host\n"
    home.do("run", home.plan("done", gate=False))
    home.do("run", home.plan("waits"), code=WAITS)
    home.do("run", home.plan("done", gate=False), "--new")
    rows = home.ask("runs")["runs"]
    assert [(row["plan"], row["run"], row["state"], row["is_open"]) for row in rows] == [
        ("waits", "1", "waiting", True),
        ("done", "2", "done", False),
        ("done", "1", "done", False),
    ]
    assert {row["target"] for row in rows} == {"waits", "done"}
    assert all(row["began_at"] and row["by"] and row["plan_is_there"] for row in rows)
    assert all(row["directory"].startswith(str(home.state)) for row in rows)
    assert [row["plan"] for row in home.ask("runs", "--open")["runs"]] == ["waits"]
    table = home.do("runs").stdout.splitlines()
    assert table[0].split()[:3] == ["RUN", "STATE", "PLAN"]
    assert "waiting, nobody drives" in table[1]


def test_a_run_between_two_steps_waits_and_is_not_said_to_run(home: Home) -> None:
    plan = home.plan("asks", gate=False)
    more = "\n      - {id: three, run: 'true', effect: changes, confirm: {text: 'do three'}, rollback: not_needed}\n"
    plan.write_text(plan.read_text().rstrip("\n") + more)
    home.do("run", plan, code=WAITS)
    (row,) = home.ask("runs")["runs"]
    assert (row["state"], row["driver"]) == ("waiting", None)


def test_runs_of_another_state_directory_of_this_host_are_listed_too(home: Home) -> None:
    home.do("run", home.plan("away", gate=False), "--state", home.folder / "elsewhere")
    (row,) = home.ask("runs")["runs"]
    assert (row["plan"], row["state"]) == ("away", "done")
    assert row["directory"].startswith(str(home.folder / "elsewhere"))


def test_a_journal_that_cannot_be_read_hides_no_other(home: Home) -> None:
    home.do("run", home.plan("fine", gate=False))
    broken = home.state / "workspaces/broken-0/journal.sqlite"
    broken.parent.mkdir()
    broken.write_bytes(b"no journal at all" * 100)
    told = home.ask("runs")
    assert [row["plan"] for row in told["runs"]] == ["fine"]
    assert len(told["unreadable"]) == 1
    assert str(broken.parent) in told["unreadable"][0]


def test_a_moved_plan_finds_its_run_and_goes_on_with_it(home: Home) -> None:
    plan = home.plan("moved")
    home.do("run", plan, code=WAITS)
    later = home.folder / "later/new name.yaml"
    later.parent.mkdir()
    plan.rename(later)
    status = home.ask("status", later)
    assert (status["run"]["id"], status["run"]["state"]) == ("1", "waiting")
    (row,) = home.ask("runs")["runs"]
    assert row["plan_is_there"] is False
    home.do("run", later, "--confirm", "a=go")
    assert home.ask("status", later)["run"]["state"] == "done"
    assert len(list((home.state / "workspaces").glob("*/journal.sqlite"))) == 1


def test_status_finds_the_run_of_a_copied_plan_which_nothing_else_goes_on_with(home: Home) -> None:
    plan = home.plan("copied")
    home.do("run", plan, code=WAITS)
    copy = home.folder / "copy.yaml"
    shutil.copy(plan, copy)
    assert home.ask("status", copy)["run"]["state"] == "waiting"
    refused = home.do("run", copy, "--confirm", "a=go", code=5)
    assert "is held by run 1 of copied" in refused.stderr
    assert str(plan) in refused.stderr


def test_another_plan_that_took_the_place_of_a_moved_one_has_runs_of_its_own(home: Home) -> None:
    plan = home.plan("old", gate=False)
    home.do("run", plan)
    plan.rename(home.folder / "kept.yaml")
    other = home.plan("other", gate=False)
    assert home.ask("status", other)["run"]["id"] is None
    assert home.ask("status", home.folder / "kept.yaml")["run"]["state"] == "done"


def test_what_lies_on_other_machines_is_told_and_its_notes_are_never_pruned(home: Home) -> None:
    home.do("run", home.plan("moved", gate=False))
    (workspace,) = (home.state / "workspaces").iterdir()
    notes = workspace / "runs/1/over-there"
    notes.mkdir(mode=0o700)
    left = {"host": "db", "ssh": "ops@db1", "run": "moved-1", "name": "one.1"}
    for name, text in (("one.1", json.dumps(left)), ("two.1", "cut o")):
        (notes / f"{name}.json").write_text(text)
        (notes / f"{name}.json").chmod(0o600)
    known, unreadable = home.ask("runs", "--open")["left"]
    assert known == left
    assert f"{notes}/two.1.json cannot be read" in unreadable["ssh"]
    assert "may still lie on db: ~/.switchover-far/moved-1/one.1 (ssh ops@db1)" in home.do("runs").stdout
    assert "may still lie on db:" in home.do("prune", "--older-than", "0s", "--yes").stdout
    assert len(list(notes.iterdir())) == 2
