"""Two Qdrants compared: collections, exact counts, and points with their vectors and payloads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from switchover_checks.api import Context, Finding, Status
from switchover_checks.kinds.stores.qdrant_reading import (
    Point,
    collection_path,
    count_points,
    fetch,
    indexes_of,
    names_of,
    pages,
    vector_facts,
)
from switchover_checks.runtime.network.json_asking import Api

__all__ = ["Mode", "QdrantComparison"]

Mode = Literal["count", "sample", "checksum"]
_NAMED = 5


@dataclass
class QdrantComparison:
    """How two servers are compared; `points` counts those that were."""

    ctx: Context
    left: Api
    right: Api
    mode: Mode
    samples: int
    tolerance: float
    payload: bool
    indexes: bool
    points: int = 0
    evidence: dict[str, str] = field(default_factory=dict)

    async def servers(self, patterns: Sequence[str]) -> list[Finding]:
        """Compare all collections that fit, on both servers."""
        left, right = await names_of(self.left, patterns), await names_of(self.right, patterns)
        if not left and not right:
            return [Finding("collections", "some", f"none fits {', '.join(patterns)}", Status.UNKNOWN)]
        findings = []
        for name in sorted({*left, *right}):
            if name not in left or name not in right:
                where = "on the right" if name not in right else "on the left"
                findings.append(Finding(f"collection {name}", "on both sides", f"missing {where}", Status.CRIT))
            else:
                findings += await self.collection(name)
        if findings and not self.points and all(f.status is Status.OK for f in findings):
            findings.append(Finding("points", "some", "0: nothing was compared", Status.UNKNOWN))
        return findings

    async def collection(self, name: str) -> list[Finding]:
        """Compare one collection that both have."""
        base = collection_path(name)
        told = [(await api.ask(base)).need("result") for api in (self.left, self.right)]
        here, there = (vector_facts(one) for one in told)
        findings = [
            Finding.compare(f"{name} {key}", str(here[key]), str(there[key]), False)
            for key in ("dimensions", "distance")
            if isinstance(here[key], str | int) and here[key] != there[key]
        ]
        if self.indexes:
            findings.append(_indexed(name, indexes_of(told[0]), indexes_of(told[1])))
        count, other = await count_points(self.left, base), await count_points(self.right, base)
        findings.append(Finding.compare(f"{name} points", count, other, count == other))
        if self.mode == "count":
            self.points += count
            return findings
        return [*findings, await self._points(name, base, here["dimensions"], count)]

    async def _points(self, name: str, base: str, dimensions: object, count: int) -> Finding:
        wanted = count if self.mode == "checksum" else min(count, self.samples)
        seen: set[Any] = set()
        bad: list[str] = []
        async for page in pages(self.left, base, dimensions, None if self.mode == "checksum" else self.samples):
            theirs = await fetch(self.right, base, [p["id"] for p in page]) if page else {}
            bad += [why for p in page if (why := self._differs(p, theirs.get(p["id"])))]
            seen.update(p["id"] for p in page)
            self.ctx.progress(len(seen), max(wanted, 1), f"points of {name}")
        self.points += len(seen)
        if bad:
            self.evidence[f"{name} differs"] = "\n".join(bad[:200])
            more = f" and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
            observed = f"{len(bad)} differ: {', '.join(bad[:_NAMED])}{more}"
            return Finding(f"{name} vectors", f"{len(seen)} points the same", observed, Status.CRIT)
        if len(seen) < wanted:
            observed = f"only {len(seen)} of {wanted} were given out: it changes meanwhile, or is not whole"
            return Finding(f"{name} vectors", f"{wanted} points compared", observed, Status.UNKNOWN)
        return Finding(f"{name} vectors", f"{len(seen)} points the same", f"{len(seen)} points the same", Status.OK)

    def _differs(self, one: Point, other: Point | None) -> str:
        if other is None:
            return f"point {one['id']} is missing"
        if self.payload and (one.get("payload") or {}) != (other.get("payload") or {}):
            return f"point {one['id']} has another payload"
        if not near(one.get("vector"), other.get("vector"), self.tolerance):
            return f"point {one['id']} has another vector"
        return ""


def _indexed(name: str, before: Mapping[str, str], after: Mapping[str, str]) -> Finding:
    lost = [f"{key} {kind}".strip() for key, kind in before.items() if after.get(key) != kind]
    observed = f"without {', '.join(lost)}" if lost else "all there"
    expected = ", ".join(before) or "none on the left"
    return Finding.compare(f"{name} indexes", expected, observed, not lost)


def near(left: Any, right: Any, tolerance: float) -> bool:
    """Whether two vectors, or mappings of named ones, lie no further apart in any number than the tolerance."""
    if left == right:
        return True
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(near(left[k], right[k], tolerance) for k in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(lambda a, b: near(a, b, tolerance), left, right))
    if isinstance(left, int | float) and isinstance(right, int | float):
        return math.isclose(left, right, rel_tol=0, abs_tol=tolerance)
    return False
