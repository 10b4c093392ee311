"""What a client may ask about services: what is found, what may be done to it, and how a person would type it.

    service.found    {wanted}                                   → nothing: whether this client shows what is in no plan
    service.act      {items: [{id, identity, seen_at}], action, argument, confirmation}
                                                                → [{id, ok, text}], one for each item, in their order
    service.command  {id, what, argument}                       → {argv, text}: `text` is quoted for a shell
    service.inspect  {id}                                       → {text}: all that is known of it, without secrets
    service.seen     {id}                                       → nothing: a person has looked at it; what is kept until
                                                                  then (a listener that died, a unit or a container that
                                                                  failed) goes; all of it where `id` is empty
    service.sources  {}                                         → [{name, state, why}]: every source, on or off

`id`, `identity` and `seen_at` are those of the row that the person saw (`id`, `identity`, `observed_at`).
`confirmation` is what was typed for an action of the tier TYPED: the service's name; for several of them the action and
their number, such as `kill 3`. `what` is an action, exec, logs or inspect.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import msgspec

from switchover.agent.server.client_session import ClientSession
from switchover.agent.server.method import Method, MethodContext, Need
from switchover.migration.facts.operator import Operator

__all__ = ["SERVICE_METHODS"]


class _Found(Need, frozen=True):
    wanted: bool


class _Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    identity: str = ""
    seen_at: float | None = None


class _Act(Need, frozen=True):
    items: tuple[_Item, ...]
    action: str
    argument: str = ""
    confirmation: str = ""


class _Command(Need, frozen=True):
    id: str
    what: str
    argument: str = ""


class _Inspect(Need, frozen=True):
    id: str


async def _seen(target: MethodContext, need: _Inspect, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    target.hub.seen(need.id)


async def _found(target: MethodContext, need: _Found, op: Operator, session: ClientSession) -> Any:  # noqa: ARG001 - one shape
    session.wants_found = need.wanted
    target.hub.note_viewer(session, found=need.wanted)


async def _act(target: MethodContext, need: _Act, op: Operator) -> Any:
    asked = [(item.id, item.identity, item.seen_at) for item in need.items]
    return await target.hub.act(asked, need.action, need.argument, need.confirmation, op)


async def _command(target: MethodContext, need: _Command, op: Operator) -> Any:
    argv = await target.hub.command(need.id, need.what, need.argument, op)
    return {"argv": list(argv), "text": shlex.join(argv)}


async def _inspect(target: MethodContext, need: _Inspect, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    return {"text": await target.hub.inspect(need.id)}


async def _sources(target: MethodContext, need: Need, op: Operator) -> Any:  # noqa: ARG001 - one shape for all handlers
    return target.hub.sources()


def _only_shown(need: _Command) -> bool:
    return need.what != "exec"


SERVICE_METHODS: Mapping[str, Method] = {
    "service.found": Method(_Found, _found, changes=False, acts=False, in_session=True),
    "service.act": Method(_Act, _act, anyone=True, driver_of_run=True, doing="an action on services"),
    "service.command": Method(_Command, _command, acts=False, harmless=_only_shown),
    "service.inspect": Method(_Inspect, _inspect, changes=False, acts=False),
    "service.seen": Method(_Inspect, _seen, acts=False),
    "service.sources": Method(Need, _sources, changes=False, acts=False),
}
