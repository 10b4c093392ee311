"""What checks get from the program: the state of services, cloud logins, what jobs reported, what they remember."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from switchover.clouds.cloud_calls import CloudCalls
from switchover.clouds.cloud_errors import CloudError, CloudTrouble
from switchover.hosts.far_look import look_there
from switchover.hosts.host_lines import HostLines
from switchover.locations import Workspace
from switchover.private_files import read_private, replace_private
from switchover.pushed_reports import read_report
from switchover.services.inventory import Inventory
from switchover_checks.api import CommandOutput, ProbeError, Status
from switchover_checks.runtime.probe_ports import ProbeMemory, ProbePorts

__all__ = ["check_memory", "check_ports"]

_SHOWN = ("state", "detail", "pid", "cpu_percent", "memory_bytes", "latency_ms", "restarts", "image", "ready", "wanted")
_READS = re.compile(r"(describe|get|list|head|filter|lookup|search|select|batch_get)_[a-z0-9_]+")


def check_memory(workspace: Workspace, *, writes: bool) -> ProbeMemory:
    """Return what the checks of a workspace remember. Without `writes` nothing new is kept."""
    path = workspace.check_memory
    saved = b""
    with suppress(OSError):
        saved = read_private(path, 16 << 20)

    def save(data: bytes) -> None:
        with suppress(OSError):  # a full disk: then less is remembered
            replace_private(path, data)

    return ProbeMemory(saved, save if writes else None)


def check_ports(
    workspace: Workspace, inventory: Inventory, clouds: CloudCalls, memory: ProbeMemory, lines: HostLines
) -> ProbePorts:
    """Return what stands behind the context of a probe."""

    async def service(name: str) -> Mapping[str, Any]:
        if name not in inventory.services:
            raise KeyError(name)
        await inventory.probe([name])
        seen = inventory.states[name].observation
        known = {key: value for key, value in asdict(seen).items() if key in _SHOWN and value not in (None, "")}
        more: dict[str, object] = {} if seen.started_at is None else {"started_at": seen.started_at}
        target = inventory.target(name)
        if not isinstance(target, str) and target.logs:
            more["logs"] = list(target.logs)
        if url := inventory.states[name].url:
            more["url"] = url
        return {**known, **more, "health": seen.health.label, "kind": inventory.services[name].kind}

    async def cloud(
        provider: str, api: str, operation: str, params: Mapping[str, Any], region: str
    ) -> Mapping[str, Any]:
        if provider == "aws" and not _READS.fullmatch(operation):
            raise ProbeError(f"a check may only look, and {operation} may change something", status=Status.UNKNOWN)
        try:
            return await clouds.ask(provider, api, operation, params, region)
        except CloudError as error:
            missing = error.trouble is CloudTrouble.MISSING
            login = error.trouble in (CloudTrouble.LOGIN, CloudTrouble.DENIED)
            phase = "auth" if login else "assert" if missing else "api"
            status = Status.CRIT if missing else Status.UNKNOWN
            hint = f"; {error.hint}" if error.hint else ""
            raise ProbeError(f"{error.title}{hint}", phase=phase, status=status) from None

    async def elsewhere(
        machine: str, argv: Sequence[str], env: Mapping[str, str], cwd: str, timeout_s: float
    ) -> CommandOutput:
        return await look_there(lines.to(machine), argv, env, cwd, timeout_s)

    return ProbePorts(service, cloud, lambda check: read_report(workspace.pushed, check), memory, elsewhere=elsewhere)
