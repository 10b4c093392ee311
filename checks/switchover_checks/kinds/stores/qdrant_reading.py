"""What a Qdrant tells: its collections, what one is made of, and its points, page by page."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from switchover_checks.api import ProbeError, Status
from switchover_checks.language.expect import Unavailable
from switchover_checks.runtime.network.json_asking import Api, JsonAnswer

__all__ = ["Point", "collection_path", "count_points", "fetch", "indexes_of", "names_of", "pages", "vector_facts"]

Point = Mapping[str, Any]
_PAGE_NUMBERS = 40_000
_MOST_IN_PAGE = 1000


def collection_path(name: str) -> str:
    """Return the path of a collection."""
    return f"/collections/{quote(name, safe='')}"


async def names_of(api: Api, patterns: Sequence[str]) -> list[str]:
    """Return the collections that fit one of the patterns."""
    listed = (await api.ask("/collections")).need("result", "collections")
    if not isinstance(listed, list) or not all(isinstance(one, Mapping) and "name" in one for one in listed):
        raise ProbeError("the answer is no list of collections", phase="parse", status=Status.UNKNOWN)
    names = sorted(str(one["name"]) for one in listed)
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def vector_facts(told: Any) -> dict[str, Any]:
    """Return the status of a collection, and its dimensions and distance."""
    if not isinstance(told, Mapping):
        raise ProbeError("the answer tells of no collection", phase="parse", status=Status.UNKNOWN)
    vectors = ((told.get("config") or {}).get("params") or {}).get("vectors") or {}
    several = Unavailable("it has several vectors a point")
    plain = isinstance(vectors, Mapping) and "size" in vectors
    return {
        "status": str(told.get("status", "unknown")),
        "dimensions": vectors["size"] if plain else several,
        "distance": str(vectors.get("distance", "")) if plain else several,
        "collection": told,
    }


def indexes_of(told: Mapping[str, Any]) -> dict[str, str]:
    """Return the indexed fields of the payload, each with its type."""
    schema = told.get("payload_schema")
    schema = schema if isinstance(schema, Mapping) else {}
    return {str(k): str(v.get("data_type", "")) if isinstance(v, Mapping) else str(v) for k, v in schema.items()}


async def count_points(api: Api, base: str) -> int:
    """Return how many points a collection has, counted exactly."""
    answer = await api.ask(f"{base}/points/count", method="POST", body={"exact": True})
    count = answer.need("result", "count")
    if not isinstance(count, int) or isinstance(count, bool):
        raise ProbeError("the answer holds no count", phase="parse", status=Status.UNKNOWN)
    return count


async def pages(api: Api, base: str, dimensions: object, most: int | None = None) -> AsyncIterator[list[Point]]:
    """Yield the points of a collection in pages, at most so many. A page holds few numbers, so reading it is short."""
    size = dimensions if isinstance(dimensions, int) and dimensions > 0 else 1000
    page = max(1, min(_MOST_IN_PAGE, _PAGE_NUMBERS // size))
    offset: Any = None
    while most is None or most > 0:
        limit = page if most is None else min(page, most)
        asked = {"limit": limit, "with_vector": True, "with_payload": True}
        answer = await api.ask(
            f"{base}/points/scroll", method="POST", body=asked if offset is None else {**asked, "offset": offset}
        )
        found = points_in(answer, "points")
        yield found
        following = answer.document["result"].get("next_page_offset")
        if following is None:
            return
        if following == offset or not found:
            raise ProbeError("the server gives the same page again", phase="parse", status=Status.UNKNOWN)
        offset = following
        most = None if most is None else most - len(found)


async def fetch(api: Api, base: str, ids: Sequence[Any]) -> dict[Any, Point]:
    """Return points by their ids; those that are not there are left out."""
    asked = {"ids": list(ids), "with_vector": True, "with_payload": True}
    return {p["id"]: p for p in points_in(await api.ask(f"{base}/points", method="POST", body=asked))}


def points_in(answer: JsonAnswer, *keys: str) -> list[Point]:
    """Return the points of an answer. Raise `ProbeError` where it holds none."""
    found = answer.need("result", *keys)
    if not isinstance(found, list) or not all(_is_point(one) for one in found):
        raise ProbeError("the answer holds no points", phase="parse", status=Status.UNKNOWN)
    return found


def _is_point(one: object) -> bool:
    return isinstance(one, Mapping) and isinstance(one.get("id"), int | str)
