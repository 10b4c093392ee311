"""What a client may ask about what is wrong: a closer look, a solution, the incident, a bundle for a colleague.

    trouble.look      {entry, about}                   → KnownIssueView: its commands and solutions as they apply now
    trouble.diagnose  {entry, about, command, token}   → [{command, exit_code, output}] of that command, or of all
    trouble.cancel    {token}                          → nothing: what was asked for under it is ended (exit code 130)
    trouble.solve     {entry, about, solution, confirmation} → {command, exit_code, output}
    incident.open     {title}                          → {id}
    incident.note     {text}                           → nothing
    incident.close    {text}                           → {path}: the report, on the agent's host
    incident.list     {}      → [{id, title, opened_at, opened_by, closed_at, closed_by, notes, path}], newest first
    bundle.make       {}                               → {path, bytes}

`entry` is the id of a `KnownIssueView`, `about` one of those that it is about. `confirmation` is the solution's
`confirm_text` where it has one, else `yes`, and nothing where it only reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from switchover.agent.server.method import Method, MethodContext, Need
from switchover.migration.facts.operator import Operator

__all__ = ["TRIAGE_METHODS"]


class _Look(Need, frozen=True):
    entry: str
    about: str = ""


class _Diagnose(Need, frozen=True):
    entry: str = ""
    about: str = ""
    command: int | None = None
    token: str = ""
    index: int | None = None  # an entry of the plan by its number, as older clients name it


class _Token(Need, frozen=True):
    token: str


class _Solve(Need, frozen=True):
    entry: str
    solution: int
    about: str = ""
    confirmation: str = ""


class _Title(Need, frozen=True):
    title: str


class _Text(Need, frozen=True):
    text: str = ""


async def _look(target: MethodContext, need: _Look, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    return target.hub.triage.look(need.entry, need.about)


async def _diagnose(target: MethodContext, need: _Diagnose, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    entry = need.entry or f"plan:{need.index if need.index is not None else -1}"
    return _results(await target.hub.triage.diagnose(entry, need.about, need.command, need.token))


async def _cancel(target: MethodContext, need: _Token, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    target.hub.triage.cancel(need.token)


async def _solve(target: MethodContext, need: _Solve, op: Operator) -> Any:
    ended = await target.hub.triage.solve(need.entry, need.about, need.solution, need.confirmation, op)
    return _results([ended])[0]


async def _open(target: MethodContext, need: _Title, op: Operator) -> Any:
    return {"id": await target.hub.triage.open_incident(need.title, op)}


async def _note(target: MethodContext, need: _Text, op: Operator) -> Any:
    await target.hub.triage.note_incident(need.text, op)


async def _close(target: MethodContext, need: _Text, op: Operator) -> Any:
    return {"path": str(await target.hub.triage.close_incident(need.text, op))}


async def _list(target: MethodContext, need: Need, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    return target.hub.triage.all_incidents()


async def _bundle(target: MethodContext, need: Need, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    path, size = await target.hub.triage.bundle(op)
    return {"path": str(path), "bytes": size}


def _results(ended: Sequence[tuple[str, int, str]]) -> list[dict[str, Any]]:
    return [{"command": command, "exit_code": code, "output": output} for command, code, output in ended]


TRIAGE_METHODS: Mapping[str, Method] = {
    "trouble.look": Method(_Look, _look, changes=False, acts=False),
    "trouble.diagnose": Method(_Diagnose, _diagnose, acts=False),
    "trouble.cancel": Method(_Token, _cancel, changes=False, acts=False),
    "trouble.solve": Method(_Solve, _solve, anyone=True, driver_of_run=True),
    "incident.open": Method(_Title, _open, anyone=True),
    "incident.note": Method(_Text, _note, anyone=True),
    "incident.close": Method(_Text, _close, anyone=True),
    "incident.list": Method(Need, _list, changes=False, acts=False),
    "bundle.make": Method(Need, _bundle, changes=False, acts=False),
}
