"""`promql`: asks a Prometheus, or what answers like it, and judges each series; or the same query of two servers.

A query that finds nothing is unknown. So is an answer that the server itself calls partial.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, expected_in
from switchover_checks.language.fields import Share, Texts, Threshold
from switchover_checks.language.thresholds import judge
from switchover_checks.runtime.network.json_asking import Api, JsonAnswer

__all__ = ["PromqlCheck", "PromqlConfig"]

NAMES: dict[str, NameType] = {"value": "number", "series": "number", "values": "list", "time": "duration"}
_MOST_SERIES = 200
_OTHERS = {
    "matrix": "the query asks for a range of time; put rate(…) or avg_over_time(…) around it",
    "string": "the query answers with a text, not with numbers",
}

Vector = dict[str, float]


@dataclass(frozen=True)
class PromqlConfig:
    """A query, and what its numbers must be."""

    query: str
    """The query, in PromQL."""
    url: str = ""
    """The address of the server, without `/api/v1`."""
    left: str = ""
    """Instead of url: a side, whose server must answer as that of `right`."""
    right: str = ""
    """The other side."""
    url_key: str = "url"
    """The key of the sides that holds the address of their server."""
    warn: Threshold | None = None
    """A range; outside of it a series warns."""
    crit: Threshold | None = None
    """A range; outside of it a series is critical."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `value` (where one series answers), of the number of `series`, and of the list `values`."""
    compare: str = ""
    """The address of a second server, which must answer the same."""
    tolerance: Share = 0.01
    """How far numbers of the two may lie apart, as a share of the larger."""
    ignore_labels: Texts = ()
    """Labels that do not count when series are compared, such as `instance`."""
    user: str = ""
    """The account, for basic authentication."""
    password: str = ""
    """Its password: `{{ secret.NAME }}`."""
    token: str = ""
    """A bearer token, instead of an account."""
    verify: bool = True
    """Whether certificates are checked."""

    def __post_init__(self) -> None:
        if bool(self.url) == bool(self.left) or bool(self.left) != bool(self.right):
            raise ValueError("set url, or left and right")
        if self.left and self.left == self.right:
            raise ValueError("left and right are the same side, which always answers the same as itself")
        if not (self.warn or self.crit or self.expect or self.compare or self.right):
            raise ValueError("set warn, crit, expect or compare: what must the numbers be?")
        if self.compare and self.compare.rstrip("/") == self.url.rstrip("/"):
            raise ValueError("compare is another server; a server always answers the same as itself")


class PromqlCheck:
    """Ask a server for the numbers of now."""

    kind: ClassVar[str] = "promql"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = PromqlConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("value", "", "the number, where one series answers"),
        Measured("series", "", "how many series answer"),
    )
    example: ClassVar[str] = """
    kind: promql
    url: http://127.0.0.1:9090
    query: sum by (job) (rate(http_errors_total[5m]))
    warn: 1
    crit: 5
    """

    async def probe(self, cfg: PromqlConfig, ctx: Context) -> Result:
        """Ask once; with `compare` both servers."""
        url = cfg.url or _of_side(ctx, cfg.left, cfg.url_key)
        compare = cfg.compare or (_of_side(ctx, cfg.right, cfg.url_key) if cfg.right else "")
        api = Api(ctx, url, cfg.user, cfg.password, cfg.token, verify=cfg.verify)
        answer = await _query(api, cfg.query)
        ignored = cfg.ignore_labels if compare else ()
        found = _vector(answer, ignored)
        ctx.enter("assert")
        findings: list[Finding] = []
        if not found:
            findings.append(Finding("series", "some", "the query finds none", Status.UNKNOWN))
        if cfg.warn or cfg.crit:
            findings += _worst([judge(name or "value", value, cfg.warn, cfg.crit) for name, value in found.items()])
        if compare and found:
            other = Api(ctx, compare, cfg.user, cfg.password, cfg.token, verify=cfg.verify)
            findings += _compared(cfg, found, _vector(await _query(other, cfg.query), ignored))
        facts: dict[str, Any] = {"series": len(found), "values": list(found.values()), "time": answer.seconds}
        only = next(iter(found.values())) if len(found) == 1 else None
        if only is not None:
            facts["value"] = only
        findings += [_expected(e, facts) for e in cfg.expect]
        metrics = [Metric("series", len(found))]
        if only is not None and math.isfinite(only):
            metrics.append(Metric("value", only))
        shown = f"{only:.6g}" if only is not None else f"{len(found)} series"
        return Result.of(findings, metrics=metrics, ok=shown)


