"""Processes for the crash matrices: forks of a warm interpreter in the place of new ones, and their end."""

from __future__ import annotations

import ctypes
import importlib
import os
import select
import signal
import socket
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from switchover import redaction
from switchover.migration.steps import bounded_output, remote_clients, sealing, shim
from switchover.migration.steps import launcher as launcher_script
from switchover.migration.steps.spawn import Launcher, ShimRequest, ShimWatch
from switchover.migration.steps.step_processes import descendants

__all__ = ["ForkedLauncher", "apart", "end_all_below", "kill_after", "sometimes_all", "warm_up"]

_PR_SET_CHILD_SUBREAPER = 36


class ForkedLauncher(Launcher):
    """The launcher without a new interpreter: its loop in a fork of this one.

    `deaths` are points at which shim or launcher kill themselves, one for each launch; empty for a launch is spared.
    """

    def __init__(self, deaths: list[str]) -> None:
        super().__init__()
        self.deaths = deaths
        self.child = 0

    def warm_up(self) -> None:
        if self.child:
            return
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.child = os.fork()
        if self.child == 0:
            _serve_for_ever(theirs)
        theirs.close()
        ours.setblocking(False)
        self._socket = ours

    async def start(self, request: ShimRequest) -> ShimWatch:
        point = self.deaths.pop(0) if self.deaths else ""
        return await super().start(replace(request, die_at=point))

    def close(self) -> None:
        super().close()
        if self.child:
            os.waitpid(self.child, 0)
        self.child = 0


def _serve_for_ever(line: socket.socket) -> None:
    try:
        kept = line.fileno()
        os.setsid()
        os.closerange(3, kept)
        os.closerange(kept + 1, 1024)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        line.setblocking(True)
        kit = shim.Kit(
            redaction.Redactor,
            bounded_output.BoundedOutput,
            bounded_output.Captures,
            remote_clients.RemoteClients,
            sealing.seal,
        )
        launcher_script.serve(line, os.pidfd_open(os.getppid()), shim, kit)
    finally:
        os._exit(0)


def become_a_world() -> None:
    """Inherit what its parents leave behind, so that all of it can be ended."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_all_below() -> None:
    """Kill every descendant of this process and wait until there is none."""
    give_up = time.monotonic() + 20
    while True:
        for pid in descendants(os.getpid()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        assert time.monotonic() < give_up, "something cannot be ended"
        time.sleep(0.001)


def kill_after(pid: int, seconds: float) -> None:
    """Kill a child, unless it ends by itself before that."""
    handle = os.pidfd_open(pid)
    try:
        select.select([handle], [], [], seconds)
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)


def apart(work: Callable[[], str], report: Path) -> str:
    """Do `work` in a world of its own; return what it says, or raise `AssertionError` with its trace."""
    pid = os.fork()
    if pid == 0:
        text, code = "", 1
        try:
            become_a_world()
            text = work()
            code = 0
        except BaseException:
            text = traceback.format_exc()
        finally:
            with suppress(BaseException):
                end_all_below()
            report.write_text(text)
            os._exit(code)
    ended = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    said = report.read_text() if report.exists() else "nothing was said"
    assert ended == 0, said
    return said


def sometimes_all(always: int, every: int) -> list[object]:
    """Return the numbers of the batches: the first ones for every run of the tests, the others for a soak."""
    return [*range(always), *(pytest.param(batch, marks=pytest.mark.soak) for batch in range(always, every))]


def warm_up() -> None:
    """Import what an engine needs, so that no fork has to."""
    for name in (
        "switchover.plan.loader.load",
        "switchover.migration.run.engine",
        "switchover.migration.journal.sqlite_journal",
    ):
        importlib.import_module(name)
