"""`elasticsearch`: the health of a cluster (also OpenSearch), and how many documents an index holds.

Yellow warns: a copy is missing. On a single node that is how it always is, and `level: yellow` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import quote

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.kinds.stores.search_snapshot import judged_snapshot
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.runtime.network.json_asking import Api

__all__ = ["ElasticsearchCheck", "ElasticsearchConfig"]

NAMES: dict[str, NameType] = {
    "status": "text",
    "nodes": "number",
    "docs": "number",
    "unassigned": "number",
    "pending": "number",
    "shards": "number",
    "version": "text",
    "distribution": "text",
    "age": "duration",
}
_FROM_HEALTH = {
    "nodes": "number_of_nodes",
    "unassigned": "unassigned_shards",
    "pending": "number_of_pending_tasks",
    "shards": "active_shards",
}


@dataclass(frozen=True)
class ElasticsearchConfig:
    """A cluster, and what must be true of it."""

    url: str = ""
    """The address: `https://search.example.org:9200`."""
    left: str = ""
    """Instead of url: a side, whose indices must be those of `right`. Its cluster is not judged."""
    right: str = ""
    """The other side."""
    url_key: str = "es"
    """The key of the sides that holds the address of their cluster."""
    indices: str = "*"
    """Which indices are compared; hidden ones are left out."""
    docs: Literal["equal"] = "equal"
    """What is compared of each: how many documents it holds, as of its last refresh."""
    user: str = ""
    """The account."""
    password: str = ""
    """Its password: `{{ secret.NAME }}`."""
    api_key: str = ""
    """An API key, instead of an account."""
    level: Literal["", "green", "yellow"] = ""
    """The colour that is fine, without it green; the next one warns, red is critical. Where a `snapshot` is asked
    for, the colour is judged only if this is set."""
    snapshot: str = ""
    """A snapshot, `REPOSITORY/NAME`: it must be there, ended well, and hold every shard."""
    index: str = ""
    """An index, alias or pattern whose documents are counted. None at all is unknown."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `status`, `nodes`, `docs`, `unassigned`, `pending`, `shards`, `version` and `distribution`,
    and of the snapshot's `age`. Documents are counted as of the last refresh of the index."""
    verify: bool = True
    """Whether the certificate is checked."""

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.left) or bool(self.left) != bool(self.right):
            raise ValueError("set url, or left and right")
        if self.snapshot and "{{" not in self.snapshot and not all(self.snapshot.partition("/")):
            raise ValueError("snapshot is REPOSITORY/NAME")
        if self.left and self.left == self.right:
            raise ValueError("left and right are the same side, which always holds the same as itself")


class ElasticsearchCheck:
    """Ask a cluster."""

    kind: ClassVar[str] = "elasticsearch"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = ElasticsearchConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("nodes", "", "nodes of the cluster"),
        Measured("unassigned", "", "shards that no node holds"),
        Measured("docs", "", "documents of the index", ("index",)),
        Measured("age", "s", "how long ago the snapshot ended", ("snapshot",)),
    )
    example: ClassVar[str] = """
    kind: elasticsearch
    url: http://127.0.0.1:9200
    level: yellow
    index: orders-*
    expect: docs > 1000
    """

    async def probe(self, cfg: ElasticsearchConfig, ctx: Context) -> Result:
        """Ask once."""
        api = _api(cfg, ctx, cfg.url or _of_side(ctx, cfg.right, cfg.url_key))
        health = await api.ask("/_cluster/health", also=(408,))
        colour = str(health.need("status"))
        facts: dict[str, Any] = {"status": colour, "docs": Unavailable("set index")}
        for name, key in _FROM_HEALTH.items():
            facts[name] = health.document.get(key, Unavailable("the cluster does not tell"))
        wanted = frozenset().union(*(e.names for e in cfg.expect)) if cfg.expect else frozenset()
        if wanted & {"version", "distribution"}:
            root = await api.ask("/")
            facts["version"] = str(root.need("version", "number"))
            facts["distribution"] = str(root.document["version"].get("distribution", "elasticsearch"))
        findings = [_coloured(cfg, colour)] if cfg.level or not cfg.snapshot else []
        facts["age"] = Unavailable("set snapshot")
        if cfg.snapshot:
            findings += await judged_snapshot(api, cfg.snapshot, facts)
        if cfg.left:
            findings += await _compared(cfg, _api(cfg, ctx, _of_side(ctx, cfg.left, cfg.url_key)), api)
        if cfg.index:
            findings.append(await _counted(cfg, api, facts))
        ctx.enter("assert")
        findings += [e.check(facts) for e in cfg.expect]
        return Result.of(findings, metrics=measured_in(facts, self.metrics), ok=f"{colour}, {facts['nodes']} nodes")


