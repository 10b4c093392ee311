"""Variables: typed, asked once, frozen for the run or captured from a step; and the scope that fills templates."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from switchover.errors import SwitchoverError, UsageError
from switchover.plan.complaints import did_you_mean
from switchover.plan.model import Plan, Variable
from switchover.plan.secrets.secret_store import SecretSource
from switchover.plan.templates import TemplateError, fill, fill_tree, put_out_by, slots

__all__ = [
    "ALERT_NAMES",
    "BUILT_IN_NAMES",
    "MissingValueError",
    "Resolution",
    "Scope",
    "check_value",
    "default_needs",
    "render",
    "render_tree",
    "resolve_variables",
]

# What every template may name besides the plan's own variables.
BUILT_IN_NAMES = ("id", "title", "target", "run.id", "plan.dir")
# What the keys of a notifier may name besides.
ALERT_NAMES = frozenset(
    f"alert.{name}"
    for name in ("name", "instance", "text", "state", "event", "rule", "severity", "key", "id", "link", "host")
)

_BOOL_WORDS = {"true": "true", "yes": "true", "1": "true", "false": "false", "no": "false", "0": "false"}
_INT = re.compile(r"[-+]?[0-9]{1,18}")


class MissingValueError(SwitchoverError):
    """A template names a value that is not known yet."""

    def __init__(self, name: str, *, late: bool = False) -> None:
        is_output = name.startswith("step.")
        hint = "that step puts it out" if is_output else f"give it with --var {name}=VALUE"
        super().__init__(f"the value of {name!r} is not known yet", hint)
        self.name = name
        self.late = late  # nobody is asked for it: a step puts it out


@dataclass(frozen=True)
class Scope:
    """What templates are filled from. `values` holds the variables known so far; `run_id` is empty before a run."""

    plan_id: str
    title: str = ""
    target: str = ""
    run_id: str = ""
    plan_dir: Path = Path()
    values: Mapping[str, str] = field(default_factory=dict)
    raw_sides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    late: frozenset[str] = frozenset()  # what steps put out
    moments: Mapping[str, float] = field(default_factory=dict)  # when the run and its steps began, epoch seconds
    run_ended_at: float | None = None

    @classmethod
    def of(cls, plan: Plan, plan_dir: Path, run_id: str = "", values: Mapping[str, str] | None = None) -> Scope:
        """Make the scope of a plan and its run."""
        sides = {name: {"title": side.title or name, **(side.model_extra or {})} for name, side in plan.sides.items()}
        return cls(
            plan.id, plan.title, plan.target or "", run_id, plan_dir, dict(values or {}), sides, plan.late_variables
        )

    @property
    def sides(self) -> Mapping[str, Mapping[str, Any]]:
        """The plan's sides, each filled in when it is looked up. A lookup may raise `MissingValueError`.

        What is a secret in them is empty; `sides_with` fills it in.
        """
        return _FilledSides(self, lambda name: "" if name.startswith("secret.") else self.lookup(name))

    def sides_with(self, secrets: SecretSource) -> Mapping[str, Mapping[str, Any]]:
        """Return the sides with their secrets. A lookup may raise `SecretError` too, and take its time."""
        return _FilledSides(self, _lookup(self, secrets))

    def lookup(self, name: str) -> str:
        """Return the value of a name. Raise `MissingValueError` where it is not known yet."""
        built_in = {
            "id": self.plan_id,
            "title": self.title,
            "target": self.target,
            "run.id": self.run_id,
            "plan.dir": str(self.plan_dir),
        }
        value = self.values.get(name) if name not in built_in else built_in[name]
        if value is None or (name == "run.id" and not value):
            raise MissingValueError(name, late=name in self.late)
        return value


class _FilledSides(Mapping[str, Mapping[str, Any]]):
    def __init__(self, scope: Scope, lookup: Callable[[str], str]) -> None:
        self._scope = scope
        self._lookup = lookup

    def __getitem__(self, name: str) -> Mapping[str, Any]:
        filled: dict[str, Any] = fill_tree(dict(self._scope.raw_sides[name]), self._lookup)
        return MappingProxyType(filled)

    def __iter__(self) -> Iterator[str]:
        return iter(self._scope.raw_sides)

    def __len__(self) -> int:
        return len(self._scope.raw_sides)


@dataclass(frozen=True, slots=True)
class Resolution:
    """Variables as they stand.

    `values` are known. `missing` must be asked for before the run starts. `pending` will come from a step's output.
    `refused` says why a captured output does not fit its type.
    """

    values: Mapping[str, str]
    missing: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def check_value(name: str, variable: Variable, text: str) -> str:
    """Return `text` in its plain form. Raise `ValueError` where it is no value of the variable's type."""
    if "\0" in text or len(text) > 4096:
        raise ValueError(f"{name}: a value is text of at most 4096 characters, without zero bytes")
    value = _TYPES[variable.type](text)
    if value is None:
        raise ValueError(f"{name}: {_shown(text)} is not {_EXPECTED[variable.type]}")
    if variable.choices and value not in variable.choices:
        hint = did_you_mean(value, variable.choices)
        raise ValueError(f"{name}: {_shown(text)} is not one of {', '.join(variable.choices)}{hint}")
    return value


