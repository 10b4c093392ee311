"""What runs: services of the plan behind small capability protocols, and the host's own processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchover.clock import Clock
    from switchover.plan.load import LoadedPlan
    from switchover.plan.variables import Scope
    from switchover.services.inventory import Inventory

__all__ = ["make_inventory"]


def make_inventory(loaded: LoadedPlan, scope: Callable[[], Scope], clock: Clock) -> Inventory:
    """Return the inventory of a plan's services with every provider there is; SDKs are imported at the first look."""
    from switchover.services.docker import DockerProvider
    from switchover.services.http import HttpProvider
    from switchover.services.inventory import Inventory
    from switchover.services.processes import ProcessProvider
    from switchover.services.targets import make_target

    services = loaded.plan.services
    providers = (ProcessProvider(loaded.directory, clock.monotonic), HttpProvider(), DockerProvider())
    return Inventory(services, providers, lambda name: make_target(name, services[name], scope()), clock)
