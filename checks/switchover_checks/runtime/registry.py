"""Which check kinds there are: the built-in ones, those of installed packages, those of files beside the plan.

Listing and validating import no module of a package or a plan. Such a module runs only in a child process of its own.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from switchover_checks.api import ChangesByConfig, Check, Effect, Measured, Measures
from switchover_checks.language.declared import declared, load_declared
from switchover_checks.language.suggest import did_you_mean
from switchover_checks.runtime.config import (
    ConfigError,
    ConfigField,
    Problem,
    build_config,
    config_fields,
    config_schema,
    documented_fields,
    has_template,
    unknown_and_missing,
    validate,
)
from switchover_checks.runtime.local_code import LocalCode
from switchover_checks.runtime.scan import Scan, ScannedKind, locate_module, scan_module

__all__ = [
    "GROUP",
    "KINDS",
    "KindDeclaration",
    "KindInfo",
    "Registry",
    "RegistryProblem",
    "UnknownKindError",
    "usual_timeout",
]

KINDS = "switchover_checks.kinds"
"""The package whose files declare the built-in kinds."""
_USUAL_TIMEOUT_S = 10.0
GROUP = "switchover.checks"
"""The group of entry points by which an installed package adds kinds: `kind = "module:Class"`."""


class UnknownKindError(KeyError):
    """There is no such kind, or it may not be loaded into this process."""

    def __str__(self) -> str:
        return str(self.args[0])


@dataclass(frozen=True, slots=True)
class KindInfo:
    """A kind and where it comes from.

    `source`: builtin, entry point, local. `location`: `module:Class` or `file:Class`.
    """

    kind: str
    source: str
    location: str
    isolated: bool


@dataclass(frozen=True, slots=True)
class KindDeclaration:
    """What a kind says of itself. `metrics` is None where only a probe can tell; `example` is YAML."""

    kind: str
    doc: str
    effect: Effect | Literal[""]
    keys: tuple[ConfigField, ...]
    metrics: tuple[Measured, ...] | None = None
    example: str = ""


@dataclass(frozen=True, slots=True)
class RegistryProblem:
    """Something wrong with a module that should add kinds. `line` is 0 where there is no place to point at."""

    path: str
    line: int
    message: str


class Registry:
    """All kinds that a plan may use. `local` are Python files beside the plan; they are read, never executed, here."""

    def __init__(self, local: Sequence[Path] = (), code: LocalCode | None = None) -> None:
        self._local = tuple(Path(p) for p in local)
        self._code = code

    @functools.cached_property
    def code(self) -> LocalCode:
        """The only content of local modules that is executed: as read with the plan, else as found at first use."""
        return self._code or LocalCode.gather(self._local, self._local[0].parent if self._local else Path())

    @staticmethod
    def scan_local(path: Path) -> Scan:
        """Read the kinds of one file from its syntax tree."""
        return scan_module(path)

    def kinds(self) -> Mapping[str, KindInfo]:
        """Return every kind by its name. A built-in kind wins over any other, a package's over a local one."""
        return self._listing[0]

    @property
    def problems(self) -> tuple[RegistryProblem, ...]:
        """What is wrong with local modules and entry points: unreadable, without a kind, or a name that is taken."""
        return self._listing[1]

    def info(self, kind: str) -> KindInfo:
        """Return one kind. Raise `UnknownKindError` that names the nearest."""
        found = self.kinds().get(kind)
        if found is None:
            raise UnknownKindError(f"there is no check kind {kind!r}{did_you_mean(kind, self.kinds())}")
        return found

    def load(self, kind: str) -> Check[Any]:
        """Return an instance of a built-in kind. Raise `UnknownKindError` for one that must run in its own process."""
        info = self.info(kind)
        if info.isolated:
            raise UnknownKindError(
                f"the check kind {kind!r} comes from {info.location} and runs in a process of its own"
            )
        return _builtin(kind)

    def config_fields(self, kind: str) -> tuple[ConfigField, ...] | None:
        """Return the keys of a kind, or None when only executing its module could give them."""
        info = self.info(kind)
        if not info.isolated:
            return config_fields(_builtin(kind).config)
        found = _scanned(info)
        return found.fields if found is not None else None

    def declaration(self, kind: str) -> KindDeclaration:
        """Return what a kind says of itself, for the reference. Of one that is not built in, what its text tells."""
        info = self.info(kind)
        if info.isolated:
            found = _scanned(info)
            return KindDeclaration(kind, "", found.effect if found else "", found.fields or () if found else ())
        check = _builtin(kind)
        keys = documented_fields(check.config)
        example = inspect.cleandoc(getattr(check, "example", ""))
        return KindDeclaration(
            kind, inspect.getdoc(check.config) or "", check.effect, keys, getattr(check, "metrics", None), example
        )

    def changes(self, kind: str, mapping: Mapping[str, Any]) -> str:
        """Say what a check with these keys may change when it looks; empty where it only reads.

        What cannot be known without executing a module, or from keys that do not fit, is taken to change something.
        """
        info = self.info(kind)
        always = f"a check of kind {kind} changes something when it looks"
        if info.isolated:
            found = _scanned(info)
            return always if found is None or found.effect != "read" else ""
        check = _builtin(kind)
        if not isinstance(check, ChangesByConfig):
            return always if check.effect != "read" else ""
        try:
            reason = check.changes(build_config(check.config, mapping))
        except ConfigError as error:
            reason = f"its keys cannot be read: {error}"
        return f"a check of kind {kind} may change something when it looks: {reason}" if reason else ""

    def measures(self, kind: str, keys: Mapping[str, Any]) -> frozenset[str] | None:
        """Return the names of all metrics that a check with these keys may have, None where they are unknown."""
        check = None if self.info(kind).isolated else _builtin(kind)
        declared: tuple[Measured, ...] | None = getattr(check, "metrics", None)
        if declared is None:
            return None
        given = {key for key, value in keys.items() if value is not None}
        names = {m.name for m in declared if not m.where or not given.isdisjoint(m.where)}
        return frozenset(names | check.measures(keys) if isinstance(check, Measures) else names)

    def apart(self, kind: str) -> bool:
        """Tell whether its probes run in a process of their own: what is not ours, and what works for long."""
        return self.info(kind).isolated or getattr(self.load(kind), "apart", False)

    def about_a_service(self, kind: str) -> bool:
        """Tell whether a check of this kind needs the name of a service."""
        return not self.info(kind).isolated and getattr(self.load(kind), "about_a_service", False)

    def timeout_s(self, kind: str) -> float:
        """Return how long a probe of a kind may take where the plan says nothing."""
        return usual_timeout(kind)

    def validate_config(self, kind: str, mapping: Mapping[str, Any], *, templates: bool = True) -> list[Problem]:
        """Return what is wrong with a kind's keys. With `templates`, values with `{{` are not judged."""
        if not self.info(kind).isolated:
            return validate(_builtin(kind).config, mapping, templates=templates)
        fields = self.config_fields(kind)
        if fields is None:
            return []
        problems = unknown_and_missing(fields, mapping)
        for f in fields:
            value = mapping.get(f.name)
            wanted = _PLAIN.get(f.type_text)
            if f.name not in mapping or wanted is None or (templates and has_template(value)):
                continue
            if not isinstance(value, wanted[0]) or (isinstance(value, bool) and bool not in wanted[0]):
                problems.append((f.name, f"should be {wanted[1]}, not {value!r}"))
        return problems

    def json_schema(self, kind: str) -> dict[str, Any]:
        """Return the JSON Schema of a kind's keys: an object; without `properties` when they are unknown."""
        if not self.info(kind).isolated:
            return config_schema(_builtin(kind).config)
        fields = self.config_fields(kind)
        if fields is None:
            return {"type": "object"}
        return {
            "type": "object",
            "properties": {f.name: {"description": f.doc} if f.doc else {} for f in fields},
            "required": [f.name for f in fields if f.required],
        }

    @functools.cached_property
    def _listing(self) -> tuple[Mapping[str, KindInfo], tuple[RegistryProblem, ...]]:
        kinds = {k: KindInfo(k, "builtin", v, isolated=False) for k, v in declared(KINDS).items()}
        problems: list[RegistryProblem] = []
        for point in sorted(entry_points(group=GROUP), key=_by_name):
            self._add(kinds, problems, KindInfo(point.name, "entry point", point.value, isolated=True), 0, point.value)
        for path in self._local:
            scan = scan_module(path)
            problems += [RegistryProblem(str(path), line, message) for line, message in scan.problems]
            for k in scan.kinds:
                info = KindInfo(k.kind, "local", f"{path}:{k.class_name}", isolated=True)
                self._add(kinds, problems, info, k.line, str(path))
        return MappingProxyType(kinds), tuple(problems)

    @staticmethod
    def _add(
        kinds: dict[str, KindInfo], problems: list[RegistryProblem], info: KindInfo, line: int, where: str
    ) -> None:
        taken = kinds.get(info.kind)
        if taken is None:
            kinds[info.kind] = info
        elif taken.location != info.location:
            message = f"the check kind {info.kind!r} is already defined by {taken.location}; choose another name"
            problems.append(RegistryProblem(where, line, message))


_PLAIN: Mapping[str, tuple[tuple[type, ...], str]] = {
    "str": ((str,), "text"),
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "Duration": ((int, float, str), "a duration such as 30s"),
    "Size": ((int, str), "a size such as 1MiB"),
}


def _scanned(info: KindInfo) -> ScannedKind | None:
    file, _, class_name = info.location.rpartition(":")
    path = Path(file) if info.source == "local" else locate_module(file)
    scan = scan_module(path) if path else None
    return next((k for k in scan.kinds if k.class_name == class_name), None) if scan else None


def usual_timeout(kind: str) -> float:
    """Return how long a probe of a kind may take where the plan says nothing: seconds."""
    if kind not in declared(KINDS):
        return _USUAL_TIMEOUT_S
    return float(getattr(_builtin(kind), "timeout_s", _USUAL_TIMEOUT_S))


def _by_name(point: EntryPoint) -> str:
    return point.name


@functools.cache
def _builtin(kind: str) -> Check[Any]:
    check: Check[Any] = load_declared(KINDS, kind)()
    return check
