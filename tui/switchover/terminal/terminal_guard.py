"""The terminal survives us: what is set before Textual is imported; what a signal or a dropped line does.

A hang-up (the line is gone) ends the process at once. There is nothing to restore, and a process that reads from a dead
terminal spins. SIGTERM, SIGHUP and SIGINT end the App in good order. Where its output is blocked, this module restores
the terminal and ends the process. The agent and the run do not notice either.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import termios
import threading
from collections.abc import Callable, MutableMapping
from types import FrameType
from typing import Any, Self

from switchover.terminal.charset import charset_of, original_locale, register

__all__ = [
    "AFTER_ANOTHER",
    "LEAVE",
    "TerminalGuard",
    "charset_for",
    "choose_theme",
    "draw_on_the_terminal",
    "forget_typed",
    "give_size",
    "prepare_environment",
    "why_not",
]

_RESTORE = (
    "\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[?1004l\x1b[?2048l\x1b[?2026l"
    "\x1b[<u\x1b[?7h\x1b[0m\x1b[2J\x1b[?1049l\x1b[?25h"
)
LEAVE = "\x1b[0m\x1b[2J\x1b[?1049l"  # tmux shows what is left on the alternate screen when the window is enlarged later
# What another program may have left on: keypad and cursor keys, insert and origin mode, a scroll region, line drawing,
# the mouse, the alternate screen.
AFTER_ANOTHER = (
    "\x1b[?1l\x1b>\x1b[4l\x1b[?6l\x1b(B\x0f\x1b[?9l\x1b[?1005l\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1015l"
    "\x1b[?1006l\x1b[?1016l\x1b[?1004l\x1b[?2026l\x1b[<9u\x1b[?1049l\x1b[r\x1b[999;1H\x1b[?7h\x1b[0m\x1b[?25h"
)
_GRACE_S = 2.0
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def why_not(environ: MutableMapping[str, str]) -> str:
    """Say why the screens cannot be shown here, with what to do instead; empty where they can."""
    instead = "use `switchover status PLAN`, `check PLAN` or `run PLAN` instead"
    if not (os.isatty(0) and os.isatty(1)):
        return f"the screens need a terminal, and this is none; {instead}"
    if environ.get("TERM", "") in {"dumb", ""}:
        return f"this terminal (TERM={environ.get('TERM') or 'not set'}) cannot show screens; {instead}"
    return ""


def charset_for(environ: MutableMapping[str, str]) -> str:
    """Return what the terminal can show: what was chosen, else what the locale says."""
    chosen = environ.get("SWITCHOVER_ASCII", "")
    if chosen:
        return "ascii" if chosen == "1" else "utf-8"
    return charset_of(original_locale(environ))


def draw_on_the_terminal(charset: str) -> None:
    """Let Textual draw on the terminal, wherever messages go: it writes to what Python calls standard error.

    What the terminal cannot show is written as plain signs.
    """
    number = 2 if os.isatty(2) else 1
    sys.__stderr__ = open(os.dup(number), "w", encoding=charset, errors=register(), newline="")  # type: ignore[misc]  # noqa: SIM115, PTH123 - lives as long as the process


def prepare_environment(environ: MutableMapping[str, str]) -> bool:
    """Set what Textual reads when it is imported; return whether the mouse shall be used."""
    remote = bool(environ.get("SSH_CONNECTION") or environ.get("SSH_TTY"))
    for name in ("COLUMNS", "LINES"):  # where they are exported, Textual would never see the window change
        environ.pop(name, None)
    environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
    environ.setdefault("TEXTUAL_FPS", "15" if remote else "30")
    return environ.get("SWITCHOVER_MOUSE", "0" if remote else "1") == "1"


def give_size(descriptor: int) -> None:
    """Give a terminal that reports no size (a serial line, a bare pty) one of 80x24, as `stty` would.

    Otherwise the two places that guess one differ by a line, and the screen is laid out anew without end.
    """
    with contextlib.suppress(OSError, termios.error):
        columns, lines = os.get_terminal_size(descriptor)
        if columns <= 0 or lines <= 0:
            termios.tcsetwinsize(descriptor, (lines or 24, columns or 80))


def forget_typed() -> None:
    """Throw away what was typed and not read yet, so that it cannot answer a question that nobody has seen."""
    if sys.__stdin__ is not None:
        with contextlib.suppress(OSError, ValueError, termios.error):
            termios.tcflush(sys.__stdin__.fileno(), termios.TCIFLUSH)


def choose_theme(environ: MutableMapping[str, str], flag: str = "", kept: str = "") -> str:
    """Choose the theme: the operator's, none where colours are not wanted, 16 colours where there are no more.

    What was asked for now goes before what the terminal can, that before what was `kept` from another terminal.
    """
    if chosen := flag or environ.get("SWITCHOVER_THEME"):
        return chosen
    colours = 0 if environ.get("NO_COLOR") else _colours(environ)
    if colours < 256:
        usual = "ansi" if colours else "mono"
        return kept if kept == "mono" else usual
    return kept or "dark"


def _colours(environ: MutableMapping[str, str]) -> int:
    term = environ.get("TERM", "")
    if environ.get("COLORTERM") in {"truecolor", "24bit"} or "direct" in term:
        return 1 << 24
    few = term.endswith(("-mono", "-m")) or re.search(r"-(?:8|16|88)color", term) is not None
    if "256color" in term or (term.startswith(("tmux", "xterm-")) and not few):
        return 256
    try:
        import curses

        curses.setupterm(term, 1)
        return max(curses.tigetnum("colors"), 0)
    except Exception:  # no curses, or no such terminal: most have these
        return 16


class TerminalGuard:
    """Watches the line and the signals while the App runs. `leave` asks the App to end."""

    def __init__(self, leave: Callable[[int], None]) -> None:
        self._leave = leave
        self._before: list[Any] | None = None
        self._fd = sys.__stdin__.fileno() if sys.__stdin__ is not None else 0
        self._handlers: dict[int, Any] = {}
        self._ended = threading.Event()
        self.signal_number = 0

    def __enter__(self) -> Self:
        try:
            self._before = termios.tcgetattr(self._fd)
        except termios.error:
            self._before = None
        for number in _SIGNALS:
            self._handlers[number] = signal.signal(number, self._on_signal)
        threading.Thread(target=self._watch_line, name="line-watch", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._restore_modes()

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.signal_number = number
        timer = threading.Timer(_GRACE_S, self._force, (number,))
        timer.daemon = True
        timer.start()
        self._leave(128 + number)

    def _watch_line(self) -> None:
        """Sleep until the line hangs up; costs nothing meanwhile."""
        poll = select.poll()
        poll.register(self._fd, 0)
        while not self._ended.is_set():
            if any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll(60_000)):
                if not self._ended.is_set():
                    os._exit(128 + signal.SIGHUP)
                return

    def _force(self, number: int) -> None:
        """Put the terminal back without the App, and end."""
        if not self._ended.is_set():
            self.restore()
            os._exit(128 + number)

    def _restore_modes(self) -> None:
        if self._before is not None:
            with contextlib.suppress(termios.error, OSError):
                termios.tcsetattr(self._fd, termios.TCSANOW, self._before)

    def restore(self) -> None:
        """Switch off every mode that the App may have switched on; never waits for a line that is blocked."""
        try:
            os.set_blocking(self._fd, False)
            os.write(self._fd, _RESTORE.encode())
        except OSError:
            pass
        finally:
            with contextlib.suppress(OSError):
                os.set_blocking(self._fd, True)
        self._restore_modes()
