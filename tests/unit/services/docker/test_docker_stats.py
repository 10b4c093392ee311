from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from switchover.services.docker.docker_stats import CgroupStats, ContainerUsage, InTurn, usage_from_stats

ID = "4f66ad"


class Host:
    """The files that the kernel shows of one container, of either version of control groups."""

    def __init__(self, folder: Path, version: int) -> None:
        self.root, self.proc = folder / "cgroup", folder / "proc"
        self.version = version
        self.now = 100.0
        (self.proc / "42").mkdir(parents=True)
        paths = {1: f"9:name=systemd:/\n4:memory:/docker/{ID}\n2:cpu,cpuacct:/docker/{ID}\n0::/\n"}
        text = paths.get(version, f"0::/system.slice/docker-{ID}.scope\n")
        (self.proc / "42" / "cgroup").write_text(text)
        self.stats = CgroupStats(lambda: self.now, self.proc, self.root)

    def uses(self, cpu_s: float, memory: int, cache: int) -> None:
        if self.version == 1:
            self._write(f"cpuacct/docker/{ID}/cpuacct.usage", str(int(cpu_s * 1e9)))
            self._write(f"memory/docker/{ID}/memory.usage_in_bytes", str(memory))
            self._write(f"memory/docker/{ID}/memory.stat", f"inactive_file 1\ntotal_inactive_file {cache}\n")
        else:
            base = f"system.slice/docker-{ID}.scope"
            self._write(f"{base}/cpu.stat", f"usage_usec {int(cpu_s * 1e6)}\nuser_usec 1\n")
            self._write(f"{base}/memory.current", str(memory))
            self._write(f"{base}/memory.stat", f"anon 1\ninactive_file {cache}\n")

    def _write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize("version", [1, 2])
def test_use_is_read_from_the_kernels_files_of_either_version(tmp_path: Path, version: int) -> None:
    host = Host(tmp_path, version)
    host.uses(1.0, 300, 100)
    assert host.stats.usage(ID, 42) == ContainerUsage(None, 200)
    host.uses(2.0, 400, 100)
    assert host.stats.usage(ID, 42) == ContainerUsage(None, 200)  # at once again: no difference worth telling
    host.now += 2.0
    assert host.stats.usage(ID, 42) == ContainerUsage(50.0, 300)


@pytest.mark.parametrize("version", [1, 2])
def test_a_process_in_the_control_group_of_another_is_not_taken_for_the_container(tmp_path: Path, version: int) -> None:
    host = Host(tmp_path, version)
    host.uses(1.0, 300, 100)
    assert host.stats.usage("another", 42) is None
    assert host.stats.usage(ID, 43) is None


def test_a_container_whose_files_are_gone_has_no_use_and_one_forgotten_starts_anew(tmp_path: Path) -> None:
    host = Host(tmp_path, 2)
    host.uses(1.0, 300, 100)
    host.stats.usage(ID, 42)
    host.now += 2
    host.stats.keep(set())
    assert host.stats.usage(ID, 42) == ContainerUsage(None, 200)
    host.now += 2
    for path in host.root.rglob("*.stat"):
        path.unlink()
    assert host.stats.usage(ID, 42) is None


def answer(cpu_ns: int, read: str, **memory: Any) -> dict[str, Any]:
    return {"read": read, "cpu_stats": {"cpu_usage": {"total_usage": cpu_ns}}, "memory_stats": memory}


def test_use_is_read_from_the_daemons_answers_too() -> None:
    first = answer(10**9, "2026-01-31T14:00:00.5Z", usage=300, stats={"inactive_file": 100})
    second = answer(15 * 10**8, "2026-01-31T14:00:01.500000000Z", usage=300, stats={"total_inactive_file": 50})
    assert usage_from_stats(first, None) == ContainerUsage(None, 200)
    assert usage_from_stats(second, first) == ContainerUsage(50.0, 250)
    assert usage_from_stats(answer(1, "nonsense"), first) == ContainerUsage(None, None)


async def test_containers_are_asked_about_one_after_another_as_long_as_somebody_wants_to_know() -> None:
    asked: list[str] = []
    done = asyncio.Event()

    class Api:
        def stats(self, container: str, *, stream: bool, one_shot: bool) -> dict[str, Any]:
            assert not stream
            assert one_shot
            asked.append(container)
            if container == "gone":
                raise LookupError
            return answer(len(asked), "2026-01-31T14:00:00Z", usage=7)

    async def call(work: Any) -> Any:
        return work(Api())

    turn = InTurn(call)
    turn.want(["a", "gone", "b"])
    assert turn.task is not None
    turn.task.add_done_callback(lambda _: done.set())
    await done.wait()
    assert asked == ["a", "gone", "b"]
    assert (turn.usage("a"), turn.usage("gone")) == (ContainerUsage(None, 7), None)
    turn.want(["b"])
    await turn.task
    assert asked == ["a", "gone", "b", "b"]
