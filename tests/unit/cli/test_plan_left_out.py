"""PLAN left out: the one plan here is meant, none or several are said, and nothing untrusted is executed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import pytest

from switchover.cli import parser as cli
from switchover.cli.parser import verb_parser
from switchover.cli.plan_argument import settle_plan
from switchover.errors import NotTrustedError, UsageError
from switchover.trust import TrustStore, digest_of

PLAN = """\
schema: 1
id: notes
title: Notes
checks:
  marked: {kind: command, command: "touch CANARY"}
  old: {kind: file, path: /etc/hostname}
phases:
  - id: look
    gate: {require: [marked, old]}
"""
READING = ("validate", "status", "diff", "report", "run --dry-run", "rebase --dry-run")
EXECUTING = ("check", "run", "rollback", "rebase", "waive old --reason x --for 1h", "acknowledge old --reason x")

Typed = Callable[..., int]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "redis.yaml").write_text(PLAN.replace("CANARY", str(tmp_path / "canary")))
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SWITCHOVER_STATE", str(tmp_path / "state"))
    return folder


def settled(line: str) -> argparse.Namespace:
    verb, *words = line.split()
    args = verb_parser(verb).parse_intermixed_args(words)
    settle_plan(args, verb)
    return args


@pytest.mark.parametrize("line", READING)
def test_the_one_plan_of_the_directory_is_meant(here: Path, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    verb, *options = line.split()
    left_out = cli.main(line.split()), capsys.readouterr()
    named = cli.main([verb, "redis.yaml", *options]), capsys.readouterr()
    assert left_out == named
    assert "no plan is named" not in left_out[1].err
    assert not (here.parent / "canary").exists()


@pytest.mark.parametrize("line", EXECUTING)
def test_nothing_of_a_found_plan_is_executed_before_it_is_trusted(here: Path, line: str) -> None:
    with pytest.raises(NotTrustedError) as found:
        settled(line)
    assert f"`switchover {line.split(maxsplit=1)[0]} redis.yaml`" in found.value.hint
    assert found.value.exit_code == (3 if line == "check" else 2)
    TrustStore(here.parent / "state").trust(here / "redis.yaml", digest_of(here / "redis.yaml"))
    assert settled(line).plan == "redis.yaml"
    (here / "redis.yaml").write_text(PLAN)
    with pytest.raises(NotTrustedError):
        settled(line)


def test_a_plan_edited_between_trust_and_reading_is_not_executed(here: Path) -> None:
    from switchover.cli.plan_file import load_for_run

    TrustStore(here.parent / "state").trust(here / "redis.yaml", digest_of(here / "redis.yaml"))
    args = settled("check")
    (here / "redis.yaml").write_text(PLAN)
    with pytest.raises(NotTrustedError, match="has changed since it was trusted"):
        load_for_run(args)


def test_names_are_told_from_plans(here: Path) -> None:
    TrustStore(here.parent / "state").trust(here / "redis.yaml", digest_of(here / "redis.yaml"))
    assert (settled("check old marked").plan, settled("check old marked").names) == ("redis.yaml", ["old", "marked"])
    assert settled("check redis.yaml old").names == ["old"]
    assert settled("check redis.yaml").names == []
    assert settled("rollback quick").name == "quick"
    assert settled("rollback redis.yaml quick").name == "quick"
    assert settled("rollback redis.yaml").name is None
    assert settled("waive old --reason x --for 1h").check == "old"
    assert settled("confirm move --text x").step == "move"
    assert settled("confirm redis.yaml move --text x").plan == "redis.yaml"


def test_a_plan_without_the_word_behind_it_says_what_to_write(here: Path) -> None:
    with pytest.raises(UsageError) as found:
        settled("confirm redis.yaml")
    assert (found.value.title, found.value.hint) == ("STEP is missing", "write `switchover confirm redis.yaml STEP`")


def test_several_plans_are_named(here: Path) -> None:
    (here / "switchover.yml").write_text("")
    (here / "b.plan.yaml").write_text("")
    for name, text in (("redis.test.yaml", PLAN), ("values.yaml", "title: x\n"), ("notes.txt", PLAN)):
        (here / name).write_text(text)
    with pytest.raises(UsageError, match=r"here: b\.plan\.yaml, redis\.yaml, switchover\.yml$") as found:
        settled("status")
    assert found.value.hint == "name one: `switchover status b.plan.yaml`"


def test_without_any_plan_a_first_one_is_offered(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "redis.yaml").unlink()
    for line, code in (("status", 2), ("check", 3), ("validate", 2)):
        assert cli.main(line.split()) == code
        assert "`switchover init` writes a first one" in capsys.readouterr().err


def test_validate_takes_several_files(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "bad.yaml").write_text(PLAN.replace("title:", "titel:"))
    (here / "worse.yaml").write_text(PLAN.replace("gate:", "gates:"))
    assert cli.main(["validate", "bad.yaml", "redis.yaml", "worse.yaml"]) == 2
    said = capsys.readouterr()
    assert said.out == "redis.yaml: ok, 1 phase, 0 steps, 2 checks\n"
    assert "bad.yaml:3:1: titel" in said.err
    assert "worse.yaml:9:5: phases[0].gates" in said.err
