"""The reference of keys, written from the bindings of every screen and pane."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

from tests.docs.schema_words import table
from textual.binding import Binding
from textual.dom import DOMNode

import switchover.ui
from switchover.ui.text.keys import key_name

__all__ = ["keys_reference"]

_PARTS = re.compile(r"[A-Z][a-z]*")


def keys_reference() -> Iterator[str]:
    """Write the keys of each screen and each tab, in the order of their modules."""
    yield "# Keys"
    yield ""
    yield "`?` shows the keys that work where you are. Ctrl-P or `:` finds every command by a few letters."
    for kind in _with_keys():
        rows = list(_rows(kind))
        if rows:
            said = (inspect.getdoc(kind) or "").partition("\n\n")[0]
            yield from ("", f"## {_title(kind)}", "", *said.splitlines(), "")
            yield from table(("key", "does", "more"), rows)


def _with_keys() -> Iterator[type[DOMNode]]:
    found: dict[type[DOMNode], None] = {}
    for module in pkgutil.walk_packages(switchover.ui.__path__, "switchover.ui."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(kind, DOMNode) and kind.__module__ == module.name and "BINDINGS" in vars(kind):
                found[kind] = None
    yield from sorted(found, key=_order)


def _order(kind: type[DOMNode]) -> tuple[int, str, str]:
    """Put what works everywhere first, then what many screens share, then the features."""
    folder = kind.__module__.split(".")[2]
    return ("app", "kit").index(folder) if folder in ("app", "kit") else 2, folder, kind.__name__


def _title(kind: type[DOMNode]) -> str:
    return " ".join(_PARTS.findall(kind.__name__.removesuffix("App"))).capitalize()


def _rows(kind: type[DOMNode]) -> Iterator[tuple[str, ...]]:
    for binding in vars(kind)["BINDINGS"]:
        if isinstance(binding, Binding) and (binding.description or binding.tooltip):
            keys = " ".join(f"`{key_name(key)}`" for key in binding.key.split(","))
            yield keys, binding.description.lower(), binding.tooltip
