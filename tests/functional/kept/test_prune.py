"""`prune` says what it would remove, removes it on a word, and never what is open or kept by its plan."""

import fcntl
import os
import sqlite3
from pathlib import Path

import pytest
from tests.functional.kept.conftest import Home

WAITS = 4


def outputs(home: Home) -> list[str]:
    return sorted(path.parent.parent.name for path in home.state.glob("workspaces/*/runs/*"))


def test_nothing_is_removed_before_a_person_says_so(home: Home) -> None:
    home.do("run", home.plan("old", gate=False))
    before = sorted(home.state.rglob("*"))
    told = home.do("prune", "--older-than", "0s").stdout
    assert "would remove" in told
    assert "what the steps of run 1 of old wrote" in told
    assert "nothing is removed yet: add --yes" in told
    assert {path for path in before if "runs" in path.parts} <= set(home.state.rglob("*"))
    assert outputs(home)


def test_old_outputs_go_and_the_journal_says_who_removed_them(home: Home) -> None:
    plan = home.plan("old", gate=False)
    home.do("run", plan)
    home.do("run", plan, "--new")
    done = home.ask("prune", "--older-than", "0s", "--yes")
    assert [item["what"] for item in done["items"]] == ["outputs", "outputs"]
    assert done["bytes"] > 0
    assert outputs(home) == done["failed"] == []
    verified = home.do("audit", "verify", plan)
    assert "what the steps of run 1 wrote was removed by" in verified.stdout + verified.stderr
    assert home.ask("status", plan)["run"]["state"] == "done"
    assert home.ask("prune", "--older-than", "0s")["items"] == []
    home.do("run", plan, "--new")  # the next run is numbered after them
    assert home.ask("status", plan)["run"]["id"] == "3"


def test_an_output_that_vanished_by_itself_is_a_fault_still(home: Home) -> None:
    plan = home.plan("old", gate=False)
    home.do("run", plan)
    (folder,) = home.state.glob("workspaces/*/runs/1/one.1")
    folder.rename(home.folder / "taken")
    home.do("audit", "verify", plan, code=1)


def test_what_is_open_is_never_removed(home: Home) -> None:
    plan = home.plan("waits")
    home.do("run", plan, code=WAITS)
    plan.rename(home.folder / "moved.yaml")
    told = home.ask("prune", "--older-than", "0s", "--yes")
    assert told["items"] == []
    assert told["kept"] == [{"text": "run 1 of waits", "why": "it is open"}]
    assert outputs(home)


def test_what_a_plan_keeps_is_not_removed_within_its_retention(home: Home) -> None:
    home.do("run", home.plan("signed", "signoff: {retention: 30d}", gate=False))
    told = home.ask("prune", "--older-than", "0s", "--yes")
    assert told["items"] == []
    assert told["kept"][0]["why"].startswith("its plan keeps it for 30 d")


def test_what_ended_within_the_age_stays(home: Home) -> None:
    home.do("run", home.plan("new", gate=False))
    told = home.ask("prune", "--yes")
    assert told["items"] == []
    assert told["kept"][0]["why"].startswith("it ended ")


def test_all_runs_of_a_plan_that_is_gone_are_removed_with_their_notes(home: Home) -> None:
    plan = home.plan("gone", gate=False)
    home.do("run", plan)
    plan.unlink()
    (item,) = home.ask("prune", "--older-than", "0s", "--yes")["items"]
    assert item["what"] == "run"
    assert list((home.state / "workspaces").iterdir()) == []
    assert home.ask("runs")["runs"] == []
    home.do("run", home.plan("gone", gate=False))  # made again, it begins with run 1
    assert home.ask("status", plan)["run"]["id"] == "1"


def test_a_workspace_whose_agent_lives_is_left_and_named(home: Home) -> None:
    plan = home.plan("gone", gate=False)
    home.do("run", plan)
    plan.unlink()
    (workspace,) = (home.state / "workspaces").iterdir()
    lock = os.open(workspace / "agent.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    told = home.ask("prune", "--older-than", "0s", "--yes", code=1)
    os.close(lock)
    assert "an agent already runs for this plan" in told["failed"][0]
    assert (workspace / "journal.sqlite").exists()


def test_old_bundles_and_closed_incidents_go_the_newest_incident_stays(home: Home) -> None:
    plan = home.plan("here", gate=False)
    home.do("run", plan)
    for title in ("first", "second"):
        home.do("incident", "open", title, "--plan", plan)
        home.do("incident", "close", "--plan", plan)
    (bundles,) = (path / "bundles" for path in (home.state / "workspaces").iterdir())
    bundles.mkdir(mode=0o700)
    (bundles / "b.tar.gz").write_bytes(b"x" * 100)
    os.utime(bundles / "b.tar.gz", (1e9, 1e9))
    told = home.ask("prune", plan, "--older-than", "0s", "--yes")
    assert {item["what"] for item in told["items"]} == {"outputs", "incident", "bundle"}
    left = sorted(path.name for path in bundles.parent.joinpath("incidents").iterdir())
    assert left == ["0002-second.md", "0002.jsonl"]
    assert list(bundles.iterdir()) == []


@pytest.mark.parametrize("age", ["soon", "-1d", ""])
def test_an_age_that_is_none_is_refused(home: Home, age: str) -> None:
    refused = home.do("prune", f"--older-than={age}", code=2)
    assert "90d" in refused.stderr


def test_a_journal_that_cannot_be_read_keeps_all_that_is_its(home: Home) -> None:
    plan = home.plan("odd", gate=False)
    home.do("run", plan)
    (journal,) = home.state.glob("workspaces/*/journal.sqlite")
    with sqlite3.connect(journal) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    told = home.ask("prune", "--older-than", "0s", "--yes")
    assert "its journal cannot be read" in told["kept"][0]["why"]
    assert Path(journal).exists()
    assert outputs(home)
