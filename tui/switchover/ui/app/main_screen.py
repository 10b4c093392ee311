"""The screen with the tabs."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container

from switchover.ui.kit.base_screen import BaseScreen
from switchover.ui.kit.line_view import LineView
from switchover.ui.kit.pane import Pane
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import StyledSpan
from switchover.ui.text.tabs import TABS, tabs

__all__ = ["MainScreen"]

MIN_WIDTH, MIN_HEIGHT = 40, 10


def _make(name: str) -> Callable[[Painter, RenderContext], Pane]:
    """Return what makes a tab's pane; it is imported when it is first wanted."""
    tab = next(tab for tab in tabs() if tab.name == name)
    pane: Callable[[Painter, RenderContext], Pane] = getattr(import_module(tab.module), tab.class_name)
    return pane


class MainScreen(BaseScreen):
    """Tabs by number; only the chosen one is drawn."""

    BINDING_GROUP_TITLE = "Everywhere"
    BINDINGS: ClassVar[list[BindingType]] = [
        *[Binding(str(number), f"tab('{name}')", name.capitalize(), show=False) for number, name in enumerate(TABS, 1)],
        Binding("left", "next_tab(-1)", "Tab to the left", show=False),
        Binding("right", "next_tab(1)", "Tab to the right", show=False),
        Binding("slash", "filter", "filter", tooltip="show only the rows that contain what you type"),
        Binding("escape", "back", "Back", show=False, tooltip="close the message, the filter, or the detail"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext, tab: str = "overview") -> None:
        super().__init__(painter, moment)
        self._tab = tab
        self._panes: dict[str, Pane] = {}
        self._too_small = LineView(painter, id="too-small")

    def compose(self) -> ComposeResult:
        """Header, the place for the panes, status, keys."""
        yield self.header
        pane = self._panes[self._tab] = _make(self._tab)(self.painter, self.moment)
        pane.add_class("-shown")
        yield Container(pane, id="panes")
        yield self.status
        yield self.keys
        yield self._too_small

    def on_mount(self) -> None:
        """Put the cursor into the first tab."""
        self.pane.rows.focus()

    @property
    def tab(self) -> str:
        """The chosen tab."""
        return self._tab

    @property
    def has_pane(self) -> bool:
        """The chosen tab has been made."""
        return self._tab in self._panes

    @property
    def pane(self) -> Pane:
        """The chosen tab's pane."""
        return self._panes[self._tab]

    async def show_tab(self, name: str) -> Pane:
        """Choose a tab; its pane is made when it is first chosen."""
        pane = self._panes.get(name)
        if pane is None:
            pane = _make(name)(self.painter, self.moment)
            await self.query_one("#panes").mount(pane)  # only then is it whole enough to be asked for its rows
            self._panes[name] = pane
        if self._tab in self._panes:
            self._panes[self._tab].remove_class("-shown")
        self._tab = name
        pane.add_class("-shown")
        for view in pane.query(LineView):
            view.paint_with(self.painter)
        pane.rows.focus()
        self.call_after_refresh(lambda: self.show(self.moment, self.painter))
        return pane

    def draw(self) -> None:
        """Draw the chosen pane; say so where the terminal is too small for any."""
        width, height = self.size
        small = width < MIN_WIDTH or height < MIN_HEIGHT
        self.set_class(small, "-small")
        if small:
            said = f"{width}x{height} is too small: switchover needs {MIN_WIDTH}x{MIN_HEIGHT}"
            self._too_small.set_lines(
                [(StyledSpan(said, "late"),), (StyledSpan("the run goes on; make the window larger"),)]
            )
            return
        if self._tab in self._panes:
            self.pane.show(self.moment)
            if self.focused is None:  # a part that was hidden loses the keys
                self.call_after_refresh(self._give_keys)

    def _give_keys(self) -> None:
        """Let the filter line have the keys where it is open, else the rows."""
        from switchover.ui.kit.text_entry import TextEntry

        entries = self.query(TextEntry)
        if entries:
            entries.first().take_focus()
        else:
            self.pane.rows.focus()
        self.call_after_refresh(self.show_keys)

    async def action_tab(self, name: str) -> None:
        """Choose a tab by its number."""
        await self.show_tab(name)

    async def action_next_tab(self, by: int) -> None:
        """Choose the tab beside."""
        await self.show_tab(TABS[(TABS.index(self._tab) + by) % len(TABS)])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the filter only where there is something to filter."""
        del parameters
        return not (action == "filter" and self._tab in self._panes and not self.pane.can_filter)

    async def action_filter(self) -> None:
        """Open the filter line."""
        from switchover.ui.kit.text_entry import TextEntry

        if self.query(TextEntry):
            return
        entry = TextEntry(self.painter, "/", self.pane.wanted, id="filter")
        await self.mount(entry, before=self.status)
        entry.take_focus()

    def on_text_entry_typed(self, event: object) -> None:
        """Filter while the operator types."""
        self.pane.filter(getattr(event, "text", ""))

    async def on_text_entry_entered(self) -> None:
        """Keep the filter, go back to the rows."""
        await self._close_filter()

    async def on_text_entry_left(self) -> None:
        """Give up the filter."""
        self.pane.filter("")
        await self._close_filter()

    async def _close_filter(self) -> None:
        await self.query("#filter").remove()
        self.pane.rows.focus()

    def action_back(self) -> None:
        """Close what lies on top: the message, then the filter, then the cursor's own way."""
        if self.status.clear():
            return
        if self.pane.wanted:
            self.pane.filter("")
            return
        if self.pane.back():
            return
        follow = getattr(self.pane, "action_follow", None)
        if follow is not None:
            follow()
