"""The JSON Schema accepts what the loader accepts, and knows the keys of every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from switchover.plan.loader.json_schema import json_schema
from switchover_checks.runtime.registry import Registry


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    schema = json.loads(json.dumps(json_schema(Registry())))
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def _errors(validator: Draft7Validator, text: str) -> list[str]:
    data: Any = YAML(typ="safe", pure=True).load(text)
    return [error.message for error in validator.iter_errors(data)]


def test_the_worked_example_fits_the_schema(validator: Draft7Validator, example: str) -> None:
    assert _errors(validator, example) == []


def test_the_demo_plan_fits_the_schema(validator: Draft7Validator) -> None:
    import switchover

    text = (Path(switchover.__file__).parent / "examples" / "demo.yaml").read_text(encoding="utf-8")
    assert _errors(validator, text) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('title: "Shop', 'titel: "Shop'),
        ("effect: changes", "effect: change"),
        ("fail_after: 3", "fial_after: 3"),
        ("fail_after: 3", "fail_after: three"),
        ("kind: disk, path: /", "kind: disk, pth: /"),
        ('path: "{{ dump }}", min', "min"),
        ("mode: count", "mode: counts"),
        ("metric: load", "metric: laod"),
        ("query: node_memory_MemAvailable_bytes, ", ""),
        ("kind: docker, container: redis", "kind: docker"),
        ("effect: changes, rollback", "rollback"),
        ("{rollback: [data, build]}", "{rollback: [data], run: x}"),
        ("schema: 1", "schema: 2"),
    ],
)
def test_a_mistake_does_not_fit_the_schema(validator: Draft7Validator, example: str, old: str, new: str) -> None:
    assert old in example
    assert _errors(validator, example.replace(old, new, 1)) != []


def test_every_kind_completes_its_own_keys_and_the_common_ones() -> None:
    schema = json_schema(Registry())
    for kind in Registry().kinds():
        keys = schema["$defs"][f"check_{kind}"]["properties"]
        assert {"kind", "every", "needs", "timeout"} <= set(keys)
    assert {"url", "expect"} <= set(schema["$defs"]["check_http"]["properties"])


def test_a_kind_beside_the_plan_is_described_without_being_executed(tmp_path: Path) -> None:
    module = tmp_path / "queue.py"
    module.write_text(
        "raise SystemExit('executed')\n"
        "from dataclasses import dataclass\n"
        "@dataclass(frozen=True)\nclass QueueConfig:\n    path: str\n    most: int = 100\n"
        "class QueueCheck:\n    kind = 'queue'\n    effect = 'read'\n    config = QueueConfig\n"
        "    async def probe(self, cfg, ctx):\n        pass\n"
    )
    schema = json_schema(Registry([module]))
    assert {"path", "most"} <= set(schema["$defs"]["check_queue"]["properties"])
