"""The line between agent and client: one JSON document a line over a unix socket.

    request       {"id": 1, "method": "run.step", "params": {"step": "dump"}, "asked": 81.4}
    reply         {"id": 1, "result": …}   or   {"id": 1, "error": {"kind", "title", "hint", "problems"}}
    notification  {"event": "snapshot", "seq", "at", "sections": {field: value}}   what changed, all at first
                  besides "rows": {table: {changed, gone, order}} and "run": {field: value}, what changed of
                  a table and of the run, for a client that subscribed with {"rows": true}
                  {"event": "action_failed", "request": 1, "error": {…}}   an accepted action that failed later
                  {"event": "stopped", "error": {…}}   somebody has stopped the agent: do not start it again

`hello`, `agent.status` and `agent.stop` keep their shape for ever, so that different versions can part in peace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from switchover import errors
from switchover.errors import AgentError, PlanError, PlanProblem, SwitchoverError
from switchover_checks.unknown_secrets import redact_unknown

__all__ = [
    "CLIENT_LINE_LIMIT",
    "SERVER_LINE_LIMIT",
    "WIRE",
    "AgentInfo",
    "ErrorInfo",
    "Incoming",
    "Request",
    "error_from_wire",
    "error_to_wire",
]

WIRE = 3  # raised with each change of commands or notifications that the other side must know
SERVER_LINE_LIMIT = 256 * 1024  # what a client may send in one line
CLIENT_LINE_LIMIT = 64 * 1024 * 1024  # a whole first snapshot


class Request(msgspec.Struct, frozen=True):
    """What a client asks. `asked` is when, by the client's monotonic clock."""

    id: int
    method: str
    params: dict[str, Any] = {}
    asked: float = 0.0


class ErrorInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    """An error of the tree in `switchover.errors`, by its name."""

    kind: str
    title: str
    hint: str = ""
    problems: tuple[PlanProblem, ...] = ()


class Incoming(msgspec.Struct, frozen=True):
    """Any line that a client receives: a reply where `id` is set, else a notification."""

    id: int | None = None
    result: Any = None
    error: ErrorInfo | None = None
    event: str = ""
    request: int = 0
    seq: int = 0
    at: float = 0.0
    sections: dict[str, msgspec.Raw] = {}
    rows: dict[str, msgspec.Raw] = {}
    run: dict[str, msgspec.Raw] = {}


class AgentInfo(msgspec.Struct, frozen=True):
    """Who answers: the reply to `hello` and `agent.status`.

    `busy` says what is under way, empty when nothing is; `run_open` that a run has begun and not ended.
    `modules` are the Python files that its plan loads, `parts` those that it includes, by path and SHA-256.
    `snapshot_age_s` is how long ago a Snapshot was published: where that is long, nobody watches.
    `wire` is the version of the line that it speaks.
    """

    version: str
    pid: int
    workspace: str
    plan: str = ""
    plan_digest: str = ""
    modules: dict[str, str] = {}
    parts: dict[str, str] = {}
    busy: str = ""
    run_open: bool = False
    read_only: bool = False
    since: float = 0.0
    clients: int = 0
    warning: str = ""
    snapshot_age_s: float = 0.0
    wire: int = 1  # of an agent that does not say


def error_to_wire(error: SwitchoverError, fill_in: Callable[[str], str] = str) -> ErrorInfo:
    """Make an error ready to be sent, without what looks like a secret. `fill_in` completes the commands it names."""
    problems = tuple(error.problems) if isinstance(error, PlanError) else ()
    title, hint = (redact_unknown(fill_in(text)) for text in (error.title, error.hint))
    return ErrorInfo(type(error).__name__, title, hint, problems)


def error_from_wire(info: ErrorInfo) -> SwitchoverError:
    """Make the same error again; one of an unknown kind becomes an `AgentError`."""
    if info.kind == "PlanError" and info.problems:
        return PlanError(list(info.problems))
    kind = getattr(errors, info.kind, None) if info.kind in errors.__all__ else None
    if isinstance(kind, type) and issubclass(kind, SwitchoverError) and kind is not PlanError:
        return kind(info.title, info.hint)
    return AgentError(info.title, info.hint)
