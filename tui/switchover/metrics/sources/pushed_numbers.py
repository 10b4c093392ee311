"""What applications tell the agent over its API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from switchover.metrics.json_documents import NoValueError
from switchover.metrics.source_api import MetricSource, Reading
from switchover_checks.language.fields import one_of

__all__ = ["PushedNumberConfig", "PushedNumberSource"]

_TYPES = ("", "counter", "gauge", "histogram")


@dataclass(frozen=True)
class PushedNumberConfig:
    """A metric that applications tell; docs/api.md lists those of workflows, AI and tests."""

    name: str
    """The metric, as it is told: ai_cost."""
    type: Annotated[str, one_of("type of metric", _TYPES)] = ""
    """What it is told as. A counter is the sum of all its series, a gauge its newest, a histogram the mean of all."""
    labels: list[str] = field(default_factory=list)
    """The labels that it has, for whoever reads the plan."""
    where: dict[str, str] = field(default_factory=dict)
    """Only series with these labels: {provider: claude}."""


class PushedNumberSource(MetricSource[PushedNumberConfig]):
    """Asks nobody: the agent holds what it was told."""

    kind: ClassVar[str] = "pushed"
    config: ClassVar[type] = PushedNumberConfig
    together: ClassVar[bool] = True
    example: ClassVar[str] = """
    kind: pushed
    name: ai_cost
    type: counter
    labels: [provider]
    where: {provider: claude}
    """

    async def read(self, wanted: Sequence[PushedNumberConfig]) -> Sequence[Reading]:
        """Look up each."""
        return [self._told(config) for config in wanted]

    def _told(self, config: PushedNumberConfig) -> Reading:
        found = self.tools.pushed(config.name, config.where)
        if found is None:
            return NoValueError(f"no application has told {config.name} yet")
        kind, value = found
        if config.type and kind != config.type:
            return NoValueError(f"{config.name} is told as a {kind}, the plan says {config.type}")
        return value
