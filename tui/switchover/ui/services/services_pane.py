"""Services: what runs, on which side, how it is. Act on a row or on a selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from switchover.commands.services import ShowFoundServices
from switchover.snapshot import ServiceRow
from switchover.ui.kit.actions import bound
from switchover.ui.kit.detail_table_pane import DetailTablePane
from switchover.ui.kit.messages import Intent
from switchover.ui.kit.theme import Painter
from switchover.ui.services.arrangement import SortOrder, id_of
from switchover.ui.services.service_detail import find_service, service_brief, service_detail
from switchover.ui.services.service_lines import ServiceTable, Wish, summary_line
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan

__all__ = ["ServicesPane"]


class ServicesPane(DetailTablePane):
    """The services of the plan, and what else runs here. A selection is kept by id; a row that goes takes its mark."""

    kind: ClassVar[str] = "services"
    rank: ClassVar[int] = 20
    short_title: ClassVar[str] = "Serv"
    search: ClassVar[str] = "sort processes containers units top ps logs"
    BINDING_GROUP_TITLE = "Services"
    BINDINGS: ClassVar[list[BindingType]] = [
        bound("service_actions"),
        bound("service_logs"),
        bound("service_shell"),
        bound("connections"),
        Binding("space", "select", "select", tooltip="select the row, or no longer"),
        Binding("asterisk", "select_all", "select all", show=False, tooltip="select all rows that are shown, or none"),
        Binding("full_stop", "toggle_found", "what else runs", tooltip="show or hide what is not in the plan"),
        Binding("z", "sort", "sort", tooltip="by what is worst, by CPU, by memory, by name"),
        Binding("v", "tree", "tree", show=False, tooltip="show processes under those that started them"),
        bound("service_inspect"),
        bound("seen_all"),
        bound("contacts"),
        bound("useful_commands"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext) -> None:
        super().__init__(painter, moment, "services")
        self._table = ServiceTable()
        self._wish = Wish()
        self._found_asked = False
        self._was_lost = False
        self._selected: dict[str, None] = {}  # in the order in which they were selected

    @property
    def service(self) -> ServiceRow | None:
        """The row under the cursor."""
        return find_service(self.moment, self.rows.key.removeprefix("service:"))

    @property
    def chosen(self) -> tuple[ServiceRow, ...]:
        """The rows that a key is about: all that are selected, else the one under the cursor."""
        if self._selected:
            rows = (find_service(self.moment, name) for name in self._selected)
            return tuple(row for row in rows if row is not None)
        return (self.service,) if self.service is not None else ()

    def show(self, moment: RenderContext) -> None:
        """Draw a new RenderContext; what has gone is no longer selected."""
        if self._selected:
            there = {id_of(row) for rows in (moment.data.services, moment.data.found) for row in rows}
            self._selected = {name: None for name in self._selected if name in there}
        if moment.stale:
            self._was_lost = True
        elif self._was_lost and moment.snapshot is not None:
            self._was_lost = False
            if self._found_asked:  # an agent that came anew does not know it
                self.post_message(Intent(ShowFoundServices(True)))
        super().show(moment)

    def draw_table(self, width: int) -> None:
        """Fill the table."""
        wish = replace(self._wish, wanted=self.wanted, show_found=self._shows_found)
        heading, items = self._table.items(self.moment, width, wish, self._selected, self.busy)
        hidden = len(self._selected.keys() - {key.removeprefix("service:") for key in items.keys})
        summary = summary_line(self.moment, self._table, wish, len(self._selected), chosen_hidden=hidden)
        nothing = self.nothing("services")
        if self.moment.snapshot is not None and not self.wanted and not self.moment.data.header.plan_id:
            nothing = [(), (StyledSpan("   nothing was found here yet", "muted"),), *self._off()]
        self.rows.set_items(items, [*self.filter_lines(), summary, *heading], nothing)

    def _off(self) -> list[Line]:
        notes = self.moment.data.sources
        return [(StyledSpan(f"   {note.name}: {note.why or note.state}", "muted"),) for note in notes if note.why]

    def detail(self, width: int, height: int) -> list[Line]:
        """All about the chosen service."""
        del height
        row = self.service
        if row is None:
            return []
        return [(StyledSpan(f" {row.name}", "strong"),), *service_detail(row, self.moment, width)]

    def short(self, width: int, height: int) -> list[Line]:
        """Return what matters most about the chosen service."""
        row = self.service
        return service_brief(row, self.moment, width)[:height] if row is not None else []

    # ------------------------------------------------------------------ what is shown

    @property
    def _shows_found(self) -> bool:
        return self._wish.show_found and (self._found_asked or not self.moment.data.header.plan_id)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what does something: without a plan all that was found is shown anyway."""
        del parameters
        if action == "toggle_found":
            return bool(self.moment.data.header.plan_id)
        if action in {"select", "select_all", "sort"}:
            return bool(self.rows.key)
        if action == "tree":
            return any(row.parent is not None for row in self.moment.data.found[:200])
        return True

    def action_toggle_found(self) -> None:
        """Show or hide what runs here outside of the plan. It is searched only while somebody wants it."""
        self._found_asked = not self._found_asked
        doing = "looking for what else runs here" if self._found_asked else ""
        self.post_message(Intent(ShowFoundServices(self._found_asked), doing))
        self.draw()

    def action_sort(self) -> None:
        """Sort by the next thing."""
        orders: Sequence[SortOrder] = tuple(SortOrder)
        after = orders[(orders.index(self._wish.order) + 1) % len(orders)]
        self._wish = replace(self._wish, order=after)
        self.draw()
        self.rows.action_jump(0)

    def action_tree(self) -> None:
        """Show processes as a tree, or no longer."""
        self._wish = replace(self._wish, tree=not self._wish.tree)
        self.draw()
        self.rows.action_jump(0)

    # ------------------------------------------------------------------ selection

    def action_select(self) -> None:
        """Select the row under the cursor, or no longer; go on to the next."""
        name = self.rows.key.removeprefix("service:")
        if not name:
            return
        if name in self._selected:
            del self._selected[name]
        else:
            self._selected[name] = None
        self.draw()
        self.rows.action_move(1)

    def action_select_all(self) -> None:
        """Select all rows that are shown; none where they all are."""
        shown = {key.removeprefix("service:"): None for key in self.rows.keys}
        self._selected = {} if shown.keys() <= self._selected.keys() else {**self._selected, **shown}
        self.draw()

    def back(self) -> bool:
        """Select nothing any more; say whether anything was."""
        was, self._selected = bool(self._selected), {}
        if was:
            self.draw()
        return was
