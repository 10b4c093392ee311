"""Asks every source in its rhythm and keeps the answers: one track a metric, a gap where nothing was measured."""

from __future__ import annotations

import asyncio
import math
import statistics
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from switchover.clock import Clock
from switchover.metrics.json_documents import JsonDocuments, NoValueError
from switchover.metrics.series import Series
from switchover.metrics.source_api import MetricSource, Reading, SourceTools
from switchover.plan.kind_calls import KindCalls, UnavailableError
from switchover.plan.model import MetricSpec
from switchover.plan.named_kinds import METRIC_SOURCES
from switchover.redaction import sanitize
from switchover_checks.api import Metric, Status
from switchover_checks.language.declared import load_declared
from switchover_checks.language.thresholds import Range, parse_range

__all__ = ["Sampler", "Track"]

_DEFAULTS = {
    "host.cpu": ("cpu", ""),
    "host.memory": ("memory", ""),
    "host.swap": ("swap", ""),
    "host.load": ("load", ""),
    "host.disk": ("disk", "/"),
    "host.net_in": ("net_in", ""),
    "host.net_out": ("net_out", ""),
}
_PRESSURE = {  # judged where there is no plan that could say what is too much: (warn, crit)
    "pressure_cpu": ("80", None, "work waits for the CPU"),
    "pressure_memory": ("5", "25", "all work waits for memory"),
    "pressure_io": ("25", "60", "all work waits for disks"),
}
_MOST_FRESH = 600  # of what waits to be put on disk
_TITLES = {"host.disk": "disk /", "host.net_in": "net in", "host.net_out": "net out"}


@dataclass(slots=True)
class Track:
    """A metric and its points. `note` says why there is no value; `version` grows with every change."""

    name: str
    group: str
    spec: MetricSpec
    series: Series
    title: str = ""
    unit: str = ""
    warn: Range | None = None
    crit: Range | None = None
    baseline: float | None = None
    note: str = ""
    version: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)
    late_s: float = 5.0
    longest_pause_s: float = 0.0
    failures: int = 0
    rests_until: float = 0.0
    fresh: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=_MOST_FRESH))
    _counted: tuple[float, float] | None = None

    def add(self, value: float | None, note: str, *, at: float, mono: float) -> None:
        """Keep a value, or that there was none and why. What counts up becomes how much it grows a second, once."""
        if self.spec.rate:
            value = self._grows(value, mono)
        self.series.add(value, at=at, mono=mono)
        self.fresh.append((at, math.nan if value is None else value))
        self.note = note
        self.version += 1
        self.failures = self.failures + 1 if note else 0
        pause = min(self.series.step_s * 2 ** min(self.failures, 30), self.longest_pause_s)
        self.rests_until = mono + pause if note else mono

    def _grows(self, value: float | None, mono: float) -> float | None:
        """Return how much a counter grew a second since its last value; None where it began anew."""
        before, self._counted = self._counted, None if value is None else (value, mono)
        if value is None or before is None or mono <= before[1] or value < before[0]:
            return None
        return (value - before[0]) / (mono - before[1])

    def status(self, *, stale: bool) -> Status:
        """Judge the newest value. Without a fresh one it is UNKNOWN; PENDING when there never was one."""
        value = self.series.latest
        if value is None or stale or self.note:
            judged = self.warn is not None or self.crit is not None
            never = value is None and not (judged and self.note)
            return Status.PENDING if never else Status.UNKNOWN
        if self.crit is not None and self.crit.alerts(value):
            return Status.CRIT
        if self.warn is not None and self.warn.alerts(value):
            return Status.WARN
        return Status.OK


