"""Runs a command on another machine that only looks: it ends with whoever asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from switchover.hosts.host_line import HostLine, LineError, RefusedByHostError
from switchover_checks.api import CommandOutput, ProbeError, Status

__all__ = ["look_there"]

_MOST_OUTPUT = 1 << 20
_SLACK_S = 5.0


async def look_there(
    line: HostLine, argv: Sequence[str], env: Mapping[str, str], cwd: str, timeout_s: float
) -> CommandOutput:
    """Run a command there to its end. Raise `ProbeError` (UNKNOWN) where the machine, or the command, is not there."""
    question = {"argv": list(argv), "env": dict(env), "cwd": cwd, "timeout_s": timeout_s, "most": _MOST_OUTPUT}
    try:
        head, body = await line.ask("run", timeout_s + _SLACK_S, **question)
    except LineError as error:
        raise ProbeError(f"cannot be reached: {error}", phase="connect", status=Status.UNKNOWN) from None
    except RefusedByHostError as error:
        raise ProbeError(f"cannot run it: {error}", phase="run", status=Status.UNKNOWN) from None
    if head["problem"]:
        raise ProbeError(f"the command cannot be started: {head['problem']}", phase="run", status=Status.UNKNOWN)
    if head["timed_out"]:
        raise ProbeError(f"no answer within {timeout_s:.3g} s", phase="run", status=Status.UNKNOWN)
    out, err = body[: head["stdout"]], body[head["stdout"] :]
    return CommandOutput(
        int(head["exit"]), out.decode("utf-8", "replace"), err.decode("utf-8", "replace"), bool(head["truncated"])
    )
