"""All output of a step: read from the agent piece by piece, followed while the step runs, searched."""

from __future__ import annotations

from dataclasses import dataclass
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
from switchover.ui.text.styled_line import Line, StyledSpan, clean, cut, split_at

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


@dataclass
class _Source:
    """One output, of the step or of one machine of its group, and how far it was read."""

    unit: str
    label: str = ""
    attempt: int = 1
    offset: int = 0
    rest: str = ""
    complete: bool = False


class OutputScreen(OverScreen):
    """Scroll, search with `/`, `n` and `N`; at the end it follows.

    Of a group it shows all machines, each line with its own; `tab` shows one after the other.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "search", "search"),
        Binding("tab", "machine(1)", "next machine", show=False),
        Binding("shift+tab", "machine(-1)", "previous machine", show=False),
        Binding("n", "match(1)", "next match", show=False),
        Binding("N", "match(-1)", "previous match", show=False),
    ]

    def __init__(self, painter: Painter, moment: RenderContext, step: StepView, sender: Sender) -> None:
        super().__init__(painter, moment, f"output of {step.id}")
        self._step = step
        self._sender = sender
        self._sources: dict[str, _Source] = {}
        self._only = ""  # the machine that is shown alone
        self._lines: list[tuple[str, str]] = []  # each with its machine
        self._shown: list[Line] = []
        self._width = 80
        self._dropped = 0
        self._reading = False
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
        self._find_sources(step)
        whose = f"attempt {max(step.attempts, 1)}"
        if step.machines:
            whose = f"{self._only or f'{len(step.machines)} machines'} (tab: the next)"
        self.headline = f"output of {step.id} · {whose} · {word.glyph} {word.word} · {self._body.place}"
        if self._body.size.width not in {0, self._width}:
            self._width = self._body.size.width
            self._fold_again()
            self._fill()
        more = any(not source.complete for source in self._sources.values())
        if not self._reading and more and self._seen is not self.moment:
            self._seen = self.moment
            self._reading = True
            self.run_worker(self._read(), exclusive=True)

    def _find_sources(self, step: StepView) -> None:
        """Take in machines that have begun since, and attempts that are newer."""
        found = [(one.unit, one.name, one.attempts) for one in step.machines if one.attempts]
        if not step.machines:
            found = [(step.id, "", max(step.attempts, 1))]
        for unit, label, attempt in found:
            known = self._sources.get(unit)
            if known is None or (label and known.attempt != attempt):
                self._sources[unit] = _Source(unit, label, attempt)

    async def _read(self) -> None:
        """Read a piece of each in turn, until none has more."""
        try:
            moved = True
            while moved:
                moved = False
                for source in [one for one in self._sources.values() if not one.complete]:
                    wanted = ReadOutput(source.unit, source.attempt, source.offset, _PIECE)
                    part = await self._sender.send(wanted)
                    self._take(source, part.text)
                    source.complete = part.complete and part.next == source.offset
                    moved = moved or part.next != source.offset
                    source.offset = part.next
        except SwitchoverError as error:
            for source in self._sources.values():
                source.complete = True
            self.say(error.title, error=True, hint=error.hint)
        finally:
            self._reading = False
            self.call_after_refresh(lambda: self.show(self.moment, self.painter))

    def _take(self, source: _Source, text: str) -> None:
        *whole, source.rest = (source.rest + text).split("\n")
        lines = [(source.label, last_state(line)) for line in whole]
        self._lines.extend(lines)
        self._shown.extend(row for label, line in lines for row in self._rows(label, line))
        if (excess := len(self._lines) - _MOST_LINES) > 0:
            del self._lines[:excess]
            self._dropped += excess
            self._fold_again()
        self._fill()

    def _fold_again(self) -> None:
        self._shown = [row for label, line in self._lines for row in self._rows(label, line)]

    def _rows(self, label: str, line: str) -> list[Line]:
        """Return a line as it is shown: with its machine in front where several are, or not at all."""
        if self._only and label != self._only:
            return []
        if not label or self._only:
            return fold(line, self._width)
        size = min(max(len(one.label) for one in self._sources.values()), self._width // 4)
        mark = StyledSpan(f" {cut(label, size):<{size}} │", "muted")
        return [(mark, *row) for row in fold(line, self._width - size - 3)]

    def _fill(self) -> None:
        before: list[Line] = []
        if self._dropped:
            before.append((StyledSpan(f" … {self._dropped} earlier lines are in the output file", "muted"),))
        rests = [(one.label, last_state(one.rest)) for one in self._sources.values() if one.rest]
        shown = [*before, *self._shown, *(row for label, rest in rests for row in self._rows(label, rest))]
        self._body.set_all(shown or [(StyledSpan(" no output yet", "muted"),)])

    def action_machine(self, by: int) -> None:
        """Show the next machine alone, and all of them after the last."""
        names = ["", *(source.label for source in self._sources.values() if source.label)]
        if len(names) > 1:
            self._only = names[(names.index(self._only) + by) % len(names)]
            self._fold_again()
            self._fill()
            self.show(self.moment, self.painter)

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
