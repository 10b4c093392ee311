"""Write only the cells that differ from what the terminal already shows.

Textual repaints whole regions and never compares. `DifferenceMixin` stands in front of `App` and catches every update
of the screen: it is drawn into a `Frame` of cells, the frame is compared with a shadow of the terminal, and the
shortest sequence that makes them equal is written, in one write. Nothing else in the UI knows of it.

When the terminal cannot keep up (`switchover.ui.link`), frames are skipped, never queued: only the newest state is
written once the line is free. When something else wrote to the terminal (`repaint`, resume, an alternate screen), the
shadow is forgotten and all is painted. When Textual changes its shape beneath, the mixin steps aside, keeps the reason
in `difference_off`, and Textual draws as ever.

Private parts of Textual used: `App._display`, `LayoutUpdate`, `ChopsUpdate`, `Strip._segments`, `Strip.render_ansi`.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache
from typing import IO, TYPE_CHECKING, Any

from rich.cells import split_graphemes
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.app import App
from textual.events import CursorPosition
from textual.geometry import Region
from textual.strip import Strip

from switchover.ui.link import PATIENCE, QUESTION, Link

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.driver import Driver
    from textual.message import Message
    from textual.screen import Screen

__all__ = ["DifferenceMixin", "Frame", "TerminalShadow", "fits_textual"]

_SYNC_ABOVE = 1024  # one write of fewer bytes arrives whole anyway; the marks would only cost
_ERASE_FROM = 12  # a run of blanks this long is erased rather than written
_SAME = ("", "")  # the style of a terminal after a reset: no SGR codes, no link

CellStyle = tuple[str, str]  # SGR codes as Textual writes them, and the opening of a hyperlink


class Frame:
    """What the screen should show: for each cell its grapheme and its style.

    A wide grapheme stands in its first cell; the second holds an empty text. Styles are small numbers into `styles`.
    """

    def __init__(self, width: int, height: int, color_system: ColorSystem = ColorSystem.TRUECOLOR) -> None:
        self.width = width
        self.height = height
        self.color_system = color_system
        self.chars: list[list[str]] = [[" "] * width for _ in range(height)]
        self.attrs: list[list[int]] = [[0] * width for _ in range(height)]
        self.dirty: set[int] = set(range(height))
        self.styles: list[CellStyle] = [_SAME]
        self._style_numbers: dict[CellStyle, int] = {_SAME: 0}

    def apply(self, update: CompositorUpdate) -> None:
        """Draw an update of Textual's compositor. Raise `TypeError` for a kind that is not known."""
        if isinstance(update, LayoutUpdate):
            x = update.region.x
            for y, line in enumerate(update.strips, update.region.y):
                self._draw_line(y, x, line)
        elif isinstance(update, ChopsUpdate):
            chops, ends_of = update.chops, update.chop_ends
            for y, x1, x2 in update.spans:
                for end, (x, strip) in zip(ends_of[y], chops[y].items(), strict=False):
                    if strip is not None and x <= x2 and end > x1:
                        self._draw(y, x, strip, min(end, x2) if not (x2 > x >= x1 and end <= x2) else end)
        else:
            raise TypeError(f"unknown update {type(update).__name__}")

    def _draw_line(self, y: int, x: int, line: Iterable[Strip]) -> None:
        for strip in [line] if isinstance(line, Strip) else line:
            x = self._draw(y, x, strip, self.width)

    def _draw(self, y: int, x: int, strip: Strip, limit: int) -> int:
        """Put a strip at `x` of row `y`, nothing at or beyond `limit`; return the column after it."""
        if not 0 <= y < self.height:
            return x
        limit = min(limit, self.width)
        chars, attrs = self.chars[y], self.attrs[y]
        if x < limit and chars[x] == "":  # the second half of a wide one goes: so does its first
            chars[x - 1] = " "
        for text, style, control in strip._segments:  # noqa: SLF001
            if x >= limit:
                break
            if control or not text:
                continue
            number = self._style_number(style) if style is not None else 0
            if text.isascii() and text.isprintable():
                size = min(len(text), limit - x)
                chars[x : x + size] = text[:size]
                attrs[x : x + size] = [number] * size
                x += size
            else:
                x = self._draw_complex(chars, attrs, x, text, number, limit)
        if x < self.width and chars[x] == "":  # the first half of a wide one went: so does its second
            chars[x] = " "
        self.dirty.add(y)
        return x

    @staticmethod
    def _draw_complex(chars: list[str], attrs: list[int], x: int, text: str, number: int, limit: int) -> int:
        """Put text with wide, combining or control characters; what does not fit whole becomes a blank."""
        for start, end, size in split_graphemes(text)[0]:
            grapheme = text[start:end]
            if size == 0:
                if x and grapheme.isprintable():
                    lead = x - 1 if chars[x - 1] else x - 2
                    chars[lead] += grapheme
                continue
            if x + size > limit:
                if x < limit:
                    chars[x], attrs[x] = " ", number
                return limit
            chars[x], attrs[x] = grapheme if grapheme.isprintable() else " ", number
            for rest in range(x + 1, x + size):
                chars[rest], attrs[rest] = "", number
            x += size
        return x

    def _style_number(self, style: Style) -> int:
        ansi = style._ansi  # noqa: SLF001
        if ansi is None:
            ansi = Strip.render_ansi(style, self.color_system)
        link = f"\x1b]8;id={style.link_id};{style.link}\x1b\\" if style.link else ""
        key = (";".join(_parse_sgr(ansi).values()), link)
        number = self._style_numbers.get(key)
        if number is None:
            number = self._style_numbers[key] = len(self.styles)
            self.styles.append(key)
        return number


