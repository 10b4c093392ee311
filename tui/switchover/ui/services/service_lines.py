"""Services as rows: side, state, health, what they use, how long they are up. A row is made when it is shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from rich.cells import cell_len

from switchover.snapshot import ServiceRow
from switchover.ui.services.arrangement import (
    Arrangement,
    Placed,
    SortOrder,
    Weights,
    arrange,
    id_of,
    urgency,
    words_of,
)
from switchover.ui.text.chart_scale import scale_of
from switchover.ui.text.columns import Column, ColumnLayout, header_line, lay_out, row_line, widen
from switchover.ui.text.labelled import is_late
from switchover.ui.text.numbers import age, format_bytes, percent, took
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.spark import sparkline
from switchover.ui.text.state_words import outcome
from switchover.ui.text.styled_line import Line, ListItem, ListItems, StyledSpan, clean, join

__all__ = ["ServiceTable", "Wish", "service_table", "state_word", "summary_line"]

_COLUMNS = (
    Column("side", 4, drop=2, most=10),
    Column("service", 7, most=28),
    Column("kind", 4, drop=6, most=10),
    Column("pid", 7, "right", drop=5),
    Column("state", 9),
    Column("health", 6),
    Column("ready", 5, "right", drop=4),
    Column("cpu", 11, "right", grow=1, most=30),
    Column("memory", 8, "right", drop=3),
    Column("up", 5, "right"),
    Column("restarts", 8, "right", drop=7),
    Column("answers", 8, "right", drop=8),
    Column("user", 4, drop=12, most=12),
    Column("ports", 5, drop=10, most=24),
    Column("image", 5, drop=11, most=36),
    Column("detail", 10, grow=4, drop=9),
)
_SIDE, _NAME, _KIND, _PID, _READY, _RESTARTS, _ANSWERS, _USER, _PORTS, _IMAGE = 0, 1, 2, 3, 6, 10, 11, 12, 13, 14
_STATES = {
    "running": ("▶", "outcome-ok"),
    "stopped": ("■", "outcome-crit"),
    "unknown": ("?", "outcome-unknown"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """How the operator wants the rows. `wanted` is lower case text that a row has to contain."""

    wanted: str = ""
    order: SortOrder = SortOrder.WORST
    tree: bool = False
    show_found: bool = True


def state_word(row: ServiceRow) -> tuple[str, str]:
    """Return the glyph and the style of a service's state; one that need not run yet is no problem."""
    if row.state == "stopped" and urgency(row):
        return ("○", "outcome-pending") if row.health in {"pending", "skipped"} else ("■", "muted")
    if row.health in {"pending", "skipped"} and row.state != "running":
        return "○", "outcome-pending"
    return _STATES.get(row.state, ("?", "outcome-unknown"))


