"""The rollback paths: choose one, read what it does and loses, then say yes."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.commands.run import RollBack
from switchover.snapshot import RollbackView
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.guarded_screen import AskScreen
from switchover.ui.kit.messages import Intent
from switchover.ui.kit.row_list import RowList
from switchover.ui.kit.theme import Painter
from switchover.ui.migration.rollback_lines import rollback_items, way_actions, way_name
from switchover.ui.migration.rollback_progress import loss, standing_lines, time_text
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

__all__ = ["RollbackScreen"]


class RollbackScreen(OverScreen):
    """All rollback paths as they stand now; enter chooses, a question follows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose this way back"),
        Binding("o", "rehearse", "rehearse", tooltip="show all that it would do, and do nothing"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext) -> None:
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
        nothing: list[Line] = [(), (StyledSpan("   there is no way back to take: nothing has been started", "muted"),)]
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
        lines: list[Line] = [
            (StyledSpan(f" Roll back {way_name(way)}", "danger"), StyledSpan(f"  {way.title}", "muted")),
            (),
        ]
        for text in way.cannot_undo:
            lines.extend((StyledSpan(" "), *line) for line in wrap(f"! {text}", width - 4, "danger"))
        for number, step in enumerate(way_actions(way), 1):
            wrapped = wrap(step, width - 4, limit=3)
            lines.append((StyledSpan(f" {number}. ", "muted"), *wrapped[0]))
            lines.extend((StyledSpan("    "), *line) for line in wrapped[1:])
        time, over = time_text(way)
        lost = loss(way.data_loss, way.loses_since, way.loses_after) or "nothing that is known of"
        lines.extend([(), (StyledSpan(" takes ", "muted"), StyledSpan(time, "danger" if over else "text"))])
        lines.extend((StyledSpan(" loses ", "muted"), *line) for line in wrap(lost, width - 8, "outcome-warn"))
        # What was read here is what is accepted; another step that begins meanwhile is not.
        intent = Intent(RollBack(way.name, accept=way.irreversible), f"rolling back {way_name(way)}")
        screen = AskScreen(self.painter, self.moment, f"roll back {way_name(way)}?", lines, intent)
        self.app.switch_screen(screen)
