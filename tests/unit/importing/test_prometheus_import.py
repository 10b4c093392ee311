"""Rules of a Prometheus: none is dropped, each is handed on whole, and the rest is listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from switchover.importing import Imported, import_files
from switchover.plan.loader.load import load_plan_text

FILE = Path(__file__).parent / "files" / "rules.yaml"


@pytest.fixture(scope="module")
def found() -> Imported:
    return import_files([FILE], "taken")


@pytest.fixture(scope="module")
def alerts(found: Imported) -> dict[str, Any]:
    document: dict[str, Any] = YAML(typ="safe").load(found.text)
    return document["alerts"]  # type: ignore[no-any-return]


def test_each_alerting_rule_is_an_alert_that_a_plan_takes(found: Imported, alerts: dict[str, Any]) -> None:
    assert list(load_plan_text(found.text, Path("taken.yaml")).plan.alerts) == ["HostOutOfMemory", "TargetMissing"]
    assert alerts["TargetMissing"] == {
        "promql": 'up{job!="x"} == 0',
        "url": "{{ prometheus_url }}",
        "for": "1d",
        "keep": "5m",
        "every": "30s",
        "severity": "critical",
        "text": "Down $labels.instance at $value",
    }
    memory = alerts["HostOutOfMemory"]
    assert memory["promql"].endswith("group_left (nodename) node_uname_info")
    assert memory["text"] == (
        "Host out of memory (instance $labels.instance): "
        "Node memory is filling up (< 10% left)\n  VALUE = $value\n  LABELS = $labels"
    )
    assert (memory["severity"], memory["labels"], memory["runbook"]) == (
        "warning",
        {"team": "ops"},
        "https://runbooks.example.org/memory",
    )


def test_what_is_not_carried_is_listed_with_its_reason(found: Imported) -> None:
    lost = {key.path: key.why for key in found.lost}
    assert "a recording rule" in lost["groups[0].rules[0].expr"]
    assert lost["groups[0].rules[3].alert"] == "it has no expr"
    assert "groups[0].rules[1].annotations.dashboard" in lost
    assert "template" in lost["groups[0].rules[1].annotations.owner"]
