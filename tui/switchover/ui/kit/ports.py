"""What screens ask the App's parts for, in small ports: to open something, to give an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from switchover.ui.services.service_order_lines import ServiceAction

__all__ = ["Opening", "ServiceOrders"]


class Opening(Protocol):
    """Opens what is known about a thing."""

    def service(self, name: str, *, inspected: bool = False) -> None:
        """Open everything about a service."""

    def logs(self, items: Sequence[str] = (), paths: Sequence[str] = (), title: str = "") -> None:
        """Open the logs of services, by their ids, and of files, merged by time."""


class ServiceOrders(Protocol):
    """Takes orders for services, one at a time for each."""

    @property
    def under_way(self) -> Mapping[str, str]:
        """The id of each service to which something is being done, with the action."""
        ...

    def order(self, order: ServiceAction) -> None:
        """Give an order at once where it is harmless; else ask."""

    def give(self, order: ServiceAction, typed: str) -> None:
        """Have it done, after a yes or what was typed."""
