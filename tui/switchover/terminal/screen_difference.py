"""Write only the cells that differ from what the terminal already shows.

Textual repaints whole regions and never compares. `DifferenceMixin` stands in front of `App` and catches every update
of the screen. It draws the update into a `Frame` of cells and compares it with a shadow of the terminal. Then it writes
the shortest sequence that makes them equal, in one write. Nothing else in the UI knows of it.

When the terminal cannot keep up (`switchover.terminal.link`), frames are skipped, never queued. Only the newest state
is written once the line is free. When something else wrote to the terminal (`repaint`, resume, an alternate screen),
the shadow is forgotten and all is painted. When Textual changes its shape beneath, the mixin steps aside and keeps the
reason in `difference_off`. Textual then draws as ever. `python -m switchover.terminal.screen_difference` tells whether
that is so.

Private parts of Textual used, beside those of `switchover.terminal.cells`: `App._display`, `App._driver`,
`Driver._file`.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable
from functools import cache
from typing import IO, TYPE_CHECKING, Any

from textual.app import App

from switchover.terminal.link import PATIENCE, QUESTION, TerminalLink
from switchover.terminal.terminal_guard import LEAVE

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.message import Message
    from textual.screen import Screen

try:
    from rich.color import ColorSystem
    from rich.segment import Segment
    from rich.style import Style
    from textual._ansi_sequences import SYNC_END, SYNC_START
    from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
    from textual.events import CursorPosition
    from textual.geometry import Region
    from textual.strip import Strip

    from switchover.terminal.cells import Frame, TerminalShadow
except Exception as error:  # a Textual or Rich of another shape: the screens must open all the same
    _missing = f"{type(error).__name__}: {error}"
else:
    _missing = ""

__all__ = ["DifferenceMixin", "Frame", "TerminalShadow", "fits_textual"]

_SYNC_ABOVE = 1024  # one write of fewer bytes arrives whole anyway; the marks would only cost


def fits_textual() -> str:
    """Try the difference on a small screen of this Textual. Return "" when it fits, else what does not."""
    if _missing:
        return _missing
    try:
        names = tuple(inspect.signature(App._display).parameters)  # noqa: SLF001
        if names != ("self", "screen", "renderable"):
            return f"App._display takes {', '.join(names)}"
        if not (issubclass(LayoutUpdate, CompositorUpdate) and issubclass(ChopsUpdate, CompositorUpdate)):
            return "updates of the screen are of another kind"
        frame, shadow = Frame(4, 2), TerminalShadow()
        strip = Strip([Segment("ab", Style(bold=True)), Segment("cd")], 4)
        frame.apply(LayoutUpdate([[strip], [strip]], Region(0, 0, 4, 2)))
        frame.apply(ChopsUpdate([{0: strip}, {0: strip}], [(1, 0, 4)], [[4], [4]]))
        if "".join(frame.chars[1]) != "abcd" or "ab" not in shadow.encode(frame) or shadow.encode(frame):
            return "a small screen is not drawn as expected"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _terminal_erases_with_colour() -> bool:
    """Ask terminfo whether erased cells take the present background."""
    try:
        import curses

        curses.setupterm()
        return bool(curses.tigetflag("bce") == 1)
    except Exception:
        return False


class _MeteredFile:
    """The terminal's output, which knows whether the line has taken all that was promised to it.

    Counts are in characters. `promised` is raised by the loop, the others by Textual's writing thread.
    """

    def __init__(self, file: IO[str], on_idle: Callable[[], None]) -> None:
        self._file = file
        self._on_idle = on_idle
        self.promised = 0
        self._given = 0
        self._taken = 0

    @property
    def busy(self) -> bool:
        """Tell whether anything that was promised has not been taken yet."""
        return self.promised > self._taken

    def write(self, text: str) -> int:
        """Write; the line has taken it when the flush that follows returns."""
        self._given += len(text)
        return self._file.write(text)

    def flush(self) -> None:
        """Wait until the line has taken everything."""
        given = self._given
        self._file.flush()
        self._taken = given
        self._on_idle()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@cache
def _metered(base: type[Driver]) -> type[Driver]:
    """Return `base` with a metered output that tells the app when somebody turns the screen over."""

    class MeteredDriver(base):  # type: ignore[misc, valid-type]
        def __init__(self, app: DifferenceMixin, *args: Any, **options: Any) -> None:
            super().__init__(app, *args, **options)
            self._difference = app
            if hasattr(self, "_file"):
                app.meter = _MeteredFile(self._file, app.line_is_free)  # type: ignore[has-type]
                self._file = app.meter

        def write(self, data: str) -> None:
            if self._difference.away:
                return
            if "\x1b[?1049" in data:
                self._difference.forget_terminal()
                data = data.replace("\x1b[?1049l", LEAVE)
            if self._difference.meter is not None:
                self._difference.meter.promised += len(data)
            super().write(data)

        def process_message(self, message: Message) -> None:
            if isinstance(message, CursorPosition):
                self._difference.line_answered()
            else:
                super().process_message(message)

        def disable_input(self) -> None:
            self._difference.await_answer()  # else it would arrive at the shell
            super().disable_input()

    return MeteredDriver


class DifferenceMixin(App[Any]):
    """An `App` that writes differences. Put it before `App` among the bases, or derive from it.

    While it is `away`, the terminal belongs to another program and nothing is written.
    """

    away = False
    meter: _MeteredFile | None = None
    difference_off = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.link = TerminalLink()
        self._frame: Frame | None = None
        self._frame_waits = False
        self._difference_loop: asyncio.AbstractEventLoop | None = None
        self._patience: asyncio.TimerHandle | None = None
        self._answer_came = threading.Event()
        self._cursor_shown: tuple[int, int] = (0, 0)
        self.difference_off = fits_textual()
        if not self.difference_off:
            self._shadow = TerminalShadow(erases_with_colour=_terminal_erases_with_colour())

    def get_driver_class(self) -> type[Driver]:
        """Return Textual's driver for this platform, metered. Textual asks while it is made."""
        chosen = super().get_driver_class()
        return chosen if fits_textual() else _metered(chosen)

    def forget_terminal(self) -> None:
        """Take the terminal as unknown: all is painted with the next frame."""
        if not self.difference_off:
            self._shadow.forget()

    def repaint(self) -> None:
        """Paint everything anew, after something else wrote to the terminal."""
        self.forget_terminal()
        if self.difference_off:
            self.refresh(layout=True)
        else:
            self._write_frame()

    # ------------------------------------------------------------------ the line

    def line_is_free(self) -> None:
        """Hear from the writing thread that the line took everything; a frame that waited is written now."""
        if self._frame_waits:
            self._call_from_thread(self._write_waiting_frame)

    def line_answered(self) -> None:
        """Hear from the input thread that the terminal answered the link's question."""
        self._answer_came.set()
        self._call_from_thread(self._on_line_answered)

    def await_answer(self) -> None:
        """Wait for an answer that is under way, as long as it usually takes, because nobody else can read it."""
        patience = self.link.answer_due_in
        if patience > 0:
            self._answer_came.wait(patience)

    def _call_from_thread(self, function: Callable[[], None]) -> None:
        loop = self._difference_loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(function)

    def _on_line_answered(self) -> None:
        self.link.answered()
        self._write_waiting_frame()

    def _lose_patience(self) -> None:
        """Write a frame that waited for an answer which does not come."""
        self._patience = None
        self._write_waiting_frame()

    def _write_waiting_frame(self) -> None:
        if self._frame_waits:
            self._frame_waits = False
            self._write_frame()

    # ------------------------------------------------------------------ frames

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        if self.difference_off:
            super()._display(screen, renderable)
            return
        try:
            driver = self._driver
            if driver is None or driver.is_inline or self.is_headless or not isinstance(renderable, CompositorUpdate):
                if renderable is not None:
                    self._shadow.forget()
                super()._display(screen, renderable)
                return
            if not self._batch_count and self._running and not self._closed:
                self._take(screen, renderable)
        except Exception as error:
            self._step_aside(error)
        self.post_display_hook()

    def _take(self, screen: Screen[Any], update: CompositorUpdate) -> None:
        size = screen.outer_size
        if self._frame is None or (self._frame.width, self._frame.height) != size:
            self._frame = Frame(size.width, size.height, self.console._color_system or ColorSystem.TRUECOLOR)  # noqa: SLF001
            self._shadow.forget()
        self._frame.apply(update)
        self._write_frame()

    def _write_frame(self) -> None:
        """Write what differs, if the line is free; else leave it for when it is."""
        if self._driver is None or self._frame is None or not self._running or self._closed or self.difference_off:
            return
        if self.away:
            return
        try:
            if self._difference_loop is None:
                self._difference_loop = asyncio.get_running_loop()
            if self._line_is_taken():
                return
            sequence = self._encode()
            if sequence:
                self._driver.write(sequence)
                self._driver.flush()
        except Exception as error:
            self._step_aside(error)

    def _line_is_taken(self) -> bool:
        """Tell whether the frame has to wait; whoever frees the line writes it then."""
        self._frame_waits = True  # before looking: the writing thread may finish in between
        if self.meter is not None and self.meter.busy:
            return True
        if self.link.may_send():
            self._frame_waits = False
            return False
        if self._patience is None and self._difference_loop is not None:
            self._patience = self._difference_loop.call_later(PATIENCE, self._lose_patience)
        return True

    def _encode(self) -> str:
        """Return what makes the terminal show the frame, with the cursor where it belongs; "" where it does."""
        assert self._frame is not None
        sequence = self._shadow.encode(self._frame)
        cursor = self.cursor_position
        if cursor != (0, 0) and (sequence or cursor != self._cursor_shown):
            sequence += f"\x1b[{cursor[1] + 1};{cursor[0] + 1}H"
        self._cursor_shown = cursor
        if not sequence:
            return ""
        if self._sync_available and len(sequence) > _SYNC_ABOVE:
            sequence = f"{SYNC_START}{sequence}{SYNC_END}"
        self.link.sent(len(sequence) if sequence.isascii() else len(sequence.encode("utf-8", "replace")))
        if self.link.wants_question():
            sequence += QUESTION
            self._answer_came.clear()
            self.link.asked()
        return sequence

    def _step_aside(self, error: Exception) -> None:
        """Let Textual draw from now on, and say why."""
        self.difference_off = f"{type(error).__name__}: {error}"
        self.refresh(layout=True)


def main() -> int:
    """Say what keeps the difference from being used, if anything does; 1 where something does."""
    import sys

    reason = fits_textual()
    sys.stdout.write(f"{reason or 'fits'}\n")
    return 1 if reason else 0


if __name__ == "__main__":
    raise SystemExit(main())