class TerminalShadow:
    """What the terminal shows now, as far as we wrote it, and how to make it show a frame."""

    def __init__(self, *, erases_with_colour: bool = False) -> None:
        self.erases_with_colour = erases_with_colour
        self.chars: list[list[str]] = []
        self.attrs: list[list[CellStyle]] = []
        self.size = (0, 0)

    def forget(self) -> None:
        """Know nothing: the next frame is written whole, over a cleared screen."""
        self.size = (0, 0)

    def encode(self, frame: Frame) -> str:
        """Return what makes the terminal show `frame`, "" where nothing differs, and take it as written."""
        out: list[str] = []
        pen = _Pen(out, frame.width, frame.height)
        if self.size != (frame.width, frame.height):
            self.size = (frame.width, frame.height)
            self.chars = [[" "] * frame.width for _ in range(frame.height)]
            self.attrs = [[_SAME] * frame.width for _ in range(frame.height)]
            frame.dirty = set(range(frame.height))
            out.append("\x1b[0m\x1b[2J")
        for y in sorted(frame.dirty):
            self._encode_row(pen, frame, y)
        frame.dirty.clear()
        pen.rest()
        return "".join(out)

    def _encode_row(self, pen: _Pen, frame: Frame, y: int) -> None:
        want_chars = frame.chars[y]
        styles = frame.styles
        want_attrs = [styles[number] for number in frame.attrs[y]]
        have_chars, have_attrs = self.chars[y], self.attrs[y]
        if want_chars == have_chars and want_attrs == have_attrs:
            return
        width = frame.width
        x = 0
        while x < width:
            if want_chars[x] == have_chars[x] and want_attrs[x] == have_attrs[x]:
                x += 1
                continue
            if want_chars[x] == "" and x:  # the second half of a wide one changed: write it from its first half
                x -= 1
            x = self._encode_cell(pen, y, x, want_chars, want_attrs)
        self.chars[y] = want_chars.copy()
        self.attrs[y] = want_attrs

    def _encode_cell(self, pen: _Pen, y: int, x: int, chars: Sequence[str], attrs: Sequence[CellStyle]) -> int:
        """Write the cell at `x`, or a whole run of blanks from there on; return the column after it."""
        char, style = chars[x], attrs[x]
        if char == " " and _is_blank(style) and (self.erases_with_colour or not _background(style)):
            end = self._blanks_to_write(y, x, chars, attrs)
            if end - x >= _ERASE_FROM:
                pen.move(y, x, chars, attrs)
                pen.style(style)
                pen.erase(end - x)
                return end
        pen.move(y, x, chars, attrs)
        pen.style(style)
        size = 1
        while x + size < len(chars) and chars[x + size] == "":
            size += 1
        pen.write(char, size)
        return x + size

    def _blanks_to_write(self, y: int, x: int, chars: Sequence[str], attrs: Sequence[CellStyle]) -> int:
        """Return the column after the last blank of the run at `x` that the terminal does not show yet."""
        have_chars, have_attrs = self.chars[y], self.attrs[y]
        style = attrs[x]
        end = last = x + 1
        while end < len(chars) and chars[end] == " " and attrs[end] == style:
            end += 1
            if have_chars[end - 1] != " " or have_attrs[end - 1] != style:
                last = end
        return last


