"""The JSON Schema of a plan, made from the loader's own types, so that editors complete and check it.

Draft 7, because that is what yaml-language-server understands best.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from switchover.plan.loader.defaults import CHECK_DEFAULTS, STEP_DEFAULTS
from switchover.plan.model import CheckSpec, Plan
from switchover.plan.named_kinds import COST_SOURCES, METRIC_SOURCES, NOTIFIERS, SERVICES
from switchover_checks.language.declared import declared, load_declared
from switchover_checks.runtime.config import config_schema
from switchover_checks.runtime.registry import Registry

__all__ = ["json_schema"]

_TEMPLATE = {"type": "string", "pattern": r"\{\{", "description": "a template, filled in when it is used"}
_LOOPED = ("Service", "CheckSpec", "MetricSpec", "Alert", "Promise", "Step", "Phase")
_EACH = {
    "type": "object",
    "maxProperties": 1,
    "minProperties": 1,
    "additionalProperties": {"type": ["array", "object", "string"]},
    "description": "{NAME: VALUES}: one for each value of a list, a mapping or a list variable; {{ each.NAME }} is it",
}
# Keys that a check may take from its service.
_FROM_SERVICE = frozenset({"url", "container", "pid_file", "pattern", "listen", "port"})


def json_schema(registry: Registry) -> dict[str, Any]:
    """Return the schema, with the keys of every check kind that `registry` knows."""
    schema = Plan.model_json_schema(by_alias=True)
    definitions: dict[str, Any] = schema["$defs"]
    definitions["Defaults"] = _defaults(definitions)
    for holder in (schema, definitions["Phase"]):
        holder["properties"]["defaults"] = {"$ref": "#/$defs/Defaults", "description": "what its steps and checks take"}
    for part in _LOOPED:
        definitions[part]["properties"]["each"] = _EACH
    definitions["CheckSpec"] = _checks(definitions, registry)
    definitions["MetricSpec"] = _keyed(definitions["MetricSpec"], METRIC_SOURCES, "where the number comes from")
    definitions["CostSourceSpec"] = _keyed(definitions["CostSourceSpec"], COST_SOURCES, "where the amounts come from")
    definitions["NotifierSpec"] = _keyed(definitions["NotifierSpec"], NOTIFIERS, "how people are notified")
    definitions["Service"] = _services(definitions["Service"])
    definitions["Step"]["oneOf"] = [{"required": [key, "effect"]} for key in ("run", "argv")]
    definitions["Step"]["oneOf"] += [{"required": [key]} for key in ("checklist", "uses")]
    definitions["RollbackAction"]["oneOf"] = [{"required": [key]} for key in ("run", "argv")]
    definitions["RollbackStep"]["oneOf"] = [{"required": [key]} for key in ("run", "argv", "rollback")]
    _take_numbers(definitions)
    _allow_empty_sections(schema)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "switchover plan",
        **{key: value for key, value in schema.items() if key != "title"},
    }


def _defaults(definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Describe what steps and checks take where they say nothing themselves."""
    keys = {"steps": ("Step", STEP_DEFAULTS), "checks": ("CheckSpec", CHECK_DEFAULTS)}
    return {
        "type": "object",
        "title": "Defaults",
        "description": "What steps and checks take where they say nothing themselves. A phase has them for its steps.",
        "additionalProperties": False,
        "properties": {
            name: {
                "type": "object",
                "description": f"keys of {name} with the values that count for all of them",
                "additionalProperties": False,
                "properties": {key: definitions[part]["properties"][key] for key in known},
            }
            for name, (part, known) in keys.items()
        },
    }


