"""`heartbeat`: what a job reported, when, and how."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from switchover_checks.api import Result, Status
from switchover_checks.kinds.files.heartbeat import HeartbeatConfig
from switchover_checks.runtime.config import ConfigError, build_config
from switchover_checks.runtime.probe_ports import ProbePorts

Probe = Callable[..., Awaitable[Result]]


@pytest.mark.parametrize(
    ("report", "status"),
    [
        ({}, Status.CRIT),
        ({"ago": 10}, Status.OK),
        ({"ago": 10, "status": "warn", "text": "slow"}, Status.WARN),
        ({"ago": 10, "status": "crit"}, Status.CRIT),
        ({"ago": 10, "status": "nonsense"}, Status.UNKNOWN),
        ({"ago": 1801}, Status.WARN),
        ({"ago": 3601}, Status.CRIT),
        ({"ago": 3601, "status": "crit"}, Status.CRIT),
        ({"ago": -3601}, Status.UNKNOWN),
        ({"at": "nonsense"}, Status.CRIT),
        ({"unreadable": "permission denied"}, Status.UNKNOWN),
    ],
)
async def test_a_report_that_is_late_or_bad_is_told(probe: Probe, report: Mapping[str, Any], status: Status) -> None:
    told = dict(report)
    if "ago" in told:
        told["at"] = time.time() - told.pop("ago")
    ports = ProbePorts(pushed=lambda check: told if check == "mine" else {})
    result = await probe("heartbeat", ports=ports, within="1h", warn_after="30m")
    assert result.status is status, result


@pytest.mark.parametrize("keys", [{"within": 0.5}, {"within": "1h", "warn_after": "2h"}, {}])
def test_a_time_that_makes_no_sense_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        build_config(HeartbeatConfig, keys)
