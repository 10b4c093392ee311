"""Which verbs there are. A module below `cli` declares one by three lines: `VERB`, `RANK` in `--help`, `SUMMARY`.

Modules are read as text, so that listing imports none of them.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from pathlib import Path

__all__ = ["verbs"]

_DECLARED = re.compile(r'^VERB = "(\w+)"\nRANK = (\d+)\nSUMMARY = "(.*)"$', re.MULTILINE)


@functools.cache
def verbs() -> Mapping[str, tuple[str, str]]:
    """Return each verb with its module and what `--help` says of it, in the order of `--help`."""
    folder = Path(__file__).parent
    found = []
    for path in folder.rglob("*.py"):
        module = ".".join(("switchover.cli", *path.relative_to(folder).with_suffix("").parts))
        found += [(int(rank), verb, module, text) for verb, rank, text in _DECLARED.findall(path.read_text("utf-8"))]
    return {verb: (module, text) for _, verb, module, text in sorted(found)}
