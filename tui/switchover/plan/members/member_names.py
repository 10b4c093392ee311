"""Names of what stands for several: a loop's members are `NAME[member]`, a check over services has `NAME[service]`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

__all__ = ["base_name", "members_of", "part_of", "service_labels"]

T = TypeVar("T")


def base_name(item: str) -> str:
    """Return the name that a member goes by in the plan: `worker` of `worker[anima]`."""
    return item.partition("[")[0]


def members_of(names: Iterable[str], name: str) -> tuple[str, ...]:
    """Return the members of the loop `name`, in order; none where it is no loop."""
    return tuple(other for other in names if other.endswith("]") and base_name(other) == name)


def part_of(parts: Mapping[str, T], item: str) -> T | None:
    """Return the part of a plan that an item belongs to. For a loop that is its first member."""
    found = parts.get(item) or parts.get(base_name(item))
    return found or next((parts[name] for name in members_of(parts, item)), None)


def service_labels(services: Sequence[str]) -> tuple[str, ...]:
    """Return what a check over these services calls each: members of one loop by what tells them apart."""
    inner = tuple(name.partition("[")[2].removesuffix("]") for name in services)
    one_loop = len({base_name(name) for name in services}) == 1 and all(inner)
    return inner if one_loop else tuple(services)
