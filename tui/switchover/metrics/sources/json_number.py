"""A number at a place in a JSON document."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from switchover.metrics.json_documents import dotted, number_of
from switchover.metrics.source_api import MetricSource, Reading

__all__ = ["JsonNumberConfig", "JsonNumberSource"]


@dataclass(frozen=True)
class JsonNumberConfig:
    """A document, and the place of the number in it."""

    url: str
    """The address of the document."""
    path: str
    """Where the number stands: `queue.sizes.1`."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the request; secrets may stand in them."""


class JsonNumberSource(MetricSource[JsonNumberConfig]):
    """Fetches the document."""

    kind: ClassVar[str] = "http_json"
    config: ClassVar[type] = JsonNumberConfig
    takes_secrets: ClassVar[bool] = True
    example: ClassVar[str] = """
    kind: http_json
    url: http://127.0.0.1:8080/stats
    path: queue.length
    """

    async def read(self, wanted: Sequence[JsonNumberConfig]) -> Sequence[Reading]:
        """Fetch each. Raise `NoValueError`."""
        return await asyncio.gather(*map(self._ask, wanted))

    async def _ask(self, config: JsonNumberConfig) -> float:
        document = await self.tools.documents.document(config.url, headers=config.headers)
        return number_of(dotted(document, config.path))
