"""`qdrant`: whether collections are there with their points, found by search, and the same as on another server.

Points are counted exactly, because what a collection tells of itself is an estimate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.runtime.network.json_asking import Api, JsonAnswer

__all__ = ["QdrantCheck", "QdrantConfig"]

NAMES: dict[str, NameType] = {
    "points": "number",
    "status": "text",
    "dimensions": "number",
    "distance": "text",
    "search_time": "duration",
    "collection": "any",
}
_COLOURS = {"green": Status.OK, "yellow": Status.WARN, "grey": Status.WARN, "red": Status.CRIT}


@dataclass(frozen=True)
class QdrantConfig:
    """A collection, and what must be true of it."""

    url: str
    """The address of the server: `http://127.0.0.1:6333`."""
    collection: str
    """The collection."""
    api_key: str = ""
    """The key: `{{ secret.NAME }}`."""
    search: bool = False
    """Whether a stored point is searched by its own vector; it must be found."""
    compare: str = ""
    """The address of another server: the count and sampled points must be the same there."""
    compare_api_key: str = ""
    """The key of the other server."""
    samples: int = 20
    """How many points are compared."""
    tolerance: float = 1e-5
    """How far numbers of vectors may lie apart."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `points`, `status`, `dimensions`, `distance`, `search_time` and `collection`."""
    verify: bool = True
    """Whether certificates are checked."""

    def __post_init__(self) -> None:
        if self.compare and self.compare.rstrip("/") == self.url.rstrip("/"):
            raise ValueError("compare is another server; a collection is always the same as itself")
        if not 1 <= self.samples <= 1000:
            raise ValueError("samples is 1 to 1000")


class QdrantCheck:
    """Ask a Qdrant."""

    kind: ClassVar[str] = "qdrant"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = QdrantConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("points", "", "the points of the collection, counted exactly"),
        Measured("search_time", "s", "how long a search took", ("search",)),
    )
    example: ClassVar[str] = """
    kind: qdrant
    url: http://127.0.0.1:6333
    collection: docs
    search: true
    expect: points > 1000
    """

    async def probe(self, cfg: QdrantConfig, ctx: Context) -> Result:
        """Ask once."""
        here = Api(ctx, cfg.url, token=cfg.api_key, key_header="api-key", verify=cfg.verify)
        base = f"/collections/{quote(cfg.collection, safe='')}"
        answer = await here.ask(base, also=(404,))
        if answer.status == 404:
            return Result.of([Finding.compare("collection", cfg.collection, "there is none of this name", False)])
        told = answer.need("result")
        facts = _facts(told)
        facts["points"] = await _count(here, base)
        colour = str(facts["status"])
        findings = [
            Finding("status", "green", colour, _COLOURS.get(colour, Status.UNKNOWN)),
            Finding("points", "some", str(facts["points"]), Status.OK if facts["points"] else Status.UNKNOWN),
        ]
        if any("points" in e.names for e in cfg.expect):
            findings.pop()
        if cfg.search and facts["points"]:
            findings.append(await _searched(here, base, facts))
        if cfg.compare:
            there = Api(ctx, cfg.compare, token=cfg.compare_api_key, key_header="api-key", verify=cfg.verify)
            findings += await _compared(cfg, here, there, base, facts["points"])
        ctx.enter("assert")
        findings += [e.check(facts) for e in cfg.expect]
        return Result.of(findings, metrics=measured_in(facts, self.metrics), ok=f"{facts['points']} points")


def _facts(told: Any) -> dict[str, Any]:
    if not isinstance(told, Mapping):
        raise ProbeError("the answer tells of no collection", phase="parse", status=Status.UNKNOWN)
    vectors = ((told.get("config") or {}).get("params") or {}).get("vectors") or {}
    several = Unavailable("it has several vectors a point")
    plain = isinstance(vectors, Mapping) and "size" in vectors
    return {
        "status": str(told.get("status", "unknown")),
        "dimensions": vectors["size"] if plain else several,
        "distance": str(vectors.get("distance", "")) if plain else several,
        "search_time": Unavailable("set search"),
        "collection": told,
    }


async def _count(api: Api, base: str) -> int:
    answer = await api.ask(f"{base}/points/count", method="POST", body={"exact": True})
    count = answer.need("result", "count")
    if not isinstance(count, int):
        raise ProbeError("the answer holds no count", phase="parse", status=Status.UNKNOWN)
    return count


async def _scrolled(api: Api, base: str, number: int) -> list[Mapping[str, Any]]:
    asked = {"limit": number, "with_vector": True, "with_payload": True}
    return _points(await api.ask(f"{base}/points/scroll", method="POST", body=asked), "points")


def _points(answer: JsonAnswer, *keys: str) -> list[Mapping[str, Any]]:
    found = answer.need("result", *keys)
    if not isinstance(found, list) or not all(isinstance(one, Mapping) and "id" in one for one in found):
        raise ProbeError("the answer holds no points", phase="parse", status=Status.UNKNOWN)
    return found


async def _searched(api: Api, base: str, facts: dict[str, Any]) -> Finding:
    """Search a stored point by its own vector."""
    wanted = "a stored point is found by its vector"
    points = await _scrolled(api, base, 1)
    if not points or not points[0].get("vector"):
        return Finding("search", wanted, "no point with a vector was given out", Status.UNKNOWN)
    vector = points[0]["vector"]
    asked = {"vector": vector, "limit": 5}
    if isinstance(vector, Mapping):
        name, numbers = next(iter(vector.items()))
        asked["vector"] = {"name": name, "vector": numbers}
    answer = await api.ask(f"{base}/points/search", method="POST", body=asked)
    facts["search_time"] = answer.seconds
    hits = [hit.get("id") for hit in _points(answer)]
    fine = points[0]["id"] in hits
    return Finding.compare("search", wanted, f"point {points[0]['id']} {'found' if fine else 'not found'}", fine)


async def _compared(cfg: QdrantConfig, here: Api, there: Api, base: str, count: int) -> list[Finding]:
    other = await _count(there, base)
    findings = [Finding.compare("points there", count, other, count == other)]
    mine = await _scrolled(here, base, cfg.samples)
    asked = {"ids": [p["id"] for p in mine], "with_vector": True, "with_payload": True}
    theirs = {p["id"]: p for p in _points(await there.ask(f"{base}/points", method="POST", body=asked))}
    bad = [why for p in mine if (why := _differs(p, theirs.get(p["id"]), cfg.tolerance))]
    expected = f"{len(mine)} points the same"
    if not mine:
        return [*findings, Finding("samples", "points", "none to compare", Status.UNKNOWN)]
    return [
        *findings,
        Finding.compare("samples", expected, f"{len(bad)} differ: {bad[0]}" if bad else expected, not bad),
    ]


def _differs(one: Mapping[str, Any], other: Mapping[str, Any] | None, tolerance: float) -> str:
    if other is None:
        return f"point {one['id']} is missing"
    if one.get("payload") != other.get("payload"):
        return f"point {one['id']} has another payload"
    if not _near(one.get("vector"), other.get("vector"), tolerance):
        return f"point {one['id']} has another vector"
    return ""


def _near(left: Any, right: Any, tolerance: float) -> bool:
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_near(left[k], right[k], tolerance) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(lambda a, b: _near(a, b, tolerance), left, right))
    if isinstance(left, int | float) and isinstance(right, int | float):
        return math.isclose(left, right, rel_tol=0, abs_tol=tolerance)
    return bool(left == right)
