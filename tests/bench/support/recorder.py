"""A program in a pseudo-terminal whose output is kept with the time of each piece, and looked at afterwards.

Reading costs next to nothing that way, so that the measurement does not share the processor with what it measures.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import pyte

__all__ = ["Recorder", "usage"]

_ANSWERS = {
    b"\x1b[6n": b"\x1b[1;1R",
    b"\x1b[5n": b"\x1b[0n",
    b"\x1b[c": b"\x1b[?62;22c",
    b"\x1b[0c": b"\x1b[?62;22c",
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",
}
_QUESTION = re.compile(b"|".join(re.escape(question) for question in _ANSWERS))
_KITTY = re.compile(r"\x1b\[[<>=?][0-9;]*u")  # the model would print the last letter


class Recorder:
    """Run `argv` on a pty. `bytes_per_second` makes the line slow: no more than that is taken from it."""

    def __init__(
        self,
        argv: Sequence[str],
        size: tuple[int, int],
        env: Mapping[str, str],
        bytes_per_second: float = 0.0,
    ) -> None:
        self.columns, self.lines = size
        self._rate = bytes_per_second
        self._credit = 0.0
        self.pieces: list[tuple[float, bytes]] = []
        self.began = self._credited = time.perf_counter()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", self.lines, self.columns, 0, 0))
            kept = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES", "TMUX"}}
            try:
                os.execvpe(argv[0], list(argv), {**kept, "TERM": "xterm-256color", "COLORTERM": "truecolor", **env})
            finally:
                os._exit(127)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.send("q")
        end = time.perf_counter() + 1.5
        gone = False
        while not gone and time.perf_counter() < end:
            self._take(0.05)
            gone = os.waitpid(self.pid, os.WNOHANG)[0] != 0
        if not gone:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._master)

    @property
    def count(self) -> int:
        """How many bytes came."""
        return sum(len(data) for _, data in self.pieces)

    def send(self, keys: str) -> float:
        """Type; return when."""
        with contextlib.suppress(OSError):
            os.write(self._master, keys.encode())
        return time.perf_counter()

    def watch(self, seconds: float) -> None:
        """Take what comes for a time."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._take(left)

    def watch_until_quiet(self, quiet: float, limit: float) -> None:
        """Take what comes until nothing came for `quiet` seconds."""
        end = time.perf_counter() + limit
        while time.perf_counter() < end and self._take(quiet):
            pass

    def watch_for(self, text: str, limit: float = 30.0) -> None:
        """Take what comes until a text stands on the screen. Raise `TimeoutError` where it does not."""
        end = time.perf_counter() + limit
        while self.seconds_until(lambda screen: any(text in line for line in screen.display), self.began) is None:
            if time.perf_counter() > end:
                raise TimeoutError(f"{text!r} does not come")
            self.watch(0.2)

    def _take(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], max(seconds, 0.0))[0]:
            return False
        size = 65536
        if self._rate:
            now = time.perf_counter()
            self._credit = min(self._credit + (now - self._credited) * self._rate, self._rate * 0.02)
            self._credited = now
            size = int(self._credit)
            if size < 1:
                time.sleep(0.001)
                return True
        try:
            data = os.read(self._master, size)
        except OSError:
            time.sleep(0.01)
            return False
        self._credit -= len(data)
        self.pieces.append((time.perf_counter(), data))
        for match in _QUESTION.finditer(data):
            os.write(self._master, _ANSWERS[match[0]])
        return True

    def replay(self, look: Callable[[pyte.Screen], object], since: float = 0.0) -> list[tuple[float, object]]:
        """Return what `observe_gate` sees on the screen after each piece since a time."""
        screen = pyte.Screen(self.columns, self.lines)
        stream = pyte.Stream(screen)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        seen = []
        for at, data in self.pieces:
            stream.feed(_KITTY.sub("", decoder.decode(data)))
            if at >= since:
                seen.append((at, look(screen)))
        return seen

    def seconds_until(self, look: Callable[[pyte.Screen], object], since: float) -> float | None:
        """Return after how many seconds `observe_gate` was true for the first time; None where it never was."""
        return next((at - since for at, found in self.replay(look, since) if found), None)

    def seconds_until_settled(self, look: Callable[[pyte.Screen], object], since: float) -> float:
        """Return after how many seconds what `observe_gate` sees had become what it was in the end."""
        seen = self.replay(look, 0.0)
        last, settled = seen[-1][1], since
        for at, found in reversed(seen):
            if found != last:
                break
            settled = at
        return max(settled - since, 0.0)


def usage(pid: int) -> tuple[float, float, float]:
    """Return CPU seconds, resident and proportional MB of a process and all that it started."""
    cpu = resident = proportional = 0.0
    tick = os.sysconf("SC_CLK_TCK")
    for each in _family(pid):
        with contextlib.suppress(OSError, IndexError):
            fields = _read(f"/proc/{each}/stat").rpartition(")")[2].split()
            cpu += (int(fields[11]) + int(fields[12])) / tick
            for line in _read(f"/proc/{each}/smaps_rollup").splitlines():
                if line.startswith("Rss:"):
                    resident += int(line.split()[1]) / 1000 * 1.024
                elif line.startswith("Pss:"):
                    proportional += int(line.split()[1]) / 1000 * 1.024
    return cpu, resident, proportional


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace")


def _family(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{each}/task").iterdir():
                found += [int(child) for child in _read(f"{task}/children").split()]
    return found