def _checks(definitions: dict[str, Any], registry: Registry) -> dict[str, Any]:
    """Describe a check: one of the kinds with its keys, or an unknown kind that a plan may bring along."""
    common = definitions["CheckSpec"]["properties"]
    kinds = registry.kinds()
    cases = []
    for kind in sorted(kinds):
        own = registry.json_schema(kind)
        for name, definition in own.pop("$defs", {}).items():
            definitions[f"{kind}_{name}"] = _renamed(definition, kind)
        properties = {key: _or_template(_renamed(value, kind)) for key, value in own.get("properties", {}).items()}
        needed = [key for key in own.get("required", ()) if key not in _FROM_SERVICE]
        case: dict[str, Any] = {
            "type": "object",
            "title": f"check of kind {kind}",
            "properties": {**properties, **common, "kind": {"const": kind}},
            "required": ["kind", *needed],
        }
        if properties or kinds[kind].source == "builtin":
            case["additionalProperties"] = False
        definitions[f"check_{kind}"] = case
        condition = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
        cases.append({"if": condition, "then": {"$ref": f"#/$defs/check_{kind}"}})
    known = {"enum": sorted(kinds)}
    return {
        "type": "object",
        "title": "CheckSpec",
        "description": CheckSpec.__doc__,
        "properties": {**common, "kind": {"anyOf": [known, {"type": "string"}], "description": "the kind of check"}},
        "required": ["kind"],
        "allOf": cases,
    }


def _keyed(schema: dict[str, Any], package: str, doc: str) -> dict[str, Any]:
    """Describe what names its kind: the kinds that a package declares, each with its keys."""
    common = {**schema["properties"], "kind": {"enum": list(declared(package)), "description": doc}}
    cases = []
    for kind in declared(package):
        own = config_schema(load_declared(package, kind).config)
        properties = {key: _or_template(value) for key, value in own.get("properties", {}).items()}
        cases.append(
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {
                    "properties": {**properties, **dict.fromkeys(common, True)},
                    "required": own.get("required", []),
                    "additionalProperties": False,
                },
            }
        )
    shown = {key: schema[key] for key in ("type", "title", "description")}
    return {**shown, "properties": common, "required": ["kind"], "allOf": cases}


def _services(schema: dict[str, Any]) -> dict[str, Any]:
    cases, kinds = [], declared(SERVICES)
    properties = {**schema["properties"], "kind": {"enum": list(kinds), "description": "what it is"}}
    for kind in kinds:
        takes = load_declared(SERVICES, kind)()
        properties |= {key: {"type": ["string", "integer"]} for key in takes.keys if key not in properties}
        then: dict[str, Any] = {"required": list(takes.all_of)} if takes.all_of else {}
        if takes.any_of:
            then["anyOf"] = [{"required": [key]} for key in takes.any_of]
        if takes.resources:
            then["properties"] = {"resource": {"enum": list(takes.resources)}}
        cases.append({"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": then})
    return {**schema, "properties": properties, "additionalProperties": False, "allOf": cases}


def _renamed(value: Any, kind: str) -> Any:
    """Point the references of a kind's own schema to where its definitions are kept."""
    if isinstance(value, dict):
        return {
            key: item.replace("#/$defs/", f"#/$defs/{kind}_") if key == "$ref" else _renamed(item, kind)
            for key, item in value.items()
        }
    return [_renamed(item, kind) for item in value] if isinstance(value, list) else value


def _or_template(schema: Any) -> Any:
    """Let a template stand where a check wants something else than text."""
    if not isinstance(schema, dict) or schema.get("type") == "string" or not schema:
        return schema
    shown = {key: schema[key] for key in ("title", "description", "default") if key in schema}
    return {**shown, "anyOf": [schema, _TEMPLATE]}


def _take_numbers(definitions: Mapping[str, Any]) -> None:
    """Let whole numbers stand for text in `env`, as the loader does."""
    for definition in _objects(definitions):
        values = definition.get("properties", {}).get("env", {})
        if isinstance(values, dict) and values.get("type") == "object":
            values["additionalProperties"] = {"type": ["string", "integer"]}
            values.pop("patternProperties", None)
            values["propertyNames"] = {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}


def _objects(definitions: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    return [value for value in definitions.values() if isinstance(value, dict)]


def _allow_empty_sections(schema: dict[str, Any]) -> None:
    """Let a section be empty: all of its lines may be commented out."""
    for name, part in schema["properties"].items():
        if name not in ("schema", "id", "title") and part.get("type") in ("object", "array"):
            part["type"] = [part["type"], "null"]
