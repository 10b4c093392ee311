"""Actions on services, in words: what each does, to which rows, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from switchover.commands.services import ChosenService
from switchover.snapshot import ServiceRow
from switchover.snapshot.tiers import ACTIONS, Tier, tier_of
from switchover.ui.services.arrangement import id_of
from switchover.ui.services.connection_tree import Graph
from switchover.ui.services.service_lines import state_word
from switchover.ui.text.labelled import is_late
from switchover.ui.text.numbers import age
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.state_words import outcome
from switchover.ui.text.styled_line import Line, StyledSpan, cut, wrap

__all__ = [
    "NUMBERS",
    "Offer",
    "ServiceAction",
    "ServiceActionResult",
    "doing_word",
    "needed_lines",
    "offers",
    "result_line",
    "service_action_lines",
    "tier_words",
    "why_nothing",
]


class _Words(NamedTuple):
    key: str
    doing: str
    what: str


_WORDS: Mapping[str, _Words] = {
    "start": _Words("1", "starting", "starts it; what is paused goes on"),
    "restart": _Words("2", "restarting", "stops it in good order and starts it again; connections break meanwhile"),
    "reload": _Words("3", "reloading", "has it read its configuration again"),
    "pause": _Words("4", "pausing", "it keeps its memory and stands still; start lets it go on"),
    "stop": _Words("5", "stopping", "ends it in good order; it stays down until something starts it"),
    "scale": _Words("6", "scaling", "runs another number of it; you are asked for how many"),
    "kill": _Words("7", "killing", "ends it at once; what it has not written is lost"),
    "remove": _Words("8", "removing", "deletes it, with all that is kept in it alone"),
}
NUMBERS: Mapping[str, str] = {words.key: action for action, words in _WORDS.items()}
_TIERS = {
    Tier.HARMLESS: ("at once", "muted"),
    Tier.CONFIRM: ("asks first", "outcome-warn"),
    Tier.TYPED: ("name typed", "danger"),
}


@dataclass(frozen=True, slots=True)
class ServiceAction:
    """An action on rows as the operator saw them. What takes the place of one meanwhile is left alone."""

    action: str
    rows: tuple[ServiceRow, ...]
    argument: str = ""

    @property
    def tier(self) -> Tier:
        """What it takes."""
        return tier_of(self.action, self.argument)

    @property
    def must_type(self) -> str:
        """What is typed to confirm it: the name of the one thing; for several the action and their number."""
        return self.rows[0].name if len(self.rows) == 1 else f"{self.action} {len(self.rows)}"

    @property
    def items(self) -> tuple[ChosenService, ...]:
        """The rows as the operator saw them."""
        return tuple(ChosenService(id_of(row), row.identity, row.observed_at) for row in self.rows)

    @property
    def title(self) -> str:
        """The order in a few words: `stop api`, `scale api to 3`, `restart api and 2 more`."""
        more = f" and {len(self.rows) - 1} more" if len(self.rows) > 1 else ""
        to = f" to {self.argument}" if self.argument else ""
        return f"{self.action} {self.rows[0].name}{more}{to}"


class Offer(NamedTuple):
    """An action in the menu. `cannot` are the rows that do not support it: then it is only shown, not offered."""

    action: str
    key: str
    what: str
    tier: Tier
    cannot: tuple[ServiceRow, ...] = ()


class ServiceActionResult(NamedTuple):
    """What came of an order for one row; `ok` is None while it is under way. Whether it was done may not be `known`."""

    id: str
    ok: bool | None
    text: str
    known: bool = True


def offers(rows: Sequence[ServiceRow]) -> list[Offer]:
    """Return the actions that at least one row supports, those that all do first."""
    found = []
    for action in ACTIONS:
        can = [row for row in rows if action in row.actions]
        if can:
            words = _WORDS[action]
            cannot = tuple(row for row in rows if action not in row.actions)
            found.append(Offer(action, words.key, words.what, tier_of(action), cannot))
    return sorted(found, key=lambda offer: bool(offer.cannot))


def why_nothing(rows: Sequence[ServiceRow], moment: RenderContext) -> str:
    """Say why nothing is offered for these rows; empty where something is."""
    if moment.stale:
        return "not connected to the agent: what is shown may be old, so nothing is done from here"
    late = [row for row in rows if row.observed_at is None or is_late(row.observed_at, row.stale_after_s, moment.now)]
    if late:
        first = late[0]
        seen = "never seen" if first.observed_at is None else f"last seen {age(moment.now - first.observed_at)} ago"
        more = f", and {len(late) - 1} more are late" if len(late) > 1 else ""
        return f"{first.name} was {seen}{more}: nothing is done to what may be something else by now"
    if not any(offers([row]) for row in rows):
        return "nothing can be done to this from here: its source only tells how it is"
    return ""


def tier_words(tier: Tier) -> tuple[str, str]:
    """Return what an action takes, and the style to say it in."""
    return _TIERS[tier]


def doing_word(action: str) -> str:
    """Return what is going on while an action is under way: `stopping`."""
    return _WORDS[action].doing


def service_action_lines(
    order: ServiceAction, moment: RenderContext, graph: Graph, width: int, commands: Sequence[str] = ()
) -> list[Line]:
    """Return all that must be known before an order is given."""
    room = max(width - 6, 20)
    style = "danger" if order.tier is Tier.TYPED else "strong"
    lines: list[Line] = [(StyledSpan(f" {order.title[0].upper()}{order.title[1:]}", style),)]
    lines.extend((StyledSpan("   "), *line) for line in wrap(_what(order), room))
    lines.append(())
    live = moment.data.header.live_side
    for row in order.rows[:12]:
        glyph, state = state_word(row)
        word = outcome(row.health)
        pid = f"pid {row.pid}" if row.pid is not None and row.kind == "process" else ""
        where = " · ".join(part for part in (row.side, row.kind, pid, row.group, row.image) if part)
        serving: Line = (StyledSpan("  this side serves now", "danger"),) if live and row.side == live else ()
        about = (StyledSpan(f"   {row.name}  ", "strong"), StyledSpan(f"{glyph} {row.state} ", state))
        lines.append(
            (*about, StyledSpan(f"{word.glyph} {word.word}  ", word.style), StyledSpan(where, "muted"), *serving)
        )
    if len(order.rows) > 12:
        lines.append((StyledSpan(f"   … and {len(order.rows) - 12} more", "muted"),))
    lines.extend(needed_lines(order, graph, room))
    if commands:
        lines.extend([(), (StyledSpan(" the same as", "heading"),)])
        lines.extend((StyledSpan("   "), *line) for text in commands[:4] for line in wrap(text, room, "code"))
        if len(commands) > 4:
            lines.append((StyledSpan(f"   … and {len(commands) - 4} more", "muted"),))
    return lines


def _what(order: ServiceAction) -> str:
    if order.action == "scale":
        now = order.rows[0].wanted
        was = f" (now {now})" if now is not None and len(order.rows) == 1 else ""
        return f"{order.argument} of it run afterwards{was}" + ("; nothing is left to answer" * (order.argument == "0"))
    return _WORDS[order.action].what


def needed_lines(order: ServiceAction, graph: Graph, width: int) -> list[Line]:
    """Say what would miss the rows: `api and worker need this`."""
    if order.action in {"start", "reload"}:
        return []
    own = {id_of(row) for row in order.rows}
    direct = _names(graph, [who for row in order.rows for who in graph.needed_by.get(id_of(row), ())], own)
    all_of_it = _names(graph, [who for row in order.rows for who in graph.all_that_need(id_of(row))], own)
    if not all_of_it:
        return []
    this = "this" if len(order.rows) == 1 else "these"
    text = f"{_and(direct)} {'needs' if len(direct) == 1 else 'need'} {this}"
    further = [name for name in all_of_it if name not in direct]
    text += f"; by way of {'it' if len(direct) == 1 else 'them'} also {_and(further)}" if further else ""
    return [(), *((StyledSpan(" "), *line) for line in wrap(text, width, "outcome-warn"))]


def _names(graph: Graph, ids: Sequence[str], own: set[str]) -> list[str]:
    return [graph.rows[name].name for name in dict.fromkeys(ids) if name not in own and name in graph.rows]


def _and(names: Sequence[str]) -> str:
    if len(names) > 6:
        return f"{', '.join(names[:6])} and {len(names) - 6} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def result_line(name: str, result: ServiceActionResult, width: int) -> Line:
    """Write what came of it for one row."""
    if result.ok is None:
        return (StyledSpan("   ◌ under way  ", "accent"), StyledSpan(name, "strong"))
    if not result.known:
        return (
            StyledSpan("   ? not known  ", "outcome-unknown"),
            StyledSpan(f"{name}  ", "strong"),
            StyledSpan(result.text),
        )
    first = StyledSpan("   ✓ done  " if result.ok else "   ✗ failed  ", "outcome-ok" if result.ok else "outcome-crit")
    return (first, StyledSpan(f"{name}  ", "strong"), StyledSpan(cut(result.text, max(width - 16 - len(name), 10))))
