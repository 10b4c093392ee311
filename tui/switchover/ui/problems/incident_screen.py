"""The incident: opened with a title, annotated, closed into a report."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.commands.incidents import CloseIncident, NoteIncident, OpenIncident
from switchover.errors import SwitchoverError
from switchover.ui.kit.actions import bound
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.messages import Sender
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.problems.incident_lines import incident_lines
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

__all__ = ["IncidentScreen"]

_ASKS = {"open": "title:", "note": "note:", "close": "what it was, in a sentence:"}


class IncidentScreen(OverScreen):
    """What is typed is sent once; the screen shows what the agent has written down."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("i", "ask('open')", "open an incident"),
        Binding("plus", "ask('note')", "note", tooltip="write something down, with your name and the time"),
        Binding("C", "ask('close')", "close", tooltip="close it into a report of its timeline"),
        bound("timeline"),
    ]

    def __init__(self, painter: Painter, moment: RenderContext, sender: Sender, suggested: str = "") -> None:
        super().__init__(painter, moment, "incident")
        self._sender = sender
        self._suggested = suggested
        self._asking = ""
        self._sending = False
        self._report = ""
        self._body = Scroller(painter)
        self._entry = TextEntry(painter, "title:")

    def compose(self) -> ComposeResult:
        """Place the incident, and the line to type in."""
        yield self.header
        yield self._body
        yield self._entry
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Ask for a title at once where no incident is open: that is what one came for."""
        self._entry.display = False
        self._body.focus()
        if self.moment.data.incident is None and not self.moment.data.header.read_only:
            self.call_after_refresh(lambda: self.action_ask("open"))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what can be done now."""
        if action != "ask":
            return True
        if self.moment.data.header.read_only or self._sending:
            return False
        return (self.moment.data.incident is None) == (parameters == ("open",))

    def draw(self) -> None:
        """Draw it as it is on record."""
        width = self.size.width
        lines: list[Line] = incident_lines(self.moment.data.incident, self.moment.now, width)
        if self._report:
            lines = [(), (StyledSpan(" the report lies on the agent's host at", "muted"),)]
            lines += [(StyledSpan("   "), *line) for line in wrap(self._report, width - 4, "strong")]
        self._body.set_all(lines)

    def action_ask(self, what: str) -> None:
        """Ask for what is to be written down."""
        if not self.check_action("ask", (what,)):
            return
        self._asking = what
        self._entry.text = self._suggested if what == "open" else ""
        self._entry.relabel(_ASKS[what])
        self._entry.display = True
        self._entry.take_focus()

    def on_text_entry_entered(self, event: TextEntry.Entered) -> None:
        """Send it."""
        text = event.text.strip()
        if not text and self._asking != "close":
            self.say("a word or two, please: it stands in the report", error=True)
            return
        self._hide_entry()
        self._sending = True
        self.run_worker(self._send(self._asking, text), name="incident")

    def on_text_entry_left(self) -> None:
        """Write nothing down."""
        self._hide_entry()

    def _hide_entry(self) -> None:
        self._entry.display = False
        self._body.focus()

    async def _send(self, what: str, text: str) -> None:
        try:
            match what:
                case "open":
                    await self._sender.send(OpenIncident(text))
                case "note":
                    await self._sender.send(NoteIncident(text))
                case _:
                    self._report = (await self._sender.send(CloseIncident(text))).path
        except SwitchoverError as error:
            self.say(error.title, error=True, hint=error.hint)
        else:
            self.say({"open": "the incident is open", "note": "written down", "close": "closed"}[what])
        finally:
            self._sending = False
        self.draw()
        self.show_keys()
