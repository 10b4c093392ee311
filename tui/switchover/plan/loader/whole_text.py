"""The whole text of a plan: its own file, and after it each file that it includes or uses. All is frozen as one.

A part begins with a line that YAML takes for another document, which no plan file holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from switchover.errors import PlanError
from switchover.plan.plan_bytes import decode_plan, read_plan

__all__ = ["MAY_INCLUDE", "join_parts", "read_whole", "split_parts"]

_MARK = "--- # part of the plan: "
_PARTS = re.compile(rf"\n{re.escape(_MARK)}(.*)\n")
MAY_INCLUDE = re.compile(r"(?:^|[\s{,\"'])(?:include|uses)[\"']?\s*:|\"[^\"\n]*\\[^\"\n]*\"\s*:")
"""What a text holds that names another file, also by a key with escapes. Reading YAML for nothing takes long."""


def join_parts(text: str, parts: Mapping[str, str]) -> str:
    """Return one text. Without parts it is the plan's own, as it stands."""
    whole = text
    for name, part in parts.items():
        whole += f"\n{_MARK}{name}\n{part}"
    return whole


def split_parts(whole: str) -> tuple[str, dict[str, str]]:
    """Return the plan's own text, and the parts by the paths that they had from the plan's folder."""
    own, *rest = _PARTS.split(whole)
    return own, dict(zip(rest[::2], rest[1::2], strict=True))


def read_whole(path: Path) -> tuple[str, tuple[Path, ...]]:
    """Read a plan and what it includes; return all of it as one text, and the paths of the parts.

    A part that cannot be read is left out, whatever is wrong with it: the loader says what. Raise `PlanError` where
    the plan itself cannot be read.
    """
    from switchover.plan.loader.document import read_document
    from switchover.plan.loader.expansion import expand

    text = decode_plan(read_plan(path), path)
    if not MAY_INCLUDE.search(text):
        return text, ()
    try:
        expanded = expand(read_document(text.removeprefix("\ufeff")), path)
    except PlanError:
        return text, ()
    return join_parts(text, expanded.parts), tuple(path.parent / name for name in expanded.parts)
