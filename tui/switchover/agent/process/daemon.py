"""Let go of the terminal: the agent gets its own session, and its starter hears whether it came up."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

import msgspec

from switchover.agent.process.lifecycle import StartReport

__all__ = ["Report", "detach"]

Report = Callable[[StartReport], None]


def detach(work: Callable[[Report], int], within_s: float) -> StartReport | None:
    """Run `work` in a process that belongs to no terminal; return what it reports, None where it dies silently.

    Forks twice, so that the agent has no parent to wait for it and can never get a terminal again. Call it while there
    is one thread only.
    """
    read_end, write_end = os.pipe()
    sys.stdout.flush() if sys.stdout else None
    child = os.fork()
    if child == 0:
        _become_agent(work, write_end)
    os.close(write_end)
    os.waitpid(child, 0)
    try:
        return _read_report(read_end, within_s)
    finally:
        os.close(read_end)


def _become_agent(work: Callable[[Report], int], write_end: int) -> NoReturn:
    code = 1
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        os.chdir("/")
        _close_inherited(keep=write_end)
        code = work(_Reporter(write_end))
    except BaseException:
        code = 1
        raise
    finally:
        os._exit(code)


class _Reporter:
    """Tells the starter once, then lets go of it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def __call__(self, report: StartReport) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                os.write(descriptor, msgspec.json.encode(report))
            os.close(descriptor)


def _close_inherited(keep: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - numbers, not files
        if int(name) > 2 and int(name) != keep:
            with suppress(OSError):
                os.close(int(name))


def _read_report(descriptor: int, within_s: float) -> StartReport | None:
    received = b""
    while select.select([descriptor], [], [], within_s)[0]:
        piece = os.read(descriptor, 65536)
        if not piece:
            break
        received += piece
    try:
        return msgspec.json.decode(received, type=StartReport)
    except msgspec.MsgspecError:
        return None
