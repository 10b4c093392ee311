"""Says in words what a JSON Schema allows: for the references in `docs/`, and for `switchover explain`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from switchover_checks.language.units import format_bytes, format_duration

__all__ = ["Schema", "SchemaWords", "meaning", "own_keys", "parts_named_in"]

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


@dataclass(frozen=True, slots=True)
class SchemaWords:
    """How a page writes the name of a part, and what is to be typed as it stands."""

    link: Callable[[str], str] = str
    code: Callable[[str], str] = str

    def takes(self, schema: object) -> str:
        """Say what may stand there."""
        if not isinstance(schema, Mapping) or not schema:
            return "anything"
        if unit := _UNITS.get(str(schema.get("type"))):
            return unit
        if "$ref" in schema:
            return self.link(schema["$ref"].rpartition("/")[2])
        if "const" in schema:
            return self._code(schema["const"])
        if "enum" in schema:
            return ", ".join(map(self._code, schema["enum"]))
        if "anyOf" in schema or "oneOf" in schema:
            return " or ".join(dict.fromkeys(map(self.takes, _choices(schema)))) or "anything"
        return self._plain(schema)

    def default(self, schema: object) -> str:
        """Say what goes where nothing is written; empty where that is nothing."""
        value = schema.get("default") if isinstance(schema, Mapping) else None
        if value is None or value in ([], {}, ""):
            return ""
        if isinstance(value, int | float) and not isinstance(value, bool):
            written = {"duration": format_duration, "size": format_bytes}.get(self.takes(schema))
            return written(value) if written is not None else f"{value:g}"
        return self._code(value)

    def _plain(self, schema: Schema) -> str:
        kinds = schema.get("type", ())
        kinds = [kinds] if isinstance(kinds, str) else [kind for kind in kinds if kind != "null"]
        if "array" in kinds:
            return f"list of {self.takes(schema.get('items', {}))}"
        if "object" in kinds:
            values = [*schema.get("patternProperties", {}).values(), schema.get("additionalProperties")]
            value = next((one for one in values if isinstance(one, Mapping)), None)
            if value is None:
                return "keys and values"
            return f"NAME: {'text' if self.takes(value) == 'size' else self.takes(value)}"  # `env` takes numbers too
        return " or ".join(_WORDS[kind] for kind in kinds) or "anything"

    def _code(self, value: object) -> str:
        return self.code(value if isinstance(value, str) else json.dumps(value))


def meaning(schema: object) -> str:
    """Say what a key is for."""
    text = str(schema.get("description", "")) if isinstance(schema, Mapping) else ""
    return "" if text.startswith(_SAID_BY_THE_TYPE) else text


def own_keys(case: Schema, common: Schema) -> dict[str, Any]:
    """Return the keys that a kind has besides the common ones."""
    return {key: schema for key, schema in case.get("properties", {}).items() if key not in common}


def parts_named_in(schema: object) -> tuple[str, ...]:
    """Return the parts of a plan that a key may hold, alone, in a list or by name."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            return (str(schema["$ref"]).rpartition("/")[2],)
        inside = [schema.get("items"), schema.get("additionalProperties")]
        inside += [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
        inside += list(schema.get("patternProperties", {}).values())
        return tuple(name for one in inside for name in parts_named_in(one))
    return ()


def _choices(schema: Schema) -> Iterator[Schema]:
    """Yield what may stand there: a template may always, and nothing is said by leaving the key out."""
    for one in schema.get("anyOf") or schema["oneOf"]:
        if one.get("pattern") != _TEMPLATE and one.get("type") != "null":
            yield one
