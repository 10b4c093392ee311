"""Finds what declares itself: a class with `kind: ClassVar[str] = "NAME"`, in any file of a package or below.

Files are read as text, so listing imports nothing; a class is imported when it is first used.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

__all__ = ["declared", "load_declared"]

_CLASS = re.compile(r"class (\w+)")
_KIND = "\n    kind: ClassVar[str] = "
_NAME = re.compile(r'\n    kind: ClassVar\[str\] = "(\w+)"\n')


@functools.cache
def declared(package: str) -> Mapping[str, str]:
    """Return each kind that the files of a package declare, with its `module:Class`. Raise where two have one name."""
    spec = importlib.util.find_spec(package)
    found: dict[str, str] = {}
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        folder = Path(place)
        for path in sorted(folder.rglob("*.py")):
            module = ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
            for name, kind in _declarations(path.read_bytes()):
                if kind in found:
                    raise RuntimeError(f"{kind!r} is declared by {found[kind]} and by {module}:{name}")
                found[kind] = f"{module}:{name}"
    return MappingProxyType(dict(sorted(found.items())))


def _declarations(source: bytes) -> Iterator[tuple[str, str]]:
    """Yield the class and the kind of each declaration in a module."""
    if _KIND.encode() not in source:
        return
    text = source.decode()
    place = text.find(_KIND)
    while place != -1:
        kind, name = _NAME.match(text, place), _CLASS.match(text, text.rfind("\nclass ", 0, place) + 1)
        if kind is not None and name is not None:
            yield name[1], kind[1]
        place = text.find(_KIND, place + 1)


@functools.cache
def load_declared(package: str, kind: str) -> Any:
    """Import the class of a kind that a package declares. Raise `KeyError` where it declares none of that name."""
    module, _, name = declared(package)[kind].partition(":")
    return getattr(importlib.import_module(module), name)
