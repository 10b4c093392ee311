"""The ways back: choose one, read what it does and loses, then say yes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.snapshot import RollbackView
from switchover.ui.messages import Intent
from switchover.ui.presentation.line import Line, Span, wrap
from switchover.ui.presentation.moment import Moment
from switchover.ui.presentation.rollback import rollback_items, way_actions, way_name
from switchover.ui.presentation.rolling import loss, standing_lines, time_text
from switchover.ui.screens.base import OverScreen
from switchover.ui.screens.guarded import AskScreen
from switchover.ui.theme import Painter
from switchover.ui.widgets.rows import RowList

__all__ = ["RollbackScreen"]


class RollbackScreen(OverScreen):
    """All ways back as they stand now; enter chooses, a question follows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose this way back"),
        Binding("o", "rehearse", "rehearse", tooltip="show all that it would do, and do nothing"),
    ]

    def __init__(self, painter: Painter, moment: Moment) -> None:
        super().__init__(painter, moment, "roll back: choose a way")
        self._rows = RowList(painter)

    def compose(self) -> ComposeResult:
        """Place the ways."""
        yield self.header
        yield self._rows
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Stand on the first way that is open."""
        self._rows.focus()

    def draw(self) -> None:
        """Draw the ways."""
        nothing: list[Line] = [(), (Span("   there is no way back to take: nothing has been started", "muted"),)]
        run = self.moment.data.migration.rollback
        above = [*standing_lines(run, self.moment, self.size.width, keys=False), ()] if run is not None else []
        self._rows.set_items(rollback_items(self.moment, self.size.width), above, nothing)

    @property
    def _chosen(self) -> RollbackView | None:
        name = self._rows.key.removeprefix("way:")
        ways = self.moment.data.migration.rollbacks
        return next((way for way in ways if way.name == name), None) if self._rows.key else None

    def action_rehearse(self) -> None:
        """Show all that the chosen way would do."""
        if (way := self._chosen) is not None:
            self.app.call_later(self.app.run_action, f"app.rehearse({way.name!r})")

    def action_choose(self) -> None:
        """Ask for the last yes, or say why this way is closed."""
        way = self._chosen
        if way is None or self.left:
            return
        if not way.available:
            self.say(f"this way is closed: {way.reason or 'not available now'}", error=True)
            return
        width = max(self.size.width - 4, 20)
        lines: list[Line] = [(Span(f" Roll back {way_name(way)}", "danger"), Span(f"  {way.title}", "muted")), ()]
        for text in way.cannot_undo:
            lines.extend((Span(" "), *line) for line in wrap(f"! {text}", width - 4, "danger"))
        for number, step in enumerate(way_actions(way), 1):
            wrapped = wrap(step, width - 4, limit=3)
            lines.append((Span(f" {number}. ", "muted"), *wrapped[0]))
            lines.extend((Span("    "), *line) for line in wrapped[1:])
        time, over = time_text(way)
        lost = loss(way.data_loss, way.loses_since, way.loses_after) or "nothing that is known of"
        lines.extend([(), (Span(" takes ", "muted"), Span(time, "danger" if over else "text"))])
        lines.extend((Span(" loses ", "muted"), *line) for line in wrap(lost, width - 8, "outcome-warn"))
        params: dict[str, object] = {"name": way.name, "dry_run": False}
        if way.irreversible:  # what was read here is what is accepted; another step that begins meanwhile is not
            params["accept"] = list(way.irreversible)
        intent = Intent("run.rollback", params, f"rolling back {way_name(way)}")
        screen = AskScreen(self.painter, self.moment, f"roll back {way_name(way)}?", lines, intent)
        self.app.switch_screen(screen)