class _Pen:
    """The terminal's cursor and style while a frame is written; knows the shortest way from one cell to the next."""

    def __init__(self, out: list[str], width: int, height: int) -> None:
        self.out = out
        self.width = width
        self.height = height
        self.x = self.y = -1
        self.now: CellStyle = _SAME

    def move(self, y: int, x: int, chars: Sequence[str], attrs: Sequence[CellStyle]) -> None:
        """Go to a cell. A few cells on the way that stand as wanted are written over rather than jumped."""
        if y == self.y:
            gap = x - self.x if self.x >= 0 else -1
            if gap == 0:
                return
            if 0 < gap <= 3 and all(a == self.now for a in attrs[self.x : x]):
                between = "".join(chars[self.x : x])
                if len(between) == gap and between.isascii():
                    self.out.append(between)
                    self.x = x
                    return
            if gap > 0:
                self.out.append("\x1b[C" if gap == 1 else f"\x1b[{gap}C")
            else:
                self.out.append(f"\x1b[{x + 1}G" if x else "\r")
        elif y == self.y + 1 and self.y >= 0 and x < 10:
            self.out.append("\r\n" if x == 0 else "\r\n\x1b[C" if x == 1 else f"\r\n\x1b[{x}C")
        else:
            self.out.append(f"\x1b[{y + 1};{x + 1}H" if x else f"\x1b[{y + 1}H")
        self.y, self.x = y, x

    def style(self, style: CellStyle) -> None:
        """Change to a style by the shortest sequence."""
        if style is not self.now and style != self.now:
            self.out.append(_change_style(self.now, style))
            self.now = style

    def write(self, text: str, size: int) -> None:
        """Write one grapheme of `size` cells."""
        self.out.append(text)
        self.x += size
        if self.x >= self.width or size != 1 or len(text) != 1:
            self.x = -1  # the last column, or a grapheme that terminals measure differently: say where we go next

    def erase(self, count: int) -> None:
        """Make `count` cells blank in the present style, and stand after them."""
        if self.x + count >= self.width:
            self.out.append("\x1b[K")
            self.x = -1
        else:
            self.out.append(f"\x1b[{count}X\x1b[{count}C")
            self.x += count

    def rest(self) -> None:
        """Leave the terminal without a style, for whoever writes next."""
        self.style(_SAME)


@lru_cache(maxsize=4096)
def _parse_sgr(codes: str) -> dict[str, str]:
    """Sort SGR codes by what they set: `fg`, `bg`, or the code itself for an attribute."""
    parsed: dict[str, str] = {}
    parts = codes.split(";") if codes else []
    index = 0
    while index < len(parts):
        part = parts[index]
        number = int(part or 0)
        size = 1
        if number in (38, 48):
            size = 5 if parts[index + 1] == "2" else 3
            parsed["fg" if number == 38 else "bg"] = ";".join(parts[index : index + size])
        elif 30 <= number <= 37 or 90 <= number <= 97:
            parsed["fg"] = part
        elif 40 <= number <= 47 or 100 <= number <= 107:
            parsed["bg"] = part
        elif number == 39:
            parsed.pop("fg", None)
        elif number == 49:
            parsed.pop("bg", None)
        else:
            parsed[part] = part
        index += size
    return parsed


