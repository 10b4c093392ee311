"""Which tabs there are. A pane in `ui/FEATURE/…_pane.py` declares one: kind, rank, short_title and search.

The files are read as text, so that a pane is imported when its tab is first chosen.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["TABS", "Tab", "tabs"]

_DECLARED = re.compile(
    r'^class (\w+).*\n(?:(?!class ).*\n)*?    kind: ClassVar\[str\] = "(\w+)"\n    rank: ClassVar\[int\] = (\d+)\n'
    r'    short_title: ClassVar\[str\] = "(.*)"\n    search: ClassVar\[str\] = "(.*)"$',
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True, order=True)
class Tab:
    """A tab: its place, its name, how it is written where there is little room, and words that find it."""

    rank: int
    name: str
    short: str
    search: str
    module: str
    class_name: str


@functools.cache
def tabs() -> tuple[Tab, ...]:
    """Return the tabs in their order."""
    folder = Path(__file__).parents[1]
    found = []
    for path in folder.glob("*/*_pane.py"):
        module = ".".join(("switchover.ui", *path.relative_to(folder).with_suffix("").parts))
        for class_name, name, rank, short, search in _DECLARED.findall(path.read_text("utf-8")):
            found.append(Tab(int(rank), name, short, search, module, class_name))
    return tuple(sorted(found))


TABS = tuple(tab.name for tab in tabs())
