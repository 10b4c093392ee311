"""What the rules look at: the readable part of the plan, and every name that the file defines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from switchover.plan.complaints import Complaint, Path, unknown_name
from switchover.plan.members.member_names import base_name, part_of, service_labels
from switchover.plan.model import Plan, RollbackAction, RollbackStep, Solution, Step, UsefulCommand
from switchover_checks.runtime.registry import Registry

__all__ = ["Draft", "Names", "Rule", "ShellText", "argvs", "shell_texts"]


@dataclass(frozen=True)
class Names:
    """The names in the file, including those of parts that are wrong, so that one mistake is reported once."""

    vars: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    sides: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    checks: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    promises: frozenset[str] = frozenset()
    phases: tuple[str, ...] = ()
    steps: tuple[tuple[str, str], ...] = ()  # (phase, step) in order
    outputs: Mapping[str, frozenset[str]] = field(default_factory=dict)  # by step
    check_services: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Names:
        """Collect the names of a plan's plain data, whatever its shape."""
        phases = [p for p in _list(data.get("phases")) if isinstance(p, dict)]
        steps = [(_id(p), s) for p in phases for s in _list(p.get("steps")) if isinstance(s, dict)]
        checks = data.get("checks")
        check_services = {}
        for name, check in checks.items() if isinstance(checks, dict) else ():
            listed = check.get("service") if isinstance(check, dict) else None
            check_services[name] = tuple(str(s) for s in listed) if isinstance(listed, list) else ()
        return cls(
            vars=_keys(data, "vars"),
            secrets=_keys(data, "secrets"),
            sides=_keys(data, "sides"),
            hosts=_keys(data, "hosts"),
            services=_keys(data, "services"),
            checks=_keys(data, "checks"),
            metrics=_keys(data, "metrics"),
            promises=_keys(data, "promises"),
            phases=tuple(_id(p) for p in phases),
            steps=tuple((phase, _id(s)) for phase, s in steps),
            outputs={_id(s): _keys(s, "outputs") for _, s in steps},
            check_services=check_services,
        )

    @property
    def watched(self) -> frozenset[str]:
        """What can be looked at: checks, services and metrics, and loops of them."""
        return self.check_items | self.services | looped(self.services) | self.metric_items

    @property
    def metric_items(self) -> frozenset[str]:
        """Metrics, and loops of them."""
        return self.metrics | looped(self.metrics)

    @property
    def check_items(self) -> frozenset[str]:
        """Checks, and `check[service]` for those over several services."""
        items = {f"{name}[{label}]" for name, found in self.check_services.items() for label in service_labels(found)}
        return self.checks | items | looped(self.checks)


def looped(names: Iterable[str]) -> frozenset[str]:
    """Return the names of the loops that these are members of."""
    return frozenset(base_name(name) for name in names if name.endswith("]"))


@dataclass(frozen=True)
class Draft:
    """A plan under judgement."""

    plan: Plan
    names: Names
    registry: Registry
    data: Mapping[str, Any]

    def lacks(self, path: Path) -> bool:
        """Say whether nothing is written at `path`, not even something wrong."""
        here: Any = self.data
        for part in path:
            try:
                here = here[part]
            except (KeyError, IndexError, TypeError):
                return True
        return False

    def unknown(self, path: Path, what: str, name: str, known: Iterable[str]) -> Iterator[Complaint]:
        """Complain about `name` unless it is one of `known`."""
        names = tuple(known)
        if name not in names:
            yield Complaint(path, unknown_name(what, name, names))

    def each_unknown(self, path: Path, what: str, listed: Iterable[str], known: Iterable[str]) -> Iterator[Complaint]:
        """Complain about every entry of a list that is not one of `known`, and about those listed twice."""
        names, seen = tuple(known), set[str]()
        for index, name in enumerate(listed):
            if name in seen:
                yield Complaint((*path, index), f"{name!r} is listed twice")
            else:
                yield from self.unknown((*path, index), what, name, names)
            seen.add(name)

    def unmeasured(self, path: Path, item: str, metric: str) -> Iterator[Complaint]:
        """Complain about a metric that the check (or `check[service]`) will never have."""
        name, check = base_name(item), part_of(self.plan.checks, item)
        if check is None or check.kind not in self.registry.kinds():
            return
        known = self.registry.measures(check.kind, check.config)
        if known is None or metric in known or metric == "time":  # how long the look took, where it measures no other
            return
        keys = {field.name for field in self.registry.config_fields(check.kind) or ()}
        switches = sorted(keys & {f"{metric}_warn", f"{metric}_crit"})
        hint = f"; it measures that where {' or '.join(switches)} is set" if switches else ""
        yield Complaint(path, unknown_name(f"metric of the check {name}", metric, known) + hint)

    def steps(self) -> Iterator[tuple[Path, Step]]:
        """Yield every step with its path."""
        for p, phase in enumerate(self.plan.phases):
            for s, step in enumerate(phase.steps):
                yield ("phases", p, "steps", s), step


