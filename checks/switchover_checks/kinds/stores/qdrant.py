"""`qdrant`: whether collections are there with their points, found by search, and the same as on another server.

Points are counted exactly, because what a collection tells of itself is an estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.kinds.stores.qdrant_comparison import Mode, QdrantComparison
from switchover_checks.kinds.stores.qdrant_reading import (
    collection_path,
    count_points,
    indexes_of,
    names_of,
    vector_facts,
)
from switchover_checks.kinds.stores.qdrant_search import AsSearch, QdrantSearch, searched, searched_itself
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.runtime.network.json_asking import Api

__all__ = ["QdrantCheck", "QdrantConfig"]

NAMES: dict[str, NameType] = {
    "points": "number",
    "status": "text",
    "dimensions": "number",
    "distance": "text",
    "time": "duration",
    "hits": "number",
    "collection": "any",
}
_COLOURS = {"green": Status.OK, "yellow": Status.WARN, "grey": Status.WARN, "red": Status.CRIT}


@dataclass(frozen=True)
class QdrantConfig:
    """Collections, and what must be true of each of them."""

    url: str = ""
    """The address of the server: `http://127.0.0.1:6333`."""
    collection: str = ""
    """The collection."""
    collections: Annotated[tuple[str, ...], AS_LIST] = ()
    """Instead of one: names or patterns, `"*"` for all. Without either it is all of them."""
    api_key: str = ""
    """The key: `{{ secret.NAME }}`."""
    left: str = ""
    """Instead of url: a side, whose collections must be those of `right`."""
    right: str = ""
    """The other side."""
    url_key: str = "qdrant"
    """The key of the sides that holds the address of their server."""
    search: AsSearch = False
    """What is searched for: `{collection, vector, limit, using, filter}`. With `true` a stored point is searched by
    its own vector; it must be found."""
    compare: str = ""
    """The address of another server, on which the collections must be the same."""
    compare_api_key: str = ""
    """The key of the other server, or of the right side."""
    mode: Mode = "sample"
    """What is compared: `count`, besides that `samples` points, or with `checksum` every point."""
    samples: int = 20
    """How many points of each collection are compared by `mode: sample`."""
    payload: bool = True
    """Whether payloads are compared too."""
    tolerance: float = 1e-5
    """How far numbers of vectors may lie apart."""
    indexes: Literal["", "keep"] = ""
    """With `keep` no index of a payload's field may vanish: against the left side, else since the first look."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of each collection's `points`, `status`, `dimensions`, `distance` and `collection`, and of
    the search's `time` and `hits`."""
    verify: bool = True
    """Whether certificates are checked."""

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.left) or bool(self.left) != bool(self.right):
            raise ValueError("set url, or left and right")
        if self.left and (self.left == self.right):
            raise ValueError("left and right are the same side, which always holds the same as itself")
        if self.left and (self.compare or self.search or self.expect):
            raise ValueError("left and right are compared; compare, search and expect go with url")
        if self.compare and self.compare.rstrip("/") == self.url.rstrip("/"):
            raise ValueError("compare is another server; a collection is always the same as itself")
        if self.collection and self.collections:
            raise ValueError("set collection, or collections")
        if not 1 <= self.samples <= 1000:
            raise ValueError("samples is 1 to 1000")
        if not self.tolerance >= 0:
            raise ValueError("tolerance is a number from 0")

    @property
    def patterns(self) -> tuple[str, ...]:
        """What the names of the collections must fit."""
        return (self.collection,) if self.collection else self.collections or ("*",)


class QdrantCheck:
    """Ask a Qdrant, or two."""

    kind: ClassVar[str] = "qdrant"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = QdrantConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("points", "", "the points of the collections, counted exactly"),
        Measured("time", "s", "how long a search took", ("search",)),
        Measured("hits", "", "how many a search found", ("search",)),
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
        if cfg.left:
            return await _sides(cfg, ctx)
        api = _api(cfg, ctx, cfg.url)
        names = await _names(cfg, api)
        if not names:
            return Result.of([Finding("collections", "some", f"none fits {', '.join(cfg.patterns)}", Status.UNKNOWN)])
        findings: list[Finding] = []
        facts: dict[str, Any] = {}
        evidence: dict[str, str] = {}
        points = 0
        for name in names:
            facts, found = await _collection(cfg, ctx, api, name)
            points += facts.get("points", 0)
            if cfg.compare and "points" in facts:
                comparison = _comparison(cfg, ctx, api, _api(cfg, ctx, cfg.compare, cfg.compare_api_key))
                found += await comparison.collection(name)
                evidence |= comparison.evidence
            ctx.enter("assert")
            if "points" in facts:
                found += [e.check(facts) for e in cfg.expect]
            findings += found if len(names) == 1 else [replace(f, what=f"{name} {f.what}") for f in found]
        measured = measured_in({**facts, "points": points}, self.metrics) if facts else []
        ok = f"{points} points" if len(names) == 1 else f"{points} points in {len(names)} collections"
        return Result.of(findings, metrics=measured, ok=ok, evidence=evidence)


