"""Every command goes over a real socket, is carried out or refused in words, and its answer has the type it names."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.agent.conftest import Bench
from tests.unit.commands.test_command_table import KINDS, sample

from switchover.commands.command import Changes, Command
from switchover.errors import AgentError, RefusedError, SwitchoverError

REFUSED = {"logs.open", "logs.window", "logs.seek", "logs.line", "logs.save", "logs.close", "issue.diagnose"}
REFUSED |= {"lease.answer"}  # nobody asks


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
async def test_it_is_carried_out_for_its_client(bench: Bench, kind: type[Command[Any]]) -> None:
    client = await bench.client()
    bench.engine.may_end.set()
    refused: SwitchoverError | None = None
    try:
        await client.send(sample(kind))
    except SwitchoverError as error:
        refused = error
    assert (refused is not None) == (kind.name in REFUSED), refused
    assert not isinstance(refused, AgentError), refused  # it would be unforeseen


@pytest.mark.parametrize("kind", [k for k in KINDS if k.changes is not Changes.NOTHING], ids=lambda k: str(k.name))
async def test_what_changes_something_is_refused_to_one_who_only_watches(
    bench: Bench, kind: type[Command[Any]]
) -> None:
    command = sample(kind)
    client = await bench.client(read_only=True)
    if command.changes_something():
        with pytest.raises(RefusedError, match="only watches"):
            await client.send(command)
    assert bench.engine.calls == []
    assert bench.hub.acted == []
