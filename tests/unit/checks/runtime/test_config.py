"""From a plan's keys to the configuration of a kind."""

from __future__ import annotations

from typing import Any

import pytest

from switchover_checks.kinds.http import HttpConfig
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.registry import Registry


def test_all_problems_come_at_once_each_with_its_path() -> None:
    with pytest.raises(ConfigError) as caught:
        build_config(
            HttpConfig, {"ulr": "x", "expect": ["status == 200", "stats == 1"], "method": "FETCH", "max_body": "1 lot"}
        )
    problems = dict(caught.value.problems)
    assert problems["ulr"] == "unknown key; did you mean 'url'?"
    assert problems["url"] == "is needed and not set"
    assert "did you mean 'status'" in problems["expect[1]"]
    assert "FETCH" in problems["method"]
    assert "is not a size" in problems["max_body"]


def test_what_is_still_to_be_filled_in_is_not_judged_and_the_rest_is() -> None:
    config = {"url": "http://{{ ip }}/", "expect": ["body.v == '{{ version }}'", "stats == 1"], "verify": "{{ v }}"}
    problems = Registry().validate_config("http", config)
    assert [path for path, _ in problems] == ["expect[1]"]
    assert Registry().validate_config("http", {"url": "{{ x }}"}, templates=False) == []


@pytest.mark.parametrize(
    ("kind", "config", "message"),
    [
        ("disk", {"path": "/"}, "set warn or crit"),
        ("disk", {"warn": "5m:"}, "is a duration"),
        ("process", {}, "set pattern, pid_file or listen"),
        ("sql_compare", {"left": "a", "right": "a"}, "always agree"),
        ("sql_compare", {"left": "a", "right": "b", "tables": []}, "tables is empty"),
        ("http", {"url": "u", "body": "x", "json": {}}, "not both"),
        ("tcp", {"port": 70000}, "not a port"),
        ("backup", {"path": "x", "sha256": "abc"}, "64 hexadecimal digits"),
        ("backup", {"path": "x", "format": "rar"}, "format is"),
        ("file", {"path": "x", "exists": False, "min_size": 1}, "must not exist"),
        ("command", {"command": " "}, "command is empty"),
    ],
)
def test_what_makes_no_sense_is_refused_when_the_plan_is_read(kind: str, config: dict[str, Any], message: str) -> None:
    problems = Registry().validate_config(kind, config)
    assert any(message in text for _, text in problems), problems
