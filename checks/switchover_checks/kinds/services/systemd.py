"""`systemd`: whether a unit is as it must be; of a timer also how its last run ended.

`systemctl` is asked. A unit that does not exist is critical; a systemd that does not answer is unknown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.kinds.command import run_clearly
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import Duration
from switchover_checks.language.units import format_duration

__all__ = ["SystemdCheck", "SystemdConfig"]

NAMES: dict[str, NameType] = {
    "active": "text",
    "sub": "text",
    "enabled": "text",
    "result": "text",
    "exit": "number",
    "restarts": "number",
    "memory": "size",
    "uptime": "duration",
    "last_run": "duration",
    "next_run": "duration",
}
_SHOWN = (
    "LoadState,ActiveState,SubState,UnitFileState,Result,ExecMainStatus,NRestarts,MemoryCurrent,"
    "ActiveEnterTimestampMonotonic,Unit,LoadError"
)
_UNSET = str((1 << 64) - 1)


UnitState = Literal["active", "inactive", "failed", "activating", "absent"]


@dataclass(frozen=True)
class SystemdConfig:
    """A unit, and how it must be. Without more it is active; what triggers others has had no failure."""

    unit: str
    """Its name: `nginx.service`, `backup.timer`; without an end a service is meant."""
    state: UnitState = "active"
    """How it must be: `active`, `inactive`, `failed`; also `absent`, where it must not exist."""
    enabled: bool | None = None
    """Whether it starts with the machine."""
    max_age: Duration | None = None
    """Of a timer: the longest time since its last run."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true besides. `last_run` and `next_run` of a timer are the time since and until then. `result` is
    `success`, or why it failed; of a timer that of what it starts."""
    user: bool = False
    """Whether it is one of the user's own units."""
    env: dict[str, str] = field(default_factory=dict)
    """Variables for `systemctl`, such as the address of another bus."""

    def __post_init__(self) -> None:
        if not self.unit or self.unit.startswith("-") or any(c.isspace() or c in "*?[" for c in self.unit):
            raise ValueError(f"{self.unit!r} is not the name of a unit")
        if self.max_age is not None and not self.unit.endswith(".timer"):
            raise ValueError("max_age is the time since a timer's last run; give a unit that ends in .timer")

    @property
    def whole(self) -> str:
        """The unit's whole name."""
        return self.unit if "." in self.unit else f"{self.unit}.service"


class SystemdCheck:
    """Ask systemd."""

    kind: ClassVar[str] = "systemd"
    effect: ClassVar[Effect] = "read"
    config: ClassVar[type] = SystemdConfig
    runs_a_process: ClassVar[bool] = True
    metrics: ClassVar[tuple[Measured, ...]] = (
        Measured("restarts", "", "how often systemd has started it again"),
        Measured("memory", "B", "memory in use"),
        Measured("uptime", "s", "since when it is active"),
        Measured("last_run", "s", "the time since a timer's last run"),
    )
    example: ClassVar[str] = """
    kind: systemd
    unit: backup.timer
    max_age: 25h
    """

    async def probe(self, cfg: SystemdConfig, ctx: Context) -> Result:
        """Ask once; about a timer also what it starts."""
        told = await _show(cfg, ctx, cfg.whole)
        runs = told["ActiveState"] not in ("inactive", "failed")  # its file may be gone while it still runs
        there = told["LoadState"] != "not-found"
        if cfg.state == "absent" or not there:
            observed = "loaded" if there else f"still {told['ActiveState']}, its file gone" if runs else "absent"
            return Result.of([Finding.compare(cfg.whole, cfg.state, observed, observed == cfg.state)])
        facts = _facts(told)
        active, sub, result = facts["active"], facts["sub"], facts["result"]
        why = f", {result}" if active == "failed" and isinstance(result, str) else ""
        findings = [Finding.compare(cfg.whole, cfg.state, f"{active} ({sub}{why})", active == cfg.state)]
        if told["LoadState"] not in ("loaded", "masked"):
            said = told.get("LoadError", "").strip('"')[:200]
            findings.append(Finding("unit file", "loaded", f"{told['LoadState']} {said}".strip(), Status.CRIT))
        if cfg.enabled is not None:
            on = str(facts["enabled"]).startswith(("enabled", "alias", "generated"))
            fine = on is cfg.enabled or facts["enabled"] == "static"  # others start it
            wanted, observed = "enabled" if cfg.enabled else "disabled", facts["enabled"] or "disabled"
            findings.append(Finding.compare("starts with the machine", wanted, observed, fine))
        if cfg.whole.endswith(".timer"):
            findings += await _timer(cfg, ctx, told, facts)
        findings += [e.check(facts) for e in cfg.expect]
        numbers = measured_in(facts, self.metrics)
        return Result.of(findings, metrics=numbers, ok=f"{active} ({sub})")


