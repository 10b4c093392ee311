"""Useful commands: each is one command, no two have one key, and what destroys is a step."""

from __future__ import annotations

from collections.abc import Iterator

from switchover.plan.complaints import Complaint
from switchover.plan.rules.draft import Draft

__all__ = ["useful_commands"]


def useful_commands(draft: Draft) -> Iterator[Complaint]:
    """Complain about commands that are none, or two, or share a key, or destroy."""
    keys: dict[str, str] = {}
    for name, command in draft.plan.commands.items():
        path = ("commands", name)
        if (command.run is None) == (command.argv is None):
            yield Complaint(path, "a command is either `run` (as a shell reads it) or `argv` (without a shell)")
        if command.effect == "destroys":
            yield Complaint((*path, "effect"), "what destroys is a step of the plan, with its confirmation")
        if command.key is not None and (first := keys.setdefault(command.key, name)) != name:
            yield Complaint((*path, "key"), f"{command.key!r} is the key of {first!r} already")
