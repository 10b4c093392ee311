"""Costs a month, line by line: before, after, the difference, and whether the promise holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from switchover.snapshot import ChoiceRow, ChosenSums, CostRow, CostsView
from switchover.ui.text.columns import Column, ColumnLayout, header_line, lay_out, row_line, widen
from switchover.ui.text.numbers import signed
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, ListItem, StyledSpan, wrap

__all__ = ["choosable", "cost_table", "cost_totals"]

_COLUMNS = (
    Column("a month", 12, most=48),
    Column("before", 9, "right", most=20),
    Column("after", 9, "right", most=20),
    Column("difference", 10, "right", most=20),
    Column("note", 6, grow=1, drop=1),
)
_SOURCES = {"planned": "as the plan says", "measured": "as billed", "priced": "as the plan and its prices say"}
_BARS_FROM = 60


def _layout(moment: RenderContext, width: int) -> ColumnLayout:
    costs = moment.data.costs
    sums = [_sums(costs, ()), *costs.combinations]
    columns = widen(_COLUMNS, 1, [*(r.before for r in costs.rows), *(s.before for s in sums)])
    columns = widen(columns, 2, [*(r.after for r in costs.rows), *(s.after for s in sums)])
    changes = [*(r.difference for r in costs.rows), *(s.difference for s in sums), *(c.change for c in costs.choices)]
    columns = widen(columns, 3, changes)
    names = [*(r.line for r in costs.rows), *(f"[x] {c.name}" for c in costs.choices)]
    room = width - sum(column.width for column in columns[1:4]) - 9
    return lay_out(widen((replace(columns[0], most=max(min(48, room), 12)), *columns[1:]), 0, names), width)


def cost_table(
    moment: RenderContext, width: int, wanted: str = "", chosen: Collection[str] = ()
) -> tuple[list[Line], list[ListItem]]:
    """Return the heading, an item a line of money, and one for each choice that one has."""
    layout = _layout(moment, width)
    costs = moment.data.costs
    rows = [row for row in costs.rows if wanted in f"{row.line} {row.note}".lower()]
    items = [ListItem(f"cost:{row.line}", (_row(layout, row),)) for row in rows]
    choices = [choice for choice in costs.choices if wanted in choice.name.lower()]
    offered = choosable(costs)
    items += [
        ListItem(f"choice:{one.name}", (_choice(layout, one, one.name in chosen, one.name in offered),))
        for one in choices
    ]
    return [header_line(layout)], items


def choosable(costs: CostsView) -> frozenset[str]:
    """Return the choices whose sums the agent has computed: of very many the first."""
    return frozenset(choice.name for choice in costs.choices[: max(len(costs.combinations).bit_length() - 1, 0)])


def _choice(layout: ColumnLayout, choice: ChoiceRow, on: bool, offered: bool) -> Line:
    mark = "   " if not offered else "[x]" if on else "[ ]"
    return row_line(
        layout,
        [
            StyledSpan(f"{mark} {choice.name}", "strong" if on else "text"),
            StyledSpan(""),
            StyledSpan(""),
            _difference(choice.change),
            StyledSpan(
                "; ".join(choice.warnings) or ("what if" if offered else "what if, alone"),
                "outcome-warn" if choice.warnings else "muted",
            ),
        ],
    )


def _row(layout: ColumnLayout, row: CostRow, style: str = "text") -> Line:
    return row_line(
        layout,
        [
            StyledSpan(row.line, style),
            StyledSpan(row.before or "–", style),
            StyledSpan(row.after or "–", style),
            _difference(row.difference),
            StyledSpan(row.note, "muted"),
        ],
    )


def _difference(amount: str) -> StyledSpan:
    text = signed(amount)
    style = "money-saved" if text.startswith("−") else "money-added" if text.startswith("+") else "muted"
    return StyledSpan(text or "–", style)


def cost_totals(
    moment: RenderContext, width: int, chosen: Collection[str] = (), key: str = "", most: int = 40
) -> list[Line]:
    """Return the sum under the columns, with the choices that are on; then the budget and what else counts.

    The line under the cursor (`key`) is computed in a sentence. Of doubts no more are named than fit into `most` lines.
    """
    costs = moment.data.costs
    if not costs.rows:
        return []
    sums = _sums(costs, chosen)
    percent = sums.percent.replace("-", "−")
    total = CostRow(f"total {costs.currency}", sums.before, sums.after, sums.difference, percent)
    bars = [] if width < _BARS_FROM else _bars(sums.before, sums.after, width)
    sentence, remarks = _sentence(moment, key, width), _remarks(costs, sums, width, chosen=bool(chosen))
    found = [_row(_layout(moment, width), total, "strong"), *bars, *sentence, *remarks]
    return [*found, *_doubts(costs, max(most - len(found), 2))]


def _doubts(costs: CostsView, most: int) -> list[Line]:
    lines = [(StyledSpan(f" ! {warning}", "outcome-warn"),) for warning in costs.warnings]
    if len(lines) <= most:
        return list(lines)
    left = len(lines) - most + 1
    return [
        *lines[: most - 1],
        (StyledSpan(f" ! {left} more doubts; `switchover cost` names them all", "outcome-warn"),),
    ]


def _sentence(moment: RenderContext, key: str, width: int) -> list[Line]:
    """Return how the chosen line is computed, with its numbers."""
    row = next((row for row in moment.data.costs.rows if f"cost:{row.line}" == key), None)
    if row is None or not row.sentence:
        return []
    return wrap("\n".join(f"{row.line} {line}" for line in row.sentence.split("\n")), width, "muted")


def _sums(costs: CostsView, chosen: Collection[str]) -> ChosenSums:
    """Return the totals under the choices; the agent has computed each combination beforehand."""
    number = sum(1 << bit for bit, choice in enumerate(costs.choices) if choice.name in chosen)
    if 0 < number < len(costs.combinations):
        return costs.combinations[number]
    totals = (costs.before_total, costs.after_total, costs.difference, costs.percent)
    return ChosenSums(*totals, costs.within_budget, costs.both_total, costs.after_range, costs.unpriced)


def _bars(before: str, after: str, width: int) -> list[Line]:
    """Return both sums as bars of one scale."""
    amounts = [_number(text) for text in (before, after)]
    most, room = max(amounts), min(width - 14, 60)
    if most <= 0:
        return []
    found: list[Line] = []
    for word, amount, style in (("before", amounts[0], "money-added"), ("after", amounts[1], "money-saved")):
        found.append((StyledSpan(f" {word:7}", "muted"), StyledSpan("█" * max(round(room * amount / most), 0), style)))
    return found


def _number(text: str) -> float:
    try:
        return max(float(text.lstrip("~").replace("−", "-")), 0.0)
    except ValueError:
        return 0.0


def _budget(costs: CostsView, sums: ChosenSums) -> Line:
    within = sums.within_budget
    mark, style = ("✓ within", "outcome-ok") if within else ("✗ over", "outcome-crit")
    if within is None:
        mark, style = "? not known against", "outcome-unknown"
    words = f" {mark} the budget of {costs.budget} {costs.currency} a month"
    least = "at least " if sums.unpriced else ""
    share = f", {least}{100 * _number(sums.after) / _number(costs.budget):.0f} % of it" if _number(costs.budget) else ""
    return (StyledSpan(words + share, style),)


def _remarks(costs: CostsView, sums: ChosenSums, width: int, *, chosen: bool) -> list[Line]:
    lines: list[Line] = []
    if costs.budget:
        lines.append(_budget(costs, sums))
    if sums.unpriced:
        lines.append(
            (StyledSpan(f" ? {sums.unpriced} lines have no price: the sum is at least that", "outcome-unknown"),)
        )
    if sums.after_range:
        lines.append((StyledSpan(f" After lies between {sums.after_range} {costs.currency}.", "muted"),))
    if sums.both:
        both = f" While both stacks run they cost {sums.both} {costs.currency} a month together"
        waiting = f"; waiting costs {costs.waiting_a_day} a day" if costs.waiting_a_day and not chosen else ""
        lines += wrap(f"{both}{waiting}.", width)
    if costs.once:
        pays = (
            f"; the saving has paid it after {costs.pays_after}"
            if costs.pays_after not in {"", "never"} and not chosen
            else ""
        )
        lines.append((StyledSpan(f" Once, in no sum above: {costs.once} {costs.currency}{pays}."),))
    lines.append((StyledSpan(f" Amounts {_SOURCES.get(costs.source, costs.source)}.", "muted"),))
    return lines