_OFF = {
    **dict.fromkeys(("1", "2"), "22"),
    "3": "23",
    **dict.fromkeys(("4", "21"), "24"),
    **dict.fromkeys(("5", "6"), "25"),
    "7": "27",
    "8": "28",
    "9": "29",
    **dict.fromkeys(("51", "52"), "54"),
    "53": "55",
    "fg": "39",
    "bg": "49",
}


@lru_cache(maxsize=4096)
def _change_style(before: CellStyle, after: CellStyle) -> str:
    """Return the shortest sequence from one style to another."""
    link = ""
    if before[1] != after[1]:
        link = after[1] or "\x1b]8;;\x1b\\"
    if before[0] == after[0]:
        return link
    had, wants = _parse_sgr(before[0]), _parse_sgr(after[0])
    whole = f"\x1b[{'0;' if had and wants else ''}{after[0]}m"
    codes: list[str] = []
    off = dict.fromkeys(_OFF.get(name, "0") for name in had if name not in wants)
    if "0" in off:
        return link + whole
    codes.extend(off)
    for name, code in wants.items():
        if had.get(name) != code or _OFF.get(name) in off:
            codes.append(code)
    part = f"\x1b[{';'.join(codes)}m"
    return link + (part if codes and len(part) < len(whole) else whole)


@lru_cache(maxsize=4096)
def _background(style: CellStyle) -> str:
    return _parse_sgr(style[0]).get("bg", "")


@lru_cache(maxsize=4096)
def _is_blank(style: CellStyle) -> bool:
    """Tell whether a blank in this style is nothing but its background."""
    return not style[1] and set(_parse_sgr(style[0])) <= {"fg", "bg", "1", "2", "3"}


def _terminal_erases_with_colour() -> bool:
    """Ask terminfo whether erased cells take the present background."""
    try:
        import curses

        curses.setupterm()
        return bool(curses.tigetflag("bce") == 1)
    except Exception:
        return False


def fits_textual() -> str:
    """Try the difference on a small screen of this Textual. Return "" when it fits, else what does not."""
    try:
        names = tuple(inspect.signature(App._display).parameters)  # noqa: SLF001
        if names != ("self", "screen", "renderable"):
            return f"App._display takes {', '.join(names)}"
        frame, shadow = Frame(4, 2), TerminalShadow()
        strip = Strip([Segment("ab", Style(bold=True)), Segment("cd")], 4)
        frame.apply(LayoutUpdate([[strip], [strip]], Region(0, 0, 4, 2)))
        frame.apply(ChopsUpdate([{0: strip}, {0: strip}], [(1, 0, 4)], [[4], [4]]))
        if "".join(frame.chars[1]) != "abcd" or "ab" not in shadow.encode(frame) or shadow.encode(frame):
            return "a small screen is not drawn as expected"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


class _MeteredFile:
    """The terminal's output, which knows whether the line has taken all that was written, and how much that was."""

    def __init__(self, file: IO[str], on_idle: Callable[[], None]) -> None:
        self._file = file
        self._on_idle = on_idle
        self.busy = False
        self.bytes_written = 0

    def write(self, text: str) -> int:
        """Write, and be busy until the flush that follows has returned."""
        self.busy = True
        self.bytes_written += len(text)
        return self._file.write(text)

    def flush(self) -> None:
        """Wait until the line has taken everything."""
        self._file.flush()
        self.busy = False
        self._on_idle()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@cache
def _metered(base: type[Driver]) -> type[Driver]:
    """Return `base` with a metered output that tells the app when somebody turns the screen over."""

    class MeteredDriver(base):  # type: ignore[misc, valid-type]
        def __init__(self, app: App[Any], **options: Any) -> None:
            super().__init__(app, **options)
            if isinstance(app, DifferenceMixin) and hasattr(self, "_file"):
                app.meter = _MeteredFile(self._file, app.line_is_free)  # type: ignore[has-type]
                self._file = app.meter

        def write(self, data: str) -> None:
            if "\x1b[?1049" in data and isinstance(self._app, DifferenceMixin):
                self._app.forget_terminal()
            super().write(data)

        def process_message(self, message: Message) -> None:
            if isinstance(message, CursorPosition) and isinstance(self._app, DifferenceMixin):
                self._app.line_answered()
            else:
                super().process_message(message)

    return MeteredDriver


