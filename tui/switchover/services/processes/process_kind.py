"""`process`: a process of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from switchover.services.examination import Examination
from switchover.services.provider_api import ServiceTarget
from switchover.services.service_kind import ProviderTools, ServiceKind

__all__ = ["ProcessKind"]

_SETTLED_S = 3.0  # so old a process is before it is listed, unless it listens


class ProcessKind(ServiceKind):
    """A process."""

    kind: ClassVar[str] = "process"
    maker: ClassVar[str] = "process_provider:ProcessProvider"
    any_of: ClassVar[tuple[str, ...]] = ("pid_file", "pattern", "listen")
    rank: ClassVar[int] = 1
    list_every_s: ClassVar[float] = 5.0
    on_every_host: ClassVar[bool] = True
    doctor_name: ClassVar[str] = "processes"

    def usual_command(self, what: str, target: ServiceTarget, pid: int | None) -> tuple[str, ...]:
        """Follow its files, or ask `ps`."""
        if pid is not None and not (what == "logs" and target.logs):
            return ("ps", "-fp", str(pid))
        return super().usual_command(what, target, pid)

    def examine(self, environ: Mapping[str, str], system: Path) -> Examination:
        """Say how many are seen."""
        folders = [entry.name for entry in (system / "proc").glob("[0-9]*")]
        if "1" not in folders:
            return Examination(
                "processes", "warn", f"only {len(folders)} of your own are seen (hidepid)", "root sees all of them"
            )
        return Examination("processes", "ok", f"{len(folders)} are seen")

    def arguments(self, tools: ProviderTools) -> tuple[Any, ...]:
        """Return what it is made of."""
        return (tools.base_dir, tools.monotonic, _SETTLED_S)
