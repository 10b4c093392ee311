"""A screen as cells, what the terminal shows of it, and the shortest sequence that makes the two equal.

A `Frame` is what the screen should show, drawn from the updates of Textual's compositor. A `TerminalShadow` is what the
terminal shows, as far as we wrote it; `encode` writes the difference. Terminals disagree about the width of some
graphemes. Around those nothing is taken for granted, so that each stays within its own cells.

Private parts of Textual used: `LayoutUpdate`, `ChopsUpdate`, `Strip._segments`, `Strip.render_ansi`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.cells import split_graphemes
from rich.color import ColorSystem
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

from switchover.terminal.graphemes import LONGEST, SINGLE, harmless, is_certain, spilt_cells
from switchover.terminal.sgr import (
    PLAIN,
    CellStyle,
    background_of,
    change_style,
    ground_of,
    is_blank,
    on_ground,
    parse_sgr,
)

if TYPE_CHECKING:
    from rich.style import Style

__all__ = ["Frame", "TerminalShadow"]

_ERASE_FROM = 12  # a run of blanks this long is erased rather than written
_MANY_STYLES = 4096  # above this, styles that no cell has any more are forgotten
_UNKNOWN = "\0"  # what a cell holds of which nothing is known


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
        self.styles: list[CellStyle] = [PLAIN]
        self._style_numbers: dict[CellStyle, int] = {PLAIN: 0}

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
        if len(self.styles) > _MANY_STYLES:
            self.forget_unused_styles()

    def _draw_line(self, y: int, x: int, line: Iterable[Strip]) -> None:
        for strip in [line] if isinstance(line, Strip) else line:
            x = self._draw(y, x, strip, self.width)

    def _draw(self, y: int, x: int, strip: Strip, limit: int) -> int:
        """Put a strip at `x` of row `y`, nothing at or beyond `limit`; return the column after it."""
        if not 0 <= y < self.height:
            return x
        first, limit = x, min(limit, self.width)
        chars, attrs = self.chars[y], self.attrs[y]
        if x < limit and chars[x] == "":  # the second half of a wide one goes: so does its first
            chars[x - 1] = " "
        for text, style, control in strip._segments:  # noqa: SLF001
            if x >= limit:
                break
            if control or not text:
                continue
            number = self._style_number(style) if style is not None else 0
            if (text.isascii() and text.isprintable()) or SINGLE.issuperset(text):
                size = min(len(text), limit - x)
                chars[x : x + size] = text[:size]
                attrs[x : x + size] = [number] * size
                x += size
            else:
                x = self._draw_complex(chars, attrs, (first, x, limit), text, number)
        if x < self.width and chars[x] == "":  # the first half of a wide one went: so does its second
            chars[x] = " "
        self.dirty.add(y)
        return x

    @staticmethod
    def _draw_complex(chars: list[str], attrs: list[int], where: tuple[int, int, int], text: str, number: int) -> int:
        """Put text with wide, combining or control characters; what does not fit whole becomes blanks.

        `where` holds three columns: where the strip began, where to go on, and where to stop.
        """
        first, x, limit = where
        for start, end, size in split_graphemes(text)[0]:
            grapheme = harmless(text[start:end])
            if size == 0:
                if x > first and grapheme.strip():
                    lead = x - 1 if chars[x - 1] else x - 2
                    if chars[lead] != " ":
                        chars[lead] = (chars[lead] + grapheme)[:LONGEST]
                continue
            if x + size > limit or not grapheme.strip():
                for blank in range(x, min(x + size, limit)):
                    chars[blank], attrs[blank] = " ", number
            else:
                chars[x], attrs[x] = grapheme, number
                for rest in range(x + 1, x + size):
                    chars[rest], attrs[rest] = "", number
            x += size
            if x >= limit:
                return limit
        return x

    def forget_unused_styles(self) -> None:
        """Give the styles new numbers: a table that only grows would hold those that no cell has any more."""
        used = sorted({number for row in self.attrs for number in row} | {0})
        new = {old: number for number, old in enumerate(used)}
        self.styles = [self.styles[old] for old in used]
        self._style_numbers = {style: number for number, style in enumerate(self.styles)}
        self.attrs = [[new[number] for number in row] for row in self.attrs]

    def _style_number(self, style: Style) -> int:
        ansi = style._ansi  # noqa: SLF001
        if ansi is None:
            ansi = Strip.render_ansi(style, self.color_system)
        link = f"\x1b]8;id={style.link_id};{style.link}\x1b\\" if style.link else ""
        key = (";".join(parse_sgr(ansi).values()), link)
        number = self._style_numbers.get(key)
        if number is None:
            number = self._style_numbers[key] = len(self.styles)
            self.styles.append(key)
        return number

    def row(self, y: int) -> tuple[list[str], list[CellStyle]]:
        """Return the texts and the styles of a row. A blank has nothing but its background and its decoration."""
        styles = self.styles
        return self.chars[y].copy(), [
            styles[number] if char != " " else ground_of(styles[number])
            for char, number in zip(self.chars[y], self.attrs[y], strict=True)
        ]


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
            self.attrs = [[PLAIN] * frame.width for _ in range(frame.height)]
            frame.dirty = set(range(frame.height))
            out.append("\x1b[0m\x1b[2J")
        for y in sorted(frame.dirty):
            self._encode_row(pen, frame, y)
        frame.dirty.clear()
        pen.rest()
        return "".join(out)

    def _encode_row(self, pen: _Pen, frame: Frame, y: int) -> None:
        want_chars, want_attrs = frame.row(y)
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
        self.chars[y], self.attrs[y] = want_chars, want_attrs

    def _encode_cell(self, pen: _Pen, y: int, x: int, chars: Sequence[str], attrs: Sequence[CellStyle]) -> int:
        """Write the cell at `x`, or a whole run of blanks from there on; return the column after it."""
        char, style = chars[x], attrs[x]
        end = x
        if char == " " and is_blank(style) and (self.erases_with_colour or not background_of(style)):
            end = self._blanks_to_write(y, x, chars, attrs)
        pen.move(y, x, chars, attrs)
        pen.style(char, style)
        if end - x >= _ERASE_FROM:
            pen.erase(end - x)
            return end
        size = 1
        while x + size < len(chars) and chars[x + size] == "":
            size += 1
        if is_certain(char):
            pen.write(char, size)
        elif x + 1 == len(chars):  # wider than agreed it would push into what stands before it
            pen.write(char[0] if is_certain(char[0]) else " ", 1)
        else:
            pen.write_uncertain(char, size)
            for beyond in range(x + size, min(x + size + spilt_cells(char, size), len(chars))):
                self.chars[y][beyond] = _UNKNOWN  # where the terminal made it wider, what follows is written again
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
        self.now: CellStyle = PLAIN

    def move(self, y: int, x: int, chars: Sequence[str], attrs: Sequence[CellStyle]) -> None:
        """Go to a cell. A few cells on the way that stand as wanted are written over rather than jumped."""
        if y == self.y:
            gap = x - self.x if self.x >= 0 else -1
            if gap == 0:
                return
            if 0 < gap <= 4 and all(self.shows(chars[at], attrs[at]) for at in range(self.x, x)):
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

    def shows(self, char: str, style: CellStyle) -> bool:
        """Tell whether a character written now would look as it should."""
        if style == self.now:
            return True
        return (
            char == " " and is_blank(self.now) and is_blank(style) and background_of(style) == background_of(self.now)
        )

    def style(self, char: str, style: CellStyle) -> None:
        """Change to a style by the shortest sequence; a blank needs no more than its background."""
        if self.shows(char, style):
            return
        if char == " " and is_blank(style):
            style = on_ground(self.now, background_of(style))
        self.out.append(change_style(self.now, style))
        self.now = style

    def write(self, text: str, size: int) -> None:
        """Write one grapheme that all terminals draw `size` cells wide."""
        self.out.append(text)
        self.x += size
        if self.x >= self.width:
            self.x = -1  # at the last column terminals differ: say where we go next

    def write_uncertain(self, text: str, size: int) -> None:
        """Write a grapheme that terminals measure differently: into blank cells, and its end is not trusted."""
        if size > 1:
            self.out.append(f"{' ' * size}\x1b[{self.x + 1}G")
        self.out.append(text)
        self.x = -1

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
        if self.now != PLAIN:
            self.out.append(change_style(self.now, PLAIN))
            self.now = PLAIN
