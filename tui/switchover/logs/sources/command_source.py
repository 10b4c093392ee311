"""What a command writes: journalctl, kubectl, anything that prints lines. It is started again where it is to follow."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from switchover.logs.reading.splitter import Splitter
from switchover.logs.sources.already_read import AlreadyRead
from switchover.logs.sources.parsers import parser
from switchover.logs.sources.source_api import Feed, LineSource, LogTimeSpan, RawLine, SourceSpec

__all__ = ["CommandSource", "open_source"]

_CHUNK = 1 << 18
_PAUSES_S = (0.2, 5.0)
_RAN_WELL_S = 10.0  # after which the next pause is the shortest again
_END_WITHIN_S = 1.0
_MOST_SAID = 4096  # bytes of standard error that are kept
_PR_SET_PDEATHSIG = 1


def open_source(spec: SourceSpec) -> LineSource:
    """Return what reads the output of `argv`. Raise `LookupError` for a way of writing lines that there is not."""
    return CommandSource(spec.argv, spec.parse)


class CommandSource:
    """Runs a command and reads what it prints; its last line on standard error says why it ended badly."""

    def __init__(self, argv: Sequence[str], form: str) -> None:
        self._argv = list(argv)
        self._form = form
        self._parse = parser(form)
        self._seen = AlreadyRead()

    async def read(self, feed: Feed, span: LogTimeSpan) -> None:
        """Push what it prints; where it is to follow, start it again whenever it ends."""
        pause, again = _PAUSES_S[0], False
        while True:
            began = time.monotonic()
            try:
                code, said = await self._run(feed, again=again)
            except OSError as error:
                feed.off(f"{self._argv[0]} cannot be run: {error.strerror}")
                return
            if not span.follow:
                if code:
                    feed.off(said or _ended(self._argv[0], code))
                return
            if code:
                feed.off(said or _ended(self._argv[0], code))
            else:
                feed.reading(f"{os.path.basename(self._argv[0])} ended and is started again")  # noqa: PTH119
            feed.caught_up()
            pause = _PAUSES_S[0] if time.monotonic() - began > _RAN_WELL_S else pause
            await asyncio.sleep(pause)
            pause, again = min(pause * 2, _PAUSES_S[1]), True

    async def _run(self, feed: Feed, *, again: bool) -> tuple[int, str]:
        """Run it once; return its exit code and the last line of its standard error. Raise `OSError`."""
        argv = _argv_again(self._argv, self._form, self._seen.last) if again else self._argv
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
        )
        said = asyncio.create_task(_last_line(process.stderr))
        try:
            await self._read(feed, process.stdout, again=again)
            return await process.wait(), await said
        finally:
            said.cancel()
            await _end(process)

    async def _read(self, feed: Feed, output: asyncio.StreamReader | None, *, again: bool) -> None:
        assert output is not None
        splitter, first = Splitter(), True
        while data := await output.read(_CHUNK):
            if first:
                feed.reading()
                first = False
            await self._push(feed, splitter.feed(data), again=again)
        await self._push(feed, splitter.finish(), again=again)

    async def _push(self, feed: Feed, lines: Sequence[bytes], *, again: bool) -> None:
        if not lines:
            return
        read: Sequence[RawLine] = self._parse(lines)
        if again:
            read = self._seen.only_new(read)
        self._seen.note(read)
        await feed.push(read)


def _argv_again(argv: Sequence[str], form: str, last: float | None) -> list[str]:
    """Return the command that goes on where it ended: since the last line, however many there were since."""
    if last is None or form == "text":
        return list(argv)
    if form == "journal-json":
        kept = [word for word in argv if not word.startswith(("--lines=", "--since="))]
        return [kept[0], "--lines=all", f"--since=@{last:.6f}", *kept[1:]]
    kept = [word for word in argv if not word.startswith(("--tail=", "--since-time=", "--since="))]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(last))
    return [*kept, "--tail=-1", f"--since-time={stamp}"]


async def _last_line(output: asyncio.StreamReader | None) -> str:
    said = b""
    while output is not None and (data := await output.read(_MOST_SAID)):
        said = (said + data)[-_MOST_SAID:]
    lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the command and those it started, which are of its session."""
    if process.returncode is not None:
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        try:
            async with asyncio.timeout(_END_WITHIN_S):
                await process.wait()
        except TimeoutError:
            continue
        return


def _die_with(parent: int) -> Callable[[], None]:
    """Return what makes a child end when this process does, whatever ends it: one that is silent would not notice."""
    import ctypes

    prctl = ctypes.CDLL(None).prctl

    def prepare() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def _ended(program: str, code: int) -> str:
    return f"{program} was ended by signal {-code}" if code < 0 else f"{program} ended with code {code}"
