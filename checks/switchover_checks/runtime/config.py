"""From a plan's keys to the frozen configuration of a kind: every problem at once, each with its path."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import itertools
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from switchover_checks.language.suggest import did_you_mean
from switchover_checks.language.type_words import EXPECTED, found_words

__all__ = [
    "NEEDED",
    "ConfigError",
    "ConfigField",
    "Problem",
    "build_config",
    "class_docs",
    "config_fields",
    "config_schema",
    "documented_fields",
    "has_template",
    "key_docs",
    "key_of",
    "unknown_and_missing",
    "validate",
]

Problem = tuple[str, str]
"""The path inside the configuration (`expect[1]`, empty for the whole) and what is wrong there."""


NEEDED = "is needed and not set"
"""What is said of a key that its kind needs."""


class ConfigError(Exception):
    """A configuration that does not fit its kind; `problems` holds everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{path}: {message}" if path else message for path, message in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ConfigField:
    """A key of a kind, as the plan's author may set it."""

    name: str
    required: bool
    type_text: str = ""
    default: str = ""
    doc: str = ""


def key_of(field: str) -> str:
    """Return the key of a field. One that is a word of Python ends in `_` in the class: `for_`."""
    return field.removesuffix("_")


def key_docs(node: ast.ClassDef) -> dict[str, str]:
    """Return the text that stands below each field of a class, as one line."""
    return {
        key_of(field.target.id): " ".join(text.value.value.split())
        for field, text in itertools.pairwise(node.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
    }


@functools.cache
def class_docs(config: type) -> Mapping[str, str]:
    """Return the text below each field of a class that is imported; nothing where its source is not there."""
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(config))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return {}
    return key_docs(node) if isinstance(node, ast.ClassDef) else {}


def documented_fields(config: type) -> tuple[ConfigField, ...]:
    """Return the keys that `config` knows, with what its source says of each."""
    docs = class_docs(config)
    return tuple(replace(f, doc=docs.get(f.name, "")) for f in config_fields(config))


def config_schema(config: type) -> dict[str, Any]:
    """Return the JSON Schema of the keys that `config` knows: an object."""
    from pydantic import TypeAdapter

    schema: dict[str, Any] = TypeAdapter(config).json_schema(mode="validation")
    schema["properties"] = {key_of(name): of for name, of in schema["properties"].items()}
    for key, doc in class_docs(config).items():
        schema["properties"][key]["description"] = doc
    return schema


def config_fields(config: type) -> tuple[ConfigField, ...]:
    """Return the keys that `config`, a dataclass, knows."""
    found = []
    for f in dataclasses.fields(config):
        required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
        default = "" if f.default in (dataclasses.MISSING, None, ()) else repr(f.default)
        found.append(ConfigField(key_of(f.name), required, str(f.type), default))
    return tuple(found)


def has_template(value: object) -> bool:
    """Tell whether a value, or anything in it, is still to be filled in."""
    if isinstance(value, str):
        return "{{" in value
    if isinstance(value, Mapping):
        return any(has_template(v) for v in value.values())
    if isinstance(value, list | tuple):
        return any(has_template(v) for v in value)
    return False


def build_config(config: type, mapping: Mapping[str, Any]) -> Any:
    """Make an instance of the dataclass `config`. Raise `ConfigError` with all problems."""
    values, problems = _read(config, mapping, templates=False)
    if not problems:
        try:
            return config(**values)
        except (ValueError, TypeError) as error:
            problems.append(("", str(error)))
    raise ConfigError(problems)


def validate(config: type, mapping: Mapping[str, Any], *, templates: bool = True) -> list[Problem]:
    """Return what is wrong with `mapping`. With `templates`, values that hold `{{` are not judged."""
    values, problems = _read(config, mapping, templates=templates)
    if not problems and not (templates and has_template(mapping)):
        try:
            config(**values)
        except (ValueError, TypeError) as error:
            problems.append(("", str(error)))
    return problems


def unknown_and_missing(fields: tuple[ConfigField, ...], mapping: Mapping[str, Any]) -> list[Problem]:
    """Return the keys that the kind does not know, and those it needs and does not get."""
    names = [f.name for f in fields]
    problems = [(key, f"unknown key{did_you_mean(key, names)}") for key in mapping if key not in names]
    problems += [(f.name, NEEDED) for f in fields if f.required and f.name not in mapping]
    return problems


def _read(config: type, mapping: Mapping[str, Any], *, templates: bool) -> tuple[dict[str, Any], list[Problem]]:
    problems = unknown_and_missing(config_fields(config), mapping)
    values: dict[str, Any] = {}
    for field, adapter in _adapters(config).items():
        name = key_of(field)
        if name not in mapping:
            continue
        value, places = mapping[name], None
        if templates and has_template(value):
            if not isinstance(value, list | tuple):
                continue
            places = [i for i, item in enumerate(value) if not has_template(item)]
            if not places:
                continue
            value = [value[i] for i in places]
        try:
            values[field] = adapter.validate_python(value)
        except ValueError as error:
            problems += _explain(name, value, error, places)
    return values, problems


@functools.cache
def _adapters(config: type) -> dict[str, Any]:
    from pydantic import ConfigDict, TypeAdapter

    hints = get_type_hints(config, include_extras=True)
    loose = ConfigDict(arbitrary_types_allowed=True)
    adapters = {}
    for f in dataclasses.fields(config):
        hint = hints[f.name]
        plain = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        adapters[f.name] = TypeAdapter(hint) if dataclasses.is_dataclass(plain) else TypeAdapter(hint, config=loose)
    return adapters


def _explain(name: str, value: object, error: ValueError, places: list[int] | None) -> list[Problem]:
    details = getattr(error, "errors", None)
    if details is None:
        return [(name, str(error))]
    found: dict[str, list[Any]] = {}
    for detail in details(include_url=False, include_context=False, include_input=True):
        found.setdefault(_place(name, value, detail["loc"], places), []).append(detail)
    deepest = {path: of for path, of in found.items() if not any(_inside(path, other) for other in found)}
    return [(path, _message(of)) for path, of in deepest.items()]


def _place(name: str, value: object, location: Iterable[str | int], places: list[int] | None) -> str:
    """Write where in `value` an error is. What the validating library adds to the location stands in no plan."""
    path, here, outermost = name, value, True
    for part in location:
        if isinstance(part, int) and isinstance(here, list | tuple) and part < len(here):
            path += f"[{places[part] if places and outermost and part < len(places) else part}]"
            here, outermost = here[part], False
        elif isinstance(part, str) and isinstance(here, Mapping) and part in here:
            path += f".{part}"
            here, outermost = here[part], False
    return path


def _inside(path: str, other: str) -> bool:
    return other.startswith((f"{path}[", f"{path}."))


def _message(details: list[Any]) -> str:
    """Word what is wrong at one place. Of a choice of types each has said why it does not fit."""
    own = [detail for detail in details if detail["type"] not in EXPECTED]
    if not own:
        wanted = dict.fromkeys(EXPECTED[detail["type"]] for detail in details)
        return f"expected {' or '.join(wanted)}, found {found_words(details[0]['input'])}"
    message = str(own[0]["msg"]).removeprefix("Value error, ")
    if own[0]["type"] == "value_error":
        return message
    return f"{message[0].lower()}{message[1:]}, not {_short(own[0]['input'])}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
