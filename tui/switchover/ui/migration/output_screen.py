"""All output of a step: read from the agent piece by piece, followed while the step runs, searched."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.commands.looking import ReadOutput
from switchover.errors import SwitchoverError
from switchover.snapshot import StepView
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.messages import Sender
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.migration.wizard import find_step
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.state_words import step as step_word
from switchover.ui.text.styled_line import Line, StyledSpan, clean, split_at

__all__ = ["OutputScreen"]

_PIECE = 64 * 1024
_MOST_LINES = 20_000


def last_state(line: str) -> str:
    """Return what a terminal would show of a line in which a progress bar overwrote itself, harmless for a cell."""
    return clean(line.rstrip("\r").rsplit("\r", 1)[-1])


def fold(line: str, width: int) -> list[Line]:
    """Break a line of output where the screen ends, so that nothing of it is lost."""
    room = max(width - 2, 1)
    if len(line) <= room and line.isascii():
        return [(StyledSpan(f" {line}"),)]
    rows: list[Line] = []
    rest = line
    while cell_len(rest) > room and len(rest) > 1:
        head, rest = split_at(rest, room)
        rows.append((StyledSpan(f" {head}"),))
    return [*rows, (StyledSpan(f" {rest}"),)]


class OutputScreen(OverScreen):
    """Scroll, search with `/`, `n` and `N`; at the end it follows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search"),
        Binding("n", "match(1)", "next match", show=False),
        Binding("N", "match(-1)", "previous match", show=False),
    ]

    def __init__(self, painter: Painter, moment: RenderContext, step: StepView, sender: Sender) -> None:
        super().__init__(painter, moment, f"output of {step.id}")
        self._step = step
        self._sender = sender
        self._offset = 0
        self._lines: list[str] = []
        self._shown: list[Line] = []
        self._width = 80
        self._rest = ""
        self._dropped = 0
        self._reading = False
        self._complete = False
        self._seen: RenderContext | None = None
        self._body = Scroller(painter, follow=True)
        self._entry = TextEntry(painter, "/")

    def compose(self) -> ComposeResult:
        """Place the output, the search line."""
        yield self.header
        yield self._body
        yield self._entry
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Begin to read."""
        self._entry.display = False
        self._body.focus()

    def draw(self) -> None:
        """Say how the step stands, and read on when there is more."""
        step = find_step(self.moment.data.migration, self._step.id) or self._step
        word = step_word(step.state)
        self.headline = (
            f"output of {step.id} · attempt {max(step.attempts, 1)} · {word.glyph} {word.word} · {self._body.place}"
        )
        if self._body.size.width not in {0, self._width}:
            self._width = self._body.size.width
            self._fold_again()
            self._fill()
        if not self._reading and not self._complete and self._seen is not self.moment:
            self._seen = self.moment
            self._reading = True
            self.run_worker(self._read(step), exclusive=True)

    async def _read(self, step: StepView) -> None:
        try:
            while True:
                part = await self._sender.send(ReadOutput(step.id, max(step.attempts, 1), self._offset, _PIECE))
                self._take(part.text)
                moved = part.next != self._offset
                self._offset = part.next
                self._complete = part.complete and not moved
                if not moved:
                    break
        except SwitchoverError as error:
            self._complete = True
            self.say(error.title, error=True, hint=error.hint)
        finally:
            self._reading = False
            self.call_after_refresh(lambda: self.show(self.moment, self.painter))

    def _take(self, text: str) -> None:
        *whole, self._rest = (self._rest + text).split("\n")
        lines = [last_state(line) for line in whole]
        self._lines.extend(lines)
        self._shown.extend(row for line in lines for row in fold(line, self._width))
        if (excess := len(self._lines) - _MOST_LINES) > 0:
            del self._lines[:excess]
            self._dropped += excess
            self._fold_again()
        self._fill()

    def _fold_again(self) -> None:
        self._shown = [row for line in self._lines for row in fold(line, self._width)]

    def _fill(self) -> None:
        before: list[Line] = []
        if self._dropped:
            before.append((StyledSpan(f" … {self._dropped} earlier lines are in the output file", "muted"),))
        shown = [*before, *self._shown, *(fold(last_state(self._rest), self._width) if self._rest else ())]
        self._body.set_all(shown or [(StyledSpan(" no output yet", "muted"),)])

    def action_search(self) -> None:
        """Open the search line."""
        self._entry.display = True
        self._entry.take_focus()

    def on_text_entry_entered(self, event: TextEntry.Entered) -> None:
        """Mark what is searched for."""
        found = self._body.search(event.text)
        self._entry.display = False
        self._body.focus()
        self.say(f"{found} lines with “{event.text}”: n next, N previous" if found else f"no line with “{event.text}”")

    def on_text_entry_left(self) -> None:
        """Give up the search."""
        self._body.search("")
        self._entry.display = False
        self._body.focus()

    def action_match(self, by: int) -> None:
        """Go to the next or previous match."""
        self._body.next_match(by)
