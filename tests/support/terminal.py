"""A program in a pseudo-terminal of its own, and the screen that it draws, as a terminal model (pyte) sees it."""

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
from types import TracebackType
from typing import Self

import pyte
from wcwidth import wcwidth

__all__ = ["Terminal", "visible_cells"]

KEYS = {"up": "\x1b[A", "down": "\x1b[B", "enter": "\r", "escape": "\x1b", "tab": "\t"}
_QUERIES = {"\x1b[6n": "\x1b[1;1R", "\x1b[5n": "\x1b[0n", "\x1b[c": "\x1b[?62;22c", "\x1b[?2026$p": "\x1b[?2026;2$y"}
_QUERY = re.compile("|".join(re.escape(query) for query in _QUERIES))


def visible_cells(screen: pyte.Screen) -> list[list[pyte.screens.Char]]:
    """Return every cell with its attributes, as far as they can be seen.

    A blank has no colour of its own. A wide character of which one half was overwritten is a blank: terminals show it
    so, only the model keeps the other half.
    """
    rows = []
    for y in range(screen.lines):
        row = [screen.buffer[y][x] for x in range(screen.columns)]
        wide = [wcwidth(cell.data[:1]) == 2 for cell in row]
        second = [x > 0 and wide[x - 1] and cell.data == "" for x, cell in enumerate(row)]
        whole = [*second[1:], False]
        halves = [(cell.data == "" and not second[x]) or (wide[x] and not whole[x]) for x, cell in enumerate(row)]
        rows.append(
            [_as_seen(cell._replace(data=" ") if half else cell) for cell, half in zip(row, halves, strict=True)]
        )
    return rows


def _as_seen(cell: pyte.screens.Char) -> pyte.screens.Char:
    if cell.data == " " and not (cell.underscore or cell.strikethrough or cell.reverse or cell.blink):
        return cell._replace(fg="default", bold=False, italics=False)
    return cell


class Terminal:
    """Run `argv` on a pty of `columns` x `lines`. Use as a context manager: it ends the program by its pid."""

    def __init__(
        self, argv: Sequence[str], *, columns: int = 80, lines: int = 24, env: Mapping[str, str] | None = None
    ) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.Stream(self.screen)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.raw = bytearray()
        self.status: int | None = None
        self._seen = ""
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(env or {})}
            try:
                os.execvpe(argv[0], list(argv), environment)
            finally:
                os._exit(127)
        self._set_size(columns, lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the program, if it still runs, and the terminal."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait()
        self.hang_up()

    def hang_up(self) -> None:
        """Close the terminal's side of the line, as a dropped connection does."""
        if self.master >= 0:
            os.close(self.master)
            self.master = -1

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns: int, lines: int) -> None:
        """Give the window another size, as a terminal does; the program is told by SIGWINCH."""
        self._set_size(columns, lines)
        self.screen.resize(lines, columns)

    def send(self, *keys: str) -> None:
        """Type keys, by name or as text."""
        for key in keys:
            os.write(self.master, KEYS.get(key, key).encode())

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        os.kill(self.pid, number)

    def pump(self, seconds: float) -> bool:
        """Take in what the program writes for up to `seconds`; tell whether there was anything (EOF is nothing)."""
        if self.master < 0:
            return False
        ready, _, _ = select.select([self.master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return False
        if not data:
            return False
        self.raw += data
        text = self._decoder.decode(data)
        self._stream.feed(text)
        self._seen = (self._seen + text)[-4096 - len(text) :]
        for match in _QUERY.finditer(text):
            self._answer(_QUERIES[match[0]].encode())
        return True

    def _answer(self, reply: bytes) -> None:
        os.write(self.master, reply)

    @property
    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def cells(self) -> list[list[pyte.screens.Char]]:
        """Every cell with its attributes, as far as they can be seen."""
        return visible_cells(self.screen)

    def wait_for(self, what: str | Callable[[Terminal], bool], seconds: float = 30.0) -> str:
        """Wait until the text, or what a function looks for, is on the screen. Raise `TimeoutError` with the screen."""
        found = (lambda terminal: what in terminal.text) if isinstance(what, str) else what
        end = time.monotonic() + seconds
        while not found(self):
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"not on the screen within {seconds} s: {what!r}\n{self.text}")
            self.pump(min(left, 0.2))
        return self.text

    def settle(self, quiet: float = 0.15, seconds: float = 20.0) -> None:
        """Wait until the program has written nothing for `quiet` seconds."""
        end = time.monotonic() + seconds
        while self.pump(quiet) and time.monotonic() < end:
            pass

    def wait(self, seconds: float = 30.0) -> int:
        """Wait for the program's end and return its exit code (negative: the signal that ended it)."""
        end = time.monotonic() + seconds
        pidfd = os.pidfd_open(self.pid)
        try:
            while self.status is None:
                watched = [pidfd] if self.master < 0 else [pidfd, self.master]
                ready, _, _ = select.select(watched, [], [], max(0.0, end - time.monotonic()))
                if pidfd in ready:
                    while self.pump(0):
                        pass
                    self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
                elif not ready:
                    raise TimeoutError(f"still running after {seconds} s\n{self.text}")
                elif not self.pump(0):
                    select.select([pidfd], [], [], 0.05)
        finally:
            os.close(pidfd)
        return self.status
