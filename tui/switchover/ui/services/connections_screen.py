"""Who needs whom: from one service in both directions, or all of it; what is broken, and where that begins."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.ports import Opening
from switchover.ui.kit.row_list import RowList
from switchover.ui.kit.theme import Painter
from switchover.ui.services.connection_tree import Graph, branch_line, graph_of, starts_of, tree_of
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, ListItem, StyledSpan

__all__ = ["ConnectionsScreen"]


class ConnectionsScreen(OverScreen):
    """The tree. Enter opens the service under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", tooltip="everything about the service under the cursor"),
        Binding("D", "whole", "all of it", tooltip="all connections, or those of the one service again"),
        Binding("f", "here", "follow", tooltip="follow to the service under the cursor: its connections"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext, name: str, opening: Opening) -> None:
        super().__init__(painter, moment, "who needs whom")
        graph = graph_of(moment.data)
        self._service = name
        self._whole = not (graph.needs.get(name) or graph.needed_by.get(name))
        self._opening = opening
        self._rows = RowList(painter)

    def compose(self) -> ComposeResult:
        """Header, tree, keys."""
        yield self.header
        yield self._rows
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Choose in the tree."""
        self._rows.focus()

    def draw(self) -> None:
        """Draw the tree as it is now."""
        graph, width = graph_of(self.moment.data), self.size.width
        row = graph.rows.get(self._service)
        called = row.name if row is not None else self._service
        if self._whole:
            items = self._part(graph, "", starts_of(graph), graph.needs, "all", width)
            apart = len(graph.rows) - len({*graph.needs, *graph.needed_by})
            if apart and items:
                items.append(
                    ListItem("apart", ((), (StyledSpan(f"   {apart:,} need nothing and are not needed", "muted"),)), 2)
                )
        else:
            items = self._part(graph, f"{called} needs", [self._service], graph.needs, "down", width)
            if graph.needed_by.get(self._service):
                items += self._part(graph, f"what needs {called}", [self._service], graph.needed_by, "up", width)
        self._rows.set_items(items, (), [(), (StyledSpan("   nothing is known to need anything here", "muted"),)])

    def _part(
        self, graph: Graph, title: str, starts: list[str], edges: dict[str, tuple[str, ...]], key: str, width: int
    ) -> list[ListItem]:
        above: tuple[Line, ...] = ((), (StyledSpan(f" {title}", "heading"),)) if title else ((),)
        items = []
        for number, branch in enumerate(tree_of(graph, starts, edges)):
            line = branch_line(graph, branch, width, chosen=self._service)
            before = above if number == 0 else ()
            items.append(ListItem(f"{key}:{number}:{branch.name}", (*before, line), len(before)))
        return items

    def _at_hand(self) -> str:
        return self._rows.key.partition(":")[2].partition(":")[2]

    def action_open(self) -> None:
        """Open the service under the cursor."""
        if self._at_hand():
            self._opening.service(self._at_hand())

    def action_whole(self) -> None:
        """Show all connections, or those of the one service again."""
        self._whole = not self._whole
        self.draw()

    def action_here(self) -> None:
        """Show the connections of the service under the cursor."""
        if self._at_hand():
            self._service, self._whole = self._at_hand(), False
            self.draw()
