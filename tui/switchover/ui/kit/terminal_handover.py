"""Give the operator's terminal to another program, such as a shell in a container, and come back whole.

The program gets a process group of its own in the foreground, as a shell would give it. A typed interrupt is for it
alone. When it is stopped (control-Z) the screens stop with it, and both go on at `fg`. Snapshots are taken in meanwhile
but nothing is drawn. Afterwards the terminal is put back, whatever state the program left it in.

Private parts of Textual used: `App._driver`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from switchover.errors import SwitchoverError
from switchover.terminal.screen_difference import DifferenceMixin
from switchover.terminal.terminal_guard import AFTER_ANOTHER

__all__ = ["HandoverResult", "hand_over"]

_QUICK_S = 2.0  # what fails sooner has left something to read that would vanish behind the screens
_GRACE_S = 1.0
_STOPS = frozenset({signal.SIGTTIN, signal.SIGTTOU})


class HandoverResult(NamedTuple):
    """How the program ended: its exit code (negative: the signal), and how long it ran."""

    exit_code: int
    took_s: float


async def hand_over(app: DifferenceMixin, argv: Sequence[str]) -> HandoverResult:
    """Run `argv` on the operator's terminal and wait for its end. Raise `SwitchoverError` where that cannot be."""
    driver = app._driver  # noqa: SLF001
    fd = _own_terminal()
    if driver is None or app.is_headless or not driver.can_suspend or fd is None:
        raise SwitchoverError("this terminal cannot be handed over", f"run it by hand: {shlex.join(argv)}")
    driver.suspend_application_mode()
    app.away = True
    modes = termios.tcgetattr(fd)
    try:
        with driver.no_automatic_restart():
            _say(fd, f"{shlex.join(argv)}\n(leaving it comes back to switchover)\n\n")
            ended = await _run(fd, argv)
            if ended.exit_code and ended.took_s < _QUICK_S:
                _put_back(fd, modes, all_of_it=False)
                await _read_enter(fd, ended)
    finally:
        _put_back(fd, modes, all_of_it=True)
        app.away = False
        if app.is_running:
            driver.resume_application_mode()
            app.forget_terminal()
            app.refresh(layout=True)
        else:
            app.away = True  # nothing is drawn any more, and what ends the App has nothing to undo
    return ended


def _own_terminal() -> int | None:
    """Return the terminal where this program is in the foreground of it; None where it is not."""
    try:
        fd = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
        return fd if os.tcgetpgrp(fd) == os.getpgrp() else None
    except (OSError, ValueError):
        return None


@contextlib.contextmanager
def _background_may_ask() -> Iterator[None]:
    """Let a process in the background change the terminal, which would stop it otherwise."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _give(fd: int, group: int) -> None:
    with _background_may_ask(), contextlib.suppress(OSError):
        os.tcsetpgrp(fd, group)


def _say(fd: int, text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(fd, text.encode("utf-8", "replace"))


async def _run(fd: int, argv: Sequence[str]) -> HandoverResult:
    began = time.monotonic()
    try:
        pid = os.posix_spawnp(  # noqa: ASYNC221 - returns at once
            argv[0], list(argv), os.environ, setpgroup=0, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ]
        )
    except OSError as error:
        raise SwitchoverError(f"{argv[0]} cannot be started: {error.strerror}", "is it installed here?") from error
    _give(fd, pid)
    waiting: asyncio.Future[int] | None = None
    try:
        while True:
            waiting = asyncio.get_running_loop().run_in_executor(None, _wait, pid)
            status = await asyncio.shield(waiting)
            if not os.WIFSTOPPED(status):
                return HandoverResult(os.waitstatus_to_exitcode(status), time.monotonic() - began)
            if os.WSTOPSIG(status) not in _STOPS:  # those come from a program that was quicker than this one
                _stop_too(fd)
            _give(fd, pid)
            os.killpg(pid, signal.SIGCONT)
    except BaseException:
        _end(pid, waiting)
        raise
    finally:
        _give(fd, os.getpgrp())


def _wait(pid: int) -> int:
    return os.waitpid(pid, os.WUNTRACED)[1]


def _stop_too(fd: int) -> None:
    """Stop with the program, for the shell that both came from; where there is none, nothing stops."""
    _give(fd, os.getpgrp())
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    try:
        os.killpg(os.getpgrp(), signal.SIGTSTP)
    finally:
        signal.signal(signal.SIGTSTP, before)


def _end(pid: int, waiting: asyncio.Future[int] | None) -> None:
    """End the program, because this one ends: politely first, then by force. The thread that waits sees it end."""
    end = time.monotonic() + _GRACE_S
    for number in (signal.SIGHUP, signal.SIGCONT):
        with contextlib.suppress(OSError):
            os.killpg(pid, number)
    while waiting is not None and time.monotonic() < end and _lives(pid):
        time.sleep(0.01)
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _put_back(fd: int, modes: list[Any], *, all_of_it: bool) -> None:
    """Give the terminal the modes that it had, and forget what was typed for the program."""
    with _background_may_ask(), contextlib.suppress(OSError, termios.error):
        termios.tcsetattr(fd, termios.TCSADRAIN, modes)
        termios.tcflush(fd, termios.TCIFLUSH)
        if all_of_it:
            _say(fd, AFTER_ANOTHER)


async def _read_enter(fd: int, ended: HandoverResult) -> None:
    """Leave what the program said on the screen until it has been read."""
    _say(fd, f"\nended with {'exit' if ended.exit_code > 0 else 'signal'} {abs(ended.exit_code)}; enter goes back ")
    loop, pressed = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(fd, pressed.set)
    except (OSError, ValueError):
        return
    try:
        await pressed.wait()
    finally:
        loop.remove_reader(fd)
