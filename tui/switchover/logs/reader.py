"""The process that reads one stream of log lines: `python -m switchover.logs.reader`.

It speaks JSON, one document a line, over its standard input and output. The first line it is given says what to read:

    {"sources": [SourceSpec…], "off": [[name, why]…], "span": Span, "secrets": {name: value}, "folder": "…"}

then come requests, `{"id": 1, "do": "window", …}`. The answer is `{"id": 1, "answer": …}` or `{"id": 1, "error": "…"}`.
It ends when its standard input ends, and takes along what it started.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from switchover.logs.log_stream import LogStream
from switchover.logs.sources.source_api import LogTimeSpan, SourceSpec

__all__ = ["main"]

_MOST_BYTES = 64 << 20
_MOST_LINES = 500_000
_LINE_LIMIT = 16 << 20
_SEEK_FOR_S = 2.0
_SWITCH_S = 0.0005  # threads of sources must not keep an answer waiting
_YOUNG = 50_000  # objects made before rubbish is looked for: nearly everything here is kept, or freed by itself


class Reader:
    """Answers requests for one stream."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        limits = (int(given.get("most_bytes", _MOST_BYTES)), int(given.get("most_lines", _MOST_LINES)))
        self._folder: str = given.get("folder", "")
        self._stream = LogStream(
            [SourceSpec(**source) for source in given["sources"]],
            [(name, why) for name, why in given.get("off", ())],
            LogTimeSpan(**given["span"]),
            given.get("secrets", {}),
            limits,
        )
        self._stream.start()

    async def answer(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do what is asked and return the reply."""
        try:
            return {"id": request["id"], "answer": await self._do(request)}
        except LookupError as error:
            return {"id": request["id"], "error": str(error)}
        except Exception as error:  # the boundary: one request fails, the reader lives
            return {"id": request["id"], "error": f"the log reader met an unexpected {type(error).__name__}"}

    async def _do(self, request: Mapping[str, Any]) -> Any:
        queries = self._stream.queries
        match request["do"]:
            case "window":
                if request.get("wait"):
                    await self._stream.newer_than(request["seen"], request["wait"])
                return queries.window(request["query"], request["anchor"], request["before"], request["after"])
            case "seek":
                return {"seq": await self._seek(request)}
            case "line":
                return queries.line(request["seq"], request["offset"], request["limit"])
            case "learn":
                return self._stream.learn(request["secrets"])
            case "states":
                return self._stream.states()
            case "save":
                return await self._save(request)
        raise LookupError(f"the log reader cannot {request['do']}")

    async def _seek(self, request: Mapping[str, Any]) -> int | None:
        queries = self._stream.queries
        deadline = asyncio.get_running_loop().time() + _SEEK_FOR_S
        while True:
            found = queries.seek(request["query"], request["seq"], request["what"], request["by"])
            if found is not None or not queries.step() or asyncio.get_running_loop().time() > deadline:
                return found
            await asyncio.sleep(0)

    async def _save(self, request: Mapping[str, Any]) -> dict[str, Any]:
        from switchover.logs.saving import SaveError, save_lines

        if not self._folder:
            raise LookupError("there is no folder to write to")
        try:
            return await save_lines(
                self._stream.queries, self._stream.ring, self._stream.names, request["query"], self._folder
            )
        except SaveError as error:
            raise LookupError(str(error)) from error

    async def aclose(self) -> None:
        """Stop reading."""
        await self._stream.aclose()


async def serve() -> None:
    """Answer on the standard files until the standard input ends."""
    loop = asyncio.get_running_loop()
    asked = asyncio.StreamReader(limit=_LINE_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin.buffer)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sys.stdout.buffer)
    replies = asyncio.StreamWriter(transport, protocol, None, loop)
    first = await asked.readline()
    if not first:
        return
    reader = Reader(json.loads(first))
    under_way: set[asyncio.Task[None]] = set()

    async def reply(request: Mapping[str, Any]) -> None:
        replies.write(json.dumps(await reader.answer(request)).encode() + b"\n")
        await replies.drain()

    try:
        while line := await asked.readline():
            task = asyncio.create_task(reply(json.loads(line)))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    finally:
        for task in under_way:
            task.cancel()
        await reader.aclose()
        transport.abort()


def main() -> None:
    """Run until the standard input ends; then nothing of it is left, not even threads that hang."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    sys.setswitchinterval(_SWITCH_S)
    gc.set_threshold(_YOUNG, 50, 1000)
    gc.freeze()
    code = 1
    try:
        asyncio.run(serve())
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
