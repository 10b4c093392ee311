"""What can be done to the chosen services: each action with its key, what it takes, and its command line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from switchover.commands.services import ShowCommandLine
from switchover.errors import SwitchoverError
from switchover.snapshot import ServiceRow
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.clipboard import copy
from switchover.ui.kit.messages import Sender
from switchover.ui.kit.ports import ServiceOrders
from switchover.ui.kit.row_list import RowList
from switchover.ui.kit.text_entry import TextEntry
from switchover.ui.kit.theme import Painter
from switchover.ui.services.service_detail import find_service
from switchover.ui.services.service_order_lines import (
    NUMBERS,
    Offer,
    ServiceAction,
    doing_word,
    offers,
    tier_words,
    why_nothing,
)
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, ListItem, StyledSpan, cut, line_width, wrap

__all__ = ["ServiceMenu"]

_INDENT = 27


class ServiceMenu(OverScreen):
    """The actions that all chosen services support. What needs a yes asks for it.

    A number only goes to its action: it chooses a tab elsewhere, and a press too many must start nothing.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "do it", tooltip="do what is under the cursor, or ask first where it takes that"),
        *[Binding(number, f"pick('{number}')", action.capitalize(), show=False) for number, action in NUMBERS.items()],
        Binding("Y", "copy", "copy the command", tooltip="send its command line to your terminal's clipboard"),
    ]

    def __init__(
        self,
        painter: Painter,
        moment: RenderContext,
        ids: Sequence[str],
        sender: Sender,
        orders: ServiceOrders,
    ) -> None:
        first = find_service(moment, ids[0])
        called = first.name if first is not None else ids[0]
        super().__init__(painter, moment, f"{called}{f' and {len(ids) - 1} more' if len(ids) > 1 else ''}: actions")
        self._ids = tuple(ids)
        self._sender = sender
        self._orders = orders
        self._commands: dict[str, str] = {}
        self._asked: set[str] = set()
        self._list = RowList(painter)
        self._entry = TextEntry(painter, "how many?", id="count")

    def compose(self) -> ComposeResult:
        """Header, the actions, the line for a number, keys."""
        yield self.header
        yield self._list
        yield self._entry
        yield self.status
        yield self.keys

    def on_mount(self) -> None:
        """Choose first."""
        self._entry.display = False
        self._list.focus()

    @property
    def rows(self) -> tuple[ServiceRow, ...]:
        """The chosen services as they are now; those that have gone are not among them."""
        found = (find_service(self.moment, name) for name in self._ids)
        return tuple(row for row in found if row is not None)

    def _why_nothing(self) -> str:
        if not self.rows:
            return "gone: nothing is left to act on"
        under_way = self._orders.under_way
        doing = next((under_way[name] for name in self._ids if name in under_way), "")
        if doing:
            return f"{doing_word(doing)} it: wait until that has ended"
        return why_nothing(self.rows, self.moment)

    def draw(self) -> None:
        """Draw the actions as they are possible now."""
        why, width = self._why_nothing(), self.size.width
        if why:
            self._list.set_items([], (), [(), *((StyledSpan("   "), *line) for line in wrap(why, width - 6, "late"))])
            return
        heading: list[Line] = [(), self._about(), ()]
        self._list.set_items([self._item(offer, width) for offer in offers(self.rows)], heading)
        self._ask_for_commands()

    def _about(self) -> Line:
        rows = self.rows
        names = ", ".join(row.name for row in rows[:6])
        more = f" and {len(rows) - 6} more" if len(rows) > 6 else ""
        state = f"  {rows[0].kind} · {rows[0].state}" if len(rows) == 1 else f"  {len(rows)} selected"
        gone = f" · {len(self._ids) - len(rows)} gone" if len(self._ids) > len(rows) else ""
        about = (StyledSpan(f"{state}{gone}", "muted"),)
        room = self.size.width - line_width(about) - 1
        return (StyledSpan(f" {cut(names + more, max(room, 10))}", "strong"), *about)

    def _item(self, offer: Offer, width: int) -> ListItem:
        key = f"action:{offer.action}"
        if offer.cannot:
            names = ", ".join(row.name for row in offer.cannot[:4]) + (" …" if len(offer.cannot) > 4 else "")
            return ListItem(
                key, ((StyledSpan(f"   –  {offer.action:<9}", "muted"), StyledSpan(f"not possible: {names}", "muted")),)
            )
        says, style = tier_words(offer.tier)
        first: Line = (
            StyledSpan(f"   {offer.key}", "key"),
            StyledSpan(f"  {offer.action:<9}", "danger" if style == "danger" else "strong"),
            StyledSpan(f"{says:<12}", style),
        )
        room = max(width - _INDENT - 2, 20)
        what = wrap(offer.what, room)
        command = self._commands.get(offer.action, "")
        more = f"  and {len(self.rows) - 1} more" if len(self.rows) > 1 and command else ""
        below = [*what[1:], *(wrap(command + more, room, "code", limit=2) if command else [()])]
        return ListItem(key, ((*first, *what[0]), *((StyledSpan(" " * _INDENT), *line) for line in below)))

    # ------------------------------------------------------------------ commands

    def _ask_for_commands(self) -> None:
        missing = [offer.action for offer in offers(self.rows) if not offer.cannot and offer.action not in self._asked]
        if missing:
            self._asked.update(missing)
            self.run_worker(self._load(missing, self._ids[0]), name="commands")

    async def _load(self, actions: Sequence[str], name: str) -> None:
        for action in actions:
            try:
                argument = "N" if action == "scale" else ""
                self._commands[action] = (await self._sender.send(ShowCommandLine(name, action, argument))).text
            except SwitchoverError as error:
                self._commands[action] = f"({error.title})"
        self.draw()

    async def _copy(self, action: str) -> None:
        texts = []
        try:
            for row in self.rows:
                argument = "N" if action == "scale" else ""
                texts.append((await self._sender.send(ShowCommandLine(row.id or row.name, action, argument))).text)
        except SwitchoverError as error:
            self.say(error.title, error=True, hint=error.hint)
            return
        self.say(copy(self.app, "\n".join(text for text in texts if text)))

    def action_copy(self) -> None:
        """Send the command line of the action under the cursor to the clipboard of the operator's terminal."""
        offer = self._at_hand()
        if offer is not None:
            self.run_worker(self._copy(offer.action), name="copy")

    # ------------------------------------------------------------------ choose

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what does something now."""
        del parameters
        offer = self._at_hand()
        return action not in {"choose", "copy"} or (offer is not None and not offer.cannot)

    def on_row_list_moved(self) -> None:
        """Show the keys that do something to the action under the cursor."""
        self.show_keys()

    def _at_hand(self) -> Offer | None:
        if self._why_nothing():
            return None
        action = self._list.key.removeprefix("action:")
        return next((offer for offer in offers(self.rows) if offer.action == action), None)

    def action_pick(self, number: str) -> None:
        """Put the cursor on the action with this number; enter does it."""
        self._list.select(f"action:{NUMBERS[number]}")
        offer = self._at_hand()
        if offer is not None and offer.action == NUMBERS[number]:
            self._say_who_cannot(offer)

    def action_choose(self) -> None:
        """Take the action under the cursor."""
        self._take(self._at_hand())

    def _take(self, offer: Offer | None) -> None:
        if offer is None or self.left or self._why_nothing():
            return
        if self._say_who_cannot(offer):
            return
        if offer.action == "scale":
            self._entry.display = True
            self._entry.text = ""
            self._entry.take_focus()
            return
        self._leave_with(ServiceAction(offer.action, self.rows))

    def _say_who_cannot(self, offer: Offer) -> bool:
        if offer.cannot:
            self.say(f"{offer.cannot[0].name} does not support {offer.action}: select only what does", error=True)
        return bool(offer.cannot)

    def on_text_entry_entered(self, event: TextEntry.Entered) -> None:
        """Take the number."""
        text = event.text.strip()
        if not text.isdecimal() or len(text) > 4:
            self.say("a number, such as 3", error=True)
            return
        self._leave_with(ServiceAction("scale", self.rows, str(int(text))))

    def on_text_entry_left(self) -> None:
        """Choose again."""
        self._entry.display = False
        self._list.focus()

    def _leave_with(self, order: ServiceAction) -> None:
        if not self.left and order.rows:
            self.leave()
            self._orders.order(order)
