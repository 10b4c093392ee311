"""`port`: who listens on a local port, and on which address. For a port elsewhere there is `tcp`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, Result, Status
from switchover_checks.kinds.process import listeners
from switchover_checks.language.fields import LocalPort, RegularExpression

__all__ = ["PortCheck", "PortConfig"]


@dataclass(frozen=True)
class PortConfig:
    """A port of this machine, and who must listen on it."""

    port: LocalPort
    """The port; of `127.0.0.1:8080` the port is meant."""
    open: bool = True
    """Whether somebody must listen."""
    address: str | None = None
    """The address that must be listened on."""
    process: RegularExpression | None = None
    """A regular expression for the command line of who listens."""


class PortCheck:
    """Look at the listening ports of this machine."""

    kind: ClassVar[str] = "port"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = PortConfig
    metrics: ClassVar[tuple[Measured, ...]] = ()
    example: ClassVar[str] = """
    kind: port
    port: 8080
    address: 127.0.0.1
    """

    async def probe(self, cfg: PortConfig, ctx: Context) -> Result:
        """Look once, in a thread."""
        return await ctx.in_thread(lambda: _look(cfg))


def _look(cfg: PortConfig) -> Result:
    import psutil

    found = listeners(cfg.port)
    lines = {}
    for pid in sorted(found.pids):
        try:
            lines[pid] = " ".join(psutil.Process(pid).cmdline())
        except psutil.Error:
            continue
    who = "; ".join(f"pid {pid}: {line[:80]}" for pid, line in lines.items()) or "a process of another user"
    where = ", ".join(found.addresses)
    observed = f"open on {where} ({who})" if found.open else "nobody listens"
    findings = [Finding.compare(f"port {cfg.port}", "open" if cfg.open else "free", observed, found.open == cfg.open)]
    if found.open and cfg.open:
        if cfg.address is not None:
            fine = cfg.address in found.addresses
            findings.append(Finding.compare("address", cfg.address, where, fine))
        if cfg.process is not None:
            pattern = cfg.process
            fine = any(pattern.search(line) is True for line in lines.values())
            status = Status.OK if fine else Status.CRIT if lines else Status.UNKNOWN
            findings.append(Finding("process", f"matches {pattern.text!r}", who, status))
    return Result.of(findings, ok=observed)
