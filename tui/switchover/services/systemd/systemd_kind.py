"""`systemd`: a unit."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from switchover.services.examination import Examination
from switchover.services.provider_api import ServiceTarget
from switchover.services.service_kind import ProviderTools, ServiceKind

__all__ = ["SystemdKind"]


class SystemdKind(ServiceKind):
    """A unit."""

    kind: ClassVar[str] = "systemd"
    maker: ClassVar[str] = "systemd_provider:SystemdProvider"
    any_of: ClassVar[tuple[str, ...]] = ("unit",)
    rank: ClassVar[int] = 4
    label: ClassVar[str] = "systemd"
    on_every_host: ClassVar[bool] = True
    doctor_name: ClassVar[str] = "systemd"

    def ref_of(self, target: ServiceTarget) -> str:
        """Return the unit with its suffix."""
        return target.unit if "." in target.unit else f"{target.unit}.service"

    def usual_command(self, what: str, target: ServiceTarget, pid: int | None) -> tuple[str, ...]:
        """Ask the journal, or systemctl."""
        if what == "logs":
            return ("journalctl", "-u", target.ref, "-n", "1000", "-f")
        return ("systemctl", "status", "--no-pager", target.ref)

    def examine(self, environ: Mapping[str, str], system: Path) -> Examination:
        """Say whether it runs this machine."""
        if not (system / "run/systemd/system").is_dir():
            return Examination("systemd", "off", "this machine was not started by systemd")
        if shutil.which("journalctl", path=environ.get("PATH")) is None:
            return Examination("systemd", "warn", "runs this machine, but logs cannot be read", "install journalctl")
        return Examination("systemd", "ok", "runs this machine")

    def arguments(self, tools: ProviderTools) -> tuple[Any, ...]:
        """Return what it is made of."""
        return (tools.monotonic,)