class DifferenceMixin(App[Any]):
    """An `App` that writes differences. Put it before `App` among the bases, or derive from it."""

    meter: _MeteredFile | None = None
    difference_off = ""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._shadow = TerminalShadow(erases_with_colour=_terminal_erases_with_colour())
        self._frame: Frame | None = None
        self._frame_waits = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._patience: asyncio.TimerHandle | None = None
        self.link = Link()
        self.difference_off = fits_textual()

    def get_driver_class(self) -> type[Driver]:
        """Return Textual's driver for this platform, metered."""
        return _metered(super().get_driver_class())

    def forget_terminal(self) -> None:
        """Take the terminal as unknown: all is painted with the next frame."""
        self._shadow.forget()

    def repaint(self) -> None:
        """Paint everything anew, after something else wrote to the terminal."""
        self.forget_terminal()
        if self.difference_off:
            self.refresh(layout=True)
        else:
            self._write_frame()

    def line_is_free(self) -> None:
        """Hear from the writing thread that the line took everything; a frame that waited is written now."""
        if self._frame_waits and self._loop is not None:
            self._frame_waits = False
            self._loop.call_soon_threadsafe(self._write_frame)

    def line_answered(self) -> None:
        """Hear from the input thread that the terminal answered the link's question."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._on_line_answered)

    def _on_line_answered(self) -> None:
        self.link.answered()
        if self._frame_waits:
            self._frame_waits = False
            self._write_frame()

    def _lose_patience(self) -> None:
        """Write a frame that waited for an answer which does not come."""
        self._patience = None
        if self._frame_waits:
            self._frame_waits = False
            self._write_frame()

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        driver = self._driver
        if (
            self.difference_off
            or driver is None
            or driver.is_inline
            or self.is_headless
            or not isinstance(renderable, CompositorUpdate)
        ):
            if renderable is not None:
                self._shadow.forget()
            super()._display(screen, renderable)
            return
        if self._batch_count or not self._running or self._closed:
            return
        try:
            size = screen.outer_size
            if self._frame is None or (self._frame.width, self._frame.height) != size:
                self._frame = Frame(size.width, size.height, self.console._color_system or ColorSystem.TRUECOLOR)  # noqa: SLF001
                self._shadow.forget()
            self._frame.apply(renderable)
            self._write_frame()
        except Exception as error:
            self._step_aside(error)
        finally:
            self.post_display_hook()

    def _write_frame(self) -> None:
        """Write what differs, if the line is free; else leave it for `line_is_free`."""
        driver, frame = self._driver, self._frame
        if driver is None or frame is None or not self._running or self._closed or self.difference_off:
            return
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        if self.meter is not None and self.meter.busy:
            self._frame_waits = True
            if self.meter.busy:  # still: the writing thread will tell
                return
            self._frame_waits = False
        if not self.link.may_send():
            self._frame_waits = True
            if self._patience is None:
                self._patience = self._loop.call_later(PATIENCE, self._lose_patience)
            return
        sequence = self._shadow.encode(frame)
        if self.cursor_position != (0, 0) and (sequence or self.cursor_position != self._previous_cursor_position):
            sequence += f"\x1b[{self.cursor_position.y + 1};{self.cursor_position.x + 1}H"
        self._previous_cursor_position = self.cursor_position
        if not sequence:
            return
        if self._sync_available and len(sequence) > _SYNC_ABOVE:
            sequence = f"{SYNC_START}{sequence}{SYNC_END}"
        self.link.sent(len(sequence))
        if self.link.wants_question():
            sequence += QUESTION
            self.link.asked()
        driver.write(sequence)
        driver.flush()

    def _step_aside(self, error: Exception) -> None:
        """Let Textual draw from now on, and say why."""
        self.difference_off = f"{type(error).__name__}: {error}"
        self._shadow.forget()
        self.refresh(layout=True)
