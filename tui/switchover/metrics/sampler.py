"""Asks every source in its rhythm and keeps what it says: one track a metric, a gap where nothing was measured."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from switchover.clock import Clock
from switchover.errors import SwitchoverError
from switchover.metrics.series import Series
from switchover.metrics.sources.host_numbers import HOST_METRICS, HostNumbers
from switchover.metrics.sources.remote_numbers import NoValueError, RemoteNumbers
from switchover.plan.model import MetricSpec
from switchover.plan.secrets.secret_store import SecretSource
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render_tree
from switchover.redaction import sanitize
from switchover_checks.api import Metric, Status
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
_TITLES = {"host.disk": "disk /", "host.net_in": "net in", "host.net_out": "net out"}
_FETCHED = frozenset({"prometheus", "http_json"})
_PROCESS_UNITS = {"cpu": "%", "memory": "B"}


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

    def add(self, value: float | None, note: str, *, at: float, mono: float) -> None:
        """Keep a value, or that there was none and why."""
        self.series.add(value, at=at, mono=mono)
        self.note = note
        self.version += 1

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
        scope: Callable[[], Scope] | None,
        clock: Clock,
        *,
        service_number: Callable[[str, str], float | None] | None = None,
        check_period: Callable[[str], float] | None = None,
        remote: RemoteNumbers | None = None,
        secrets: SecretSource | None = None,
        redact: Callable[[str], str] | None = None,
        judge_host: bool = False,
    ) -> None:
        self._secrets = secrets
        self._redact = redact or sanitize
        self._scope = scope
        self._clock = clock
        self._service_number = service_number
        self._host = HostNumbers(clock.monotonic)
        self.remote = remote or RemoteNumbers()
        self.tracks: dict[str, Track] = {}
        for name, (metric, path) in _DEFAULTS.items():
            config = {"metric": metric, **({"path": path} if path else {})}
            spec = MetricSpec(type="host", **config)
            self._add(name, spec, "host", spec.every, _TITLES.get(name, metric))
        for metric, (warn, crit, title) in _PRESSURE.items() if judge_host else ():
            spec = MetricSpec(type="host", metric=metric, warn=warn, crit=crit)
            self._add(f"host.{metric}", spec, "host", spec.every, title)
        for name, spec in metrics.items():
            every = check_period(str(spec.config.get("check"))) if spec.type == "check" and check_period else spec.every
            self._add(name, spec, "host" if spec.type == "host" else "plan", every, spec.title or name)

    def _add(self, name: str, spec: MetricSpec, group: str, every: float, title: str) -> None:
        config = spec.config
        unit = spec.unit
        if not unit and spec.type == "host":
            unit = HOST_METRICS.get(str(config.get("metric", "")), "")
        elif not unit and spec.type == "process":
            unit = _PROCESS_UNITS.get(str(config.get("metric", "cpu")), "")
        track = Track(name, group, spec, Series(every), title, unit, config=config)
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
        await self._host.read()

    def rhythms(self) -> list[tuple[float, tuple[str, ...]]]:
        """Return what is asked together, with the seconds between two points; metrics of checks come by themselves.

        What has to be fetched is asked alone, so that a source that hangs delays no other.
        """
        groups: dict[tuple[float, str], list[str]] = {}
        for name, track in self.tracks.items():
            if track.spec.type != "check":
                alone = name if track.spec.type in _FETCHED else ""
                groups.setdefault((track.series.step_s, alone), []).append(name)
        return [(every, tuple(names)) for (every, _), names in groups.items()]

    async def sample(self, names: Collection[str]) -> None:
        """Add a point to each of the named metrics."""
        tracks = [self.tracks[name] for name in names]
        host = [track for track in tracks if track.spec.type == "host"]
        others = [track for track in tracks if track.spec.type != "host"]
        await asyncio.gather(self._sample_host(host), *(self._sample_one(track) for track in others))

    async def _sample_host(self, tracks: list[Track]) -> None:
        if not tracks:
            return
        disks = {str(t.config.get("path", "/")) for t in tracks if t.config.get("metric") == "disk"}
        numbers = await self._host.read(disks)
        at, mono = self._clock.now(), self._clock.monotonic()
        for track in tracks:
            metric = str(track.config.get("metric", ""))
            key = f"disk:{track.config.get('path', '/')}" if metric == "disk" else metric
            note = "" if key in numbers else f"{metric!r} is no host metric; choose from {', '.join(HOST_METRICS)}"
            track.add(numbers.get(key), note, at=at, mono=mono)

    async def _sample_one(self, track: Track) -> None:
        try:
            value: float | None = await self._measure(track)
            note = ""
        except NoValueError as error:
            value, note = None, self._redact(str(error))
        track.add(value, note, at=self._clock.now(), mono=self._clock.monotonic())

    async def _measure(self, track: Track) -> float:
        try:
            config = await self._filled(track.config)
        except MissingValueError as missing:
            raise NoValueError(f"waits for variable {missing.name}") from None
        except TemplateError as error:
            raise NoValueError(str(error)) from None
        except SwitchoverError as error:
            raise NoValueError(error.title) from None
        if track.spec.type == "prometheus":
            return await self.remote.prometheus(
                str(config.get("url", "")), str(config.get("query", "")), _headers(config)
            )
        if track.spec.type == "http_json":
            return await self.remote.http_json(
                str(config.get("url", "")), str(config.get("path", "")), _headers(config)
            )
        service = str(config.get("service", ""))
        look = self._service_number
        value = look(service, str(config.get("metric", "cpu"))) if look is not None else None
        if value is None:
            raise NoValueError(f"{service} does not run or was not measured")
        return value

    async def _filled(self, config: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._scope is None:
            return config
        scope = self._scope()
        if self._secrets is not None and "secret." in repr(config):  # fetching one may run a command
            filled: Mapping[str, Any] = await asyncio.to_thread(render_tree, dict(config), scope, self._secrets)
            return filled
        plain: Mapping[str, Any] = render_tree(config, scope)
        return plain

    def note_check(self, check: str, metrics: Iterable[Metric], duration_s: float, *, at: float, mono: float) -> None:
        """Add a point to every metric that comes from this check. `time` is how long the look took, unless it says."""
        found = {metric.name: metric for metric in metrics}
        for track in self.tracks.values():
            if track.spec.type != "check" or track.config.get("check") != check:
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
        """Set the baseline of every metric that asks for one to the median of what is known now; return those set."""
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
        await self.remote.aclose()


def _headers(config: Mapping[str, Any]) -> dict[str, str]:
    found = config.get("headers")
    return {str(name): str(value) for name, value in found.items()} if isinstance(found, Mapping) else {}
