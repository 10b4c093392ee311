"""One line of a log in full, read piece by piece while scrolling. JSON is laid out."""

from __future__ import annotations

import asyncio
import json
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.errors import SwitchoverError
from switchover.snapshot.logview import LogLine
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.theme import Painter
from switchover.ui.logs.log_feed import LogFeed
from switchover.ui.logs.log_rows import day, precise, short
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, clean, split_at

__all__ = ["LogLineScreen", "laid_out"]

_PIECE = 64 * 1024
_LAID_OUT_UP_TO = 4 * _PIECE
_MOST = 64 * _PIECE


def laid_out(text: str) -> str:
    """Return JSON in a line over several lines, what stands before it first; empty where there is none."""
    starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
    for at in sorted(starts):
        try:
            value = json.loads(text[at:])
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict | list) and value:
            before = text[:at].rstrip()
            body = json.dumps(value, indent=2, ensure_ascii=False)
            return f"{before}\n{body}" if before else body
    return ""


def rows_of(text: str, width: int) -> list[Line]:
    """Break text at the width, nothing left out."""
    room = max(width - 2, 1)
    rows: list[Line] = []
    for part in text.split("\n"):
        rest = clean(part)
        if rest.isascii():
            rows.extend((StyledSpan(f" {rest[at : at + room]}", "code"),) for at in range(0, max(len(rest), 1), room))
            continue
        while rest:
            head, rest = split_at(rest, room)
            rows.append((StyledSpan(f" {head}", "code"),))
    return rows


class LogLineScreen(OverScreen):
    """Reads on when its end comes into view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("w", "plain", "as it was written", tooltip="JSON laid out, or as it was written"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext, line: LogLine, feed: LogFeed) -> None:
        super().__init__(painter, moment, "a line of the log")
        self._line = line
        self._feed = feed
        self._text = line.text if not line.more else ""
        self._total = len(line.text) + line.more
        self._plain = False
        self._json = ""
        self._reading = self._looked = False
        self._made_for: tuple[int, bool, int, bool] = (0, False, 0, False)
        self._body = Scroller(painter)

    def compose(self) -> ComposeResult:
        """Place the line."""
        yield self.header
        yield self._body
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Read the first piece."""
        self._body.focus()
        self.set_interval(0.25, self._read_on)
        self._read_on()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the other way only where there are two."""
        return bool(self._json) if action == "plain" else super().check_action(action, parameters)

    @property
    def _complete(self) -> bool:
        return len(self._text) >= self._total

    @property
    def _is_drawn(self) -> bool:
        return self._made_for[2] == len(self._text)

    def _read_on(self) -> None:
        """Read the next piece where the end of what was read is near. What is not drawn yet has no end in view."""
        if self._reading or self.left:
            return
        self.draw()  # the piece before may have come before the screen had a width
        near_end = self._is_drawn and self._body.place in {"all", "end"}
        wanted = not self._complete and len(self._text) < _MOST and near_end
        if wanted or not self._looked:
            self._reading = True
            self.run_worker(self._read(), name="log line", exit_on_error=False)

    async def _read(self) -> None:
        self._looked = True
        try:
            if not self._complete:
                await self._piece()
            while not self._complete and self._total <= _LAID_OUT_UP_TO:
                await self._piece()
            if self._complete and self._total <= _LAID_OUT_UP_TO and not self._json:
                self._json = await asyncio.to_thread(laid_out, self._text)
        except SwitchoverError as error:
            self._text = self._text or self._line.text
            self._total = len(self._text)
            self.say(error.title, error=True, hint=error.hint)
        finally:
            self._reading = False
        self.draw()
        self.header.show(self.moment, title=self.headline)
        self.show_keys()

    async def _piece(self) -> None:
        piece = await self._feed.line(self._line.seq, len(self._text), _PIECE)
        self._text += piece.text
        self._total = piece.total if piece.text else len(self._text)

    def action_plain(self) -> None:
        """Show it the other way."""
        self._plain = not self._plain
        self.draw()

    def draw(self) -> None:
        """Draw what was read so far."""
        width = self._body.size.width
        line = self._line
        read = "" if self._complete else f"{len(self._text):,} of "
        self.headline = f"{read}{self._total:,} characters · {day(line.at)} {precise(line.at)} · {short(line.source)}"
        made_for = (width, self._plain, len(self._text), bool(self._json))
        if not width or made_for == self._made_for:
            return
        self._made_for = made_for
        shown = self._json if self._json and not self._plain else self._text
        rows = rows_of(shown, width)
        if not self._complete:
            cut = len(self._text) >= _MOST
            said = "no more is shown here; s in the log saves it whole" if cut else "reading on …"
            rows.append((StyledSpan(f" … {said}", "accent"),))
        self._body.set_all(rows)
