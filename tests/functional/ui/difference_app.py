"""A small app with all that a screen can do, run once with the difference and once (argument `plain`) as Textual is."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import DataTable, Input, Static

from switchover.terminal.screen_difference import DifferenceMixin

Base: Any = App if "plain" in sys.argv else DifferenceMixin


class Question(ModalScreen[None]):
    CSS = "Question { align: center middle; } Static { width: 30; height: 5; border: round red; background: $panel; }"
    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "dismiss", "back")]

    def compose(self) -> ComposeResult:
        yield Static("is 数据 [b]ready[/b]? e\u0301té")


class Sample(Base):  # type: ignore[misc]
    CSS = "Horizontal { height: 1fr; } DataTable { width: 2fr; } #side { width: 1fr; background: $boost; }"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("n", "count", "count"),
        Binding("m", "ask", "ask"),
        Binding("t", "turn", "theme"),
        Binding("i", "type", "type"),
        Binding("ctrl+l", "paint", "paint"),
        Binding("ctrl+z", "suspend_process", "suspend"),
        Binding("q", "quit", "quit", priority=True),
    ]
    count = 0

    def compose(self) -> ComposeResult:
        yield Static("count 0", id="count")
        with Horizontal():
            yield DataTable(cursor_type="row")
            yield Static("▁▂▃▄▅▆▇█ 迁移 ✓ ok\n" * 6, id="side")
        yield Input(placeholder="words")

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("state", "数据", "for")
        for row in range(40):
            table.add_row("✓ ok" if row % 3 else "✗ crit", f"行 {row}", f"{row} m", key=str(row))
        table.focus()

    def action_count(self) -> None:
        self.count += 1
        self.query_one("#count", Static).update(f"count {self.count} {'▁▂▃▄▅'[self.count % 5] * self.count}")
        self.query_one(DataTable).update_cell_at((self.count % 40, 2), f"{self.count} s")

    def action_ask(self) -> None:
        self.push_screen(Question())

    def action_turn(self) -> None:
        light = self.current_theme.name == "textual-light"
        self.theme = "textual-dark" if light else "textual-light"

    def action_type(self) -> None:
        self.query_one(Input).focus()

    def action_paint(self) -> None:
        if isinstance(self, DifferenceMixin):
            self.repaint()
        else:
            self.refresh(layout=True)


if __name__ == "__main__":
    Sample().run()
