"""What a source of metrics declares and does. One file in `sources/` is one source, found by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from switchover.metrics.json_documents import JsonDocuments

__all__ = ["MetricSource", "Reading", "SourceTools"]

ConfigT = TypeVar("ConfigT")
Reading = float | Exception | None
"""A value, why there is none (a `NoValueError`), or a gap of which nothing need be said."""


@dataclass(frozen=True, slots=True)
class SourceTools:
    """What a source may use. `service_number(service, metric)` is what was last seen of a service, if it is fresh.

    `pushed(name, labels)` is the type and the value of what applications told, if they did.
    """

    monotonic: Callable[[], float]
    documents: JsonDocuments
    service_number: Callable[[str, str], float | None]
    pushed: Callable[[str, Mapping[str, str]], tuple[str, float] | None] = lambda *_: None


class MetricSource(Generic[ConfigT]):
    """A source of metrics. `config` is a frozen dataclass: its fields are the keys of the plan, with the text below.

    A source keeps no state but what its next reading needs. It may raise `NoValueError` for all that was wanted.
    """

    kind: ClassVar[str]
    config: ClassVar[type]
    example: ClassVar[str]
    """A metric of this source in YAML."""
    every: ClassVar[float] = 2.0
    """The seconds between two points where the plan sets no `every`."""
    timeout_s: ClassVar[float | None] = 30.0
    """After so many seconds a reading is given up. None where it cannot hang."""
    longest_pause_s: ClassVar[float] = 0.0
    """After failures the pause doubles up to this. 0 asks on in its rhythm."""
    late_s: ClassVar[float] = 5.0
    """How much later than three intervals a value may come before the metric is stale."""
    cost_usd: ClassVar[float] = 0.0
    """What one reading costs."""
    together: ClassVar[bool] = False
    """Whether one reading answers all metrics of a rhythm. Else each is asked alone, so a slow one delays no other."""
    comes_by_itself: ClassVar[bool] = False
    """Whether its values are handed in, so that it is never asked."""
    takes_secrets: ClassVar[bool] = False
    """Whether its keys may hold secrets."""

    def __init__(self, tools: SourceTools) -> None:
        self.tools = tools

    def unit(self, keys: Mapping[str, Any]) -> str:
        """Return the unit of a metric with these keys, where the plan names none."""
        del keys
        return ""

    async def prime(self) -> None:
        """Take the first reading of what is a rate, so that the first point has a value."""

    async def read(self, wanted: Sequence[ConfigT]) -> Sequence[Reading]:
        """Return a reading for each of `wanted`, in their order."""
        raise NotImplementedError