def _of_side(ctx: Context, name: str, key: str) -> str:
    address = str(ctx.side(name).get(key, ""))
    if not address:
        raise ProbeError(f"the side {name} has no {key}: the address of its server", status=Status.UNKNOWN)
    return address


def _expected(expectation: Expectation, facts: Mapping[str, Any]) -> Finding:
    if "value" in expectation.names and "value" not in facts:
        observed = f"{facts['series']} series answer"
        return Finding(expectation.text, "one series", observed, Status.UNKNOWN, "sum(…) makes one of several")
    return expectation.check(facts)


async def _query(api: Api, query: str) -> JsonAnswer:
    answer = await api.ask("/api/v1/query", params={"query": query}, also=(400, 422, 503))
    document = answer.document
    if not isinstance(document, Mapping) or "status" not in document:
        raise ProbeError("what answers is no Prometheus", phase="parse", status=Status.UNKNOWN)
    if document["status"] != "success":
        said = str(document.get("error", "no reason"))[:200]
        raise ProbeError(f"the query fails: {said}", phase="parse", status=Status.UNKNOWN)
    if document.get("isPartial") is True:
        raise ProbeError("the answer is partial: a part of the storage did not answer", status=Status.UNKNOWN)
    return answer


def _vector(answer: JsonAnswer, ignored: tuple[str, ...]) -> Vector:
    kind, result = answer.need("data", "resultType"), answer.need("data", "result")
    try:
        if kind == "scalar":
            return {"": float(result[1])}
        if kind == "vector":
            named = [(_name(one["metric"], ignored), float(one["value"][1])) for one in result]
            if len(found := dict(named)) == len(named):
                return found
            words = "several series differ in ignore_labels only, so nobody can say which is which"
            raise ProbeError(words, phase="parse", status=Status.UNKNOWN)
    except (KeyError, IndexError, TypeError, ValueError):
        raise ProbeError("the answer holds a series without a number", phase="parse", status=Status.UNKNOWN) from None
    why = _OTHERS.get(str(kind), f"the query answers with a {str(kind)[:20]}, not with numbers")
    raise ProbeError(why, phase="parse", status=Status.UNKNOWN)


def _name(labels: Mapping[str, str], ignored: tuple[str, ...]) -> str:
    kept = {k: v for k, v in sorted(labels.items()) if k != "__name__" and k not in ignored}
    inside = ", ".join(f'{k}="{v}"' for k, v in kept.items())
    return str(labels.get("__name__", "")) + (f"{{{inside}}}" if inside else "")


def _worst(findings: list[Finding]) -> list[Finding]:
    """Return the worst that may be shown; none is worse than these."""
    return sorted(findings, key=lambda one: -one.status.severity)[:_MOST_SERIES]


def _compared(cfg: PromqlConfig, here: Vector, there: Vector) -> list[Finding]:
    findings = []
    for name in sorted(here.keys() | there.keys()):
        left, right = here.get(name), there.get(name)
        what = f"{name or 'value'} on both"
        expected = "nothing" if left is None else f"{left:.10g}"
        observed = "missing" if right is None else f"{right:.10g}"
        same = left is not None and right is not None and _near(left, right, cfg.tolerance)
        if left is not None and right is not None and math.isnan(left) and math.isnan(right):
            findings.append(Finding(what, "a number", "no number on either side", Status.UNKNOWN))
        else:
            findings.append(Finding.compare(what, expected, observed, same))
    return _worst(findings)


def _near(left: float, right: float, tolerance: float) -> bool:
    if math.isnan(left) or math.isnan(right):
        return False
    return left == right or abs(left - right) <= tolerance * max(abs(left), abs(right))