async def _systemctl(cfg: SystemdConfig, ctx: Context, *words: str) -> str:
    user = ["--user"] if cfg.user else []
    done = await run_clearly(ctx, ["systemctl", *user, "--no-pager", *words], {"LC_ALL": "C", **cfg.env})
    if done.exit_code != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        why = said[0][:200] if said else "no reason"
        raise ProbeError(f"systemd does not answer: {why}", phase="connect", status=Status.UNKNOWN)
    return done.stdout


async def _show(cfg: SystemdConfig, ctx: Context, unit: str) -> dict[str, str]:
    text = await _systemctl(cfg, ctx, "show", f"--property={_SHOWN}", "--", unit)
    told = {key: value for key, equals, value in (line.partition("=") for line in text.splitlines()) if equals}
    if "LoadState" not in told or "ActiveState" not in told:
        raise ProbeError("systemctl answers something else than properties", phase="parse", status=Status.UNKNOWN)
    return told


def _facts(told: Mapping[str, str]) -> dict[str, Any]:
    silent = Unavailable("systemd does not tell")
    facts: dict[str, Any] = {
        "active": told["ActiveState"],
        "sub": told.get("SubState", ""),
        "enabled": told.get("UnitFileState", ""),
        "result": told.get("Result") or silent,
        "last_run": Unavailable("it is no timer"),
        "next_run": Unavailable("it is no timer"),
        "uptime": Unavailable("it is not active"),
    }
    for name, key in (("exit", "ExecMainStatus"), ("restarts", "NRestarts"), ("memory", "MemoryCurrent")):
        value = told.get(key, "")
        facts[name] = int(value) if value.isdecimal() and value != _UNSET else silent
    began = told.get("ActiveEnterTimestampMonotonic", "")
    if facts["active"] == "active" and began.isdecimal() and int(began):
        facts["uptime"] = max(0.0, time.clock_gettime(time.CLOCK_MONOTONIC) - int(began) / 1e6)
    return facts


async def _timer(cfg: SystemdConfig, ctx: Context, told: Mapping[str, str], facts: dict[str, Any]) -> list[Finding]:
    """Look at the runs of a timer: what the last one came to, when the next one is due."""
    listed = await _systemctl(cfg, ctx, "list-timers", "--all", "--output=json", "--", cfg.whole)
    try:
        (row,) = json.loads(listed)
        last, following = int(row.get("last") or 0), int(row.get("next") or 0)
    except (ValueError, TypeError, AttributeError):
        return [Finding("runs", "a list of timers", "this systemctl does not write one as JSON", Status.UNKNOWN)]
    now = time.time()
    findings = []
    started = await _show(cfg, ctx, told.get("Unit") or f"{cfg.whole.removesuffix('.timer')}.service")
    facts["result"] = result = started.get("Result") or Unavailable("systemd does not tell")
    if last:
        facts["last_run"] = max(0.0, now - last / 1e6)
        runs = started["ActiveState"] in ("activating", "active", "reloading")
        fine = started["ActiveState"] != "failed" and (runs or result == "success")
        observed = "it runs now" if runs else f"{result}, {format_duration(facts['last_run'])} ago"
        findings.append(Finding.compare("last run", "success", observed, fine))
    else:
        facts["last_run"] = Unavailable("it has never run")
    if cfg.max_age is not None:
        wanted = f"at most {format_duration(cfg.max_age)} ago"
        if last:
            age = facts["last_run"]
            findings.append(Finding.compare("run", wanted, f"{format_duration(age)} ago", age <= cfg.max_age))
        else:
            findings.append(Finding("run", wanted, "it has never run", Status.CRIT))
    if following:
        facts["next_run"] = max(0.0, following / 1e6 - now)
    else:
        facts["next_run"] = Unavailable("no next run is planned")
        if cfg.state == "active" and started["ActiveState"] not in ("activating", "active"):
            findings.append(Finding("next run", "planned", "none is planned", Status.CRIT))
    return findings