def _api(cfg: QdrantConfig, ctx: Context, url: str, key: str | None = None) -> Api:
    return Api(ctx, url, token=cfg.api_key if key is None else key, key_header="api-key", verify=cfg.verify)


async def _names(cfg: QdrantConfig, api: Api) -> list[str]:
    if cfg.collection:
        return [cfg.collection]
    if isinstance(cfg.search, QdrantSearch) and cfg.search.collection and not cfg.collections:
        return [cfg.search.collection]
    return await names_of(api, cfg.patterns)


async def _sides(cfg: QdrantConfig, ctx: Context) -> Result:
    addresses = []
    for side in (cfg.left, cfg.right):
        address = str(ctx.side(side).get(cfg.url_key, ""))
        if not address:
            why = f"the side {side} has no {cfg.url_key}: the address of its server"
            raise ProbeError(why, status=Status.UNKNOWN)
        addresses.append(address)
    if addresses[0].rstrip("/") == addresses[1].rstrip("/"):
        raise ProbeError("both sides are the same server, which always holds the same", status=Status.UNKNOWN)
    comparison = _comparison(cfg, ctx, _api(cfg, ctx, addresses[0]), _api(cfg, ctx, addresses[1], cfg.compare_api_key))
    findings = await comparison.servers(cfg.patterns)
    ctx.enter("assert")
    measured = measured_in({"points": comparison.points}, QdrantCheck.metrics[:1])
    return Result.of(
        findings, metrics=measured, ok=f"{comparison.points} points the same", evidence=comparison.evidence
    )


def _comparison(cfg: QdrantConfig, ctx: Context, left: Api, right: Api) -> QdrantComparison:
    keep = cfg.indexes == "keep"
    return QdrantComparison(ctx, left, right, cfg.mode, cfg.samples, cfg.tolerance, cfg.payload, keep)


async def _collection(cfg: QdrantConfig, ctx: Context, api: Api, name: str) -> tuple[dict[str, Any], list[Finding]]:
    base = collection_path(name)
    answer = await api.ask(base, also=(404,))
    if answer.status == 404:
        return {}, [Finding.compare("collection", name, "there is none of this name", False)]
    told = answer.need("result")
    facts = vector_facts(told)
    facts |= {"time": Unavailable("set search"), "hits": Unavailable("set search")}
    facts["points"] = await count_points(api, base)
    colour = str(facts["status"])
    findings = [Finding("status", "green", colour, _COLOURS.get(colour, Status.UNKNOWN))]
    if not any("points" in e.names for e in cfg.expect):
        status = Status.OK if facts["points"] else Status.UNKNOWN
        findings.append(Finding("points", "some", str(facts["points"]), status))
    if isinstance(cfg.search, QdrantSearch) and cfg.search.collection in ("", name):
        findings.append(await searched(api, base, cfg.search, facts))
    elif cfg.search is True and facts["points"]:
        findings.append(await searched_itself(api, base, facts))
    if cfg.indexes and not cfg.compare:
        findings.append(_kept(ctx, name, indexes_of(told)))
    return facts, findings


def _kept(ctx: Context, name: str, now: Mapping[str, str]) -> Finding:
    """Compare the indexes with those of the first look; new ones are remembered too."""
    known = ctx.since("indexes")
    before = known.get(name)
    before = before if isinstance(before, dict) else {}
    lost = [f"{key} {kind}".strip() for key, kind in before.items() if now.get(key) != kind]
    known[name] = {**now, **before}
    expected = ", ".join(known[name]) or "none so far"
    return Finding.compare("indexes", expected, f"without {', '.join(lost)}" if lost else "all there", not lost)
