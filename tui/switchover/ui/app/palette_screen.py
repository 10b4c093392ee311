"""The palette: everything that can be done or opened from here, found by a few letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual import events
from textual.app import ComposeResult

from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.row_list import RowList
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, ListItem, StyledSpan, fit

__all__ = ["PaletteEntry", "PaletteScreen", "rank"]


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """Something to do: how it is called, which key does it, and what runs."""

    title: str
    run: Callable[[], None]
    key: str = ""
    about: str = ""
    words: str = ""  # others that people say for it


def rank(title: str, wanted: str) -> int | None:
    """Say how well a title fits the typed letters (0 is best). None where it lacks them in this order."""
    low, wanted = title.lower(), wanted.lower().strip()
    if not wanted:
        return 0
    at = low.find(wanted)
    if at == 0:
        return 0
    if at > 0:
        return 1 if low[at - 1] in " ._-:" else 2
    place = -1
    gaps = 3
    for letter in wanted.replace(" ", ""):
        found = low.find(letter, place + 1)
        if found < 0:
            return None
        gaps += found - place - 1 if place >= 0 else 0
        place = found
    return gaps


class PaletteScreen(OverScreen):
    """Type a few letters, choose with the arrows, press enter."""

    def __init__(self, painter: Painter, moment: RenderContext, commands: Sequence[PaletteEntry]) -> None:
        super().__init__(painter, moment, "do or open")
        self._commands = tuple(commands)
        self._entry = TextEntry(painter, ":")
        self._rows = RowList(painter)

    def compose(self) -> ComposeResult:
        """Place the line, then what fits it."""
        yield self.header
        yield self._entry
        yield self._rows
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Type at once."""
        self._entry.take_focus()

    def _found(self) -> list[tuple[int, PaletteEntry]]:
        ranked = [(_rank(command, self._entry.text), index, command) for index, command in enumerate(self._commands)]
        return _ordered(ranked)

    def draw(self) -> None:
        """Draw what fits the letters."""
        width = max(self.size.width, 20)
        title = min(max(width // 2, 24), 60)
        items = []
        for index, command in self._found():
            line: Line = (
                StyledSpan(f"   {fit(command.title, title)} "),
                StyledSpan(fit(command.key, 8), "key"),
                StyledSpan(command.about, "muted"),
            )
            items.append(ListItem(str(index), (line,)))
        self._rows.set_items(items, (), [(), (StyledSpan("   nothing fits", "muted"),)])

    def on_text_entry_typed(self) -> None:
        """Find anew, the best one chosen."""
        self.draw()
        self._rows.action_jump(0)

    def on_key(self, event: events.Key) -> None:
        """Move through the list without leaving the line."""
        moves = {"down": 1, "up": -1, "ctrl+n": 1, "ctrl+k": -1}
        if event.key in moves:
            event.stop()
            self._rows.action_move(moves[event.key])

    def on_text_entry_entered(self) -> None:
        """Do what is chosen."""
        if self._rows.key and not self.left:
            command = self._commands[int(self._rows.key)]
            self.leave()
            self.app.call_later(command.run)

    def on_text_entry_left(self) -> None:
        """Go back."""
        self.action_back()


def _rank(command: PaletteEntry, wanted: str) -> int | None:
    """Say how well a command fits: by its title, else by a word that means the same."""
    low = wanted.lower().strip()
    if low and any(word.startswith(low) for word in command.words.split()):
        return min(1, rank(command.title, wanted) or 0)
    return rank(command.title, wanted)


def _ordered(ranked: Sequence[tuple[int | None, int, PaletteEntry]]) -> list[tuple[int, PaletteEntry]]:
    fitting = [(score, index, command) for score, index, command in ranked if score is not None]
    return [(index, command) for _, index, command in sorted(fitting, key=lambda entry: entry[:2])]