class Sampler:
    """Measures the host's own numbers and the plan's.

    `service_number(service, "cpu"|"memory")` gives what was last seen of a service, None when that is not fresh.
    With `judge_host` the host's pressure is judged too, by bounds of our own.
    `check_period(check)` gives the seconds between two looks at a check, whose results are handed to `note_check`.
    """

    def __init__(
        self,
        metrics: Mapping[str, MetricSpec],
        calls: KindCalls,
        clock: Clock,
        *,
        service_number: Callable[[str, str], float | None] | None = None,
        check_period: Callable[[str], float] | None = None,
        documents: JsonDocuments | None = None,
        redact: Callable[[str], str] | None = None,
        judge_host: bool = False,
    ) -> None:
        self._calls = calls
        self._redact = redact or sanitize
        self._clock = clock
        self.documents = documents or JsonDocuments()
        self._tools = SourceTools(
            clock.monotonic,
            self.documents,
            service_number or (lambda *_: None),
            self._told,
        )
        self.pushed: Callable[[str, Mapping[str, str]], tuple[str, float] | None] = lambda *_: None
        self._sources: dict[str, MetricSource[Any]] = {}
        self.tracks: dict[str, Track] = {}
        for name, (metric, path) in _DEFAULTS.items():
            config = {"metric": metric, **({"path": path} if path else {})}
            self._add(name, MetricSpec(kind="host", **config), "host", _TITLES.get(name, metric))
        for metric, (warn, crit, title) in _PRESSURE.items() if judge_host else ():
            spec = MetricSpec(kind="host", metric=metric, warn=warn, crit=crit)
            self._add(f"host.{metric}", spec, "host", title)
        for name, spec in metrics.items():
            every = check_period(str(spec.config.get("check"))) if spec.kind == "check" and check_period else None
            self._add(name, spec, "host" if spec.kind == "host" else "plan", spec.title or name, every)

    def _told(self, name: str, labels: Mapping[str, str]) -> tuple[str, float] | None:
        return self.pushed(name, labels)

    def _source(self, kind: str) -> MetricSource[Any]:
        if kind not in self._sources:
            self._sources[kind] = load_declared(METRIC_SOURCES, kind)(self._tools)
        return self._sources[kind]

    def _add(self, name: str, spec: MetricSpec, group: str, title: str, every: float | None = None) -> None:
        source, config = self._source(spec.kind), spec.config
        step = every or (spec.every if "every" in spec.model_fields_set else source.every)
        unit = spec.unit or source.unit(config) + ("/s" if spec.rate else "")
        track = Track(name, group, spec, Series(step), title, unit, config=config)
        track.late_s, track.longest_pause_s = source.late_s, source.longest_pause_s
        try:
            track.warn = parse_range(spec.warn) if spec.warn is not None else None
            track.crit = parse_range(spec.crit) if spec.crit is not None else None
        except ValueError as error:
            track.note = str(error)
        if isinstance(spec.baseline, float | int):
            track.baseline = float(spec.baseline)
        self.tracks[name] = track

    def take_over(self, before: Sampler) -> None:
        """Keep the points of every metric that is the same in another one."""
        for name, track in self.tracks.items():
            old = before.tracks.get(name)
            if old is not None and old.spec == track.spec and old.series.step_s == track.series.step_s:
                self.tracks[name] = old

    async def prime(self) -> None:
        """Take the first reading of what is a rate, so that the first point has a value."""
        await asyncio.gather(*(source.prime() for source in self._sources.values()))

    def rhythms(self) -> list[tuple[float, tuple[str, ...]]]:
        """Return what is asked together, with the seconds between two points; metrics of checks come by themselves.

        What has to be fetched is asked alone, so that a source that hangs delays no other.
        """
        groups: dict[tuple[float, str], list[str]] = {}
        for name, track in self.tracks.items():
            source = self._source(track.spec.kind)
            if not source.comes_by_itself:
                alone = "" if source.together else name
                groups.setdefault((track.series.step_s, alone), []).append(name)
        return [(every, tuple(names)) for (every, _), names in groups.items()]

    async def sample(self, names: Collection[str]) -> None:
        """Add a point to each of the named metrics."""
        batches: dict[str, list[Track]] = {}
        for name in names:
            track = self.tracks[name]
            if self._clock.monotonic() >= track.rests_until:
                together = self._source(track.spec.kind).together
                batches.setdefault(track.spec.kind if together else name, []).append(track)
        await asyncio.gather(*map(self._sample_batch, batches.values()))

    async def _sample_batch(self, tracks: list[Track]) -> None:
        """Ask the source of these tracks once; what has no keys yet is a gap that says so."""
        source = self._source(tracks[0].spec.kind)
        wanted: list[tuple[Track, Any]] = []
        readings: list[tuple[Track, Reading]] = []
        for track in tracks:
            try:
                wanted.append((track, await self._calls.config(source.config, track.config)))
            except UnavailableError as error:
                readings.append((track, error))
        answers = await self._ask(source, [config for _, config in wanted])
        readings += zip((track for track, _ in wanted), answers, strict=True)
        at, mono = self._clock.now(), self._clock.monotonic()
        for track, reading in readings:
            value, note = (None, self._redact(str(reading))) if isinstance(reading, Exception) else (reading, "")
            track.add(value, note, at=at, mono=mono)

    @staticmethod
    async def _ask(source: MetricSource[Any], wanted: Sequence[Any]) -> Sequence[Reading]:
        try:
            async with asyncio.timeout(source.timeout_s):
                return await source.read(wanted) if wanted else ()
        except TimeoutError:
            return [NoValueError(f"no answer within {source.timeout_s:g} s")] * len(wanted)
        except NoValueError as error:
            return [error] * len(wanted)

    def note_check(
        self,
        check: str,
        metrics: Iterable[Metric],
        duration_s: float,
        *,
        at: float,
        mono: float,
        rests: Callable[[str], object] = lambda _: "",
    ) -> None:
        """Add a point to every metric that comes from this check. `time` is how long the look took, unless it says.

        `rests` tells the metrics that are not watched now.
        """
        found = {metric.name: metric for metric in metrics}
        for track in self.tracks.values():
            if track.spec.kind != "check" or track.config.get("check") != check or rests(track.name):
                continue
            wanted = str(track.config.get("metric", "time"))
            metric = found.get(wanted)
            if metric is not None:
                track.unit = track.unit or metric.unit
                track.add(metric.value, "", at=at, mono=mono)
            elif wanted == "time" and duration_s:
                track.unit = track.unit or "s"
                track.add(duration_s, "", at=at, mono=mono)
            else:
                has = ", ".join(found) or "none"
                track.add(None, f"the last result of {check} has no {wanted!r}; it has {has}", at=at, mono=mono)

    def record_baselines(self) -> dict[str, float]:
        """Set the baseline of every metric that asks for one to the median of its known values. Return those set."""
        recorded = {}
        for name, track in self.tracks.items():
            if track.spec.baseline == "record" and (known := track.series.known()):
                track.baseline = recorded[name] = statistics.median(known)
                track.version += 1
        return recorded

    def set_baselines(self, values: Mapping[str, float]) -> None:
        """Take over baselines that were recorded before."""
        for name, value in values.items():
            track = self.tracks.get(name)
            if track is not None and track.spec.baseline == "record":
                track.baseline = value
                track.version += 1

    async def aclose(self) -> None:
        """Close the connections."""
        await self.documents.aclose()
