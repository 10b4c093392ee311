"""What the agent's hub and line cost beside many services: 200 idle containers; 1,500 processes of which 30 % change.

The sources are fakes, so that only the agent's own work is measured: listing, rows, differences, the line to a screen.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from tests.bench.support.table import print_table
from tests.unit.hub.fake_source import UP, FakeSource, Host

from switchover.agent.server.server import AgentServer, Identity
from switchover.commands.command import CommandTarget
from switchover.hub import FollowingHub
from switchover.services.provider_api import Found

_CONTAINERS = 200
_PROCESSES = 1500
_CHANGE = 0.3
_SETTLE_S = 6.0
_OVER_S = 20.0
_ROOT = Path(__file__).parents[2]


class _FakeProcesses(FakeSource):
    """Lists processes of which some use more or less CPU and memory each time."""

    kind: ClassVar[str] = "process"

    async def discover(self) -> Sequence[Found]:
        for name in random.sample(list(self.things), int(_CHANGE * len(self.things))):
            used = 10 * random.random()
            self.things[name] = replace(self.things[name], cpu_percent=used, memory_bytes=random.randrange(10**9))
        return await super().discover()


def run() -> None:
    """Measure and print."""
    containers = [f"container{number}" for number in range(_CONTAINERS)]
    processes = {str(number): replace(UP, pid=number, identity=f"{number}:1") for number in range(1, _PROCESSES + 1)}
    rows = [
        (f"{_CONTAINERS} containers, idle", *asyncio.run(_measure([FakeSource(*containers)]))),
        (
            f"and {_PROCESSES} processes, {100 * _CHANGE:.0f} % change in 5 s",
            *asyncio.run(_measure([FakeSource(*containers), _FakeProcesses(**processes)])),
        ),
    ]
    print_table(
        "The agent beside many services, one screen attached",
        ("", "agent CPU", "line", "Snapshots"),
        rows,
        "Aim: 1 % of one core with 200 idle containers. The second line counts the fake's own listing too.",
    )


async def _measure(sources: Sequence[FakeSource]) -> tuple[str, str, str]:
    with tempfile.TemporaryDirectory(prefix="switchover-bench-") as scratch:
        async with Host(Path(scratch), *sources) as host:
            server = AgentServer(
                CommandTarget(FollowingHub(lambda: host.hub)), Identity("1", scratch), stop=lambda: None
            )
            path = Path(scratch) / "a.sock"
            await server.listen(path)
            reader = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.bench.agent_rows", str(path), cwd=_ROOT, stdout=asyncio.subprocess.PIPE
            )
            await asyncio.sleep(_SETTLE_S)
            used, began, first = time.process_time(), time.monotonic(), host.hub.snapshot.seq
            await asyncio.sleep(_OVER_S)
            took = time.monotonic() - began
            percent = 100 * (time.process_time() - used) / took
            snapshots = (host.hub.snapshot.seq - first) / took
            await server.close()
            said, _ = await reader.communicate()
    return f"{percent:.2f} %", f"{float(said) / 1000:.1f} KB/s", f"{snapshots:.1f}/s"


async def _read(path: str) -> float:
    """Take all that the agent says, and return the bytes a second once the first whole Snapshot has come."""
    reader, writer = await asyncio.open_unix_connection(path, limit=1 << 26)
    writer.write(b'{"id": 1, "method": "subscribe", "params": {"rows": true}}\n')
    end = time.monotonic() + _SETTLE_S
    while time.monotonic() < end:
        await reader.readline()
    counted, began = 0, time.monotonic()
    while line := await reader.readline():
        counted += len(line)
    writer.close()
    return counted / (time.monotonic() - began)


if __name__ == "__main__":
    sys.stdout.write(str(asyncio.run(_read(sys.argv[1]))))
