from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.unit.agent.conftest import Bench

from switchover.agent.wire.client import AgentClient
from switchover.agent.wire.sections import SectionEncoder
from switchover.errors import AgentError
from switchover.snapshot import ServiceRow, Snapshot, TimelineRow

PATIENCE_S = 10.0
ODD = "caf\udce9"  # what a file name of another time's encoding becomes


async def newest(snapshots: AsyncIterator[Snapshot], wanted: int) -> Snapshot:
    async with asyncio.timeout(PATIENCE_S):
        async for snapshot in snapshots:
            if snapshot.seq >= wanted:
                return snapshot
    raise AssertionError


async def test_a_text_that_is_no_text_reaches_the_screen_without_what_nobody_can_read(bench: Bench) -> None:
    client = await bench.client()
    snapshots = client.snapshots()
    await newest(snapshots, 1)
    row = ServiceRow("api", "", "process", "running", "ok", detail=ODD, id="api")
    now = bench.hub.publish(services=(row,), timeline=(TimelineRow(1.0, "change", ODD),))
    seen = await newest(snapshots, now.seq)
    assert seen.services[0].detail == "caf?"
    assert seen.timeline[0].text == "caf?"
    later = bench.hub.publish(services=(ServiceRow("api", "", "process", "stopped", "crit", detail=ODD, id="api"),))
    assert (await newest(snapshots, later.seq)).services[0].state == "stopped"
    named = bench.hub.publish(found=(replace(row, id=f"process:{ODD}"), replace(row, id="process:7")))
    await newest(snapshots, named.seq)
    gone = bench.hub.publish(found=(replace(row, id="process:7"),))
    assert [one.id for one in (await newest(snapshots, gone.seq)).found] == ["process:7"]


async def test_a_screen_that_cannot_be_told_any_more_hears_so_instead_of_showing_what_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: AgentClient = await bench.client()
    snapshots = client.snapshots()
    await newest(snapshots, 1)

    def broken(*_: object, **__: object) -> bytes:
        raise RuntimeError("a defect")

    monkeypatch.setattr(SectionEncoder, "encode", broken)
    now = bench.hub.publish(timeline=())
    with pytest.raises(AgentError, match="lost"):
        await newest(snapshots, now.seq)
