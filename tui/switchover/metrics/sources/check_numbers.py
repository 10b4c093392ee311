"""A number that a check measured: it comes with the result of the check, in its rhythm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from switchover.metrics.source_api import MetricSource

__all__ = ["CheckNumberConfig", "CheckNumberSource"]


@dataclass(frozen=True)
class CheckNumberConfig:
    """A check of the plan, and which of its numbers."""

    check: str
    """The check; of one for several services `CHECK[SERVICE]`."""
    metric: str = "time"
    """The number. `time` is how long the look took, unless the check measures one of that name."""


class CheckNumberSource(MetricSource[CheckNumberConfig]):
    """Is never asked."""

    kind: ClassVar[str] = "check"
    config: ClassVar[type] = CheckNumberConfig
    comes_by_itself: ClassVar[bool] = True
    example: ClassVar[str] = """
    kind: check
    check: api_up
    metric: time
    """
