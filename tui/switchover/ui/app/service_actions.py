"""What the operator's keys do to services: act on them once each, and let go of what is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from switchover.commands.services import ActOnServices, DismissService
from switchover.errors import LineLostError, SwitchoverError
from switchover.snapshot.tiers import Tier
from switchover.ui.app.action_stage import ActionStage
from switchover.ui.app.at_hand import AtHand
from switchover.ui.services.arrangement import id_of, is_kept
from switchover.ui.text.styled_line import Line, StyledSpan

if TYPE_CHECKING:
    from switchover.ui.services.service_order_lines import ServiceAction, ServiceActionResult
    from switchover.ui.services.service_order_screens import ResultScreen

__all__ = ["ServiceActions"]

_NAMED = 12  # things that a question names


class ServiceActions:
    """The actions on services. `under_way` names what is being done, by the id of the service."""

    def __init__(self, stage: ActionStage, at_hand: AtHand) -> None:
        self._stage = stage
        self._at_hand = at_hand
        self._under_way: dict[str, str] = {}

    @property
    def under_way(self) -> Mapping[str, str]:
        """The id of each service to which something is being done, with the action."""
        return self._under_way

    def action_seen_all(self) -> None:
        """Ask whether a person has seen all that is kept until then."""
        from switchover.ui.kit.guarded_screen import AskScreen
        from switchover.ui.kit.messages import Intent

        names = [row.name for row in self._stage.moment.data.found if is_kept(row)]
        lines: list[Line] = [(StyledSpan(f"   {name}"),) for name in names[:_NAMED]]
        if more := len(names) - _NAMED if len(names) > _NAMED else 0:
            lines.append((StyledSpan(f"   and {more} more", "muted"),))
        intent = Intent(DismissService(""), "all of it is seen")
        self._stage.push_screen(
            AskScreen(self._stage.painter, self._stage.moment, "have you seen all that is over?", lines, intent)
        )

    def action_service_actions(self) -> None:
        """Open what can be done to the services at hand."""
        from switchover.ui.services.service_menu import ServiceMenu

        ids = [id_of(row) for row in self._at_hand.services()]
        if ids:
            menu = ServiceMenu(self._stage.painter, self._stage.moment, ids, self._stage.source, self)
            self._stage.push_screen(menu)

    def order(self, order: ServiceAction) -> None:
        """Give an order at once where it is harmless; else ask."""
        if order.tier is Tier.HARMLESS:
            self.give(order, "")
            return
        from switchover.ui.services.service_order_screens import service_action_screen

        self._stage.push_screen(
            service_action_screen(self._stage.painter, self._stage.moment, order, self._stage.source, self)
        )

    def give(self, order: ServiceAction, typed: str) -> None:
        """Have it done, once: while it is under way nothing else is done to the same service."""
        from switchover.ui.services.service_order_lines import doing_word
        from switchover.ui.services.service_order_screens import ResultScreen

        ids = [id_of(row) for row in order.rows]
        if any(name in self._under_way for name in ids):
            self._stage.say("something is being done to it already: wait until that has ended", error=True)
            return
        self._under_way.update(dict.fromkeys(ids, order.action))
        results = ResultScreen(self._stage.painter, self._stage.moment, order) if len(order.rows) > 1 else None
        if results is not None:
            self._stage.push_screen(results)
        else:
            self._stage.say(f"{doing_word(order.action)} {order.rows[0].name} …")
        self._stage.work(self._act(order, typed, results), f"act {order.action}")
        self._stage.show()

    async def _act(self, order: ServiceAction, typed: str, screen: ResultScreen | None) -> None:
        from switchover.ui.services.service_order_lines import ServiceActionResult

        try:
            done = await self._stage.source.send(ActOnServices(order.items, order.action, order.argument, typed))
            results = [ServiceActionResult(one.id, one.ok, one.text) for one in done]
        except LineLostError as error:
            why = f"{error.title}: look at it before you ask again"
            results = [ServiceActionResult(id_of(row), ok=False, text=why, known=False) for row in order.rows]
        except SwitchoverError as error:
            why = f"{error.title}{f': {error.hint}' if error.hint else ''}"
            results = [ServiceActionResult(id_of(row), ok=False, text=why) for row in order.rows]
        finally:
            for row in order.rows:
                self._under_way.pop(id_of(row), None)
        told = {result.id for result in results}
        missing = "the agent did not say what came of it"
        results += [
            ServiceActionResult(id_of(row), ok=False, text=missing) for row in order.rows if id_of(row) not in told
        ]
        self._tell(order, results, screen)
        self._stage.show()

    def _tell(self, order: ServiceAction, results: Sequence[ServiceActionResult], screen: ResultScreen | None) -> None:
        failed = [result for result in results if not result.ok]
        came = "failed" if all(result.known for result in failed) else "was asked for; nobody knows whether it was done"
        if screen is not None:
            screen.take(results)
            if self._stage.screen is screen:
                return
        if failed:
            more = f" (and {len(failed) - 1} more of {len(results)})" if len(failed) > 1 else ""
            self._stage.say(f"{order.title} {came}: {failed[0].text}{more}", error=True)
        else:
            said = results[0].text if len(results) == 1 else f"{len(results)} done"
            self._stage.say(f"{order.title}: {said or 'done'}")
