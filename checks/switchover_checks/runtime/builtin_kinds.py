"""Finds the built-in kinds by what their files declare. Files are read as text; nothing is imported to list them."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from switchover_checks.api import Check

__all__ = ["builtin_kind", "builtin_kinds"]

_PACKAGE = "switchover_checks.kinds"
_FOLDER = Path(__file__).parents[1] / "kinds"
_DECLARED = re.compile(r'^class (\w+).*\n(?:(?!class ).*\n)*?    kind: ClassVar\[str\] = "(\w+)"$', re.MULTILINE)


@functools.cache
def builtin_kinds(folder: Path = _FOLDER, package: str = _PACKAGE) -> Mapping[str, str]:
    """Return each kind with its `module:Class`, from every file in `folder` and below. Raise where two have a name."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.py")):
        module = ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
        for name, kind in _DECLARED.findall(path.read_text(encoding="utf-8")):
            if kind in found:
                raise RuntimeError(f"the check kind {kind!r} is declared by {found[kind]} and by {module}:{name}")
            found[kind] = f"{module}:{name}"
    return MappingProxyType(dict(sorted(found.items())))


@functools.cache
def builtin_kind(kind: str) -> Check[Any]:
    """Import a built-in kind, and return an instance of it."""
    module, _, name = builtin_kinds()[kind].partition(":")
    check: Check[Any] = getattr(importlib.import_module(module), name)()
    return check
