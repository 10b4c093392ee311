"""`ssh`: whether one can log in to a host, with the operator's own ssh: its configuration, keys and known hosts.

Without `login` only the greeting is read.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from switchover_checks.api import Context, Effect, Finding, Measured, ProbeError, Result, Status
from switchover_checks.kinds.command import run_clearly
from switchover_checks.language.effects import DeclaredEffect, command_changes
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.fact_numbers import measured_in
from switchover_checks.language.fields import LocalPort
from switchover_checks.language.units import format_duration
from switchover_checks.runtime.network.connecting import line_of

__all__ = ["SshCheck", "SshConfig"]

NAMES: dict[str, NameType] = {
    "banner": "text",
    "exit": "number",
    "stdout": "text",
    "stderr": "text",
    "time": "duration",
}
_SSH_FAILED = 255
_MOST_GREETING = 50
_REASONS = (
    (re.compile(r"Could not resolve hostname"), "dns"),
    (re.compile(r"Permission denied|Too many authentication failures|Host key verification failed"), "auth"),
    (re.compile(r"Connection (refused|timed out|closed|reset)|No route to host|unreachable"), "connect"),
)


@dataclass(frozen=True)
class SshConfig:
    """A host, and what must come of a login there."""

    host: str
    """The host, or its name in the configuration of ssh."""
    port: LocalPort | None = None
    """The port; without it that of the configuration."""
    user: str = ""
    """The account; without it that of the configuration."""
    login: bool = True
    """Whether one logs in. Without, the greeting of the server is read."""
    command: str = "true"
    """What is run there."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `exit`, `stdout`, `stderr` and `time`; without a login of `banner` and `time`."""
    effect: DeclaredEffect = None
    """`read` is the author's word that the command changes nothing."""
    config_file: str = ""
    """Another configuration file for ssh."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_\[][A-Za-z0-9_.:%\[\]-]*", self.host) and "{{" not in self.host:
            raise ValueError(f"{self.host!r} is not the name of a host")
        if self.user and not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.@-]*", self.user) and "{{" not in self.user:
            raise ValueError(f"{self.user!r} is not the name of an account")
        if not self.login and self.command != "true":
            raise ValueError("a command is run by who logs in")


class SshCheck:
    """Log in once."""

    kind: ClassVar[str] = "ssh"
    effect: ClassVar[Effect] = "read"
    runs_a_process: ClassVar[bool] = True
    config: ClassVar[type] = SshConfig
    metrics: ClassVar[tuple[Measured, ...]] = (Measured("time", "s", "how long it took"),)
    example: ClassVar[str] = """
    kind: ssh
    host: db1
    user: ops
    expect: time < 3s
    """

    def changes(self, cfg: SshConfig) -> str:
        """Judge the command that is run there."""
        return command_changes(cfg.command, {}, cfg.effect) if cfg.login else ""

    async def probe(self, cfg: SshConfig, ctx: Context) -> Result:
        """Look once."""
        start = time.monotonic()
        facts: dict[str, Any] = dict.fromkeys(NAMES, Unavailable("it is not looked at"))
        if cfg.login:
            findings = await _logged_in(cfg, ctx, facts)
        else:
            facts["banner"] = banner = await _banner(cfg, ctx)
            findings = [Finding.compare("banner", "SSH-2.0", banner, banner.startswith(("SSH-2.0", "SSH-1.99")))]
        facts["time"] = time.monotonic() - start
        ctx.enter("assert")
        findings += [e.check(facts) for e in cfg.expect]
        failed = any(f.status is not Status.OK for f in findings)
        evidence = {
            k: str(facts[k])[-500:] for k in ("stdout", "stderr") if failed and isinstance(facts[k], str) and facts[k]
        }
        done = "logged in" if cfg.login else str(facts["banner"])
        ok = f"{done} in {format_duration(facts['time'])}"
        return Result.of(findings, metrics=measured_in(facts, self.metrics), evidence=evidence, ok=ok)


async def _logged_in(cfg: SshConfig, ctx: Context, facts: dict[str, Any]) -> list[Finding]:
    seconds = max(1, int(min(10.0, ctx.deadline - time.monotonic() - 0.5)))
    words = ["ssh", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={seconds}", "-T"]
    words += ["-F", str(ctx.base_dir / cfg.config_file)] if cfg.config_file else []
    words += ["-p", str(cfg.port)] if cfg.port else []
    words += ["-l", cfg.user] if cfg.user else []
    done = await run_clearly(ctx, [*words, "--", cfg.host, cfg.command], {"LC_ALL": "C"})
    said = done.stderr.strip()
    if done.exit_code == _SSH_FAILED:
        phase = next((word for pattern, word in _REASONS if pattern.search(said)), "connect")
        last = said.splitlines()[-1][:200] if said else "no reason"
        raise ProbeError(f"ssh: {last}", phase=phase)
    facts.update(exit=done.exit_code, stdout=done.stdout.removesuffix("\n"), stderr=done.stderr.removesuffix("\n"))
    if any("exit" in e.names for e in cfg.expect):
        return [Finding("login", "taken", "taken", Status.OK)]
    return [Finding.compare("exit", "0", f"exit code {done.exit_code}", done.exit_code == 0)]


async def _banner(cfg: SshConfig, ctx: Context) -> str:
    reader, writer = await ctx.connect(cfg.host, cfg.port or 22)
    ctx.enter("first_byte")
    try:
        for _ in range(_MOST_GREETING):  # a server may say other lines first
            line = await line_of(reader, "first_byte", "the greeting of an SSH server")
            if line.startswith("SSH-"):
                return line
            if not line.isprintable():
                break
    finally:
        writer.transport.abort()
    raise ProbeError("what answers does not speak SSH", phase="first_byte")
