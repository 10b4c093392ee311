"""Says in words what a JSON Schema allows: the rows of the tables in the references."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from switchover_checks.language.units import format_bytes, format_duration

__all__ = ["Schema", "key_table", "own_keys", "table"]

Schema = Mapping[str, Any]
_TEMPLATE = r"\{\{"
_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "nothing",
}
# How the loader writes them in the schema, whatever a key says of itself.
_UNITS = {"['string', 'number']": "duration", "['string', 'integer']": "size"}
_SAID_BY_THE_TYPE = ("a duration:", "a size:")


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return a Markdown table, a line a row."""
    lines = [head, ("---",) * len(head), *rows]
    return [f"| {' | '.join(_cell(text) for text in row)} |".replace("  |", " |") for row in lines]


def key_table(properties: Schema, required: tuple[str, ...] = ()) -> list[str]:
    """Return the table of the keys of an object."""
    rows = [
        (f"`{key}`", _type(schema), "**needed**" if key in required else _default(schema), _meaning(schema))
        for key, schema in properties.items()
    ]
    return table(("key", "takes", "default", "meaning"), rows)


def own_keys(case: Schema, common: Schema) -> dict[str, Any]:
    """Return the keys that a kind has besides the common ones."""
    return {key: schema for key, schema in case.get("properties", {}).items() if key not in common}


def _type(schema: object) -> str:
    if not isinstance(schema, Mapping) or not schema:
        return "anything"
    if unit := _UNITS.get(str(schema.get("type"))):
        return unit
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](plan-reference.md#{name.lower()})"
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        return ", ".join(map(_code, schema["enum"]))
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_type, _choices(schema)))) or "anything"
    return _plain(schema)


def _plain(schema: Schema) -> str:
    kinds = schema.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"]
    if "array" in kinds:
        return f"list of {_type(schema.get('items', {}))}"
    if "object" in kinds:
        values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
        value = next((one for one in values if isinstance(one, Mapping)), None)
        if value is None:
            return "keys and values"
        return f"NAME: {'text' if _type(value) == 'size' else _type(value)}"  # numbers may stand for text in `env`
    return " or ".join(_WORDS[kind] for kind in kinds) or "anything"


def _choices(schema: Schema) -> Iterator[Schema]:
    """Yield what may stand there: a template may always, and nothing is said by leaving the key out."""
    for one in schema["anyOf"]:
        if one.get("pattern") != _TEMPLATE and one.get("type") != "null":
            yield one


def _default(schema: object) -> str:
    value = schema.get("default") if isinstance(schema, Mapping) else None
    if value is None or value in ([], {}, ""):
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        kind = _type(schema)
        return format_duration(value) if kind == "duration" else format_bytes(value) if kind == "size" else f"{value:g}"
    return _code(value)


def _meaning(schema: object) -> str:
    text = _description(schema) if isinstance(schema, Mapping) else ""
    return "" if text.startswith(_SAID_BY_THE_TYPE) else text


def _description(schema: Schema) -> str:
    return str(schema.get("description", ""))


def _code(value: object) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
