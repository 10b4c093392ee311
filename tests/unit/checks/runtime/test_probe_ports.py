"""What the program gives to probes reaches those in a process of their own; what a check remembers outlives both."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from switchover_checks.api import ProbeError, Status
from switchover_checks.runtime.context import LocalContext, Resources
from switchover_checks.runtime.probe_ports import ProbeMemory, ProbePorts, ProbeProgress
from switchover_checks.runtime.registry import Registry
from switchover_checks.runtime.runner import ProbeSpec, Runner

MODULE = '''
from dataclasses import dataclass
from switchover_checks.api import Finding, Result

@dataclass(frozen=True)
class AskConfig:
    """Nothing."""

class AskCheck:
    kind = "asks"
    effect = "read"
    config = AskConfig

    async def probe(self, cfg, ctx):
        known = ctx.since("looks")
        known["count"] = known.get("count", 0) + 1
        state = (await ctx.service("api"))["state"]
        size = (await ctx.cloud("aws", "s3", "head_object", {"Key": "x"}))["Size"]
        return Result.of([Finding.compare("all", "", f"{state} {size} {known['count']}", True)])
'''


async def _service(name: str) -> Mapping[str, Any]:
    if name != "api":
        raise KeyError(name)
    return {"state": "running"}


async def _cloud(_provider: str, _api: str, _operation: str, params: Mapping[str, Any], _region: str) -> dict[str, Any]:
    if params["Key"] != "x":
        raise ProbeError("no such key", phase="assert")
    return {"Size": 42}


async def test_a_check_in_its_own_process_asks_the_program_and_remembers(tmp_path: Path) -> None:
    (tmp_path / "asks.py").write_text(MODULE)
    ports = ProbePorts(_service, _cloud, memory=ProbeMemory())
    resources = Resources()
    runner = Runner(
        Registry([tmp_path / "asks.py"]),
        lambda deadline: LocalContext(deadline, tmp_path, resources=resources, ports=ports),
    )
    try:
        said = [(await runner.run(ProbeSpec("mine", "asks"))).result for _ in range(2)]
    finally:
        await resources.aclose()
    assert [r.findings[0].observed for r in said] == ["running 42 1", "running 42 2"]


async def test_what_is_remembered_is_saved_at_the_end_and_read_again() -> None:
    saved: list[bytes] = []
    memory = ProbeMemory(b"", saved.append)
    memory.of("a").setdefault("x", {})["offset"] = 7
    await memory.aclose()
    again = ProbeMemory(saved[0])
    assert again.of("a") == {"x": {"offset": 7}}
    await memory.aclose()
    assert len(saved) == 1  # nothing changed since


@pytest.mark.parametrize("saved", [b"", b"{", b"[]", b'{"a": 1}', b"\xff"])
def test_a_memory_that_cannot_be_read_is_empty(saved: bytes) -> None:
    assert ProbeMemory(saved).of("a") == {}


def test_what_a_process_remembers_is_bounded() -> None:
    memory = ProbeMemory()
    memory.put("a", {"x": {"lines": "y" * 100_000}})
    memory.put("b", ["nonsense"])
    assert (memory.of("a"), memory.of("b")) == ({}, {})


async def test_without_a_program_nothing_is_made_up(tmp_path: Path) -> None:
    ctx = LocalContext(time.monotonic() + 5, tmp_path)
    with pytest.raises(KeyError):
        await ctx.service("api")
    with pytest.raises(ProbeError) as refused:
        await ctx.cloud("aws", "s3", "head_object")
    assert (refused.value.status, ctx.pushed()) == (Status.UNKNOWN, {})
    assert json.dumps(ctx.since("x")) == "{}"


def test_the_time_left_follows_the_speed_since_the_first_note() -> None:
    progress = ProbeProgress()
    progress.put("c", 500, 1000, "", 100.0)
    first = progress.of("c")
    assert first is not None
    assert first.left_s is None
    progress.put("c", 600, 1000, "", 110.0)
    second = progress.of("c")
    assert second is not None
    assert second.left_s == 40.0
    progress.ended("c")
    assert progress.of("c") is None
