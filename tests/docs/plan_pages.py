"""The references of plans, of check kinds and of metrics, written from the schema that the loader itself uses."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tests.docs.schema_words import Schema, key_table, own_keys, table

from switchover.metrics.sources.host_numbers import HOST_METRICS
from switchover.plan.loader.json_schema import json_schema
from switchover.plan.named_kinds import COST_SOURCES, METRIC_SOURCES, NOTIFIERS
from switchover_checks.api import Measured
from switchover_checks.language.declared import load_declared
from switchover_checks.runtime.registry import Registry

__all__ = ["checks_reference", "metrics_reference", "plan_reference"]


@cache
def _schema() -> dict[str, Any]:
    return json_schema(Registry())


def plan_reference() -> Iterator[str]:
    """Write every key of a plan, part by part."""
    schema = _schema()
    yield "# Plan reference"
    yield ""
    yield "A plan is a YAML file. `switchover validate PLAN` names every error with its line; `switchover schema`"
    yield "prints this page for an editor. How the parts work together is told in [your first plan](first-plan.md)."
    yield ""
    yield "## A plan"
    yield ""
    yield from key_table(schema["properties"], tuple(schema["required"]))
    for name, part in sorted(schema["$defs"].items()):
        if name.startswith("check_"):
            continue
        yield from ("", f"## {name}", "", *_words(part.get("description", "")), "")
        yield from key_table(part["properties"], tuple(part.get("required", ())))
        yield from _kinds(name, part)
        if name in _MORE:
            yield from ("", _MORE[name])
        if name in _DECLARED:
            yield from _declared(part, _DECLARED[name], "###")


_MORE = {
    "CheckSpec": "The keys of each kind stand in the [checks reference](checks-reference.md).",
    "MetricSpec": "The keys of each kind stand in the [metrics reference](metrics-reference.md).",
}


_DECLARED = {"NotifierSpec": NOTIFIERS, "CostSourceSpec": COST_SOURCES}


def _declared(part: Schema, package: str, level: str) -> Iterator[str]:
    """Write the kinds that a package declares, each with its keys and an example."""
    common = part["properties"]
    for case in part["allOf"]:
        kind = case["if"]["properties"]["kind"]["const"]
        declared = load_declared(package, kind)
        yield from ("", f"{level} {kind}", "", *_words(declared.config.__doc__), "")
        if keys := own_keys(case["then"], common):
            yield from (*key_table(keys, tuple(case["then"]["required"])), "")
        yield from ("```yaml", *_words(declared.example), "```")


def _kinds(name: str, part: Schema) -> Iterator[str]:
    """Say which keys each kind of a service needs."""
    if name != "Service":
        return
    rows = []
    for case in part["allOf"]:
        then = case["then"]
        needs = [f"`{key}`" for key in then.get("required", ())]
        one_of = [f"`{choice['required'][0]}`" for choice in then.get("anyOf", ())]
        needs += [f"one of {', '.join(one_of)}"] if one_of else []
        rows.append((f"`{case['if']['properties']['kind']['const']}`", " and ".join(needs)))
    yield from ("", *table(("kind", "needs"), rows))


def checks_reference() -> Iterator[str]:
    """Write every check kind: what it does, its keys, what `expect` may look at, what it measures."""
    registry = Registry()
    definitions = _schema()["$defs"]
    common = definitions["CheckSpec"]["properties"]
    yield "# Checks reference"
    yield ""
    yield "Every check also takes the keys of [CheckSpec](plan-reference.md#checkspec), such as `every` and `timeout`."
    yield "How `expect` is written is told in [expressions](expressions.md)."
    for kind, info in sorted(registry.kinds().items()):
        if info.source != "builtin":
            continue
        case = definitions[f"check_{kind}"]
        check = registry.load(kind)
        module = sys.modules[type(check).__module__]
        yield from ("", f"## {kind}", "", *_words(inspect.getdoc(module) or ""))
        yield from ("", *_words(inspect.getdoc(check.config) or ""), "")
        yield from key_table(own_keys(case, common), tuple(case["required"]))
        names = getattr(module, "NAMES", None)
        if isinstance(names, Mapping):
            said = ", ".join(f"`{name}` ({of})" for name, of in names.items())
            yield from ("", f"`expect` may look at {said}.")
        declared = registry.declaration(kind)
        if declared.metrics:
            rows = [(f"`{m.name}`", m.unit, m.doc, _where(m)) for m in declared.metrics]
            yield from ("", *table(("it measures", "unit", "meaning", "where set"), rows))
        yield from ("", "```yaml", *declared.example.splitlines(), "```")


def _where(metric: Measured) -> str:
    return " or ".join(f"`{key}`" for key in metric.where)


def metrics_reference() -> Iterator[str]:
    """Write every source of metrics with its keys, and what the host measures of itself."""
    part = _schema()["$defs"]["MetricSpec"]
    common = part["properties"]
    yield "# Metrics reference"
    yield ""
    yield "A metric is a number over time, in a plan under `metrics`. `kind` says where it comes from. `warn` and"
    yield "`crit` are [ranges](expressions.md#ranges); without them nothing is judged."
    yield from ("", "## Keys of every metric", "", *key_table(common, ("type",)))
    yield from _declared(part, METRIC_SOURCES, "##")
    rows = [(f"`{name}`", unit) for name, unit in HOST_METRICS.items()]
    yield from ("", "## What a host measures of itself", "", *table(("metric", "unit"), rows))
    yield from ("", "## What a check measures", "", "Named by `kind: check` with `check` and `metric`.", "")
    registry = Registry()
    measured = [
        (f"`{kind}`", ", ".join(f"`{name}`" for name in sorted(found)))
        for kind, info in sorted(registry.kinds().items())
        if info.source == "builtin" and (found := registry.measures(kind, {}))
    ]
    yield from table(("kind", "measures"), measured)


def _words(text: str) -> list[str]:
    """Return a docstring as Markdown."""
    return inspect.cleandoc(text).splitlines()
