"""The order of services: the plan's first, then what else runs here, in groups, the unwell on top."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from switchover.snapshot import ServiceRow
from switchover.ui.text.state_words import severity

__all__ = ["Arrangement", "Placed", "SortOrder", "Weights", "arrange", "id_of", "is_kept", "urgency", "words_of"]

_RECENT = 6  # points of CPU that are averaged
_IDLE_PERCENT = 1.0
_NOTHING = (0.0, 0.0)


class SortOrder(StrEnum):
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


def is_kept(row: ServiceRow) -> bool:
    """Say whether a row is here because something is over and nobody has seen it yet."""
    return row.id.startswith(("listener:", "failed:"))


def urgency(row: ServiceRow) -> int:
    """Rank what is not well before what is well, and what need not run yet last."""
    return 0 if severity(row.health) < 3 else 2 if row.health in {"pending", "skipped"} else 1


def words_of(row: ServiceRow) -> str:
    """Return the text that a filter looks in."""
    parts = (row.name, row.id, row.side, row.kind, row.state, row.health, row.group, row.image, row.user, row.owner)
    return " ".join((*parts, *row.ports, row.detail, "" if row.pid is None else str(row.pid))).lower()


class Weights:
    """What processes weigh where they stand by CPU, then by memory, and yet keep their places while one reads them.

    A row moves only once its use has clearly changed: by a third, and by more than idling does.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[ServiceRow, tuple[float, float]]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def __call__(self, row: ServiceRow) -> tuple[float, float]:
        """Return what to sort a row by, the heaviest first; what is no process weighs nothing."""
        if row.kind != "process":
            return _NOTHING
        name = id_of(row)
        seen, before = self._kept.get(name, (None, None))
        if seen is row and before is not None:
            return before
        now = _weight(row, before)
        self._kept[name] = row, now
        return now

    def keep(self, names: Collection[str]) -> None:
        """Forget all rows but these."""
        self._kept = {name: self._kept[name] for name in names if name in self._kept}


def _weight(row: ServiceRow, before: tuple[float, float] | None) -> tuple[float, float]:
    if row.state != "running":  # it stays where it was until it is gone
        return before or _NOTHING
    recent = row.cpu_history[-_RECENT:] or (row.cpu_percent or 0.0,)
    average = sum(recent) / len(recent)
    cpu, memory = (-average if average >= _IDLE_PERCENT else 0.0), -float(row.memory_bytes or 0)
    if before is None:
        return cpu, memory
    return (
        before[0] if _is_near(cpu, before[0], 2 * _IDLE_PERCENT) else cpu,
        before[1] if _is_near(memory, before[1], 0.0) else memory,
    )


def _is_near(now: float, before: float, least: float) -> bool:
    return abs(now - before) <= max(abs(before) / 3, least)


def _sorter(order: SortOrder, weight: Callable[[ServiceRow], tuple[float, float]]) -> Callable[[ServiceRow], Any]:
    if order is SortOrder.CPU:
        return lambda row: (-(row.cpu_percent or 0.0), row.name)
    if order is SortOrder.MEMORY:
        return lambda row: (-(row.memory_bytes or 0), row.name)
    if order is SortOrder.NAME:
        return lambda row: (row.name, row.side)
    return lambda row: (urgency(row), row.side, weight(row), row.name, id_of(row))


def arrange(
    planned: Iterable[ServiceRow],
    found: Iterable[ServiceRow],
    fits: Callable[[ServiceRow], bool],
    *,
    order: SortOrder = SortOrder.WORST,
    tree: bool = False,
    show_found: bool = True,
    weight: Callable[[ServiceRow], tuple[float, float]] | None = None,
) -> Arrangement:
    """Put rows into their order. Sorted by use, what was found stands in one list; else in groups.

    `weight` remembers what processes weighed, so that they keep their places from one time to the next.
    """
    key = _sorter(order, Weights() if weight is None else weight)
    first = sorted(filter(fits, planned), key=_sorter(order, lambda _row: _NOTHING))  # each has its place in a plan
    others = [row for row in found if fits(row)]
    if not show_found:
        return Arrangement([Placed(row) for row in first], len(others))
    placed = [Placed(row) for row in first]
    if tree:
        placed += _as_tree(others, key)
    elif order in {SortOrder.CPU, SortOrder.MEMORY}:
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