def _api(cfg: ElasticsearchConfig, ctx: Context, url: str) -> Api:
    header = f"ApiKey {cfg.api_key}" if cfg.api_key else ""
    return Api(ctx, url, cfg.user, cfg.password, header, key_header="authorization", verify=cfg.verify)


def _of_side(ctx: Context, name: str, key: str) -> str:
    address = str(ctx.side(name).get(key, ""))
    if not address:
        raise ProbeError(f"the side {name} has no {key}: the address of its cluster", status=Status.UNKNOWN)
    return address


async def _compared(cfg: ElasticsearchConfig, left: Api, right: Api) -> list[Finding]:
    """Compare the documents of each index on both sides."""
    before, after = await _indices(left, cfg.indices), await _indices(right, cfg.indices)
    if not before:
        return [Finding("indices", "some", f"none fits {cfg.indices}", Status.UNKNOWN)]
    findings = []
    for name in sorted(before.keys() | after.keys()):
        wanted, observed = before.get(name, "no such index"), after.get(name, "no such index")
        if wanted == observed and not wanted.isdecimal():
            findings.append(Finding(f"index {name}", "a number of documents", "neither side tells one", Status.UNKNOWN))
        else:
            findings.append(Finding.compare(f"index {name}", wanted, observed, wanted == observed))
    if set(before.values()) == {"0"}:
        findings.append(Finding("documents", "some", "0: nothing was compared", Status.UNKNOWN))
    return findings


async def _indices(api: Api, pattern: str) -> dict[str, str]:
    asked = {"format": "json", "h": "index,docs.count"}
    answer = await api.ask(f"/_cat/indices/{quote(pattern, safe='*,-_.')}", params=asked)
    if not isinstance(answer.document, list) or not all(isinstance(one, dict) for one in answer.document):
        raise ProbeError("the answer is no list of indices", phase="parse", status=Status.UNKNOWN)
    found = {str(one.get("index")): str(one.get("docs.count")) for one in answer.document}
    return {name: count for name, count in found.items() if not name.startswith(".")}


def _coloured(cfg: ElasticsearchConfig, colour: str) -> Finding:
    status = {"green": Status.OK, "yellow": Status.WARN, "red": Status.CRIT}.get(colour, Status.UNKNOWN)
    level = cfg.level or "green"
    if colour == level:
        status = Status.OK
    return Finding("status", level, colour, status)


async def _counted(cfg: ElasticsearchConfig, api: Api, facts: dict[str, Any]) -> Finding:
    answer = await api.ask(f"/{quote(cfg.index, safe='*,-_.')}/_count", also=(404,))
    if answer.status == 404:
        facts["docs"] = Unavailable("there is no such index")
        return Finding("index", cfg.index, "there is none of this name", Status.CRIT)
    count = answer.need("count")
    shards = answer.document.get("_shards") or {}
    failed = shards.get("failed", 0)
    if shards.get("total") == 0:
        facts["docs"] = Unavailable("no index fits")
        return Finding("index", cfg.index, "none fits", Status.CRIT)
    if not isinstance(count, int) or isinstance(count, bool):
        raise ProbeError("the answer holds no count", phase="parse", status=Status.UNKNOWN)
    if failed:
        facts["docs"] = Unavailable(f"{failed} shards did not answer")
        return Finding("index", "all shards answer", f"{failed} did not", Status.CRIT)
    facts["docs"] = count
    asked = any("docs" in e.names for e in cfg.expect)
    return Finding("index", "documents", str(count), Status.OK if count or asked else Status.UNKNOWN)
