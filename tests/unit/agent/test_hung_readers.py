"""Log readers that hang: each is replaced once, and none is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
import pytest

from switchover.agent.server import log_streams
from switchover.agent.server.log_streams import LogStreams
from switchover.agent.server.reader_process import ReaderHungError
from switchover.errors import SwitchoverError, UsageError
from switchover.services.provider_api import LogSpan
from switchover.snapshot.logview import LogWindow


class StandInReader:
    """The first of them hangs as soon as it is let; those after it answer."""

    made: ClassVar[list[StandInReader]] = []
    hangs: ClassVar[asyncio.Event]
    starting: ClassVar[asyncio.Event]
    may_start: ClassVar[asyncio.Event]

    def __init__(self) -> None:
        self.made.append(self)
        self.first = len(self.made) == 1
        self.runs = False
        self.has_ended = False

    async def start(self, what: Mapping[str, Any]) -> None:
        assert what
        if not self.first:
            self.starting.set()
            await self.may_start.wait()
        self.runs = True

    async def ask(self, do: str, params: Mapping[str, Any], within_s: float) -> msgspec.Raw:
        assert params is not None
        assert within_s
        if self.first and do != "states":
            await self.hangs.wait()
            raise ReaderHungError
        return msgspec.Raw(b"[]" if do == "states" else b"{}")

    async def kill(self) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        self.runs = False


@pytest.fixture
async def streams(monkeypatch: pytest.MonkeyPatch) -> LogStreams:
    StandInReader.made = []
    StandInReader.hangs, StandInReader.starting = asyncio.Event(), asyncio.Event()
    StandInReader.may_start = asyncio.Event()
    monkeypatch.setattr(log_streams, "LogReader", StandInReader)
    return LogStreams()


async def opened(streams: LogStreams) -> int:
    return (await streams.open((), (), LogSpan(), secrets=dict, folder=None)).stream


def window(streams: LogStreams, number: int) -> asyncio.Task[Any]:
    return asyncio.ensure_future(streams.ask(number, "window", {"query": {}, "wait": 0}, LogWindow))


async def test_two_questions_to_a_reader_that_hangs_have_it_replaced_once(streams: LogStreams) -> None:
    number = await opened(streams)
    both = [window(streams, number), window(streams, number)]
    await asyncio.sleep(0)  # both have asked
    StandInReader.hangs.set()
    StandInReader.may_start.set()
    async with asyncio.timeout(10):
        answers = await asyncio.gather(*both)
    assert ["opened again" in answer.problem for answer in answers] == [True, True]
    assert [reader.runs for reader in StandInReader.made] == [False, True]


async def test_a_log_that_was_closed_while_its_reader_was_replaced_leaves_no_reader_behind(streams: LogStreams) -> None:
    number = await opened(streams)
    asked = window(streams, number)
    StandInReader.hangs.set()
    async with asyncio.timeout(10):
        await StandInReader.starting.wait()
        await streams.close(number)
        StandInReader.may_start.set()
        with pytest.raises(SwitchoverError):
            await asked
    assert [reader.runs for reader in StandInReader.made] == [False, False]
    with pytest.raises(UsageError):
        await streams.close(number)
