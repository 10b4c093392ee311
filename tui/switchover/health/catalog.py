"""The plan's checks as they are probed: a check over several services becomes one for each, `running[pg]`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from switchover.health.check_state import Rule
from switchover.plan.members.member_names import base_name, members_of, service_labels
from switchover.plan.members.presence import ALWAYS, Presence, presences
from switchover.plan.model import CheckSpec, Plan, Service

__all__ = ["Catalog", "CheckItem"]

_UNSTEADY_S = 1800.0
_SERVICE_FIELDS = ("url", "container", "pid_file", "pattern", "listen")


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One check to look at. `base` is its name in the plan; `needs` are names of items and of services."""

    name: str
    base: str
    spec: CheckSpec
    service: str = ""
    needs: tuple[str, ...] = ()
    presence: Presence = ALWAYS

    @property
    def rule(self) -> Rule:
        """How its results add up. One missed beat is forgiven, two are not. A slow check is judged over more time."""
        every = self.spec.every_s
        unsteady = max(_UNSTEADY_S, 20 * every) if not self.spec.on_demand else 0.0
        return Rule(self.spec.fail_after, self.spec.ok_after, 2 * every + self.spec.timeout_s, unsteady_s=unsteady)

    def config(self, services: Mapping[str, Service], fields: Iterable[str]) -> dict[str, Any]:
        """Return the kind's keys, still with templates; of `fields`, what is not set comes from the service."""
        merged = self.spec.config
        service = services.get(self.service)
        if service is not None:
            wanted = set(fields)
            for key in _SERVICE_FIELDS:
                value = getattr(service, key)
                if value is not None and key in wanted and key not in merged:
                    merged[key] = value
            if service.listen is not None and "port" in wanted and "port" not in merged:
                merged["port"] = service.listen
        return merged


class Catalog:
    """All items of a plan by name, and which of them a name in the plan stands for."""

    def __init__(self, plan: Plan) -> None:
        self.services: Mapping[str, Service] = plan.services
        self.metrics: Mapping[str, Presence] = presences(plan, plan.metrics)
        self._members: dict[str, tuple[str, ...]] = {}
        for base, spec in plan.checks.items():
            if isinstance(spec.service, tuple):
                self._members[base] = tuple(f"{base}[{label}]" for label in service_labels(spec.service))
            else:
                self._members[base] = (base,)
        for base in dict.fromkeys(base_name(name) for name in plan.checks if name.endswith("]")):
            self._members[base] = tuple(m for n in members_of(plan.checks, base) for m in self._members[n])
        self.items: dict[str, CheckItem] = {}
        watched = presences(plan, plan.checks)
        for base, spec in plan.checks.items():
            needs = tuple(member for need in spec.needs for member in self._members.get(need, (need,)))
            if isinstance(spec.service, tuple):
                for name, service in zip(self._members[base], spec.service, strict=True):
                    self.items[name] = CheckItem(name, base, spec, service, needs, watched[base])
            else:
                self.items[base] = CheckItem(base, base, spec, spec.service or "", needs, watched[base])

    def members(self, name: str) -> tuple[str, ...]:
        """Return the items that `name` stands for: itself, or one for each service. Raise `KeyError`."""
        if name in self.items:
            return (name,)
        return self._members[name]

    def service_members(self, name: str) -> tuple[str, ...]:
        """Return the services that `name` stands for: itself, or the members of a loop. Raise `KeyError`."""
        found = (name,) if name in self.services else members_of(self.services, name)
        if not found:
            raise KeyError(name)
        return found

    def metric_members(self, name: str) -> tuple[str, ...]:
        """Return the metrics that `name` stands for: itself, or the members of a loop. Raise `KeyError`."""
        found = (name,) if name in self.metrics else members_of(self.metrics, name)
        if not found:
            raise KeyError(name)
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that can be asked for, as in the plan and one for each service."""
        return tuple(dict.fromkeys((*self._members, *self.items)))

    def order(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the items that `names` stand for and all that they need, each after its needs."""
        graph: dict[str, tuple[str, ...]] = {}
        waiting = [member for name in names for member in self.members(name)]
        while waiting:
            name = waiting.pop()
            if name not in graph:
                graph[name] = tuple(need for need in self.items[name].needs if need in self.items)
                waiting.extend(graph[name])
        return tuple(TopologicalSorter(graph).static_order())

    def services_needed(self, names: Iterable[str]) -> frozenset[str]:
        """Return the services that the items `names` need."""
        return frozenset(need for name in names for need in self.items[name].needs if need in self.services)
