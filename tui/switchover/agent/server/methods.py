"""What a client may ask for: the name of each method, what it needs, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from switchover.agent.server.log_methods import LOG_METHODS
from switchover.agent.server.method import Method, MethodContext, Need
from switchover.agent.server.service_methods import SERVICE_METHODS
from switchover.agent.server.triage_methods import TRIAGE_METHODS
from switchover.migration.facts.operator import Operator

__all__ = ["METHODS", "Method", "MethodContext", "Need"]

_OUTPUT_MOST = 256 * 1024


class _Nothing(Need, frozen=True):
    pass


class _Start(Need, frozen=True):
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    new: bool = False


class _Give(Need, frozen=True):
    variables: dict[str, str]


class _Next(Need, frozen=True):
    confirmation: str | None = None


class _Step(Need, frozen=True):
    step: str
    confirmation: str | None = None


class _Phase(Need, frozen=True):
    phase: str


class _Answer(Need, frozen=True):
    phase: str
    yes: bool
    note: str = ""


class _Tick(Need, frozen=True):
    step: str
    item: int
    evidence: str = ""


class _Resolve(Need, frozen=True):
    step: str
    choice: Literal["done", "failed", "retry", "rollback", "skip"]
    reason: str


class _Rollback(Need, frozen=True):
    name: str | None = None
    dry_run: bool = False
    accept: tuple[str, ...] = ()


class _Way(Need, frozen=True):
    name: str | None = None


class _Rebase(Need, frozen=True):
    variables: dict[str, str] = msgspec.field(default_factory=dict)
    reason: str = ""
    digest: str = ""


class _Abort(Need, frozen=True):
    reason: str = ""


class _Acknowledge(Need, frozen=True):
    check: str
    reason: str


class _Waive(Need, frozen=True):
    check: str
    reason: str
    for_s: float


class _Confirm(Need, frozen=True):
    step: str
    text: str


class _Names(Need, frozen=True):
    names: tuple[str, ...] = ()


class _Output(Need, frozen=True):
    step: str
    attempt: int
    offset: int = 0
    limit: int = 64 * 1024


async def _start(target: MethodContext, need: _Start, op: Operator) -> Any:
    return await target.acting.start(op, variables=need.variables, new=need.new)


async def _give(target: MethodContext, need: _Give, op: Operator) -> Any:
    return await target.acting.give(op, need.variables)


async def _next(target: MethodContext, need: _Next, op: Operator) -> Any:
    return await target.acting.run_next(op, confirmation=need.confirmation)


async def _step(target: MethodContext, need: _Step, op: Operator) -> Any:
    return await target.acting.run_step(need.step, op, confirmation=need.confirmation)


async def _gate(target: MethodContext, need: _Phase, op: Operator) -> Any:
    return await target.acting.check_gate(need.phase, op)


async def _answer(target: MethodContext, need: _Answer, op: Operator) -> Any:
    return await target.acting.answer_gate(need.phase, op, need.yes, need.note)


async def _tick(target: MethodContext, need: _Tick, op: Operator) -> Any:
    return await target.acting.tick(need.step, need.item, op, need.evidence)


async def _resolve(target: MethodContext, need: _Resolve, op: Operator) -> Any:
    return await target.acting.resolve(need.step, need.choice, need.reason, op)


async def _retry(target: MethodContext, need: _Step, op: Operator) -> Any:
    return await target.acting.retry(need.step, op, confirmation=need.confirmation)


async def _rollback(target: MethodContext, need: _Rollback, op: Operator) -> Any:
    return await target.acting.rollback(need.name, op, dry_run=need.dry_run, accept=need.accept)


async def _rehearse(target: MethodContext, need: _Way, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    return await target.acting.rehearse(need.name)


async def _difference(target: MethodContext, need: _Nothing, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    return await target.acting.difference()


async def _rebase(target: MethodContext, need: _Rebase, op: Operator) -> Any:
    return await target.acting.rebase(op, need.variables, need.reason, need.digest)


async def _abort(target: MethodContext, need: _Abort, op: Operator) -> Any:
    return await target.acting.abort(op, need.reason)


async def _acknowledge(target: MethodContext, need: _Acknowledge, op: Operator) -> Any:
    return await target.acting.acknowledge(need.check, op, need.reason)


async def _waive(target: MethodContext, need: _Waive, op: Operator) -> Any:
    return await target.acting.waive(need.check, op, need.reason, need.for_s)


async def _confirm(target: MethodContext, need: _Confirm, op: Operator) -> Any:
    return await target.acting.confirm(need.step, op, need.text)


async def _check(target: MethodContext, need: _Names, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    await target.hub.recheck(need.names)


async def _output(target: MethodContext, need: _Output, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    limit = max(1, min(need.limit, _OUTPUT_MOST))
    text, following, complete = target.acting.read_output(need.step, need.attempt, max(0, need.offset), limit)
    return {"text": text, "next": following, "complete": complete}


def _is_rehearsal(need: _Rollback) -> bool:
    return need.dry_run


METHODS: Mapping[str, Method] = {
    "run.start": Method(_Start, _start, long=True),
    "run.variables": Method(_Give, _give),
    "run.next": Method(_Next, _next, long=True),
    "run.step": Method(_Step, _step, long=True),
    "gate.check": Method(_Phase, _gate, long=True),
    "gate.answer": Method(_Answer, _answer, long=True),
    "gate.acknowledge": Method(_Acknowledge, _acknowledge),
    "gate.waive": Method(_Waive, _waive),
    "person.confirm": Method(_Confirm, _confirm, anyone=True),
    "manual.tick": Method(_Tick, _tick),
    "step.resolve": Method(_Resolve, _resolve, long=True),
    "step.retry": Method(_Step, _retry, long=True),
    "run.rollback": Method(_Rollback, _rollback, long=True, harmless=_is_rehearsal),
    "run.rebase": Method(_Rebase, _rebase),
    "rollback.rehearse": Method(_Way, _rehearse, changes=False, acts=False),
    "plan.difference": Method(_Nothing, _difference, changes=False, acts=False),
    "run.abort": Method(_Abort, _abort, long=True),
    "check.run": Method(_Names, _check, changes=False, acts=False),
    "output.read": Method(_Output, _output, changes=False, acts=False),
    **SERVICE_METHODS,
    **LOG_METHODS,
    **TRIAGE_METHODS,
}
