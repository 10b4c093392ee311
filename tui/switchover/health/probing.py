"""Looking at checks: in the order of their needs, with the plan's variables filled in, never twice at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from switchover.clock import Clock
from switchover.errors import SwitchoverError
from switchover.health.backup_moments import backup_keys, kept_long_enough
from switchover.health.catalog import Catalog, CheckItem
from switchover.health.load_targets import why_not_loaded
from switchover.health.machines import join_machines
from switchover.health.maintenance import MaintenanceTimes
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.members.member_names import members_of
from switchover.plan.secrets.secret_store import SecretSource, why_held_back
from switchover.plan.templates import TemplateError
from switchover.plan.variables import MissingValueError, Scope, render, render_tree
from switchover.redaction import sanitize
from switchover_checks.api import Result, Status, worst
from switchover_checks.runtime.probe_ports import ProbeProgress, ProgressNote
from switchover_checks.runtime.runner import Outcome, ProbeSpec

_log = logging.getLogger("switchover.health")

__all__ = ["CheckObservation", "Evaluator", "MetricReadings", "ProbeRunner", "ServiceStatuses"]


_HELD_BACK = "(held back)"
_OWN_WORDS = frozenset({"disk", "memory", "port"})
"""Kinds that show numbers and words of their own alone, nothing that others wrote."""


class ProbeRunner(Protocol):
    """Runs one probe to its end; never raises. `switchover_checks.runtime.runner.Runner` is one."""

    async def run(self, spec: ProbeSpec) -> Outcome:
        """Probe once (and again as the spec says)."""


class ServiceStatuses(Protocol):
    """Says how services are. `switchover.services.Inventory` is one."""

    async def statuses(self, names: Collection[str]) -> Mapping[str, Status]:
        """Look at the named services now and return the health of each."""

    def detail(self, name: str) -> str:
        """Say in words how a service was when it was last looked at."""


class MetricReadings(Protocol):
    """Says how metrics are. The hub, which samples them, is one."""

    async def read(self, names: Collection[str]) -> Mapping[str, CheckObservation]:
        """Measure the named metrics now. What has a fresh value is OK, unless it is out of its bounds."""


@dataclass(frozen=True, slots=True)
class CheckObservation:
    """One look at a check, at `observed_at` (epoch seconds).

    `waits_for` names the needs, or `variable NAME`, that kept it from being probed.
    """

    name: str
    status: Status
    result: Result
    observed_at: float
    duration_s: float = 0.0
    waits_for: tuple[str, ...] = ()


class Evaluator:
    """Looks at the checks of a plan.

    `fields` returns which keys a kind takes. A check then finds its URL, container or pid file in its service.
    `changes` says what a kind with these keys may change when it probes. Where only reading is allowed, such checks are
    left out. `redact` is applied to every text of a result before anybody sees it; it also takes control characters
    out.
    """

    def __init__(
        self,
        loaded: LoadedPlan,
        scope: Callable[[], Scope],
        runner: ProbeRunner,
        services: ServiceStatuses,
        clock: Clock,
        *,
        fields: Callable[[str], Collection[str]] | None = None,
        secrets: SecretSource | None = None,
        redact: Callable[[str], str] | None = None,
        changes: Callable[[str, Mapping[str, Any]], str] | None = None,
        progress: ProbeProgress | None = None,
    ) -> None:
        self.catalog = Catalog(loaded.plan)
        self._hosts = loaded.plan.hosts
        self.maintenance = MaintenanceTimes(loaded.plan.maintenance, loaded.directory)
        self._scope = scope
        self._runner = runner
        self._services = services
        self._clock = clock
        self._fields = fields
        self._secrets = self.secrets = secrets
        self._changes = changes
        self._progress = progress or ProbeProgress()
        self._redact = redact or sanitize
        self._locks: dict[str, asyncio.Lock] = {}
        self._listeners: list[Callable[[CheckObservation], None]] = []
        self.measured_by: MetricReadings | None = None

    def subscribe(self, listener: Callable[[CheckObservation], None]) -> None:
        """Call `listener` with every reading that is made, whoever asked for it."""
        self._listeners.append(listener)

    def busy(self, name: str) -> bool:
        """Say whether the item `name` is being probed now."""
        lock = self._locks.get(name)
        return lock is not None and lock.locked()

    def progress(self, name: str) -> ProgressNote | None:
        """Return how far the probe of the item `name` is; None where none says so."""
        return self._progress.of(name)

    async def evaluate(self, names: Iterable[str]) -> dict[str, CheckObservation]:
        """Look at `names` now, and before that at all that they need; return a reading for each name.

        They are checks, services or metrics. A name that stands for several items gets one reading that joins theirs.
        Raise `KeyError` for an unknown name.
        """
        asked = tuple(dict.fromkeys(names))
        checks = {name: self.catalog.members(name) for name in asked if name in self.catalog.names}
        services = {name: self.catalog.service_members(name) for name in asked if self._is_service(name)}
        metrics = {name: self.catalog.metric_members(name) for name in asked if name not in {**checks, **services}}
        seen: dict[str, CheckObservation] = {}
        for listed, look in (
            (services, self._services_now),
            (metrics, self._metrics_now),
            (checks, self.evaluate_items),
        ):
            found = await look({member for members in listed.values() for member in members})
            seen |= {name: _join(name, [found[member] for member in members]) for name, members in listed.items()}
        return {name: seen[name] for name in asked}

    def _is_service(self, name: str) -> bool:
        known = self.catalog.services
        return name not in self.catalog.names and (name in known or bool(members_of(known, name)))

    async def _metrics_now(self, names: Collection[str]) -> Mapping[str, CheckObservation]:
        """Measure metrics, as checks are looked at."""
        if names and self.measured_by is not None:
            return await self.measured_by.read(names)
        return {
            name: CheckObservation(name, Status.UNKNOWN, Result.unknown("nothing measures it here"), self._clock.now())
            for name in names
        }

    async def _services_now(self, names: Collection[str]) -> dict[str, CheckObservation]:
        """Look at services, as at checks."""
        statuses = await self._services.statuses(names) if names else {}
        now = self._clock.now()
        return {
            name: CheckObservation(name, status, Result(status, self._redact(self._services.detail(name))), now)
            for name, status in statuses.items()
        }

    async def evaluate_items(self, names: Iterable[str]) -> dict[str, CheckObservation]:
        """Probe each item of `names` once, with all that they need. Return a reading for each item."""
        order = self.catalog.order(names)
        statuses: Mapping[str, Status] = {}
        if services := self.catalog.services_needed(order):
            statuses = await self._services.statuses(services)
        tasks: dict[str, asyncio.Task[CheckObservation]] = {}

        async def probe(item: CheckItem) -> CheckObservation:
            known = dict(statuses)
            for need in item.needs:
                if need in tasks:
                    known[need] = (await tasks[need]).status
            return await self.probe(item.name, known)

        async with asyncio.TaskGroup() as group:
            for name in order:
                tasks[name] = group.create_task(probe(self.catalog.items[name]), name=f"check {name}")
        return {name: task.result() for name, task in tasks.items()}

    async def probe(self, name: str, needs: Mapping[str, Status]) -> CheckObservation:
        """Look at the item `name`, unless one of its needs is not OK. A look under way is waited for, then repeated."""
        item = self.catalog.items[name]
        async with self._locks.setdefault(name, asyncio.Lock()):
            waits_for = tuple(need for need in item.needs if needs.get(need, Status.UNKNOWN) is not Status.OK)
            if waits_for:
                reading = CheckObservation(
                    name,
                    Status.SKIPPED,
                    Result(Status.SKIPPED, f"waits for {', '.join(waits_for)}"),
                    self._clock.now(),
                    waits_for=waits_for,
                )
            else:
                reading = await self._probe(item)
        for listener in self._listeners:
            try:
                listener(reading)
            except Exception:  # a watcher's defect must not become a gate's failure
                _log.exception("a listener failed on the reading of %s", name)
        return reading

    async def _probe(self, item: CheckItem) -> CheckObservation:
        fields = self._fields(item.spec.kind) if self._fields else ()
        template = item.config(self.catalog.services, fields)
        try:
            if self._secrets is not None and "secret." in repr(template):  # fetching one may run a command
                config = await asyncio.to_thread(render_tree, template, self._scope(), self._secrets)
            else:
                config = render_tree(template, self._scope())
            self._look_up_sides(config)
        except MissingValueError as missing:
            return self._waiting(item, missing)
        except SwitchoverError as error:
            return self._not_probed(item, error.title)
        except TemplateError as error:
            return self._not_probed(item, str(error))
        if item.spec.kind == "backup":
            if why := kept_long_enough(config, self._scope(), self._clock.now()):
                return CheckObservation(item.name, Status.SKIPPED, Result(Status.SKIPPED, why), self._clock.now())
            config, waits_for = backup_keys(config, self._scope())
            if waits_for:
                reading = self._not_probed(item, f"waits for {waits_for} to begin", (waits_for,))
                return replace(reading, status=Status.PENDING, result=Result(Status.PENDING, reading.result.summary))
        if item.spec.kind == "load" and (why := why_not_loaded(config, self.catalog.services.values(), self._scope())):
            return self._not_probed(item, why)
        if self._changes is not None and (why := self._changes(item.spec.kind, config)):
            summary = self._redact(f"read-only: {why}")
            return CheckObservation(item.name, Status.SKIPPED, Result(Status.SKIPPED, summary), self._clock.now())
        spec = ProbeSpec(
            item.name, item.spec.kind, config, item.spec.timeout_s, item.spec.attempts, service=item.service
        )
        try:
            outcome = await self._run(spec, item.spec.run_on)
        except MissingValueError as missing:
            return self._waiting(item, missing)
        result = outcome.result
        if item.spec.kind not in _OWN_WORDS and (why := await why_held_back(self._secrets)):
            result = hold_back(result, why)
        result = redact_result(result, self._redact)
        return CheckObservation(
            item.name, result.status, result, outcome.started_at + outcome.duration_s, outcome.duration_s
        )

    async def _run(self, spec: ProbeSpec, run_on: str | None) -> Outcome:
        """Probe from here, or on each machine of a host: then the worst result counts, and names its machine."""
        if run_on is None:
            return await self._runner.run(spec)
        scope = self._scope()
        machines = [render(text, scope) for text in self._hosts[run_on].destinations]
        outcomes = await asyncio.gather(*(self._runner.run(replace(spec, machine=one)) for one in machines))
        return join_machines(run_on, dict(zip(machines, outcomes, strict=True)))

    def _look_up_sides(self, config: Mapping[str, Any]) -> None:
        """Raise `MissingValueError` when a side that the config names waits for a variable."""
        sides = self._scope().sides
        for value in config.values():
            if isinstance(value, str) and value in sides:
                sides[value]

    def _waiting(self, item: CheckItem, missing: MissingValueError) -> CheckObservation:
        name = f"variable {missing.name}"
        reading = self._not_probed(item, f"waits for {name}", (name,))
        if not missing.late:
            return reading
        return replace(reading, status=Status.PENDING, result=Result(Status.PENDING, reading.result.summary))

    def _not_probed(self, item: CheckItem, why: str, waits_for: tuple[str, ...] = ()) -> CheckObservation:
        return CheckObservation(item.name, Status.UNKNOWN, Result.unknown(why), self._clock.now(), waits_for=waits_for)


def hold_back(result: Result, why: str) -> Result:
    """Return `result` without what others wrote: a secret that is not known cannot be taken out of it."""
    findings = tuple(replace(f, observed=_HELD_BACK, hint="") for f in result.findings)
    summary = (
        f"{result.status.label}; what it shows is held back, because it may hold a secret that is not known here: "
    )
    return replace(result, summary=summary + why, findings=findings, evidence={})


def redact_result(result: Result, redact: Callable[[str], str]) -> Result:
    """Return `result` with every text passed through `redact`."""
    findings = tuple(
        replace(
            f,
            what=redact(f.what),
            expected=redact(f.expected),
            observed=redact(f.observed),
            hint=redact(f.hint),
        )
        for f in result.findings
    )
    metrics = tuple(replace(m, name=redact(m.name), unit=redact(m.unit)) for m in result.metrics)
    evidence = {redact(key): redact(value) for key, value in result.evidence.items()}
    return replace(result, summary=redact(result.summary), findings=findings, metrics=metrics, evidence=evidence)


def _join(name: str, readings: Sequence[CheckObservation]) -> CheckObservation:
    """Make one reading of several: the worst status, each finding named after its item."""
    if len(readings) == 1 and readings[0].name == name:
        return readings[0]
    status = worst(r.status for r in readings)
    bad = [r for r in readings if r.status is not Status.OK]
    summary = f"{len(readings)} as expected" if not bad else "; ".join(f"{r.name}: {r.result.summary}" for r in bad)
    findings = tuple(replace(f, what=f"{r.name} {f.what}") for r in readings for f in r.result.findings)
    evidence = {f"{r.name} {what}": text for r in readings for what, text in r.result.evidence.items()}
    return CheckObservation(
        name,
        status,
        Result(status, summary, findings, evidence=evidence),
        min((r.observed_at for r in readings), default=0.0),
        max((r.duration_s for r in readings), default=0.0),
        tuple(dict.fromkeys(need for r in readings for need in r.waits_for)),
    )
