"""A command that is asked for over the line and ends with it: a look, never a step.

Standard library only, Python 3.6.
"""

from __future__ import annotations

import os
import select
import signal
import time
from contextlib import suppress
from typing import Any

READ = 1 << 16


class FarCommand:
    """One command, its output bounded, ended with all its group at its deadline."""

    def __init__(self, ask: dict[str, Any], poll: Any) -> None:
        self.poll = poll
        self.deadline = time.monotonic() + ask["timeout_s"]
        self.most: int = ask["most"]
        self.timed_out = False
        self.kept: dict[int, list[bytes]] = {}
        self.room: dict[int, int] = {}
        self.open: set[int] = set()
        self.truncated = False
        self.problem = ""
        self.status: int | None = None
        self.pid = self._start(ask)
        self.ended_at = 0.0

    def _start(self, ask: dict[str, Any]) -> int:
        pipes = [os.pipe2(os.O_CLOEXEC) for _ in range(3)]
        pid = os.fork()
        if pid == 0:
            try:
                os.setsid()
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                signal.signal(signal.SIGHUP, signal.SIG_DFL)
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                os.dup2(pipes[0][1], 1)
                os.dup2(pipes[1][1], 2)
                os.chdir(os.path.join(os.path.expanduser("~"), ask["cwd"]))  # noqa: PTH118, PTH111
                os.execvpe(ask["argv"][0], ask["argv"], {**os.environ, **ask["env"]})  # noqa: S606
            except OSError as error:
                os.write(pipes[2][1], b"%s: %s" % (ask["argv"][0].encode(), os.strerror(error.errno or 5).encode()))
            finally:
                os._exit(127)
        for _, write in pipes:
            os.close(write)
        self.failure = pipes[2][0]
        self.pipes = [pipes[0][0], pipes[1][0]]
        for descriptor in self.pipes:
            os.set_blocking(descriptor, False)
            self.kept[descriptor], self.room[descriptor] = [], self.most
            self.open.add(descriptor)
            self.poll.register(descriptor, select.POLLIN)
        return pid

    def kill(self) -> None:
        """End it with its group."""
        with suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)

    def step(self, ready: set[int]) -> bool:
        """Take what is there; return whether it is through."""
        for descriptor in list(self.open & ready):
            self._read(descriptor)
        if self.status is None and time.monotonic() > self.deadline:
            self.timed_out = True
            self.kill()
        self._reap()
        if self.status is None:
            return False
        for descriptor in list(self.open):
            self._read(descriptor)
        for descriptor in list(self.open):  # what it left running may hold them open
            self._close(descriptor)
        with os.fdopen(self.failure, "rb") as file:
            self.problem = file.read(500).decode("utf-8", "replace")
        return True

    def _reap(self) -> None:
        if self.status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                pid, status = self.pid, 255 << 8
            if pid:
                self.status = status

    def _read(self, descriptor: int) -> None:
        with suppress(BlockingIOError):
            while True:
                data = os.read(descriptor, READ)
                if not data:
                    self._close(descriptor)
                    return
                kept = data[: self.room[descriptor]]
                self.truncated = self.truncated or len(kept) < len(data)
                self.kept[descriptor].append(kept)
                self.room[descriptor] -= len(kept)

    def _close(self, descriptor: int) -> None:
        self.open.discard(descriptor)
        self.poll.unregister(descriptor)
        os.close(descriptor)

    def result(self) -> tuple[dict[str, Any], bytes]:
        """Return how it ended, and both outputs behind each other."""
        out, err = (b"".join(self.kept[descriptor]) for descriptor in self.pipes)
        status = self.status or 0
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        head = {
            "exit": code,
            "stdout": len(out),
            "stderr": len(err),
            "truncated": self.truncated,
            "timed_out": self.timed_out,
            "problem": self.problem,
        }
        return head, out + err
