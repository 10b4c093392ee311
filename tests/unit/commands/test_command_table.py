"""Every wish of a person is declared once, says what it changes, and can be sent and answered over the wire."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from switchover import commands
from switchover.commands.command import Changes, Command, Life, Question, RunAction, RunCommand, Who
from switchover.commands.command_table import COMMANDS
from switchover.commands.run import RollBack
from switchover.commands.services import ShowCommandLine
from switchover.errors import UsageError

KINDS = sorted(COMMANDS.values(), key=lambda kind: kind.name)
BASES = {Command, Question, RunCommand, RunAction}


def below(kind: type[Command[Any]]) -> Iterator[type[Command[Any]]]:
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


def sample(kind: type[Command[Any]]) -> Command[Any]:
    """Make one with something in each field that has to be given."""
    made: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        origin = typing.get_origin(field.type)
        if not field.required:
            continue
        if origin is typing.Literal:
            made[field.name] = typing.get_args(field.type)[0]
        elif origin is dict:
            made[field.name] = {"a": "b"}
        elif origin is tuple:
            made[field.name] = ()
        else:
            made[field.name] = field.type(1)
    return kind(**made)


def test_every_command_is_found_once_and_no_two_share_a_name() -> None:
    declared = [kind for kind in set(below(Command)) - BASES if kind.__module__.startswith(commands.__name__)]
    assert len(declared) > 35
    assert sorted(kind.name for kind in declared) == sorted(COMMANDS)
    modules = {path.stem for path in Path(str(commands.__file__)).parent.glob("*.py")}
    apart = {"__init__", "command_table", "command"}
    assert {kind.__module__.rpartition(".")[2] for kind in declared} == modules - apart


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_a_command_says_what_it_is_and_carries_itself_out(kind: type[Command[Any]]) -> None:
    group, _, verb = kind.name.partition(".")
    assert group.isalpha()
    assert verb.isalpha()
    assert kind.__doc__
    assert kind.__doc__ != Command.__doc__
    assert "apply" in vars(kind)
    assert all(field.type is not Any for field in msgspec.structs.fields(kind))
    kind.answer_type()
    if kind.changes is Changes.DANGEROUS:
        assert kind.life is not Life.OF_CLIENT  # what was begun goes on without its client, and is answered for
        assert kind.who is not Who.ANYONE


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_a_command_comes_out_of_the_wire_as_it_went_in(kind: type[Command[Any]]) -> None:
    command = sample(kind)
    sent = msgspec.json.decode(msgspec.json.encode({"method": command.name, "params": command}))
    assert COMMANDS[sent["method"]].parse(sent["params"]) == command
    with pytest.raises(UsageError, match="does not fit"):
        kind.parse({**sent["params"], "no_such_field": 1})


def test_only_a_rehearsal_and_a_command_line_to_read_are_for_those_who_only_watch() -> None:
    assert not RollBack(dry_run=True).changes_something()
    assert RollBack().changes_something()
    assert not ShowCommandLine("a", "logs").changes_something()
    assert ShowCommandLine("a", "exec").changes_something()
    others = [kind for kind in KINDS if kind not in {RollBack, ShowCommandLine}]
    assert [kind for kind in others if "changes_something" in vars(kind)] == []
    assert [kind.name for kind in others if sample(kind).changes_something() == issubclass(kind, Question)] == []


def test_who_may_ask_for_what_is_as_it_is_written_down_here() -> None:
    questions = {kind.name for kind in KINDS if kind.changes is Changes.NOTHING}
    logs = {"logs.close", "logs.line", "logs.open", "logs.save", "logs.seek", "logs.window"}
    looks = {
        "check.run",
        "output.read",
        "check.push",
        "issue.cancel",
        "issue.look",
        "plan.difference",
        "rollback.rehearse",
        "series.read",
    }
    lists = {
        "alert.list",
        "alert.silences",
        "problem.list",
        "check.push",
        "bundle.make",
        "incident.list",
        "service.found",
        "service.inspect",
        "service.sources",
    }
    assert questions == logs | looks | lists
    incident = {"incident.close", "incident.note", "incident.open"}
    for_all = {"lease.answer", "lease.ask", "person.confirm", "service.command", "service.seen"}
    for_all |= {"issue.diagnose", "command.look", "alert.silence", "alert.acknowledge", "alert.unsilence"}
    assert {kind.name for kind in KINDS if kind.who is Who.ANYONE} - questions == incident | for_all
    services = {"service.act", "issue.solve", "command.run"}
    assert {kind.name for kind in KINDS if kind.who is Who.DRIVER_OF_RUN} == services
    assert {kind.name for kind in KINDS if kind.changes is Changes.DANGEROUS} == services | {
        "run.abort",
        "run.rollback",
    }
