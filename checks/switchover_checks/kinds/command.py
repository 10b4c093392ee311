"""`command`: runs a command and compares its exit code and output. Without expectations it must exit with 0.

A list is run as it is; text is run by `/bin/sh -c`, values only come through `env`. All of it ends with it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator

from switchover_checks.api import CommandOutput, Context, Effect, Finding, Measured, Metric, ProbeError, Result, Status
from switchover_checks.language.effects import DeclaredEffect, command_changes
from switchover_checks.language.expect import AS_LIST, Expectation, NameType, Unavailable, expected_in
from switchover_checks.language.text_numbers import TextNumber, number_in, unit_of
from switchover_checks.language.units import format_bytes, format_duration
from switchover_checks.runtime.commands import MOST_OUTPUT

__all__ = ["CommandCheck", "CommandConfig", "argv_of", "run_clearly"]

NAMES: Mapping[str, NameType] = {
    "exit": "number",
    "stdout": "text",
    "stderr": "text",
    "json": "any",
    "time": "duration",
}


MetricPath = Annotated[Expectation | TextNumber, PlainValidator(number_in(NAMES), json_schema_input_type=str)]


@dataclass(frozen=True)
class CommandConfig:
    """A command, and what must come out of it."""

    command: str | tuple[str, ...]
    """The command: a list of words, or text for the shell."""
    expect: Annotated[tuple[Annotated[Expectation, expected_in(NAMES)], ...], AS_LIST] = ()
    """What must be true of `exit`, `stdout`, `stderr`, `time` and `json` (stdout as JSON). Without it: `exit == 0`.

    The last line end of an output is no part of it.
    """
    env: dict[str, str] = field(default_factory=dict)
    """Variables that are set besides."""
    metrics: dict[str, MetricPath] = field(default_factory=dict)
    """Numbers out of the output: `json.rows`, `number(stdout)`, or a pattern with one group, `/(\\d+) rows/`."""
    cwd: str | None = None
    """The folder in which it runs."""
    effect: DeclaredEffect = None
    """`read` is the author's word that it changes nothing. A command that is not known is taken to change something."""

    def __post_init__(self) -> None:
        if not self.command or (isinstance(self.command, str) and not self.command.strip()):
            raise ValueError("command is empty")
        if "time" in self.metrics:
            raise ValueError("metrics: time is measured anyway; choose another name")


class CommandCheck:
    """Run a command."""

    kind: ClassVar[str] = "command"
    effect: ClassVar[Effect] = "read"
    runs_a_process: ClassVar[bool] = True
    config: ClassVar[type] = CommandConfig
    metrics: ClassVar[tuple[Measured, ...]] = (Measured("time", "s", "how long it ran"),)
    example: ClassVar[str] = """
    kind: command
    command: [test, -d, /var]
    expect: exit == 0
    """

    def changes(self, cfg: CommandConfig) -> str:
        """Judge the command."""
        return command_changes(cfg.command, cfg.env, cfg.effect)

    def measures(self, keys: Mapping[str, Any]) -> frozenset[str]:
        """Return what the check takes out of the output."""
        taken = keys.get("metrics")
        return frozenset(map(str, taken) if isinstance(taken, dict) else ())

    async def probe(self, cfg: CommandConfig, ctx: Context) -> Result:
        """Run once."""
        start = time.monotonic()
        output = await run_clearly(ctx, argv_of(cfg.command), cfg.env, cfg.cwd)
        seconds = time.monotonic() - start
        facts = _facts(output, seconds)
        findings = [e.check(facts) for e in cfg.expect]
        if not any("exit" in e.names for e in cfg.expect):
            findings.insert(0, Finding.compare("exit", "0", ending(output.exit_code), output.exit_code == 0))
        metrics = [Metric("time", seconds, "s")]
        for name, path in cfg.metrics.items():
            value = path.number(facts)
            if isinstance(value, Finding):
                findings.append(replace(value, what=f"metric {name}"))
            else:
                metrics.append(Metric(name, value, unit_of(name)))
        failed = any(f.status is not Status.OK for f in findings)
        said = {"stdout": _tail(output.stdout), "stderr": _tail(output.stderr)}
        return Result.of(
            findings,
            metrics=metrics,
            evidence={k: v for k, v in said.items() if v} if failed else {},
            ok=f"{ending(output.exit_code)} in {format_duration(seconds)}",
        )


def argv_of(command: str | tuple[str, ...]) -> list[str]:
    """Return what is executed: text goes to a shell."""
    return ["/bin/sh", "-c", command] if isinstance(command, str) else list(command)


async def run_clearly(
    ctx: Context, argv: list[str], env: Mapping[str, str] | None = None, cwd: str | None = None
) -> CommandOutput:
    """Run a command. Raise `ProbeError` (UNKNOWN) that says so when it is not there or cannot be started."""
    ctx.enter("run")
    elsewhere = bool(getattr(ctx, "machine", ""))
    folder = (Path(cwd) if elsewhere else ctx.base_dir / cwd) if cwd else None
    if folder is not None and not elsewhere and not folder.is_dir():
        raise ProbeError(f"the folder {folder} is not there", status=Status.UNKNOWN)
    name = argv[0]
    try:
        output = await ctx.run(argv, env=env, cwd=folder)
    except FileNotFoundError:
        raise ProbeError(f"the command {name!r} is not there", status=Status.UNKNOWN) from None
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or str(error)
        raise ProbeError(f"the command {name!r} cannot be started: {what}", status=Status.UNKNOWN) from None
    if output.exit_code == 127 and argv[:2] == ["/bin/sh", "-c"]:
        said = output.stderr.strip().splitlines()
        raise ProbeError(said[-1][:200] if said else "the shell did not find the command", status=Status.UNKNOWN)
    return output


def ending(code: int) -> str:
    """Say how a process ended."""
    return f"exit code {code}" if code >= 0 else f"ended by signal {-code}"


def _facts(output: CommandOutput, seconds: float) -> dict[str, Any]:
    facts: dict[str, Any] = {"exit": output.exit_code, "time": seconds}
    for name, text in (("stdout", output.stdout), ("stderr", output.stderr)):
        cut = output.truncated and len(text.encode("utf-8", "replace")) >= MOST_OUTPUT
        facts[name] = Unavailable(f"longer than {format_bytes(MOST_OUTPUT)}") if cut else _without_line_end(text)
    try:
        facts["json"] = json.loads(output.stdout)
    except (ValueError, RecursionError):
        facts["json"] = Unavailable("stdout is not JSON")
    return facts


def _without_line_end(text: str) -> str:
    """Return a text without the line end that nearly every command writes last."""
    return text.removesuffix("\r\n") if text.endswith("\r\n") else text.removesuffix("\n")


def _tail(text: str) -> str:
    return "\n".join(text.rstrip().splitlines()[-5:])[-500:]
