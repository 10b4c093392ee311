"""What Prometheus scrapes: the agent's own figures, services, checks, metrics, and what applications told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from switchover.applications.app_numbers import BOUNDS, AppSeries

if TYPE_CHECKING:
    from switchover.agent.http.api_sources import ApiSources

__all__ = ["exposition"]

_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9_]")
_STATUS = {"ok": 0, "warn": 1, "crit": 2}
_UNKNOWN = 3

_Sample = tuple[Mapping[str, str], float | None]


def exposition(sources: ApiSources) -> bytes:
    """Write it in the text format, version 0.0.4. What is stale is left out: a scraper then marks it as gone."""
    snapshot, health, apps = sources.hub.snapshot, sources.health, sources.applications
    lines: list[str] = []
    lines += _family("switchover_agent_cpu_percent", "gauge", [({}, health.cpu_percent)])
    lines += _family("switchover_agent_memory_bytes", "gauge", [({}, health.memory_bytes)])
    lines += _family("switchover_agent_loop_lag_p99_seconds", "gauge", [({}, health.lag_p99_s)])
    lines += _family("switchover_agent_websockets", "gauge", [({}, health.websockets)])
    lines += _family("switchover_agent_websockets_dropped_total", "counter", [({}, health.dropped_clients)])
    lines += _family("switchover_agent_events_lost_total", "counter", [({}, apps.lost)])
    lines += _family("switchover_agent_series", "gauge", [({}, len(apps.numbers.series) + len(snapshot.metrics))])
    lines += _family("switchover_agent_series_refused_total", "counter", [({}, apps.numbers.refused)])
    checks = [({"check": c.name, "kind": c.kind}, _STATUS.get(c.status, _UNKNOWN)) for c in snapshot.checks]
    lines += _family("switchover_check_status", "gauge", checks)
    problems = [({"status": s}, sum(p.status == s for p in snapshot.problems)) for s in ("warn", "crit", "unknown")]
    lines += _family("switchover_problems", "gauge", problems)
    fresh = [
        ({"metric": m.name, "unit": m.unit}, m.latest)
        for m in snapshot.metrics
        if m.observed_at is not None and snapshot.at - m.observed_at <= m.stale_after_s
    ]
    lines += _family("switchover_metric", "gauge", fresh)
    for name in sorted({key[0] for key in apps.numbers.series}):
        lines += _told(name, apps.numbers.of_name(name))
    return ("\n".join(lines) + "\n").encode()


def _told(name: str, series: list[AppSeries]) -> Iterator[str]:
    safe = "app_" + _NOT_IN_NAMES.sub("_", name)
    kind = series[0].kind
    if kind != "histogram":
        suffix = "_total" if kind == "counter" else ""
        yield from _family(safe + suffix, kind, [(dict(s.labels), s.value) for s in series])
        return
    yield f"# TYPE {safe} histogram"
    for one in series:
        labels = dict(one.labels)
        for bound, count in zip((*map(repr, BOUNDS), "+Inf"), accumulate(one.buckets), strict=True):
            yield f"{_series(f'{safe}_bucket', {**labels, 'le': bound})} {count}"
        yield f"{_series(f'{safe}_sum', labels)} {one.total!r}"
        yield f"{_series(f'{safe}_count', labels)} {one.count}"


def _family(name: str, kind: str, samples: Iterable[_Sample]) -> Iterator[str]:
    """Yield a family; nothing at all where it has no value."""
    written = {_series(name, labels): value for labels, value in samples if value is not None}
    if written:
        yield f"# TYPE {name} {kind}"
        yield from (f"{series} {float(value)!r}" for series, value in written.items())


def _series(name: str, labels: Mapping[str, str]) -> str:
    if not labels:
        return name
    written = (f'{_NOT_IN_NAMES.sub("_", key)}="{_label(value)}"' for key, value in labels.items())
    return name + "{" + ",".join(written) + "}"


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
