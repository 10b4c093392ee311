"""Each command that a verb prints works as it is printed: with the given state directory, and blanks quoted."""

import json
import re
import shlex
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from switchover.cli.parser import main, verb_parser
from switchover.locations import workspace_for
from switchover.settings import JournalAddress

PLAN = """
schema: 1
id: p
title: A plan
target: the shop
phases:
  - id: a
    steps:
      - {id: lost, run: 'kill -9 $PPID', effect: changes, rollback: {run: 'false'}}
      - {id: fails, run: 'false', effect: changes, timeout: 9s}
      - {id: look, checklist: [{text: see it, evidence: text}]}
      - {id: last, run: 'true', effect: changes, confirm: {text: 'on "the shop"'}}
    gate: {human: go?}
"""
Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    """Call a verb on a plan and in a state directory whose paths have blanks; return its code and what it said."""
    (tmp_path / "a plan").mkdir()
    path = tmp_path / "a plan" / "plan.yaml"
    path.write_text(textwrap.dedent(PLAN))

    def call(verb: str, *more: str) -> tuple[int, str]:
        capsys.readouterr()
        code = main([verb, str(path), "--state", str(tmp_path / "a state"), *more])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


def _commands(said: str) -> list[list[str]]:
    """Return all commands of ours in a text, as a shell splits them; of several choices the first."""
    return [
        shlex.split(re.sub(r"=(\w+)(\|\w+)+", r"=\1", text))[1:] for text in re.findall(r"`(switchover [^`]*)`", said)
    ]


def _judge(said: str, folder: Path) -> list[list[str]]:
    commands = _commands(said)
    assert commands, said
    for verb, *arguments in commands:
        args = verb_parser(verb).parse_intermixed_args(arguments)
        assert args.plan == str(folder / "a plan" / "plan.yaml"), said
        assert args.state == str(folder / "a state"), said
    assert not re.search(r"(?<!`)--(resolve|retry|confirm|tick|abort|new)\b", re.sub(r"`[^`]*`", "", said)), said
    return commands


def test_every_command_that_run_status_and_rollback_print_works_as_it_is_printed(tmp_path: Path, say: Say) -> None:
    code, said = say("run")
    assert code == 3
    (resolve,) = _judge(said, tmp_path)
    _judge(say("status")[1], tmp_path)
    _judge(say("run", "--dry-run")[1], tmp_path)
    assert main([*resolve[:-1], "I looked"]) == 1  # resolved, and the next step failed
    code, said = say("run")
    retry, back, *_ = _judge(said, tmp_path)
    assert ("--retry" in retry, back[0]) == (True, "rollback")
    assert main(retry) == 1
    report = json.loads(say("report", "--format", "json")[1])
    assert report["run"]["state"] == "failed"
    code, said = say("rollback")
    assert code == 1
    assert json.loads(say("report", "--format", "json")[1])["rollback"]["state"] == "failed"
    assert len(_judge(said, tmp_path)) >= 3
    _judge(say("status")[1], tmp_path)
    code, said = say("run", "--abort", "--reason", "enough")
    assert code == 0
    _judge(said, tmp_path)
    _judge(say("run")[1], tmp_path)


def test_what_a_person_is_asked_for_is_printed_as_a_command_that_gives_it(tmp_path: Path, say: Say) -> None:
    path = tmp_path / "a plan" / "plan.yaml"
    path.write_text(re.sub(r"      - {id: (lost|fails).*\n", "", path.read_text()))
    code, said = say("run")
    (tick,) = _judge(said, tmp_path)
    assert json.loads(say("report", "--format", "json")[1])["run"]["state"] == "waiting"
    assert (code, tick[-2:]) == (4, ["--tick", "look.1=EVIDENCE"])
    assert main(tick) == 4
    (confirm,) = _judge(say("run")[1], tmp_path)
    assert confirm[-2:] == ["--confirm", 'last=on "the shop"']
    assert main(confirm) == 4
    (go,) = _judge(say("run")[1], tmp_path)
    assert main(go) == 0


def test_a_command_for_a_shared_journal_names_it_unless_the_settings_do_and_no_password(
    tmp_path: Path, own_host_registry: Path
) -> None:
    plan = tmp_path / "plan.yaml"
    shared = workspace_for(tmp_path, plan, JournalAddress("postgresql://ana@db/runs", "p 1"))
    assert shlex.split(shared.command("status"))[-2:] == ["--journal", "postgresql://ana@db/runs?journal=p%201"]
    secret = workspace_for(tmp_path, plan, JournalAddress("postgresql://ana:pw@db/runs"))
    assert "db/runs" not in secret.command("status")
    settings = own_host_registry.parent / "switchover" / "settings.toml"
    settings.write_text(settings.read_text() + 'journal = "postgresql://ana@db/runs"\n')
    assert "--journal" not in workspace_for(tmp_path, plan, JournalAddress("postgresql://ana@db/runs")).command("run")
    assert shlex.split(workspace_for(tmp_path, plan).command("run"))[-2:] == ["--journal", "sqlite"]
    assert shared.fill_in("see `switchover audit verify PLAN --head X`") == (
        f"see `{shared.command('audit verify')} --head X`"
    )
