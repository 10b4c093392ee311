"""The order in which services stand: the plan's first, then what else runs here, in groups, what is not well on top."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from switchover.snapshot import ServiceRow
from switchover.ui.presentation.words import severity

__all__ = ["Arrangement", "Order", "Placed", "arrange", "id_of", "urgency", "words_of"]


class Order(StrEnum):
    """What rows are sorted by."""

    WORST = "worst"
    CPU = "cpu"
    MEMORY = "memory"
    NAME = "name"


class Placed(NamedTuple):
    """A row in its place. `heading` stands above it, where a group begins; `depth` counts its parents in a tree."""

    row: ServiceRow
    heading: str = ""
    depth: int = 0


class Arrangement(NamedTuple):
    """The rows in their order, and how many of those that were found are not shown."""

    placed: Sequence[Placed]
    hidden: int = 0


_KINDS = ("compose", "docker", "kubernetes", "systemd", "aws", "gcp", "http", "process")
_GROUPED = {
    "compose": "Compose project",
    "docker": "Compose project",
    "kubernetes": "Kubernetes namespace",
    "aws": "AWS",
    "gcp": "Google Cloud",
}
_ALONE = {"docker": "containers", "compose": "Compose", "kubernetes": "Kubernetes", "gcp": "Google Cloud"}
_TITLES = {"systemd": "systemd units", "process": "processes"}


def id_of(row: ServiceRow) -> str:
    """Return what names a row in requests."""
    return row.id or row.name


def urgency(row: ServiceRow) -> int:
    """Rank what is not well before what is well, and what need not run yet last."""
    return 0 if severity(row.health) < 3 else 2 if row.health in {"pending", "skipped"} else 1


def words_of(row: ServiceRow) -> str:
    """Return the text that a filter looks in."""
    parts = (row.name, row.id, row.side, row.kind, row.state, row.health, row.group, row.image, row.user, row.owner)
    return " ".join((*parts, *row.ports, row.detail, "" if row.pid is None else str(row.pid))).lower()


def _sorter(order: Order) -> Callable[[ServiceRow], Any]:
    if order is Order.CPU:
        return lambda row: (-(row.cpu_percent or 0.0), row.name)
    if order is Order.MEMORY:
        return lambda row: (-(row.memory_bytes or 0), row.name)
    if order is Order.NAME:
        return lambda row: (row.name, row.side)
    return lambda row: (urgency(row), row.side, row.name)


def arrange(
    planned: Iterable[ServiceRow],
    found: Iterable[ServiceRow],
    fits: Callable[[ServiceRow], bool],
    *,
    order: Order = Order.WORST,
    tree: bool = False,
    show_found: bool = True,
) -> Arrangement:
    """Put rows into their order. Sorted by use, what was found stands in one list; else in groups."""
    key = _sorter(order)
    first = sorted(filter(fits, planned), key=key)
    others = [row for row in found if fits(row)]
    if not show_found:
        return Arrangement([Placed(row) for row in first], len(others))
    placed = [Placed(row) for row in first]
    if tree:
        placed += _as_tree(others, key)
    elif order in {Order.CPU, Order.MEMORY}:
        placed += _headed("also runs here" if first else "", sorted(others, key=key))
    else:
        placed += _in_groups(others, key)
    return Arrangement(placed)


def _headed(title: str, rows: Sequence[ServiceRow]) -> list[Placed]:
    heading = f"{title} · {len(rows):,}" if title else ""
    return [Placed(row, "" if index else heading) for index, row in enumerate(rows)]


def _group(row: ServiceRow) -> tuple[int, str, str]:
    rank = _KINDS.index(row.kind) if row.kind in _KINDS else len(_KINDS)
    if row.kind in _TITLES:
        return rank, _TITLES[row.kind], row.kind
    if row.group:
        title = f"{_GROUPED.get(row.kind, row.kind)} {row.group}"
        return max(rank, 1), title, title  # a project and its containers stand together
    return rank, _ALONE.get(row.kind, _GROUPED.get(row.kind, row.kind)), row.kind


def _in_groups(rows: Sequence[ServiceRow], key: Callable[[ServiceRow], Any]) -> list[Placed]:
    unwell: list[ServiceRow] = []
    groups: dict[tuple[int, str, str], list[ServiceRow]] = {}
    for row in rows:
        if urgency(row) == 0:
            unwell.append(row)
        else:
            groups.setdefault(_group(row), []).append(row)
    placed = _headed("not well here", sorted(unwell, key=lambda row: (severity(row.health), _group(row), row.name)))
    for group in sorted(groups):
        ordered = sorted(groups[group], key=key)
        placed += _headed(group[1], sorted(ordered, key=lambda row: row.kind != "compose"))
    return placed


def _as_tree(rows: Sequence[ServiceRow], key: Callable[[ServiceRow], Any]) -> list[Placed]:
    """Put processes under those that started them; all else stays in its groups."""
    processes = [row for row in rows if row.kind == "process" and row.pid is not None]
    pids = {row.pid for row in processes}
    children: dict[int | None, list[ServiceRow]] = {}
    for row in sorted(processes, key=key):
        parent = row.parent if row.parent in pids and row.parent != row.pid else None
        children.setdefault(parent, []).append(row)
    placed = _in_groups([row for row in rows if row.kind != "process" or row.pid is None], key)
    heading = f"processes · {len(processes):,}" if processes else ""
    waiting = [(row, 0) for row in reversed(children.get(None, []))]
    seen: set[int | None] = set()
    while waiting:
        row, depth = waiting.pop()
        if row.pid in seen:
            continue
        seen.add(row.pid)
        placed.append(Placed(row, heading, depth))
        heading = ""
        waiting.extend((child, depth + 1) for child in reversed(children.get(row.pid, [])))
    placed.extend(Placed(row) for row in processes if row.pid not in seen)  # parents that go round in a ring
    return placed
