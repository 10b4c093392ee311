"""What a result says is enough to mend the plan."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import Status

Probe = Callable[..., Any]


async def test_a_backup_without_proof_says_what_to_give(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"x" * 100)
    result = await probe("backup", path="data.bin")
    assert result.status is Status.WARN
    assert "give sha256, format or restore_test" in result.summary


@pytest.mark.parametrize(
    ("printed", "expect", "status"),
    [
        (r"ready\n", "stdout == 'ready'", Status.OK),
        ("ready", "stdout == 'ready'", Status.OK),
        (r"ready\r\n", "stdout == 'ready'", Status.OK),
        (r"\n", "len(stdout) == 0", Status.OK),
        (r"ready\n\n", "stdout == 'ready'", Status.CRIT),
        (r" ready\n", "stdout == 'ready'", Status.CRIT),
        (r"a\nready\n", "stdout matches '^ready$'", Status.CRIT),
    ],
)
async def test_the_last_line_end_is_no_part_of_what_was_printed(
    probe: Probe, printed: str, expect: str, status: Status
) -> None:
    result = await probe("command", command=["printf", printed], expect=expect)
    assert result.status is status


async def test_the_last_line_end_of_standard_error_is_none_of_it_either(probe: Probe) -> None:
    result = await probe("command", command="echo bad >&2", expect="stderr == 'bad'")
    assert result.status is Status.OK
