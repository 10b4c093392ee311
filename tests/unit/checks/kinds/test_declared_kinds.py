"""What a built-in kind declares of itself is found, complete, and works in a plan."""

from __future__ import annotations

import subprocess
import sys

import pytest
from ruamel.yaml import YAML

from switchover_checks.language.declared import declared
from switchover_checks.runtime.registry import KINDS, Registry


@pytest.mark.parametrize("kind", sorted(declared(KINDS)))
def test_every_kind_documents_its_keys_and_shows_an_example_that_a_plan_takes(kind: str) -> None:
    registry = Registry()
    declared = registry.declaration(kind)
    assert declared.doc
    assert {key.name for key in declared.keys if not key.doc} == set()
    assert all(metric.doc for metric in declared.metrics or ())
    example = YAML(typ="safe", pure=True).load(declared.example)
    assert example.pop("kind") == kind
    example.pop("service", "")
    assert example or registry.about_a_service(kind)
    assert registry.validate_config(kind, example) == []
    properties = registry.json_schema(kind)["properties"]
    assert {key.name: properties[key.name]["description"] for key in declared.keys} == {
        key.name: key.doc for key in declared.keys
    }
    assert (registry.changes(kind, example) == "") is (declared.effect == "read")


def test_listing_the_kinds_imports_none_of_them() -> None:
    code = (
        "import sys; from switchover_checks.runtime.registry import Registry; assert 'http' in Registry().kinds(); "
        "print([m for m in sys.modules if m.startswith('switchover_checks.kinds') or m == 'pydantic'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_works_for_long_in_python_runs_in_a_process_of_its_own() -> None:
    registry = Registry()
    assert [kind for kind in registry.kinds() if registry.apart(kind)] == ["backup", "load", "sql_compare"]
