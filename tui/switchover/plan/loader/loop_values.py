"""What a loop goes over: a list, a mapping, or a list variable, each member by its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from switchover.plan.complaints import unknown_name
from switchover.plan.loader.document import Node

__all__ = ["LoopError", "LoopMember", "members_of"]

MOST_MEMBERS = 10_000
_HOW = "write each: {NAME: [VALUE, …]}, a mapping instead of the list, or a list variable"
_VARIABLE = re.compile(r"\s*\{\{\s*([A-Za-z_][\w-]*(?:\.[\w-]+)*)\s*\}\}\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")
_SECRET = re.compile(r"\{\{\s*secret\.")
_NAMING = ("name", "id", "key")


class LoopError(ValueError):
    """A loop cannot be written out; the text says why, `node` where."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.node = node


@dataclass(frozen=True, slots=True)
class LoopMember:
    """One turn of a loop: the member's name, and what `{{ each.VARIABLE }}` is then."""

    key: str
    value: Any


def members_of(each: Node, root: Node) -> tuple[str, list[LoopMember]]:
    """Return the variable of a loop and its members. Raise `LoopError`."""
    if each.entries is None or len(each.entries) != 1:
        raise LoopError(each, f"a loop has one variable: {_HOW}")
    ((name, (_, values)),) = each.entries.items()
    if _NAME.fullmatch(name) is None:
        raise LoopError(each, f"{name[:60]!r} is no name: {_HOW}")
    if isinstance(values.data, str):
        values = _variable(values, root)
    if values.entries is not None:
        members = [LoopMember(key, {"key": key, "value": value.data}) for key, (_, value) in values.entries.items()]
    elif values.items is not None:
        members = [LoopMember(_key(item, number), item.data) for number, item in enumerate(values.items, 1)]
    else:
        raise LoopError(values, f"this is nothing to loop over: {_HOW}")
    return name, _checked(members, values)


def _checked(members: list[LoopMember], values: Node) -> list[LoopMember]:
    if not members:
        raise LoopError(values, "this loops over nothing: there would be no member")
    if len(members) > MOST_MEMBERS:
        raise LoopError(values, f"this loops over {len(members):,} members; at most {MOST_MEMBERS:,} are possible")
    seen: set[str] = set()
    for number, member in enumerate(members):
        at = values.items[number] if values.items is not None else values
        if _SECRET.search(repr(member.value)):
            raise LoopError(at, "a loop cannot go over a secret: its members' names are shown")
        if _KEY.fullmatch(member.key) is None:
            raise LoopError(
                at,
                f"{member.key[:60]!r} is no name for a member (letters, digits, _, . and -): "
                "give a mapping NAME: VALUE instead of the list",
            )
        if member.key in seen:
            raise LoopError(at, f"this loop has the member {member.key!r} twice")
        seen.add(member.key)
    return members


def _key(item: Node, number: int) -> str:
    """Name a member of a list: by itself. A mapping goes by its `name`, `id`, `key`, first text, or number."""
    if item.entries is None:
        value = item.data
        return ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)
    texts = {key: value.data for key, (_, value) in item.entries.items() if isinstance(value.data, str)}
    return next((texts[key] for key in (*_NAMING, *texts) if key in texts), str(number))


def _variable(at: Node, root: Node) -> Node:
    """Return the list that a template names."""
    match = _VARIABLE.fullmatch(at.data)
    if match is None:
        raise LoopError(at, f"this is nothing to loop over: {_HOW}")
    name = match[1]
    if name.startswith("secret."):
        raise LoopError(at, "a loop cannot go over a secret: its members' names are shown")
    section = root.child("vars")
    variable = section.child(name) if section is not None else None
    if variable is None:
        known = [*section.entries] if section is not None and section.entries is not None else []
        raise LoopError(at, unknown_name("variable", name, known))
    default = variable.child("default")
    if default is None or (default.items is None and default.entries is None):
        raise LoopError(at, f"{name!r} is no list that is known at load: give it `type: list` and a `default`")
    return default
