"""Real agents and the clients that press their keys are killed: at every kind of moment, each independently."""

import asyncio
import os
import random
import select
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.functional.migration.crash_processes import apart, end_all_below, sometimes_all, warm_up
from tests.functional.migration.crash_world import Fuse, World

from switchover import app
from switchover.agent.process import agent_process
from switchover.agent.process.agent_record import AgentLock, find_socket
from switchover.agent.wire.client import AgentClient
from switchover.commands.command import CommandTarget
from switchover.errors import AgentError, SwitchoverError
from switchover.migration.facts.run_fold import fold
from switchover.snapshot import MigrationView

BATCHES = 2  # of those that always run
SOAK_BATCHES = 12
TRIALS = 4  # in each
MOST_LIVES = 12
LIVES_CUT_SHORT = 5


async def _be_an_agent(world: World, fuse: Fuse, ready: int) -> None:
    lock = AgentLock.acquire(world.workspace)
    parts = app.build(world.loaded, world.workspace)
    assert parts.engine is not None
    object.__setattr__(parts.engine.run_store.tools, "barrier", fuse)
    identity = app.identify(parts, read_only=False, since=time.time())
    await agent_process.serve(
        CommandTarget(parts.hub, parts.engine),
        identity,
        world.workspace,
        lock,
        ready=lambda: os.close(ready),
        let_go=parts.aclose,
    )


async def _press_keys(world: World, dice: random.Random) -> None:
    """Do what a person at a screen would, until the run is over."""
    client = AgentClient()
    await client.connect(find_socket(world.workspace))
    try:
        await client.hello({"who": "ben", "host": "bastion", "tty": "pts/2"})
        async for snapshot in client.snapshots():
            if snapshot.migration.action.kind in ("done", "none"):
                return
            with suppress(AgentError):
                await _press(client, snapshot.migration, dice)
    finally:
        await client.aclose()


async def _press(client: AgentClient, view: MigrationView, dice: random.Random) -> None:
    unit = view.current_step
    wanted: dict[str, tuple[str, dict[str, Any]]] = {
        "start": ("run.start", {}),
        "step": ("run.next", {}),
        "gate": ("run.next", {}),
        "confirm": ("run.step", {"step": unit, "confirmation": "remove it all"}),
        "resolve": (
            "step.resolve",
            {"step": unit, "choice": dice.choice(("done", "failed", "retry")), "reason": "looked, round 1"},
        ),
        "failed": ("step.retry", {"step": unit}),
    }
    if view.action.kind in wanted:
        method, params = wanted[view.action.kind]
        with suppress(SwitchoverError):  # refused: the next picture tells what is so by now
            await client.request(method, **params)


def _fork(work: Any) -> int:
    pid = os.fork()
    if pid == 0:
        code = 1
        with suppress(BaseException):
            asyncio.run(work())
            code = 0
        os._exit(code)
    return os.pidfd_open(pid)


def _kill(handle: int) -> None:
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    os.waitid(os.P_PIDFD, handle, os.WEXITED)
    os.close(handle)


def _live(world: World, dice: random.Random, *, cut_short: bool) -> None:
    """One life of an agent, with the clients that come and are killed meanwhile."""
    fuse = Fuse(dice.randrange(1, 30) if cut_short and dice.random() < 0.7 else -1)
    ready, readying = os.pipe()
    agent = _fork(lambda: _be_an_agent(world, fuse, readying))
    os.close(readying)
    os.read(ready, 1)  # until it listens, or has died
    os.close(ready)
    try:
        for _ in range(1 + 2 * cut_short):
            client = _fork(lambda: _press_keys(world, random.Random(dice.random())))
            for_s = dice.random() * 0.6 if cut_short else 20
            _until_any_ends((agent, client), for_s)
            _kill(client)
            if fold(world.records()).finished:  # the promises are judged when nobody writes any more
                break
    finally:
        _kill(agent)


def _until_any_ends(handles: tuple[int, ...], seconds: float) -> None:
    select.select(handles, [], [], seconds)


@pytest.mark.parametrize("batch", sometimes_all(BATCHES, SOAK_BATCHES))
def test_agents_and_their_clients_killed_lose_no_end_and_run_nothing_twice(fast_folder: Path, batch: int) -> None:
    warm_up()
    for seed in range(500 + batch * TRIALS, 500 + (batch + 1) * TRIALS):
        folder = fast_folder / f"{seed}"
        folder.mkdir()

        def trial(folder: Path = folder, seed: int = seed) -> str:
            world = World(folder, seed)
            dice = random.Random(seed)
            for life in range(MOST_LIVES):
                _live(world, dice, cut_short=life < LIVES_CUT_SHORT)
                if world.verify().finished:
                    break
            end_all_below()
            assert world.verify(at_the_end=True).finished
            return ""

        try:
            apart(trial, folder / "report")
        except AssertionError as error:
            raise AssertionError(f"trial {seed}: {error}") from error
        shutil.rmtree(folder)
