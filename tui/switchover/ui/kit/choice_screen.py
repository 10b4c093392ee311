"""Decisions with a reason: an unknown outcome, a failed step, a gate that asks a person, checklist items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.ui.kit.actions import bound
from switchover.ui.kit.guarded_screen import GuardedScreen
from switchover.ui.kit.messages import Intent
from switchover.ui.kit.row_list import RowList
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, ListItem, StyledSpan, wrap

__all__ = ["Choice", "ChoiceScreen"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be decided. `ask` labels what is typed with it; `need`: it may not stay empty."""

    key: str
    label: str
    what: str
    intent: Callable[[str], Intent]
    ask: str = ""
    need: bool = False
    style: str = "strong"


class ChoiceScreen(GuardedScreen):
    """Choose with the cursor, type the reason, press enter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose"),
        bound("rollback", title="ways back"),
    ]
    EXPIRES_S = 600.0

    def __init__(
        self,
        painter: Painter,
        moment: RenderContext,
        title: str,
        lines: Callable[[RenderContext, int], Sequence[Line]],
        choices: Callable[[RenderContext], Sequence[Choice]],
        *,
        stays: bool = False,
    ) -> None:
        super().__init__(painter, moment, title)
        self._lines = lines
        self._choices = choices
        self._stays = stays
        self._rows = RowList(painter)
        self._entry = TextEntry(painter, "reason:", id="reason")
        self._asking: Choice | None = None

    def compose(self) -> ComposeResult:
        """Place what it is about, the choices, the line for the reason."""
        yield self.header
        yield self._rows
        yield self._entry
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Choose first."""
        self._entry.display = False
        self._rows.focus()

    def draw(self) -> None:
        """Draw the choices as they stand now."""
        width = self.size.width
        items = []
        for choice in self._choices(self.moment):
            body: list[Line] = [(StyledSpan(f"   {choice.label}", choice.style),)]
            body.extend(
                (StyledSpan("     "), *line) for line in wrap(choice.what, width - 7, "muted", limit=3) if choice.what
            )
            items.append(ListItem(f"choice:{choice.key}", tuple(body)))
        heading = [(), *self._lines(self.moment, width), ()]
        self._rows.set_items(items, heading, [(StyledSpan("   nothing is left to decide here", "muted"),)])

    def _chosen(self) -> Choice | None:
        key = self._rows.key.removeprefix("choice:")
        return next((choice for choice in self._choices(self.moment) if choice.key == key), None)

    def action_choose(self) -> None:
        """Take the choice; ask for its reason where it has one."""
        choice = self._chosen()
        if choice is None:
            self.leave()
        elif choice.ask:
            self._asking = choice
            self._entry.display = True
            self._entry.text = ""
            self._entry.relabel(choice.ask)
            self._entry.take_focus()
        else:
            self._send(choice, "")

    def on_text_entry_entered(self, event: TextEntry.Entered) -> None:
        """Send the choice with its reason."""
        choice, text = self._asking, event.text.strip()
        if choice is None:
            return
        if choice.need and not text:
            self.say("this needs a word: it stands in the report", error=True)
            return
        self._send(choice, text)

    def on_text_entry_left(self) -> None:
        """Choose again."""
        self._asking = None
        self._entry.display = False
        self._rows.focus()

    def _send(self, choice: Choice, text: str) -> None:
        if self._stays:
            self.app.post_message(choice.intent(text))
            self.on_text_entry_left()
        else:
            self.decide(choice.intent(text))
