"""Work beside the loop: whoever stops waiting for it is let go at once."""

import asyncio
import threading

import pytest

from switchover.migration.journal.off_loop import call_in_thread


@pytest.mark.parametrize("turns", range(5))
async def test_a_cancellation_that_comes_with_the_end_of_the_work_is_not_lost(turns: int) -> None:
    before, release = set(threading.enumerate()), threading.Event()
    waiting = asyncio.ensure_future(call_in_thread(lambda: release.wait(10), 20, 10, lambda: None))
    await asyncio.sleep(0)
    release.set()
    for worker in set(threading.enumerate()) - before:  # its word lies before the loop then, and nobody has read it
        worker.join()
    for _ in range(turns):
        await asyncio.sleep(0)
    if waiting.cancel():
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert waiting.done()
