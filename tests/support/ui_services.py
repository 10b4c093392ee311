# ruff: noqa: E501 - one row of sample data a line reads best
"""Services to draw and to act on: a Compose project in trouble beside a plan, units, processes; as many as are wanted."""

from __future__ import annotations

from dataclasses import replace

from tests.support import ui_samples as samples

from switchover.snapshot import Header, ServiceRow, Snapshot
from switchover.snapshot.states import ServiceWord, StatusWord

NOW = samples.NOW
_RUNS = ("restart", "stop", "pause", "kill", "exec", "logs", "inspect")

PLANNED = tuple(
    replace(row, id=row.name, identity=f"{row.name}#1", actions=("logs", "inspect"))
    if row.kind == "http"
    else replace(row, id=row.name, identity=f"{row.name}#1", actions=_RUNS if row.state == "running" else ("start", "remove", "logs", "inspect"))
    for row in samples.SERVICES
)  # fmt: skip


def container(
    name: str, state: ServiceWord = "running", health: StatusWord = "ok", detail: str = "", **more: object
) -> ServiceRow:
    row = ServiceRow(
        name, "", "docker", state, health, detail, 1.4, samples.wave(30, 0.5, 2.5), 62_914_560, NOW - 5400, 0, 3000,
        observed_at=NOW - 1, changed_at=NOW - 5400, id=f"docker:shop-{name}-1", identity=f"{name}@a1",
        actions=_RUNS if state == "running" else ("start", "remove", "logs", "inspect"), group="shop",
        image=f"shop/{name}:1.4.2", ports=("8080→80",) if name == "web" else (), user="1000",
    )  # fmt: skip
    return replace(row, **more)  # type: ignore[arg-type]


SHOP = (
    container("web", needs=("api",)),
    container("api", "running", "crit", "health check failed: connection refused", needs=("db", "cache"), restarts=4),
    container("worker", "running", "warn", "restarted 3 times in 10 m", needs=("db", "api"), restarts=3),
    container("cache"),
    container("db", "stopped", "crit", "exit 137, out of memory", started_at=None, cpu_percent=None, cpu_history=(), memory_bytes=None),
)  # fmt: skip


def unit(name: str, state: ServiceWord = "running", health: StatusWord = "ok", detail: str = "") -> ServiceRow:
    can = (
        ("restart", "stop", "reload", "kill", "logs", "inspect") if state == "running" else ("start", "logs", "inspect")
    )
    return ServiceRow(
        f"{name}.service", "", "systemd", state, health, detail, 0.1, (), 9_437_184, NOW - 86_000, 0, 700,
        observed_at=NOW - 2, id=f"systemd:{name}.service", identity=f"{name}-1", actions=can, group="system.slice", stale_after_s=60,
    )  # fmt: skip


def process(name: str, pid: int, parent: int | None = 1, cpu: float = 0.2, memory: int = 4_194_304) -> ServiceRow:
    return ServiceRow(
        name, "", "process", "running", "ok", "", cpu, (), memory, NOW - 50_000 + pid, None, pid, observed_at=NOW - 1,
        id=f"process:{pid}", identity=f"{pid}@{pid * 7}", actions=("stop", "kill", "inspect"), user="postgres" if "postgres" in name else "root", parent=parent,
    )  # fmt: skip


UNITS = (
    unit("ssh"),
    unit("nginx", "stopped", "crit", "failed: exit 1, address already in use"),
    unit("cron"),
    unit("apt-daily", "stopped", "ok", "not wanted to run"),
)
PROCESSES = (
    process("systemd", 1, None),
    process("sshd", 640),
    process("sshd: ana", 4700, 640),
    process("bash", 4711, 4700),
    process("postgres", 811, 1, 3.2, 210_000_000),
    process("postgres: checkpointer", 820, 811, 0.4, 30_000_000),
    process("java", 1500, 1, 88.0, 2_100_000_000),
)


def command_of(id: str, what: str, argument: str) -> dict[str, object]:  # noqa: A002
    kind, _, ref = id.partition(":")
    tool = {"docker": "docker", "systemd": "systemctl"}.get(kind, kind)
    argv = [tool, what, *([argument] if argument else []), ref]
    return {"argv": argv, "text": " ".join(argv)}


def host() -> Snapshot:
    """No plan: what runs on a host, some of it in trouble."""
    header = Header(host="bastion", agent_pid=4712, agent_version="0.1.0")
    return Snapshot(3, NOW - 0.2, header, metrics=samples.METRICS[:3], found=(*SHOP, *UNITS, *PROCESSES))


def planned() -> Snapshot:
    """A plan in production, and what else runs on its host."""
    return replace(samples.trouble(), services=PLANNED, found=(*SHOP, *UNITS, *PROCESSES))


def many(processes: int = 1000, units: int = 500) -> Snapshot:
    """A busy host."""
    rows = (
        *(process(f"worker-{index:04}", 10_000 + index, 640, index % 97 / 10, (index % 311) * 1_048_576) for index in range(processes)),
        *(unit(f"unit-{index:03}", *(("stopped", "crit", "failed") if index % 100 == 7 else ())) for index in range(units)),
    )  # fmt: skip
    return replace(host(), found=(*SHOP, *rows))
