"""Runs probes: deadline, concurrency, attempts; whatever a probe does, its outcome is a Result."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from switchover_checks.api import Context, ProbeError, Result, Status
from switchover_checks.language.units import format_duration
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.context import LocalContext
from switchover_checks.runtime.isolated import probe_isolated
from switchover_checks.runtime.probe_slots import PATIENCE_S, ProbeLimits, ProbeSlots, ProbeSpeed
from switchover_checks.runtime.registry import Registry, UnknownKindError
from switchover_checks.runtime.results import failure, sound

__all__ = ["WAITING", "WORKING", "Outcome", "ProbeSpec", "Runner"]

WAITING = ProbeLimits(4000, reserve=400, to_one_target=250)
"""Of probes that only wait: each costs a socket or a thread."""
WORKING = ProbeLimits(200, reserve=50, beginning=16)
"""Of probes that run a process, which costs memory, and CPU while it begins. Where there is memory, more may run."""

_RETRY_PAUSE_S = 0.25
_CACHED_CONFIGS = 4096


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """One thing to look at. `config` holds the kind's keys with all templates filled in."""

    name: str
    kind: str
    config: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float | None = None
    """How long it may take; None is what its kind says."""
    attempts: int = 1
    service: str = ""
    machine: str = ""
    """The other machine on which its command runs, as ssh calls it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result with when it was begun (epoch seconds) and how long it took, all tries together."""

    result: Result
    started_at: float
    duration_s: float


class Runner:
    """Runs probes. `contexts` makes the context for a deadline (monotonic time).

    Kinds that are not built in run in a child process each, which is ended with all that it started. `waiting` limits
    the probes that only wait for an answer, `working` those that run a process.
    """

    def __init__(
        self,
        registry: Registry,
        contexts: Callable[[float], Context],
        *,
        waiting: ProbeLimits = WAITING,
        working: ProbeLimits = WORKING,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._contexts = contexts
        self._waiting, self._working = ProbeSlots(waiting), ProbeSlots(working)
        self._monotonic = monotonic
        self._took: dict[str, float] = {}
        self._configs: dict[tuple[str, str], Any] = {}
        self._closers: list[Callable[[], Any]] = []

    def on_close(self, closer: Callable[[], Any]) -> None:
        """Register an async function that `aclose` awaits, such as `Resources.aclose`."""
        self._closers.append(closer)

    async def run(self, spec: ProbeSpec) -> Outcome:
        """Probe up to `attempts` times, until the answer is OK. Raises nothing but `CancelledError`."""
        slots = self._working if self._runs_a_process(spec.kind) else self._waiting
        began: tuple[float, float] | None = None
        for attempt in range(spec.attempts):
            if attempt:
                await asyncio.sleep(_RETRY_PAUSE_S)
            async with slots.hold(target_of(spec.config), self._pace(spec.name)):
                start = self._monotonic()
                began = began or (time.time(), start)
                result = await self._once(spec, spec.timeout_s or self._registry.timeout_s(spec.kind))
                self._took[spec.name] = self._monotonic() - start
            if result.status is Status.OK:
                break
        assert began is not None
        return Outcome(result, began[0], self._monotonic() - began[1])

    def _pace(self, name: str) -> ProbeSpeed:
        took = self._took.get(name)
        return ProbeSpeed.NOT_KNOWN if took is None else ProbeSpeed.QUICK if took < PATIENCE_S else ProbeSpeed.SLOW

    def _runs_a_process(self, kind: str) -> bool:
        try:
            return self._registry.apart(kind) or getattr(self._registry.load(kind), "runs_a_process", False)
        except UnknownKindError:
            return False

    async def aclose(self) -> None:
        """Give back what the probes shared."""
        closers, self._closers = self._closers, []
        for closer in closers:
            await closer()

    async def _once(self, spec: ProbeSpec, timeout_s: float) -> Result:
        context: Context | None = None
        cutoff: asyncio.Timeout | None = None
        try:
            info = self._registry.info(spec.kind)
            context = self._contexts(self._monotonic() + timeout_s)
            if isinstance(context, LocalContext):
                context.owner, context.about, context.machine = spec.name, spec.service, spec.machine
            if self._registry.apart(spec.kind):
                return sound(await probe_isolated(info, spec.config, context, self._registry.code))
            check = self._registry.load(spec.kind)
            config = self._config(spec.kind, check.config, spec.config)
            cutoff = asyncio.timeout_at(self._loop_time(context.deadline))
            async with cutoff:
                return sound(await check.probe(config, context))
        except ProbeError as error:
            return failure(str(error), error.status, error.phase or _phase(context))
        except (ConfigError, UnknownKindError) as error:
            return Result.unknown(f"the check cannot be used: {error}")
        except Exception as error:
            if cutoff is not None and cutoff.expired():
                return Result.unknown(f"no answer within {format_duration(timeout_s)}", phase=_phase(context))
            return Result.unknown(f"the check itself failed: {type(error).__name__}: {error}", phase=_phase(context))
        finally:
            if isinstance(context, LocalContext):
                context.ports.progress.ended(spec.name)

    def _loop_time(self, monotonic: float) -> float:
        return asyncio.get_running_loop().time() + monotonic - self._monotonic()

    def _config(self, kind: str, config: type, mapping: Mapping[str, Any]) -> Any:
        try:
            key = (kind, json.dumps(mapping, sort_keys=True))
        except (TypeError, ValueError):
            return build_config(config, mapping)
        if key not in self._configs:
            if len(self._configs) >= _CACHED_CONFIGS:
                self._configs.clear()
            self._configs[key] = build_config(config, mapping)
        return self._configs[key]


def target_of(config: Mapping[str, Any]) -> str:
    """Return what a probe with these keys looks at, as far as that is one machine's port; else nothing."""
    if isinstance(url := config.get("url"), str):
        return url.partition("://")[2].partition("/")[0].rpartition("@")[2] or url
    if isinstance(host := config.get("host"), str):
        return f"{host}:{config.get('port', '')}"
    return str(config["docker_host"]) if "docker_host" in config else ""


def _phase(context: Context | None) -> str:
    return str(getattr(context, "phase", ""))