@dataclass(slots=True)
class ServiceTable:
    """The table of one pane. It remembers the order while the rows are the same objects, and the lines that it made."""

    _rows: tuple[tuple[ServiceRow, ...], tuple[ServiceRow, ...]] = ((), ())
    _wish: Wish | None = None
    _arranged: Arrangement = field(default_factory=lambda: Arrangement(()))
    _keys: tuple[str, ...] = ()
    _weights: Weights = field(default_factory=Weights)
    _begins: list[int] = field(default_factory=lambda: [0])
    _layout: ColumnLayout | None = None
    _layout_width: int = 0
    _words: dict[int, tuple[ServiceRow, str]] = field(default_factory=dict)
    _made: dict[str, tuple[tuple[object, ...], ListItem]] = field(default_factory=dict)

    def items(
        self,
        moment: RenderContext,
        width: int,
        wish: Wish,
        chosen: Collection[str] = (),
        busy: Mapping[str, str] | None = None,
    ) -> tuple[list[Line], ListItems]:
        """Return the heading and the rows. `chosen` are marked; `busy` names the action that is under way, by id."""
        data = moment.data
        rows = (data.services, data.found)
        if wish != self._wish or rows[0] is not self._rows[0] or rows[1] is not self._rows[1]:
            self._arrange(rows, wish)
            self._layout = None
        if self._layout is None or width != self._layout_width:
            self._layout, self._layout_width = self._lay_out(width), width
            self._made.clear()
        layout, placed, now, under_way = self._layout, self._arranged.placed, moment.now, busy or {}
        wide = max(next((size for _, column, size in layout.columns if column.title == "cpu"), 12) - 6, 0)

        def make(index: int) -> ListItem:
            return self._item(placed[index], layout, now, wide, chosen, under_way)

        return [_marked("", header_line(layout))], ListItems(self._keys, self._begins, make)

    @property
    def hidden(self) -> int:
        """How many rows that were found are not shown."""
        return self._arranged.hidden

    @property
    def rows(self) -> Sequence[ServiceRow]:
        """The rows in their order."""
        return [placed.row for placed in self._arranged.placed]

    def _arrange(self, rows: tuple[tuple[ServiceRow, ...], tuple[ServiceRow, ...]], wish: Wish) -> None:
        self._rows, self._wish = rows, wish
        self._arranged = arrange(
            *rows,
            (lambda row: wish.wanted in self._text(row)) if wish.wanted else (lambda _row: True),
            order=wish.order,
            tree=wish.tree,
            show_found=wish.show_found,
            weight=self._weights,
        )
        placed = self._arranged.placed
        keys = tuple(f"service:{id_of(one.row)}" for one in placed)
        if keys != self._keys:
            self._keys = keys
        begins, line = [0], 0
        for one in placed:
            line += 2 if one.heading else 1
            begins.append(line)
        self._begins = begins
        if len(self._words) > 4 * (len(rows[0]) + len(rows[1])) + 100:
            self._words.clear()
        if len(self._weights) > 2 * len(rows[1]) + 100:
            self._weights.keep({id_of(row) for row in rows[1]})

    def _text(self, row: ServiceRow) -> str:
        known = self._words.get(id(row))
        if known is None or known[0] is not row:
            known = self._words[id(row)] = (row, words_of(row))
        return known[1]

    def _lay_out(self, width: int) -> ColumnLayout:
        rows = self.rows
        empty = {
            _SIDE: not any(row.side for row in rows),
            _PID: not any(row.kind == "process" for row in self._rows[1]),
            _READY: not any(row.wanted is not None for row in rows),
            _RESTARTS: not any(row.restarts is not None for row in rows),
            _ANSWERS: not any(row.latency_ms is not None for row in rows),
            _USER: not any(row.user for row in rows),
            _PORTS: not any(row.ports for row in rows),
            _IMAGE: not any(row.image for row in rows),
        }
        columns = widen(_COLUMNS, _NAME, ["x" * max(map(_name_width, self._arranged.placed), default=0)])
        columns = widen(columns, _KIND, {row.kind for row in rows})
        columns = widen(columns, _SIDE, {row.side for row in rows})
        columns = widen(columns, _USER, {row.user for row in rows})
        columns = widen(columns, _IMAGE, {row.image for row in rows})
        columns = widen(columns, _PORTS, {" ".join(row.ports) for row in rows})
        kept = [index for index in range(len(columns)) if not empty.get(index)]
        layout = lay_out([columns[index] for index in kept], width - 1)
        return ColumnLayout(tuple((kept[index], column, size) for index, column, size in layout.columns))

    def _item(
        self,
        placed: Placed,
        layout: ColumnLayout,
        now: float,
        spark: int,
        chosen: Collection[str],
        busy: Mapping[str, str],
    ) -> ListItem:
        row = placed.row
        name = id_of(row)
        late = is_late(row.observed_at, row.stale_after_s, now)
        seen = age(now - (row.observed_at or now)) if late else ""
        up = age(now - row.started_at) if row.started_at is not None and row.state == "running" else "–"
        doing = busy.get(name, "")
        state = (placed, late, seen, up, name in chosen, doing)
        known = self._made.get(name)
        if known is not None and known[0] == state:
            return known[1]
        cells = _cells(row, spark, up=up, late=seen, doing=doing, depth=placed.depth)
        line = _marked("●" if name in chosen else "", row_line(layout, cells))
        above: tuple[Line, ...] = ((StyledSpan(f"  {clean(placed.heading)}", "accent"),),) if placed.heading else ()
        item = ListItem(f"service:{name}", (*above, line), len(above))
        if len(self._made) > 2048:
            self._made.clear()
        self._made[name] = (state, item)
        return item


def service_table(moment: RenderContext, width: int, wanted: str = "") -> tuple[list[Line], list[ListItem]]:
    """Return the heading and an item a service: what is not well first, then by side and name."""
    heading, items = ServiceTable().items(moment, width, Wish(wanted))
    return heading, [items.make(index) for index in range(len(items.keys))]


