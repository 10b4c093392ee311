"""What a step on another machine costs, beside `ssh HOST true` on a warm connection, and 50 machines with ten steps.

Run: `python -m tests.bench.hosts`. The machines are names of one sshd on loopback: CPU of both ends is in the figures.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.far_host import FarHost, run_far_host
from tests.unit.migration.harness import ANA, open_bench

_STEPS = 30
_MACHINES, _RUNS = 50, 10


def _warm(client: Path, folder: Path) -> list[str]:
    control = f"{folder}/c"
    argv = ["ssh", "-F", str(client), "-o", f"ControlPath={control}", "far"]
    subprocess.run([*argv[:5], "-o", "ControlMaster=yes", "-o", "ControlPersist=60", "far", "true"], check=True)
    return [*argv, "true"]


async def _one_machine(far: FarHost, folder: Path) -> None:
    steps = "".join(f"      - {{id: s{n}, run: 'true', run_on: db, effect: read}}\n" for n in range(_STEPS))
    here = "".join(f"      - {{id: h{n}, run: 'true', effect: read}}\n" for n in range(_STEPS))
    text = f"\nhosts: {{db: {{ssh: far}}}}\nphases:\n  - id: a\n    steps:\n{steps}{here}"
    bench = open_bench(folder, text, hosts=far.lines())
    warm = _warm(far.client, far.folder)
    took: dict[str, list[float]] = {"there": [], "here": [], "ssh": []}
    await bench.engine.start(ANA)
    await bench.engine.run_step("s0", ANA)  # makes the line
    for number in range(1, _STEPS):
        began = time.perf_counter()
        await bench.engine.run_step(f"s{number}", ANA)
        took["there"].append(time.perf_counter() - began)
        began = time.perf_counter()
        process = await asyncio.create_subprocess_exec(*warm)
        await process.wait()
        took["ssh"].append(time.perf_counter() - began)
    for number in range(_STEPS):
        began = time.perf_counter()
        await bench.engine.run_step(f"h{number}", ANA)
        took["here"].append(time.perf_counter() - began)
    await bench.engine.aclose()
    medians = {name: 1000 * statistics.median(values) for name, values in took.items()}
    sys.stdout.write(
        f"a step there {medians['there']:.1f} ms, `ssh HOST true` on a warm connection {medians['ssh']:.1f} ms, "
        f"a step here {medians['here']:.1f} ms (medians of {_STEPS})\n"
    )
    over = await asyncio.create_subprocess_exec(*warm[:5], "-O", "exit", "far", stderr=subprocess.DEVNULL)
    await over.wait()


async def _many(far: FarHost, folder: Path) -> None:
    names = ", ".join(f"m{number}" for number in range(_MACHINES))
    steps = "".join(
        f"      - {{id: s{n}, run: 'true', run_on: all, serial: {_MACHINES}, effect: read}}\n" for n in range(_RUNS)
    )
    text = f"\nhosts: {{all: {{ssh: [{names}]}}}}\nphases:\n  - id: a\n    steps:\n{steps}"
    bench = open_bench(folder, text, hosts=far.lines())
    began, cpu = time.perf_counter(), os.times()
    await bench.engine.drive(ANA)
    took = time.perf_counter() - began
    done = sum(bench.stage(f"s{n}@m{m}") == "done" for n in range(_RUNS) for m in range(_MACHINES))
    here = os.times()
    await bench.engine.aclose()
    sys.stdout.write(
        f"{_MACHINES} machines with {_RUNS} steps: {done} of {_MACHINES * _RUNS} done in {took:.1f} s, "
        f"{here.user + here.system - cpu.user - cpu.system:.1f} s CPU of the engine's\n"
    )


def main() -> None:
    """Measure."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["XDG_CONFIG_HOME"] = str(root / "config")
        (root / "config" / "switchover").mkdir(parents=True)
        (root / "registry").mkdir(0o700)
        (root / "config" / "switchover" / "settings.toml").write_text(f'registry = "{root}/registry"\n')
        (root / "far").mkdir()
        with run_far_host(root / "far", more="MaxStartups 500\nMaxSessions 500\n") as far:
            settings = far.client.read_text().split("Host far1")[0].split("\n", 1)[1]
            hosts = (far.folder / "hosts").read_text()
            key = hosts.splitlines()[0].split(" ", 1)[1]
            with far.client.open("a") as client, (far.folder / "hosts").open("a") as known:
                for number in range(_MACHINES):
                    client.write(f"Host m{number}\n{settings.replace('HostKeyAlias far', f'HostKeyAlias m{number}')}")
                    known.write(f"m{number} {key}\n")
            for work in (_one_machine, _many):
                folder = root / work.__name__
                folder.mkdir()
                asyncio.run(work(far, folder))
                (root / "registry").rename(root / f"registry{work.__name__}")
                (root / "registry").mkdir(0o700)


if __name__ == "__main__":
    main()
