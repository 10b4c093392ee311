"""`process`: how many processes match a pattern, a pid file or a listening port, and what they use."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Metric, Result, Status
from switchover_checks.language.fields import LocalPort, RegularExpression, Threshold
from switchover_checks.language.thresholds import judge, parse_range
from switchover_checks.language.units import format_bytes, format_duration

__all__ = ["ProcessCheck", "ProcessConfig"]

_CPU_WINDOW_S = 0.2
_SLACK_S = 2.0


@dataclass(frozen=True)
class ProcessConfig:
    """Which processes (all given ways must hold), how many, and how much they may use together."""

    pattern: RegularExpression | None = None
    """A regular expression, searched in the command line."""
    pid_file: str | None = None
    """A file with the number of the process."""
    listen: LocalPort | None = None
    """The port that it listens on."""
    user: str | None = None
    """The user that it runs as."""
    count: Threshold | None = None
    """How many there are. Without it: at least one."""
    cpu_warn: Threshold | None = None
    """Processor use that warns, in percent of one."""
    cpu_crit: Threshold | None = None
    """Processor use that is critical."""
    memory_warn: Threshold | None = None
    """Resident memory that warns."""
    memory_crit: Threshold | None = None
    """Resident memory that is critical."""

    def __post_init__(self) -> None:
        if self.pattern is None and self.pid_file is None and self.listen is None:
            raise ValueError("set pattern, pid_file or listen to say which process is meant")


class ProcessCheck:
    """Look at the processes of this machine."""

    kind: ClassVar[str] = "process"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = ProcessConfig
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("processes", "", "how many there are"),
        Measured("memory", "B", "resident memory, together", ("memory_warn", "memory_crit")),
        Measured("cpu", "%", "use of processors, in percent of one", ("cpu_warn", "cpu_crit")),
    )
    example: ClassVar[str] = """
    kind: process
    listen: 127.0.0.1:8080
    memory_crit: 1GiB
    """

    async def probe(self, cfg: ProcessConfig, ctx: Context) -> Result:
        """Look once, in a thread."""
        return await ctx.in_thread(lambda: _look(cfg, ctx.base_dir))


def _look(cfg: ProcessConfig, base_dir: Path) -> Result:
    import psutil

    problems: list[Finding] = []
    wanted: set[int] | None = None
    if cfg.pid_file is not None:
        pid, finding = _from_pid_file(base_dir / cfg.pid_file)
        problems.append(finding)
        wanted = {pid} if pid is not None else set()
    if cfg.listen is not None:
        listening = listeners(cfg.listen)
        if not listening.known and listening.open:
            problems.append(
                Finding(
                    "listener",
                    "a visible process",
                    "the port is open, its process belongs to another user",
                    Status.UNKNOWN,
                    "run as that user or as root",
                )
            )
        wanted = listening.pids if wanted is None else wanted & listening.pids
    found = [p for p in _candidates(wanted) if _matches(p, cfg)]
    count = cfg.count or parse_range("1:")
    number = judge("processes", len(found), None, count, observed=str(len(found)))
    findings = [*problems, number]
    metrics = [Metric("processes", len(found))]
    if found and any((cfg.cpu_warn, cfg.cpu_crit, cfg.memory_warn, cfg.memory_crit)):
        more, measured = _usage(found, cfg)
        findings += more
        metrics += measured
    try:
        since = time.time() - min(p.create_time() for p in found) if found else 0.0
        ok = f"{len(found)} running, up {format_duration(since)}, pid {', '.join(str(p.pid) for p in found[:3])}"
    except psutil.Error:
        ok = f"{len(found)} running"
    return Result.of(findings, metrics=metrics, ok=ok)


def _from_pid_file(path: Path) -> tuple[int | None, Finding]:
    """Read the pid, and make sure that it still means the same process: started before the file was written."""
    import psutil

    def wrong(observed: str, status: Status = Status.CRIT) -> tuple[None, Finding]:
        return None, Finding("pid file", "the pid of a running process", observed, status)

    try:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
        written = path.stat().st_mtime
    except FileNotFoundError:
        return wrong(f"{path} is not there")
    except OSError as error:
        return wrong(f"{path}: {error.strerror or error}", Status.UNKNOWN)
    first = text.split()[0] if text else ""
    if not first.isdecimal() or not 0 < int(first) < 1 << 31:
        return wrong(f"{path} holds {text[:40]!r}, not a pid", Status.UNKNOWN)
    pid = int(first)
    try:
        process = psutil.Process(pid)
        started, state = process.create_time(), process.status()
    except psutil.NoSuchProcess:
        return wrong(f"process {pid} has ended")
    if state in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
        return wrong(f"process {pid} has ended and waits to be collected")
    if started > written + _SLACK_S:
        return wrong(f"pid {pid} now belongs to another process, started {format_duration(started - written)} later")
    return pid, Finding("pid file", "the pid of a running process", f"pid {pid}", Status.OK)


@dataclass(frozen=True, slots=True)
class Listening:
    """Who listens on a port. `open` without `known`: somebody whom this user may not see."""

    pids: set[int]
    addresses: tuple[str, ...]
    open: bool
    known: bool


def listeners(port: int) -> Listening:
    """Find who listens on a local TCP port."""
    import psutil

    hits = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr[1:] == (port,)]
    pids = {c.pid for c in hits if c.pid}
    addresses = tuple(sorted({str(c.laddr[0]) for c in hits if c.laddr}))
    return Listening(pids, addresses, bool(hits), bool(pids))


def _candidates(wanted: set[int] | None) -> list[Any]:
    import psutil

    if wanted is None:
        return list(psutil.process_iter())
    found = []
    for pid in wanted:
        try:
            found.append(psutil.Process(pid))
        except psutil.NoSuchProcess:
            continue
    return found


def _matches(process: Any, cfg: ProcessConfig) -> bool:
    import os

    import psutil

    try:
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD):
            return False
        if cfg.pattern is not None:
            line = " ".join(process.cmdline()) or process.name()
            if process.pid == os.getpid() or cfg.pattern.search(line) is not True:
                return False
        return cfg.user is None or process.username() == cfg.user
    except psutil.Error:
        return False


def _usage(found: list[Any], cfg: ProcessConfig) -> tuple[list[Finding], list[Metric]]:
    import psutil

    findings: list[Finding] = []
    metrics: list[Metric] = []
    try:
        if cfg.memory_warn or cfg.memory_crit:
            memory = sum(p.memory_info().rss for p in found)
            shown = format_bytes(memory)
            findings.append(judge("memory", memory, cfg.memory_warn, cfg.memory_crit, observed=shown))
            metrics.append(Metric("memory", memory, "B"))
        if cfg.cpu_warn or cfg.cpu_crit:
            for p in found:
                p.cpu_percent(None)
            time.sleep(_CPU_WINDOW_S)
            cpu = sum(p.cpu_percent(None) for p in found)
            findings.append(judge("cpu", cpu, cfg.cpu_warn, cfg.cpu_crit, observed=f"{cpu:.3g} %"))
            metrics.append(Metric("cpu", cpu, "%"))
    except psutil.Error as error:
        findings.append(Finding("usage", "measurable", str(error), Status.UNKNOWN))
    return findings, metrics
