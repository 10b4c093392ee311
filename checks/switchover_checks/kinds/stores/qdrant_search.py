"""A search in a collection of Qdrant: by a vector of the plan, or by a stored point's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import PlainValidator

from switchover_checks.api import Finding, Status
from switchover_checks.kinds.stores.qdrant_reading import pages, points_in
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.network.json_asking import Api

__all__ = ["AsSearch", "QdrantSearch", "searched", "searched_itself"]


@dataclass(frozen=True)
class QdrantSearch:
    """What is searched for."""

    vector: tuple[float, ...]
    """The vector."""
    collection: str = ""
    """The collection, where the check does not name it."""
    limit: int = 10
    """How many are wanted."""
    using: str = ""
    """The name of the vector, where points have several."""
    filter: dict[str, Any] = field(default_factory=dict)
    """A filter, as Qdrant writes it."""

    def __post_init__(self) -> None:
        if not self.vector or not 1 <= self.limit <= 1000:
            raise ValueError("a search needs a vector with numbers, and a limit of 1 to 1000")


def _search(value: object) -> QdrantSearch | bool:
    if isinstance(value, bool | QdrantSearch):
        return value
    if not isinstance(value, Mapping):
        raise ValueError(f"this is true, or a mapping with vector, not {value!r}")  # noqa: TRY004
    try:
        found = build_config(QdrantSearch, value)
    except ConfigError as error:
        raise ValueError(str(error)) from None
    assert isinstance(found, QdrantSearch)
    return found


AsSearch = Annotated[QdrantSearch | bool, PlainValidator(_search, json_schema_input_type=bool | dict[str, Any])]


async def searched(api: Api, base: str, search: QdrantSearch, facts: dict[str, Any]) -> Finding:
    """Search by a vector of the plan. Nothing found is unknown; a wrong number of dimensions is told by the server."""
    vector: Any = {"name": search.using, "vector": search.vector} if search.using else search.vector
    asked = {"vector": vector, "limit": search.limit, **({"filter": search.filter} if search.filter else {})}
    answer = await api.ask(f"{base}/points/search", method="POST", body=asked)
    hits = points_in(answer)
    facts["time"], facts["hits"] = answer.seconds, len(hits)
    return Finding("search", "an answer", f"{len(hits)} found", Status.OK if hits else Status.UNKNOWN)


async def searched_itself(api: Api, base: str, facts: dict[str, Any]) -> Finding:
    """Search a stored point by its own vector; it must be found."""
    wanted = "a stored point is found by its vector"
    points = [point async for page in pages(api, base, facts["dimensions"], 1) for point in page]
    if not points or not points[0].get("vector"):
        return Finding("search", wanted, "no point with a vector was given out", Status.UNKNOWN)
    vector = points[0]["vector"]
    asked = {"vector": vector, "limit": 5}
    if isinstance(vector, Mapping):
        name, numbers = next(iter(vector.items()))
        asked["vector"] = {"name": name, "vector": numbers}
    answer = await api.ask(f"{base}/points/search", method="POST", body=asked)
    hits = [hit["id"] for hit in points_in(answer)]
    facts["time"], facts["hits"] = answer.seconds, len(hits)
    fine = points[0]["id"] in hits
    return Finding.compare("search", wanted, f"point {points[0]['id']} {'found' if fine else 'not found'}", fine)