def resolve_variables(
    plan: Plan, given: Mapping[str, str], outputs: Mapping[str, Mapping[str, str]], scope: Scope | None = None
) -> Resolution:
    """Work out all variables: a given value wins, then a captured output (`outputs[step][name]`), then the default.

    `scope` fills built-in names such as `{{ run.id }}` in defaults. Raise `UsageError` for a given value that the plan
    does not have or that is not of its type.
    """
    for name in given:
        if name not in plan.vars:
            raise UsageError(
                f"the plan has no variable {name!r}{did_you_mean(name, plan.vars)}",
                f"it has: {', '.join(plan.vars)}" if plan.vars else "it has none at all",
            )
    values: dict[str, str] = {}
    refused: dict[str, str] = {}
    waiting: dict[str, Variable] = {}
    for name, variable in plan.variables.items():
        if variable.type == "list":  # what loops go over, fixed with the plan
            if name in given:
                raise UsageError(f"{name}: a list stands in the plan and cannot be given", "edit the plan")
            continue
        captured = _captured(name, outputs)
        if name in given:
            try:
                values[name] = check_value(name, variable, given[name])
            except ValueError as error:
                raise UsageError(str(error), f"give it with --var {name}=VALUE") from None
        elif captured is not None:
            try:
                values[name] = check_value(name, variable, captured)
            except ValueError as error:
                refused[name] = str(error)
        else:
            waiting[name] = variable
    _fill_defaults(plan, waiting, values, refused, scope or Scope.of(plan, Path()))
    missing = [n for n in waiting if n not in values and n not in refused and put_out_by(n) is None]
    pending = [n for n in waiting if n not in values and n not in refused and put_out_by(n) is not None]
    # A default that needs another variable waits for that one; it is not asked for itself.
    asked = tuple(n for n in missing if waiting[n].default is None)
    return Resolution(values, asked, (*pending, *(n for n in missing if n not in asked)), refused)


def default_needs(variable: Variable) -> tuple[str, ...]:
    """Return the names that a variable's default is made of. Raise `TemplateError`."""
    return tuple(slot.name for slot in slots(variable.default)) if isinstance(variable.default, str) else ()


def render(text: str, scope: Scope, secrets: SecretSource | None = None) -> str:
    """Fill the templates in `text`; `{{ secret.x }}` only where `secrets` is passed.

    Raise `MissingValueError` for a value that is not known yet, `TemplateError` for what is no template.
    """
    return fill(text, _lookup(scope, secrets))


def render_tree(value: Any, scope: Scope, secrets: SecretSource | None = None) -> Any:
    """Fill the templates in every text of a nested value. In a mapping, a template may name the mapping's own keys."""
    lookup = _lookup(scope, secrets)
    if not isinstance(value, Mapping):
        return fill_tree(value, lookup)
    own: dict[str, Any] = {str(key): item for key, item in value.items()}
    open_names: list[str] = []

    def look(name: str) -> str:
        item = own.get(name)
        if not isinstance(item, str | int | float) or name in open_names:
            return lookup(name)
        open_names.append(name)
        try:
            return fill(item, look) if isinstance(item, str) else _plain(item)
        finally:
            open_names.pop()

    filled = {}
    for key, item in own.items():
        open_names.append(key)
        filled[key] = fill_tree(item, look)
        open_names.pop()
    return filled


def _lookup(scope: Scope, secrets: SecretSource | None) -> Callable[[str], str]:
    def look(name: str) -> str:
        if name.startswith("secret."):
            if secrets is None:
                raise TemplateError("a secret cannot be used here")
            return secrets.get(name.removeprefix("secret."))
        return scope.lookup(name)

    return look


def _captured(name: str, outputs: Mapping[str, Mapping[str, str]]) -> str | None:
    source = put_out_by(name)
    return outputs.get(source[0], {}).get(source[1]) if source is not None else None


def _fill_defaults(
    plan: Plan, waiting: Mapping[str, Variable], values: dict[str, str], refused: dict[str, str], scope: Scope
) -> None:
    """Fill in defaults until no more can be: a default may be made of other variables."""
    progress = True
    while progress:
        progress = False
        known = Scope(plan.id, plan.title, plan.target or "", scope.run_id, scope.plan_dir, values)
        for name, variable in waiting.items():
            default = variable.default
            if name in values or name in refused or default is None or isinstance(default, tuple | dict):
                continue
            try:
                text = fill(_plain(default), known.lookup)
                values[name] = check_value(name, variable, text)
            except MissingValueError:
                continue
            except ValueError as error:
                refused[name] = str(error)
            progress = True


def _plain(value: str | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "…")


def _ip(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text.strip()))
    except ValueError:
        return None


def _url(text: str) -> str | None:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - raises for a port that is none
    except ValueError:
        return None
    good = parts.scheme and parts.netloc and parts.password is None and not re.search(r"\s", text)
    return text if good else None


def _number(text: str) -> str | None:
    try:
        return text.strip() if math.isfinite(float(text)) else None
    except ValueError:
        return None


def _port(text: str) -> str | None:
    return str(int(text)) if re.fullmatch(r"[0-9]{1,5}", text.strip()) and 1 <= int(text) <= 65535 else None


_TYPES: dict[str, Callable[[str], str | None]] = {
    "str": lambda text: text,
    "int": lambda text: str(int(text)) if _INT.fullmatch(text.strip()) else None,
    "float": _number,
    "bool": lambda text: _BOOL_WORDS.get(text.strip().lower()),
    "ip": _ip,
    "path": lambda text: text if text.strip() else None,
    "url": _url,
    "port": _port,
    "list": lambda _text: None,
}
_EXPECTED = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "ip": "an IP address",
    "path": "a path",
    "url": "a URL such as https://host:443/path, without a password",
    "port": "a port from 1 to 65535",
    "list": "a list",
}
