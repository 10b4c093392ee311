"""Everything about one service, with its actions at hand. `i` adds all that its source knows, to search."""

from __future__ import annotations

from contextlib import suppress
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.commands.services import DismissService, InspectService
from switchover.errors import SwitchoverError
from switchover.snapshot import ServiceRow
from switchover.ui.kit.actions import bound
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.messages import Sender
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.services.service_detail import find_service, service_detail
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

__all__ = ["ServiceScreen"]

_KEPT = ("listener:", "failed:", "systemd:")  # how the id begins of what stays until a person has seen it


class ServiceScreen(OverScreen):
    """A service in full."""

    BINDINGS: ClassVar[list[BindingType]] = [
        bound("service_actions"),
        bound("service_logs"),
        bound("service_shell"),
        bound("connections"),
        Binding("I", "inspect", "inspect", tooltip="all that its source knows of it, without secrets"),
        Binding("slash", "search", "search", show=False),
        Binding("n", "match(1)", "next match", show=False),
        Binding("N", "match(-1)", "previous match", show=False),
    ]

    def __init__(
        self, painter: Painter, moment: RenderContext, name: str, sender: Sender, *, inspected: bool = False
    ) -> None:
        row = find_service(moment, name)
        super().__init__(painter, moment, f"service {row.name if row is not None else name}")
        self._service = name
        self._sender = sender
        self._inspected = inspected
        self._text: tuple[str, ...] | None = None
        self._why = ""
        self._body = Scroller(painter)
        self._entry = TextEntry(painter, "/")

    def compose(self) -> ComposeResult:
        """Header, body, the line to search with, keys."""
        yield self.header
        yield self._body
        yield self._entry
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Read at once where that was asked for."""
        self._entry.display = False
        self._body.focus()
        if self._inspected:
            self.run_worker(self._load(), exclusive=True)

    def on_unmount(self) -> None:
        """Tell that a person has seen what is kept until then."""
        if self._service.startswith(_KEPT) and not self.moment.data.header.read_only:
            self.app.run_worker(self._tell_seen(), name="seen", exit_on_error=False)

    async def _tell_seen(self) -> None:
        with suppress(SwitchoverError):  # then it stays, and is told when it is looked at again
            await self._sender.send(DismissService(self._service))

    @property
    def chosen(self) -> tuple[ServiceRow, ...]:
        """The service that keys here are about."""
        row = find_service(self.moment, self._service)
        return (row,) if row is not None else ()

    def draw(self) -> None:
        """Draw what is known now."""
        width = self._body.size.width
        if not width:
            return
        row = find_service(self.moment, self._service)
        lines: list[Line] = []
        if row is not None:
            lines += [(), *service_detail(row, self.moment, width)]
        else:
            lines += [(), (StyledSpan("   it is gone", "late"),)]
        if self._inspected:
            lines += [(), (StyledSpan(" all that its source knows", "heading"),)]
            if self._text is None:
                lines.extend((StyledSpan("   "), *line) for line in wrap(self._why or "asking …", width - 4, "muted"))
            else:
                shown = (line for text in self._text for line in wrap(text, width - 4, "code"))
                lines.extend((StyledSpan("   "), *line) for line in shown)
        self._body.set_all(lines)

    def action_inspect(self) -> None:
        """Show all that its source knows, as it is now; or no longer."""
        self._inspected = not self._inspected
        self._text, self._why = None, ""
        if self._inspected:
            self.run_worker(self._load(), exclusive=True)
        self.draw()

    async def _load(self) -> None:
        try:
            self._text = tuple((await self._sender.send(InspectService(self._service))).text.splitlines())
        except SwitchoverError as error:
            self._why = error.title
        self.draw()

    def action_search(self) -> None:
        """Open the search line."""
        self._entry.display = True
        self._entry.take_focus()

    def on_text_entry_entered(self, event: TextEntry.Entered) -> None:
        """Mark what is searched for."""
        found = self._body.search(event.text)
        self.on_text_entry_left()
        self.say(f"{found} lines with “{event.text}”: n next, N previous" if found else f"no line with “{event.text}”")

    def on_text_entry_left(self) -> None:
        """Give the keys back to the text."""
        self._entry.display = False
        self._body.focus()

    def action_match(self, by: int) -> None:
        """Go to the next or previous match."""
        self._body.next_match(by)
