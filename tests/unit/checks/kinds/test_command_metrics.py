"""Numbers out of what a command prints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from switchover_checks.api import Result, Status
from switchover_checks.kinds.command import CommandConfig
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.registry import Registry

Probe = Callable[..., Awaitable[Result]]


@pytest.mark.parametrize(
    ("printed", "path", "value"),
    [
        ('{"rows": 42}', "json.rows", 42.0),
        ("42\n", "number(stdout)", 42.0),
        ("read 1.5e3 rows", r"/read (\S+) rows/", 1500.0),
        ("3,25 s", r"/([\d,]+) s/", 3.25),
        ("nothing", r"/(\d+)/", None),
        ("rows: many", r"/rows: (\w+)/", None),
        ("no json", "json.rows", None),
    ],
)
async def test_a_number_is_taken_or_the_check_says_why_not(
    probe: Probe, printed: str, path: str, value: float | None
) -> None:
    result = await probe("command", command=["printf", "%s", printed], metrics={"rows": path})
    assert {m.name: m.value for m in result.metrics}.get("rows") == value
    assert result.status is (Status.UNKNOWN if value is None else Status.OK)


@pytest.mark.parametrize(
    "metrics", [{"time": "exit"}, {"a": "/x/"}, {"a": "/(x)(y)/"}, {"a": "/(/"}, {"a": 3}, {"a": "nothing"}]
)
def test_a_path_that_leads_to_no_number_is_refused(metrics: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build_config(CommandConfig, {"command": "true", "metrics": metrics})


def test_a_metric_of_a_command_is_known_before_it_ran() -> None:
    measured = Registry().measures("command", {"command": "true", "metrics": {"rows": "json.rows"}})
    assert measured == frozenset({"time", "rows"})
