"""Before something is done to services, and what came of it: the question, the typed name, the result for each."""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.app import ComposeResult

from switchover.commands.services import ShowCommandLine
from switchover.errors import SwitchoverError
from switchover.snapshot.tiers import Tier
from switchover.ui.kit.base_screen import OverScreen
from switchover.ui.kit.guarded_screen import StakesScreen, TypedScreen, YesScreen
from switchover.ui.kit.messages import Sender
from switchover.ui.kit.ports import ServiceOrders
from switchover.ui.kit.scroller import Scroller
from switchover.ui.kit.theme import Painter
from switchover.ui.services.arrangement import id_of
from switchover.ui.services.connection_tree import graph_of
from switchover.ui.services.service_detail import find_service
from switchover.ui.services.service_order_lines import (
    ServiceAction,
    ServiceActionResult,
    result_line,
    service_action_lines,
    why_nothing,
)
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import StyledSpan, wrap

__all__ = ["AskActionScreen", "ResultScreen", "TypeActionScreen", "service_action_screen"]


def service_action_screen(
    painter: Painter, moment: RenderContext, order: ServiceAction, sender: Sender, orders: ServiceOrders
) -> _OrderScreen:
    """Return the screen that an order takes: a yes, or a name that is typed. `orders` gets what was typed."""
    kind = TypeActionScreen if order.tier is Tier.TYPED else AskActionScreen
    return kind(painter, moment, order, sender, orders)


class _OrderScreen(StakesScreen):
    """Names the things, what happens to them, who needs them, and the command line. Decides nothing on old data."""

    def __init__(
        self, painter: Painter, moment: RenderContext, order: ServiceAction, sender: Sender, orders: ServiceOrders
    ) -> None:
        super().__init__(painter, moment, f"{order.title}?")
        self.order = order
        self._sender = sender
        self._orders = orders
        self._commands: list[str] = []

    def on_mount(self) -> None:
        """Ask for the command lines."""
        self.run_worker(self._load(), name="commands")

    async def _load(self) -> None:
        try:
            for row in self.order.rows[:5]:
                shown = await self._sender.send(ShowCommandLine(id_of(row), self.order.action, self.order.argument))
                if shown.text:
                    self._commands.append(shown.text)
            self._commands += [""] * (len(self.order.rows) - 5)
        except SwitchoverError:
            self._commands = []  # what is done does not depend on it
        self.draw()

    def draw(self) -> None:
        """Draw what is at stake as it stands now."""
        width = self.size.width
        self.draw_bar()
        lines = service_action_lines(self.order, self.moment, graph_of(self.moment.data), width, self._commands)
        why = self.why_not()
        ask = [(StyledSpan(" "), *line) for line in wrap(why, width - 2, "outcome-crit")] if why else [self.question()]
        self._body.set_all([(), *lines, (), *ask])

    def why_not(self) -> str:
        """Say why the order cannot be given any more; empty where it can."""
        rows = [find_service(self.moment, id_of(row)) for row in self.order.rows]
        for row, now in zip(self.order.rows, rows, strict=True):
            if now is None or now.identity != row.identity:
                return f"{row.name} is gone or another one by now; nothing was done"
            if self.order.action not in now.actions:
                return f"{row.name} is {now.state} by now: {self.order.action} is not possible; nothing was done"
        return why_nothing([row for row in rows if row is not None], self.moment)

    def do(self, typed: str) -> None:
        """Give the order."""
        self._orders.give(self.order, typed)


class AskActionScreen(_OrderScreen, YesScreen):
    """A yes gives the order."""


class TypeActionScreen(_OrderScreen, TypedScreen):
    """The name gives the order."""

    @property
    def must_type(self) -> str:
        """The name, or the action and how many."""
        return self.order.must_type

    def on_key(self, event: events.Key) -> None:
        """Scroll what is at stake without leaving the line."""
        by = {"pagedown": 1, "pageup": -1}.get(event.key)
        if by is not None:
            self._body.action_scroll_page(by)


class ResultScreen(OverScreen):
    """What came of an order, one line for each service. It stays until it was read; leaving it stops nothing."""

    def __init__(self, painter: Painter, moment: RenderContext, order: ServiceAction) -> None:
        super().__init__(painter, moment, f"{order.title}: what came of it")
        self._order = order
        self._results = {id_of(row): ServiceActionResult(id_of(row), None, "") for row in order.rows}
        self._body = Scroller(painter)

    def compose(self) -> ComposeResult:
        """Header, results, keys."""
        yield self.header
        yield self._body
        yield self.status
        yield self.keys

    def take(self, results: Sequence[ServiceActionResult]) -> None:
        """Take in what came of it."""
        self._results.update((result.id, result) for result in results)
        if self.is_mounted:
            self.draw()

    def draw(self) -> None:
        """Draw: what failed first."""
        width = self.size.width
        rows = sorted(self._order.rows, key=lambda row: self._results[id_of(row)].ok is not False)
        done = [result.ok for result in self._results.values()]
        waits = f", {done.count(None)} under way" if None in done else ""
        unknown = sum(not result.known for result in self._results.values())
        failed = f"{done.count(False) - unknown} failed{f', {unknown} not known' if unknown else ''}"
        title = f" {done.count(True)} done, {failed}{waits}"
        style = "outcome-crit" if False in done else "strong"
        lines = [result_line(row.name, self._results[id_of(row)], width) for row in rows]
        self._body.set_all([(), (StyledSpan(title, style),), (), *lines])
