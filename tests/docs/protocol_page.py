"""The methods of the wire, from the registry of commands: what each says, takes, answers, and who may ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import msgspec

from switchover.commands.command import Changes, Command
from switchover.commands.command_table import COMMANDS

__all__ = ["MARK", "method_lines"]

MARK = "<!-- Written from the code: what stands below is replaced. -->"


def method_lines() -> Iterator[str]:
    """Yield the section of all methods, by the thing that they are about."""
    yield from ("## Methods", "", "A parameter with `?` may be left out. `hello`, `agent.status`, `agent.stop` and")
    yield from ("`subscribe` are the line's own.", "")
    yield from ("| method | parameters | answer | what it does | who may ask |", "|---|---|---|---|---|")
    for name, kind in sorted(COMMANDS.items()):
        says = (kind.__doc__ or "").partition("\n")[0]
        yield f"| `{name}` | {_parameters(kind)} | {_words(kind.answer_type())} | {says} | {_who(kind)} |"


def _who(kind: type[Command[Any]]) -> str:
    if kind.changes is Changes.NOTHING:
        return "all, also who only watches"
    asks = ", asked before" if kind.changes is Changes.DANGEROUS else ""
    return f"{kind.who}{asks}"


def _parameters(kind: type[Command[Any]]) -> str:
    fields = [f"`{one.name}{'' if one.required else '?'}` {_words(one.type)}" for one in msgspec.structs.fields(kind)]
    return ", ".join(fields) or "–"


def _words(kind: Any) -> str:
    """Write a type as JSON has it."""
    origin, args = get_origin(kind), [arg for arg in get_args(kind) if arg is not Ellipsis]
    if kind is None or kind is type(None):
        return "nothing"
    if origin is Literal:
        return " or ".join(f"`{arg}`" for arg in args)
    if origin is tuple and len(args) > 1:
        return f"[{', '.join(map(_words, args))}]"
    if origin in {list, tuple}:
        return f"list of {_words(args[0])}" if args else "list"
    if origin is not None and len(args) == 2 and getattr(origin, "__name__", "") in {"dict", "Mapping"}:
        return f"object of {_words(args[1])}"
    if args:  # a union
        return " or ".join(map(_words, args))
    plain = {str: "text", int: "number", float: "seconds or number", bool: "yes or no", dict: "object", Any: "anything"}
    return plain.get(kind) or f"`{getattr(kind, '__name__', kind)}`"