def summary_line(
    moment: RenderContext, table: ServiceTable, wish: Wish, chosen: int, *, chosen_hidden: int = 0
) -> Line:
    """Say how many there are, how they are sorted, and how many are selected."""
    data = moment.data
    parts: list[Line] = []
    if data.services:
        parts.append(_count(data.services, "in the plan"))
    if data.found and wish.show_found:
        parts.append(_count(data.found, "also run here" if data.services else "run here"))
    elif data.header.plan_id:
        hidden = f"{table.hidden:,} more" if table.hidden else "what else"
        parts.append((StyledSpan(".", "key"), StyledSpan(f" shows {hidden} here", "muted")))
    if off := [note.name for note in data.sources if note.state == "off"]:
        parts.append((StyledSpan(f"off: {', '.join(off)}", "muted"),))
    if wish.order is not SortOrder.WORST or wish.tree:
        parts.append((StyledSpan(f"by {wish.order.value}{', as a tree' if wish.tree else ''}", "accent"),))
    if chosen:
        more = f" ({chosen_hidden} not shown)" if chosen_hidden else ""
        parts.append(
            (
                StyledSpan(f"● {chosen} selected{more}", "accent"),
                StyledSpan("  esc", "key"),
                StyledSpan(" none", "muted"),
            )
        )
    return (StyledSpan(" "), *join(parts, " · "))


def _count(rows: Sequence[ServiceRow], what: str) -> Line:
    unwell = sum(urgency(row) == 0 for row in rows)
    line: Line = (StyledSpan(f"{len(rows):,} {what}", "muted"),)
    return (*line, StyledSpan(f", {unwell:,} not well", "outcome-warn")) if unwell else line


def _marked(mark: str, line: Line) -> Line:
    """Put the mark of a selected row behind the blank in which the cursor's bar stands."""
    if not mark:
        return (StyledSpan("  ", line[0].style), StyledSpan(line[0].text[1:], line[0].style), *line[1:])
    return (StyledSpan(" "), StyledSpan(mark, "accent"), StyledSpan(line[0].text[1:], line[0].style), *line[1:])


def _name_width(placed: Placed) -> int:
    name = placed.row.name
    return (len(name) if name.isascii() else cell_len(clean(name))) + 2 * min(placed.depth, 8)


def _cells(row: ServiceRow, spark: int, *, up: str, late: str, doing: str, depth: int) -> list[Line | StyledSpan]:
    glyph, style = state_word(row)
    word = outcome(row.health)
    cpu: Line = (
        StyledSpan(sparkline(row.cpu_history, spark, scale_of(row.cpu_history, "%")), "spark-line"),
        StyledSpan(f"{percent(row.cpu_percent):>6}"),
    )
    short = row.wanted is not None and (row.ready or 0) < row.wanted
    cells: list[Line | StyledSpan] = [
        StyledSpan(row.side or "–", "muted"),
        StyledSpan(f"{'  ' * (min(depth, 8) - 1)}└ {row.name}" if depth else row.name, "strong"),
        StyledSpan(row.kind, "muted"),
        StyledSpan("–" if row.pid is None else str(row.pid), "muted"),
        StyledSpan(f"◌ {doing}", "accent") if doing else StyledSpan(f"{glyph} {row.state}", style),
        StyledSpan(f"{word.glyph} {word.word}", word.style),
        StyledSpan("" if row.wanted is None else f"{row.ready or 0}/{row.wanted}", "outcome-warn" if short else "text"),
        cpu,
        StyledSpan(format_bytes(row.memory_bytes) if row.memory_bytes is not None else "–"),
        StyledSpan(up),
        StyledSpan("–" if row.restarts is None else str(row.restarts), "outcome-warn" if row.restarts else "text"),
        StyledSpan(took(row.latency_ms)),
        StyledSpan(row.user, "muted"),
        StyledSpan(" ".join(row.ports), "muted"),
        StyledSpan(row.image, "muted"),
        StyledSpan(f"late, last seen {late} ago" if late else row.detail, "muted"),
    ]
    if late:
        return [StyledSpan(cell.text, "stale") if isinstance(cell, StyledSpan) else _grey(cell) for cell in cells]
    return cells


def _grey(line: Line) -> Line:
    return tuple(StyledSpan(span.text, "stale") for span in line)
