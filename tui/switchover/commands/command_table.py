"""Every command by its name on the wire: found in the modules beside this one, so nothing is listed twice."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from switchover.commands.command import Command

__all__ = ["COMMANDS"]


def _declared() -> Iterator[type[Command[Any]]]:
    package = __name__.rpartition(".")[0]
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        if module.name == "command_table":
            continue
        for kind in vars(import_module(f"{package}.{module.name}")).values():
            if isinstance(kind, type) and issubclass(kind, Command) and kind.name:
                yield kind


COMMANDS: Mapping[str, type[Command[Any]]] = MappingProxyType({kind.name: kind for kind in _declared()})
