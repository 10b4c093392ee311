"""Runs probes: deadline, concurrency, retry; whatever a probe does, its outcome is a Result."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from switchover_checks.api import Context, Finding, ProbeError, Result, Status
from switchover_checks.config import ConfigError, build_config
from switchover_checks.isolated import probe_isolated
from switchover_checks.registry import Registry, UnknownKindError
from switchover_checks.results import sound
from switchover_checks.units import format_duration

__all__ = ["Outcome", "ProbeSpec", "Runner"]

_RETRY_PAUSE_S = 0.25
_CACHED_CONFIGS = 4096


@dataclass(frozen=True, slots=True)
class ProbeSpec:
    """One thing to look at. `config` holds the kind's keys with all templates filled in."""

    name: str
    kind: str
    config: Mapping[str, Any] = field(default_factory=dict)
    timeout_s: float = 10.0
    retry: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result with when it was begun (epoch seconds) and how long it took, all tries together."""

    result: Result
    started_at: float
    duration_s: float


class Runner:
    """Runs probes, at most `concurrency` at once. `contexts` makes the context for a deadline (monotonic time).

    Kinds that are not built in run in a child process each, which is ended with all that it started.
    """

    def __init__(self, registry: Registry, contexts: Callable[[float], Context], concurrency: int = 50) -> None:
        self._registry = registry
        self._contexts = contexts
        self._slots = asyncio.Semaphore(concurrency)
        self._configs: dict[tuple[str, str], Any] = {}
        self._closers: list[Callable[[], Any]] = []

    def on_close(self, closer: Callable[[], Any]) -> None:
        """Register an async function that `aclose` awaits, such as `Resources.aclose`."""
        self._closers.append(closer)

    async def run(self, spec: ProbeSpec) -> Outcome:
        """Probe, again up to `retry` times while the answer is not OK. Raises nothing but `CancelledError`."""
        async with self._slots:
            started_at, start = time.time(), time.monotonic()
            result = await self._once(spec)
            for _ in range(spec.retry):
                if result.status is Status.OK:
                    break
                await asyncio.sleep(_RETRY_PAUSE_S)
                result = await self._once(spec)
            return Outcome(result, started_at, time.monotonic() - start)

    async def aclose(self) -> None:
        """Give back what the probes shared."""
        closers, self._closers = self._closers, []
        for closer in closers:
            await closer()

    async def _once(self, spec: ProbeSpec) -> Result:
        context: Context | None = None
        cutoff: asyncio.Timeout | None = None
        try:
            info = self._registry.info(spec.kind)
            context = self._contexts(time.monotonic() + spec.timeout_s)
            if info.isolated:
                return sound(await probe_isolated(info, spec.config, context))
            check = self._registry.load(spec.kind)
            config = self._config(spec.kind, check.config, spec.config)
            cutoff = asyncio.timeout_at(_loop_time(context.deadline))
            async with cutoff:
                return sound(await check.probe(config, context))
        except ProbeError as error:
            return failure(str(error), error.status, error.phase or _phase(context))
        except (ConfigError, UnknownKindError) as error:
            return Result.unknown(f"the check cannot be used: {error}")
        except Exception as error:
            if cutoff is not None and cutoff.expired():
                return Result.unknown(f"no answer within {format_duration(spec.timeout_s)}", phase=_phase(context))
            return Result.unknown(f"the check itself failed: {type(error).__name__}: {error}", phase=_phase(context))

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


def failure(message: str, status: Status, phase: str) -> Result:
    """Make the result of a probe that was told clearly that it does not get its answer."""
    what = phase or "probe"
    return Result(status, message, (Finding(what, "an answer", message, status),), (), phase)


def _phase(context: Context | None) -> str:
    return str(getattr(context, "phase", ""))


def _loop_time(monotonic: float) -> float:
    return asyncio.get_running_loop().time() + monotonic - time.monotonic()
