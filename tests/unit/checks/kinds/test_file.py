"""The `file` kind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import Status

Probe = Callable[..., Any]
CONTENT = b"first line\nstate: ready 42\n"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "report.txt"
    path.write_bytes(CONTENT)
    path.chmod(0o640)
    return path


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ({}, Status.OK),
        ({"exists": False}, Status.CRIT),
        ({"path": "gone"}, Status.CRIT),
        ({"path": "gone", "exists": False}, Status.OK),
        ({"what": "folder"}, Status.CRIT),
        ({"path": ".", "what": "folder"}, Status.OK),
        ({"min_size": "1KiB"}, Status.CRIT),
        ({"min_size": 5, "max_size": "1KiB"}, Status.OK),
        ({"max_age": "1h"}, Status.OK),
        ({"min_age": "1h"}, Status.CRIT),
        ({"mode": "0640"}, Status.OK),
        ({"mode": "600"}, Status.CRIT),
        ({"contains": "ready"}, Status.OK),
        ({"contains": "failed"}, Status.CRIT),
        ({"matches": r"^state: \w+ \d+$"}, Status.OK),
        ({"matches": r"^ready"}, Status.CRIT),
        ({"sha256": "0" * 64}, Status.CRIT),
    ],
)
async def test_each_demand_is_judged(probe: Probe, report: Path, config: dict[str, Any], status: Status) -> None:
    result = await probe("file", **{"path": report.name, **config})
    assert result.status is status, result
    assert all(f.expected and f.observed for f in result.findings)


async def test_the_digest_is_that_of_the_content(probe: Probe, report: Path) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert (await probe("file", path=report.name, sha256=digest.upper())).status is Status.OK


async def test_a_binary_file_is_searched_and_breaks_nothing(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(bytes(range(256)) * 100 + b"needle")
    assert (await probe("file", path="b", contains="needle")).status is Status.OK
    assert (await probe("file", path="b", matches="no such")).status is Status.CRIT
