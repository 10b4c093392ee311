"""What a service uses, as its provider last saw it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from switchover.metrics.json_documents import NoValueError
from switchover.metrics.source_api import MetricSource, Reading
from switchover_checks.language.fields import one_of

__all__ = ["ServiceNumberConfig", "ServiceNumberSource"]

_UNITS = {"cpu": "%", "memory": "B", "memory_share": "%"}


@dataclass(frozen=True)
class ServiceNumberConfig:
    """A service of the plan, and what of it."""

    service: str
    """The service."""
    metric: Annotated[str, one_of("process metric", _UNITS)] = "cpu"
    """`cpu` is percent of one processor, `memory` resident bytes, `memory_share` these as percent of this machine's."""


class ServiceNumberSource(MetricSource[ServiceNumberConfig]):
    """Asks nobody: the services are watched anyway."""

    kind: ClassVar[str] = "process"
    config: ClassVar[type] = ServiceNumberConfig
    together: ClassVar[bool] = True
    example: ClassVar[str] = """
    kind: process
    service: api
    metric: memory
    """

    def unit(self, keys: Mapping[str, Any]) -> str:
        """Return percent or bytes."""
        return _UNITS.get(str(keys.get("metric", "cpu")), "")

    async def read(self, wanted: Sequence[ServiceNumberConfig]) -> Sequence[Reading]:
        """Look up each."""
        return [self._last(config.service, config.metric) for config in wanted]

    def _last(self, service: str, metric: str) -> Reading:
        share = metric == "memory_share"
        value = self.tools.service_number(service, "memory" if share else metric)
        if value is None:
            return NoValueError(f"{service} does not run or was not measured")
        return 100.0 * value / _all_memory() if share else value


def _all_memory() -> int:
    """Return the bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
