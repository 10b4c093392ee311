"""Makes the providers of services that are declared."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from switchover.services.provider_api import Provider
from switchover.services.service_kind import ProviderTools, service_kinds

__all__ = ["make_providers"]


def make_providers(
    base_dir: Path,
    monotonic: Callable[[], float],
    *,
    without: Collection[str] = (),
    only: Collection[str] | None = None,
) -> list[Provider]:
    """Return the providers, of the kinds `only` where those are given, and none of `without`.

    `base_dir` is where relative paths of the plan begin.
    """
    made: dict[str, Provider] = {}
    for kind in service_kinds():
        if kind.kind not in without and (only is None or kind.kind in only):
            made[kind.kind] = kind.provider(ProviderTools(base_dir, monotonic, made))
    return list(made.values())
