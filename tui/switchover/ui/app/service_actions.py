"""What the operator's keys do to services: act on them, open a shell or logs, see who needs whom."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from switchover.clock import Clock
from switchover.commands.services import ActOnServices, DismissService, ShowCommandLine
from switchover.errors import LineLostError, SwitchoverError
from switchover.snapshot.tiers import Tier
from switchover.terminal.screen_difference import DifferenceMixin
from switchover.ui.app.bridge import SnapshotSource
from switchover.ui.kit.theme import Painter
from switchover.ui.services.arrangement import id_of, is_kept
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan

if TYPE_CHECKING:
    from switchover.snapshot import ServiceRow
    from switchover.ui.app.main_screen import MainScreen
    from switchover.ui.services.service_order_lines import ServiceAction, ServiceActionResult

__all__ = ["ServiceActions"]

_NAMED = 12  # things that a question names


class ServiceActions(DifferenceMixin):
    """The actions on services. The App gives `source`, `moment`, `painter`, `main`, `say` and `show`."""

    source: SnapshotSource
    moment: RenderContext
    painter: Painter
    main: MainScreen
    clock: Clock
    lets_time_pass: bool

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.under_way: dict[str, str] = {}  # id of a service → the action that is being done to it

    def say(self, text: str, *, error: bool = False, hint: str = "") -> None:
        """Put a remark or an error into the status line."""

    def show(self) -> None:
        """Draw this moment."""

    def services_at_hand(self) -> tuple[ServiceRow, ...]:
        """Return the services that the screen, the selection or the cursor is about."""
        at_hand = getattr(self.screen, "chosen", None)
        if at_hand is None and self.screen is self.main and self.main.has_pane:
            at_hand = getattr(self.main.pane, "chosen", None)
        return at_hand or ()

    def keeps_anything(self) -> bool:
        """Say whether anything is kept until a person has seen it."""
        return any(is_kept(row) for row in self.moment.data.found)

    # ------------------------------------------------------------------ look

    def action_service_logs(self) -> None:
        """Open the logs of the services at hand, merged where they are several."""
        rows = [row for row in self.services_at_hand() if "logs" in row.actions]
        if rows:
            more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
            self.open_logs([id_of(row) for row in rows], title=f"logs of {rows[0].name}{more}")

    def open_logs(self, items: Sequence[str] = (), paths: Sequence[str] = (), title: str = "") -> None:
        """Open the logs of services, by their ids, and of files, merged by time."""
        from switchover.ui.logs.log_feed import LogFeed, Wanted, names_of
        from switchover.ui.logs.log_screen import LogScreen

        feed = LogFeed(self.source, Wanted(tuple(items), tuple(paths)))
        title = title or f"logs of {names_of(items, paths)}"
        clock = self.clock.monotonic
        self.push_screen(
            LogScreen(
                self.painter, self.moment, title, feed, clock, poor=lambda: self.link.poor, ticks=self.lets_time_pass
            )
        )

    def action_open_log_file(self) -> None:
        """Ask for a log file and open it."""
        from switchover.ui.logs.log_path_screen import LogPathScreen

        self.push_screen(LogPathScreen(self.painter, self.moment, lambda paths: self.open_logs((), paths)))

    def action_service_inspect(self) -> None:
        """Open the service at hand with all that its source knows."""
        rows = self.services_at_hand()
        if rows:
            self.open_service(id_of(rows[0]), inspected=True)

    def open_service(self, name: str, *, inspected: bool = False) -> None:
        """Open everything about a service."""
        from switchover.ui.services.service_screen import ServiceScreen

        self.push_screen(ServiceScreen(self.painter, self.moment, name, self.source, inspected=inspected))

    def action_connections(self) -> None:
        """Open who needs whom."""
        from switchover.ui.services.connections_screen import ConnectionsScreen

        rows = self.services_at_hand()
        name = id_of(rows[0]) if rows else ""
        self.push_screen(ConnectionsScreen(self.painter, self.moment, name, self.open_service))

    def action_seen_all(self) -> None:
        """Ask whether a person has seen all that is kept until then."""
        from switchover.ui.kit.guarded_screen import AskScreen
        from switchover.ui.kit.messages import Intent

        names = [row.name for row in self.moment.data.found if is_kept(row)]
        lines: list[Line] = [(StyledSpan(f"   {name}"),) for name in names[:_NAMED]]
        if more := len(names) - _NAMED if len(names) > _NAMED else 0:
            lines.append((StyledSpan(f"   and {more} more", "muted"),))
        intent = Intent(DismissService(""), "all of it is seen")
        self.push_screen(AskScreen(self.painter, self.moment, "have you seen all that is over?", lines, intent))

    # ------------------------------------------------------------------ act

    def action_service_actions(self) -> None:
        """Open what can be done to the services at hand."""
        from switchover.ui.services.service_menu import ServiceMenu

        ids = [id_of(row) for row in self.services_at_hand()]
        if ids:
            menu = ServiceMenu(self.painter, self.moment, ids, self.source, self._order, lambda: self.under_way)
            self.push_screen(menu)

    def _order(self, order: ServiceAction) -> None:
        """Give an order at once where it is harmless; else ask."""
        if order.tier is Tier.HARMLESS:
            self._give(order, "")
            return
        from switchover.ui.services.service_order_screens import service_action_screen

        self.push_screen(service_action_screen(self.painter, self.moment, order, self.source, self._give))

    def _give(self, order: ServiceAction, typed: str) -> None:
        """Have it done, once: while it is under way nothing else is done to the same service."""
        from switchover.ui.services.service_order_lines import doing_word
        from switchover.ui.services.service_order_screens import ResultScreen

        ids = [id_of(row) for row in order.rows]
        if any(name in self.under_way for name in ids):
            self.say("something is being done to it already: wait until that has ended", error=True)
            return
        self.under_way.update(dict.fromkeys(ids, order.action))
        results = ResultScreen(self.painter, self.moment, order) if len(order.rows) > 1 else None
        if results is not None:
            self.push_screen(results)
        else:
            self.say(f"{doing_word(order.action)} {order.rows[0].name} …")
        self.run_worker(self._act(order, typed, results), name=f"act {order.action}")
        self.show()

    async def _act(self, order: ServiceAction, typed: str, screen: Any) -> None:
        from switchover.ui.services.service_order_lines import ServiceActionResult

        try:
            done = await self.source.send(ActOnServices(order.items, order.action, order.argument, typed))
            results = [ServiceActionResult(one.id, one.ok, one.text) for one in done]
        except LineLostError as error:
            why = f"{error.title}: look at it before you ask again"
            results = [ServiceActionResult(id_of(row), ok=False, text=why, known=False) for row in order.rows]
        except SwitchoverError as error:
            why = f"{error.title}{f': {error.hint}' if error.hint else ''}"
            results = [ServiceActionResult(id_of(row), ok=False, text=why) for row in order.rows]
        finally:
            for row in order.rows:
                self.under_way.pop(id_of(row), None)
        told = {result.id for result in results}
        missing = "the agent did not say what came of it"
        results += [
            ServiceActionResult(id_of(row), ok=False, text=missing) for row in order.rows if id_of(row) not in told
        ]
        self._tell(order, results, screen)
        self.show()

    def _tell(self, order: ServiceAction, results: Sequence[ServiceActionResult], screen: Any) -> None:
        failed = [result for result in results if not result.ok]
        came = "failed" if all(result.known for result in failed) else "was asked for; nobody knows whether it was done"
        if screen is not None:
            screen.take(results)
            if self.screen is screen:
                return
        if failed:
            more = f" (and {len(failed) - 1} more of {len(results)})" if len(failed) > 1 else ""
            self.say(f"{order.title} {came}: {failed[0].text}{more}", error=True)
        else:
            said = results[0].text if len(results) == 1 else f"{len(results)} done"
            self.say(f"{order.title}: {said or 'done'}")

    # ------------------------------------------------------------------ the terminal handed over

    def action_service_shell(self) -> None:
        """Open a shell in the service at hand, on this terminal."""
        rows = self.services_at_hand()
        if len(rows) == 1:
            self.run_worker(self._hand_over(rows[0], "exec"), name="shell", group="terminal", exclusive=True)

    def action_service_pager(self) -> None:
        """Show the log of the service at hand by its own command, such as `journalctl`, on this terminal."""
        rows = [row for row in self.services_at_hand() if "logs" in row.actions]
        if rows:
            self.run_worker(self._hand_over(rows[0], "logs"), name="shell", group="terminal", exclusive=True)

    def action_shell_here(self) -> None:
        """Open the operator's own shell, on this terminal."""
        argv = [os.environ.get("SHELL") or "/bin/sh"]
        self.run_worker(self._run_here(argv, "the shell"), name="shell", group="terminal", exclusive=True)

    async def _hand_over(self, row: ServiceRow, what: str) -> None:
        try:
            shown = await self.source.send(ShowCommandLine(id_of(row), what))
        except SwitchoverError as error:
            self.say(error.title, error=True, hint=error.hint)
            return
        if not shown.argv:
            self.say(f"there is no command for this on {row.name}", error=True)
            return
        await self._run_here(shown.argv, f"the {'shell' if what == 'exec' else 'log'} of {row.name}")

    async def _run_here(self, argv: Sequence[str], called: str) -> None:
        from switchover.ui.kit.terminal_handover import hand_over
        from switchover.ui.text.state_words import ending

        try:
            ended = await hand_over(self, argv)
        except SwitchoverError as error:
            self.say(error.title, error=True, hint=error.hint)
            return
        self.show()
        self.say(f"back from {called}: {ending(ended.exit_code)}")
