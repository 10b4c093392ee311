"""What is wrong with the types of a plan, in plain words: from the model's errors to complaints."""

from __future__ import annotations

import difflib
import re
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from switchover.plan.complaints import Complaint, Path, did_you_mean, near_or_all
from switchover.plan.model import Plan
from switchover_checks.language.type_words import EXPECTED, found_words

__all__ = ["SENSITIVE_KEY", "describe_errors", "fields_at", "sensitive"]

SENSITIVE_KEY = re.compile(
    r"(?:pass(?:word|wd|phrase)|(?<=[_-])(?:pass|pwd)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|authorization)$",
    re.IGNORECASE,
)

_PATTERNS = {
    "^[A-Z]{3}$": "a currency is three capital letters, such as EUR",
    "^[A-Za-z_][A-Za-z0-9_]*$": "the name of an environment variable has only letters, digits and _",
}
# Values that a key no longer takes, by the class that holds the key: what is written now.
_FORMER_VALUES: Mapping[tuple[str, str, str], str] = {
    ("Step", "on_unknown", "verify"): "`verify` is written `{verify: [CHECK]}` now",
    ("Step", "on_unknown", "retry"): "`retry` is called `rerun` now",
}
_NAME_RULE = "a name starts with a letter or _, goes on with letters, digits, _ and -, and has at most 64 characters"


def sensitive(path: Path) -> bool:
    """Say whether a value at `path` must not be repeated in a message."""
    return any(isinstance(p, str) and (p in ("secrets", "env") or SENSITIVE_KEY.search(p)) for p in path)


def describe_errors(errors: Iterable[ErrorDetails], known: Any) -> list[Complaint]:
    """Turn the model's errors into complaints. `known(path)` is the longest start of it in the file."""
    found: dict[Path, list[ErrorDetails]] = {}
    for error in errors:
        found.setdefault(_real_path(error, known), []).append(error)
    return [_describe(path, group) for path, group in found.items()]


def _real_path(error: ErrorDetails, known: Any) -> Path:
    """Drop what the model adds to a location: names of union members, `[key]`, names of validators."""
    path: Path = ()
    parts = error["loc"]
    for number, part in enumerate(parts):
        longer = (*path, part)
        if known(longer) == longer or (error["type"] == "missing" and number == len(parts) - 1):
            path = longer
    return path


def _describe(path: Path, group: list[ErrorDetails]) -> Complaint:
    error = group[0]
    kind = error["type"]
    if kind == "missing":
        written = error["input"] if isinstance(error["input"], dict) else {}
        near = difflib.get_close_matches(str(path[-1]), [k for k in written if k not in fields_at(path[:-1])], n=1)
        return Complaint(path, f"the key {path[-1]!r} is missing" + (f"; is {near[0]!r} meant for it?" if near else ""))
    if kind == "extra_forbidden":
        return Complaint(path, f"unknown key{near_or_all(str(path[-1]), fields_at(path[:-1]))}", at_key=True)
    if path[:1] == ("secrets",) and len(path) in (2, 3) and isinstance(error["input"], str | int | float):
        return Complaint(path, 'a secret itself never stands in a plan: write {ref: "env:NAME"} or another reference')
    if len(group) > 1 and all(e["type"] in EXPECTED for e in group):
        wanted = list(dict.fromkeys(EXPECTED[e["type"]] for e in group))
        return Complaint(path, f"expected {' or '.join(wanted)}, found {_found(error['input'], path)}")
    return Complaint(path, _words(error, path), at_key="[key]" in error["loc"])


def _words(error: ErrorDetails, path: Path) -> str:
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "literal_error" and (former := _FORMER_VALUES.get((_class_at(path[:-1]), str(path[-1]), str(given)))):
        return former
    if kind == "too_short":
        return "expected at least one entry, found none"
    if kind == "literal_error":
        choices = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        hint = did_you_mean(given, choices) if isinstance(given, str) else ""
        return f"expected {context.get('expected')}, found {_found(given, path)}{hint}"
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(str(context.get("pattern")), _NAME_RULE)
    if kind == "string_too_long":
        return f"this text is longer than {context.get('max_length')} characters"
    if kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        bounds = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
        limit = next((f"{bounds[k]} {v:g}" for k, v in context.items() if k in bounds), "another number")
        return f"expected {limit}, found {_found(given, path)}"
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    if kind in EXPECTED:
        hint = ""
        if kind == "string_type" and isinstance(given, bool | int | float):
            hint = "; put it in quotes"
        elif kind.startswith("bool") and isinstance(given, str) and given.lower() in ("yes", "no", "on", "off"):
            hint = f"; write {'true' if given.lower() in ('yes', 'on') else 'false'}"
        elif kind in ("tuple_type", "list_type") and isinstance(given, str) and not sensitive(path):
            hint = f"; write [{given[:40]}]"
        return f"expected {EXPECTED[kind]}, found {_found(given, path)}{hint}"
    return error["msg"]


def _found(value: object, path: Path) -> str:
    return found_words(value, secret=sensitive(path))


def fields_at(path: Path) -> list[str]:
    """Return the keys that the model knows for the mapping at `path`; none where its keys are free."""
    current = _model_at(path)
    return _keys(current) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _class_at(path: Path) -> str:
    return getattr(_model_at(path), "__name__", "")


def _model_at(path: Path) -> Any:
    current: Any = Plan
    for part in path:
        current = _step_into(current, part)
    return current


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _step_into(current: Any, part: str | int) -> Any:
    if isinstance(current, type) and issubclass(current, BaseModel):
        for name, field in current.model_fields.items():
            if part in (field.alias, name):
                return _plain_type(field.annotation)
        return None
    arguments = typing.get_args(current)
    if isinstance(part, int):
        return _plain_type(arguments[0]) if arguments else None
    return _plain_type(arguments[1]) if typing.get_origin(current) in (dict, Mapping) and len(arguments) > 1 else None


def _plain_type(annotation: Any) -> Any:
    """Take `Annotated` and `| None` off a type."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = typing.get_args(annotation)[0]
        elif origin in (typing.Union, types.UnionType):
            members = [_plain_type(a) for a in typing.get_args(annotation) if a is not type(None)]
            models = [a for a in members if isinstance(a, type) and issubclass(a, BaseModel)]
            annotation = (models or members)[0]
        else:
            return annotation
