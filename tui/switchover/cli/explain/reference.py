"""The parts of a plan, their keys and their kinds, as the schema has them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from switchover.plan.loader.json_schema import json_schema
from switchover.plan.loader.schema_in_words import Schema, own_keys, parts_named_in
from switchover.plan.named_kinds import COST_SOURCES, METRIC_SOURCES, NOTIFIERS
from switchover.services.service_kind import service_kind
from switchover_checks.language.declared import load_declared
from switchover_checks.runtime.registry import Registry

__all__ = ["PLAN", "Kind", "Part", "Reference"]

PLAN = "plan"
_DECLARED = {"MetricSpec": METRIC_SOURCES, "NotifierSpec": NOTIFIERS, "CostSourceSpec": COST_SOURCES}


@dataclass(frozen=True)
class Part:
    """A part of a plan: what it is called, where it stands, and its keys."""

    name: str
    where: str
    doc: str
    keys: Mapping[str, Any]
    needed: tuple[str, ...]
    kind_key: str = ""
    alone: bool = True  # nothing else may stand in its place


@dataclass(frozen=True)
class Kind:
    """A kind of check, service, metric, notifier or cost source: its own keys, and an example."""

    part: str
    name: str
    doc: str
    keys: Mapping[str, Any]
    needed: tuple[str, ...]
    example: str = ""
    more: tuple[str, ...] = field(default=())


class Reference:
    """All that a plan may say. Without `registry`, the kinds that come with the program."""

    def __init__(self, registry: Registry | None = None) -> None:
        self._registry = registry or Registry()
        self._schema = json_schema(self._registry)
        self._definitions: Mapping[str, Schema] = self._schema["$defs"]

    @cached_property
    def parts(self) -> Mapping[str, Part]:
        """The parts by the name of their type; the whole plan under `plan`."""
        schema = self._schema
        found = {PLAN: Part(PLAN, "", "A whole plan file.", schema["properties"], tuple(schema["required"]))}
        waiting = [PLAN]
        while waiting:  # the nearest to the top gets the short name
            holder = found[waiting.pop(0)]
            for key, held in holder.keys.items():
                where = f"{holder.where}.{_written(key, held)}".lstrip(".")
                for name in parts_named_in(held):
                    if name in found:
                        continue
                    short = _snake(name) if _is_a_choice(held) else _singular(key)
                    taken = any(part.name == short for part in found.values())
                    part = self._part(name, _snake(name) if taken else short, where)
                    found[name] = replace(part, alone=not _is_a_choice(held))
                    waiting.append(name)
        return found

    @cached_property
    def names(self) -> Mapping[str, str]:
        """What a person may call each part, with the name of its type."""
        found: dict[str, str] = {}
        for name, part in self.parts.items():
            stands = part.where.rpartition(".")[2].partition("[")[0] if part.alone else ""
            for word in (part.name, stands, _snake(name), name):
                if word and word != "NAME":
                    found.setdefault(word, name)
        return found

    def held(self, name: str) -> Part:
        """Return a part by the name of its type, also one that only a kind's own key holds."""
        if name in self.parts:
            return self.parts[name]
        return self._part(name, _snake(name.rpartition("_")[2]), "")

    def kinds(self, part: str) -> Mapping[str, Kind]:
        """Return the kinds that a part may be of, by their names."""
        return {kind.name: kind for kind in self._kinds(part)}

    def _part(self, name: str, short: str, where: str) -> Part:
        schema = self._definitions[name]
        kind_key = "kind" if "kind" in schema["properties"] and schema.get("allOf") else ""
        doc = inspect.cleandoc(schema.get("description", ""))
        return Part(short, where, doc, schema["properties"], tuple(schema.get("required", ())), kind_key)

    def _kinds(self, part: str) -> Iterator[Kind]:
        common = self._definitions[part]["properties"] if part in self._definitions else {}
        if part == "CheckSpec":
            for kind in sorted(self._registry.kinds()):
                yield self._check(kind, common)
        elif part == "Service":
            for case in self._definitions[part]["allOf"]:
                name = case["if"]["properties"]["kind"]["const"]
                declared = service_kind(name)
                keys = {key: common[key] for key in declared.keys if key in common}
                one_of = "One of " if len(declared.any_of) > 1 else ""
                more = (f"{one_of}{', '.join(declared.any_of)} is needed.",) if declared.any_of else ()
                yield Kind(part, name, inspect.getdoc(type(declared)) or "", keys, declared.all_of, more=more)
        elif part in _DECLARED:
            for case in self._definitions[part]["allOf"]:
                name = case["if"]["properties"]["kind"]["const"]
                declared = load_declared(_DECLARED[part], name)
                needed = tuple(case["then"]["required"])
                doc = inspect.getdoc(declared.config) or ""
                yield Kind(part, name, doc, own_keys(case["then"], common), needed, inspect.cleandoc(declared.example))

    def _check(self, kind: str, common: Schema) -> Kind:
        case = self._definitions[f"check_{kind}"]
        declared = self._registry.declaration(kind)
        measured = [f"It measures {', '.join(m.name for m in declared.metrics)}."] if declared.metrics else []
        needed = tuple(key for key in case["required"] if key not in common)
        return Kind(
            "CheckSpec", kind, declared.doc, own_keys(case, common), needed, declared.example, more=tuple(measured)
        )


def _written(key: str, schema: Schema) -> str:
    """Write a key with what stands in it: `phases[]`, `checks.NAME`, `gate`."""
    shown = next((one for one in schema.get("anyOf", ()) if parts_named_in(one)), schema)
    if "items" in shown:
        return f"{key}[]"
    return key if "$ref" in shown or "oneOf" in shown else f"{key}.NAME"


def _is_a_choice(schema: Schema) -> bool:
    """Whether a part is only one of the things that may stand there."""
    return any("oneOf" in one for one in (schema, *schema.get("anyOf", ())))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.removesuffix("Spec")).lower()


def _singular(key: str) -> str:
    if key.endswith("ss") or not key.endswith("s"):
        return key
    return f"{key[:-3]}y" if key.endswith("ies") else key[:-1]