Rule = Callable[[Draft], Iterator[Complaint]]


@dataclass(frozen=True)
class ShellText:
    """A text that a shell runs, with the environment it gets."""

    path: Path
    text: str
    env_path: Path = ()
    env: Mapping[str, str] = field(default_factory=dict)


def shell_texts(draft: Draft) -> Iterator[ShellText]:
    """Yield every text of the plan that a shell runs, except those in checks."""
    if draft.plan.live is not None and draft.plan.live.run is not None:
        yield ShellText(("live", "run"), draft.plan.live.run)
    for path, step in draft.steps():
        yield from _shell(path, step)
        if step.undo is not None:
            yield from _shell((*path, "rollback"), step.undo)
    for name, way_back in draft.plan.rollbacks.items():
        for s, action in enumerate(way_back.steps):
            yield from _shell(("rollbacks", name, "steps", s), action)
    for t, trouble in enumerate(draft.plan.troubleshooting):
        here: Path = ("troubleshooting", t)
        if trouble.env:
            yield ShellText(here, "", (*here, "env"), trouble.env)
        for d, look in enumerate(trouble.diagnose):
            if isinstance(look, str):
                yield ShellText((*here, "diagnose", d), look)
            elif look.env:
                yield ShellText((*here, "diagnose", d), "", (*here, "diagnose", d, "env"), look.env)
        for s, solution in enumerate(trouble.solutions):
            yield from _shell(("troubleshooting", t, "solutions", s), solution)
    yield from _useful(draft)


def _useful(draft: Draft) -> Iterator[ShellText]:
    for name, command in draft.plan.commands.items():
        yield from _shell(("commands", name), command)


def argvs(draft: Draft) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Yield every command that is executed without a shell, with its path."""
    for path, step in draft.steps():
        yield (*path, "argv"), step.argv or ()
        if step.undo is not None:
            yield (*path, "rollback", "argv"), step.undo.argv or ()
    for name, way_back in draft.plan.rollbacks.items():
        for s, action in enumerate(way_back.steps):
            yield ("rollbacks", name, "steps", s, "argv"), action.argv or ()
    for name, command in draft.plan.commands.items():
        yield ("commands", name, "argv"), command.argv or ()
    for t, trouble in enumerate(draft.plan.troubleshooting):
        for d, look in enumerate(trouble.diagnose):
            if not isinstance(look, str):
                yield ("troubleshooting", t, "diagnose", d, "argv"), look.argv


def _shell(path: Path, part: Step | RollbackAction | RollbackStep | Solution | UsefulCommand) -> Iterator[ShellText]:
    if part.run is not None:
        yield ShellText((*path, "run"), part.run, (*path, "env"), part.env)
    elif part.env:
        yield ShellText((*path, "run"), "", (*path, "env"), part.env)


def _id(part: Mapping[str, Any]) -> str:
    return str(part.get("id") or "")


def _keys(data: Mapping[str, Any], section: str) -> frozenset[str]:
    part = data.get(section)
    return frozenset(str(key) for key in part) if isinstance(part, dict) else frozenset()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
