"""Who needs whom, as a tree: where it is broken, and what only waits for that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from switchover.snapshot import ServiceRow, Snapshot
from switchover.ui.services.arrangement import id_of, urgency
from switchover.ui.services.service_lines import state_word
from switchover.ui.text.state_words import outcome, severity
from switchover.ui.text.styled_line import Line, StyledSpan, line_width, pad

__all__ = ["Branch", "Graph", "branch_line", "graph_of", "starts_of", "tree_of"]

_DEEPEST = 12
_MOST = 500  # branches: a ring of rings would have no end


@dataclass(frozen=True, slots=True)
class Graph:
    """Services by id, and what each needs and is needed by, by id. What is needed and not known has no row."""

    rows: dict[str, ServiceRow]
    needs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    needed_by: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def broken(self, name: str) -> bool:
        """Say whether it is not well itself."""
        row = self.rows.get(name)
        return row is not None and urgency(row) == 0

    def reach(self, name: str, edges: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        """Return all that can be reached over the edges, nearest first, without itself."""
        found: dict[str, None] = {}
        waiting = list(edges.get(name, ()))
        while waiting:
            one = waiting.pop(0)
            if one not in found and one != name:
                found[one] = None
                waiting.extend(edges.get(one, ()))
        return tuple(found)

    def all_that_need(self, name: str) -> tuple[str, ...]:
        """Return what would miss it, directly or by way of others, nearest first."""
        return self.reach(name, self.needed_by)

    def causes(self, name: str) -> tuple[str, ...]:
        """Return what is broken among all that it needs and does not itself wait for something broken."""
        below = [one for one in self.reach(name, self.needs) if self.broken(one)]
        mutual = {one for one in below if name in self.reach(one, self.needs)}
        others = [one for one in below if one not in mutual]
        roots = [one for one in others if not any(self.broken(need) for need in self.needs.get(one, ()))]
        return tuple(roots or others)


def graph_of(snapshot: Snapshot) -> Graph:
    """Return the connections of all that is known. A need is an id, else the name of one nearby."""
    rows = {id_of(row): row for found in (snapshot.found, snapshot.services) for row in found}
    by_name: dict[tuple[str, str], str] = {}
    for name, row in rows.items():
        by_name.setdefault((row.group, row.name), name)
    needs: dict[str, tuple[str, ...]] = {}
    needed_by: dict[str, list[str]] = {}
    for name, row in rows.items():
        if not row.needs:
            continue
        found = tuple(dict.fromkeys(_resolve(need, row, rows, by_name) for need in row.needs))
        needs[name] = found
        for one in found:
            needed_by.setdefault(one, []).append(name)
    return Graph(rows, needs, {name: tuple(who) for name, who in needed_by.items()})


def _resolve(need: str, row: ServiceRow, rows: dict[str, ServiceRow], by_name: dict[tuple[str, str], str]) -> str:
    if need in rows:
        return need
    for guess in (f"{row.kind}:{need}", by_name.get((row.group, need), ""), by_name.get(("", need), "")):
        if guess in rows:
            return guess
    return need


class Branch(NamedTuple):
    """A place in the tree. `before` draws the way to it; `again`: it stands above already, or leads round in a ring."""

    name: str
    before: str
    again: str = ""


def tree_of(graph: Graph, starts: Iterable[str], edges: dict[str, tuple[str, ...]]) -> list[Branch]:
    """Walk from the starts along the edges; what comes again is named once more and not opened again."""
    branches: list[Branch] = []
    opened: set[str] = set()

    def walk(name: str, way: tuple[str, ...], before: str, after: str) -> None:
        if len(branches) >= _MOST:
            return
        if name in way:
            branches.append(Branch(name, before, "↻ round in a ring"))
            return
        again = "as above" if name in opened and edges.get(name) else ""
        branches.append(Branch(name, before, again))
        if again or len(way) >= _DEEPEST:
            return
        opened.add(name)
        children = sorted(edges.get(name, ()), key=lambda child: _rank(graph, child))
        for child in children:
            last = child == children[-1]
            walk(child, (*way, name), f"{after}{'└ ' if last else '├ '}", f"{after}{'  ' if last else '│ '}")

    for start in starts:
        walk(start, (), "", "")
    return branches


def _rank(graph: Graph, name: str) -> tuple[int, str]:
    row = graph.rows.get(name)
    return (severity(row.health) if row is not None else 1, name)


def starts_of(graph: Graph) -> list[str]:
    """Return what nobody needs and what needs something, worst first; of a ring that nobody needs, its first."""
    starts = [name for name in graph.needs if not graph.needed_by.get(name)]
    reached = {*starts, *(one for name in starts for one in graph.reach(name, graph.needs))}
    for name in sorted(graph.needs):
        if name not in reached:
            starts.append(name)
            reached |= {name, *graph.reach(name, graph.needs)}
    return sorted(starts, key=lambda name: _rank(graph, name))


def branch_line(graph: Graph, branch: Branch, width: int, *, chosen: str = "") -> Line:
    """Write a branch: its name, its state, and whether it is the cause or waits for another."""
    row = graph.rows.get(branch.name)
    first: Line = (
        StyledSpan(f"   {branch.before}", "muted"),
        StyledSpan(row.name if row is not None else branch.name, "accent" if branch.name == chosen else "strong"),
    )
    if branch.again:
        return (*first, StyledSpan(f"  {branch.again}", "muted"))
    if row is None:
        return (*first, StyledSpan("  ? not known here", "outcome-unknown"))
    named = pad(first, max(min(width // 3, 44), line_width(first) + 2)) if width >= 100 else (*first, StyledSpan("  "))
    glyph, style = state_word(row)
    word = outcome(row.health)
    where = f"{row.side + ' · ' if row.side else ''}{row.kind}"
    state: Sequence[StyledSpan] = (
        StyledSpan(f"{glyph} {row.state:<9}", style),
        StyledSpan(f"{word.glyph} {word.word:<4}", word.style),
    )
    return (
        *named,
        *state,
        *_trouble(graph, branch.name, row),
        StyledSpan(f"  {where}" if width >= 100 else "", "muted"),
    )


def _trouble(graph: Graph, name: str, row: ServiceRow) -> Line:
    causes = graph.causes(name)
    if causes:
        called = [graph.rows[cause].name for cause in causes[:3]]
        named = f"{', '.join(called)}{' …' if len(causes) > 3 else ''}"
        said = f"waits for {named}" if graph.broken(name) else f"needs {named}: broken"
        return (StyledSpan(f"  {said}", "outcome-warn"),)
    if not graph.broken(name):
        return ()
    begins = "  it begins here" if graph.needed_by.get(name) else ""
    return (StyledSpan(begins, "danger"), StyledSpan(f"  {row.detail}" if row.detail else "", "text"))
