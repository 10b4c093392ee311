"""Numbers that metrics take from what the hub watches anyway: a service's use, how often a check is looked at."""

from __future__ import annotations

from switchover.hub.services.service_watch import ServiceWatch
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.members.member_names import part_of
from switchover.services.inventory import Inventory
from switchover.services.provider_api import ProcessState

__all__ = ["SampledNumbers"]


class SampledNumbers:
    """Looked up among what was seen; nothing is asked for them."""

    def __init__(self, loaded: LoadedPlan | None, inventory: Inventory, services: ServiceWatch) -> None:
        self._loaded = loaded
        self._inventory = inventory
        self._services = services

    def check_period(self, check: str) -> float:
        """Return every how many seconds a check is looked at."""
        plan = self._loaded.plan if self._loaded is not None else None
        spec = part_of(plan.checks, check) if plan is not None else None
        return spec.every_s if spec is not None else 15.0

    def of_service(self, service: str, metric: str) -> float | None:
        """Return the CPU or the memory of a service that runs, as last seen; None where that is old."""
        state = self._inventory.states.get(service)
        if state is None or state.observed_mono is None or self._services.is_late(service):
            return None
        if state.observation.state is not ProcessState.RUNNING:
            return None
        numbers = {"cpu": state.observation.cpu_percent, "memory": state.observation.memory_bytes}
        return numbers.get(metric)
