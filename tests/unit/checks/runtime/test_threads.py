"""Blocking work that hangs keeps its own thread and holds up nobody else's."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest

from switchover_checks.api import ProbeError
from switchover_checks.runtime.threads import ThreadEach, Threads, never_queue


@pytest.fixture
def free() -> Iterator[threading.Event]:
    """What hangs until the test is over."""
    event = threading.Event()
    yield event
    event.set()


async def test_one_check_that_hangs_again_and_again_leaves_the_threads_to_the_others(free: threading.Event) -> None:
    threads, ended = Threads(most=4), threading.Semaphore(0)

    def hang() -> None:
        free.wait()
        ended.release()

    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await threads.run(hang, "nfs")
    for _ in range(5):
        with pytest.raises(ProbeError, match="its earlier looks still hang"):
            await threads.run(hang, "nfs")
    assert await asyncio.gather(*(threads.run(lambda: 7, "disk") for _ in range(2))) == [7, 7]
    free.set()
    assert ended.acquire(timeout=20)
    assert ended.acquire(timeout=20)
    while True:  # a thread that has done its work is over a moment later
        try:
            assert await threads.run(lambda: 8, "nfs") == 8
        except ProbeError:
            await asyncio.sleep(0)
        else:
            return


async def test_there_is_an_end_to_the_threads_that_hang(free: threading.Event) -> None:
    threads = Threads(most=2)
    hanging = [asyncio.ensure_future(threads.run(free.wait, str(n))) for n in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(ProbeError, match="2 earlier probes still hang"):
        await threads.run(lambda: 7)
    free.set()
    await asyncio.gather(*hanging)


async def test_blocking_work_of_a_loop_waits_behind_no_other(free: threading.Event) -> None:
    never_queue(asyncio.get_running_loop())
    hanging = [asyncio.ensure_future(asyncio.to_thread(free.wait)) for _ in range(100)]
    assert await asyncio.to_thread(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(lambda: 1 // 0)
    free.set()
    assert all(await asyncio.gather(*hanging))


async def test_names_that_do_not_resolve_delay_no_other_and_each_is_asked_for_once(
    free: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def look_up(host: str, *rest: object) -> list[object]:
        asked.append(host)
        if host.startswith("hangs"):
            free.wait()
            raise socket.gaierror(-2, "not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", rest[0]))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    loop = asyncio.get_running_loop()
    never_queue(loop)
    hanging = [asyncio.ensure_future(loop.getaddrinfo(f"hangs{n % 50}", 80)) for n in range(500)]
    assert (await loop.getaddrinfo("fine", 80))[0][4] == ("192.0.2.1", 80)
    hanging[0].cancel()  # who gives up spoils it for nobody
    await asyncio.sleep(0)
    free.set()
    answers = await asyncio.gather(*hanging, return_exceptions=True)
    assert sum(isinstance(answer, socket.gaierror) for answer in answers) == 499
    assert sorted(asked) == sorted([*(f"hangs{n}" for n in range(50)), "fine"])


async def test_above_the_most_work_waits_and_none_is_lost(free: threading.Event) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadEach(most=2))
    hanging = [asyncio.ensure_future(asyncio.to_thread(free.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    late = [asyncio.ensure_future(asyncio.to_thread(lambda n=n: n)) for n in range(5)]  # type: ignore[misc]
    await asyncio.sleep(0)
    assert not any(task.done() for task in late)
    free.set()
    await asyncio.gather(*hanging)
    assert await asyncio.gather(*late) == [0, 1, 2, 3, 4]


def test_the_end_of_a_loop_waits_for_no_thread_that_hangs(free: threading.Event) -> None:
    async def story() -> None:
        never_queue(asyncio.get_running_loop())
        task = asyncio.ensure_future(asyncio.to_thread(free.wait))
        await asyncio.sleep(0)
        task.cancel()

    asyncio.run(story())
    assert not free.is_set()
