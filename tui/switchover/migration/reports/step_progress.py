"""How far a step says that it is, in a line of its own output."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

__all__ = ["progress_of"]

_LINE = re.compile(r"progress:\s*(\S.*)", re.IGNORECASE)
_NUMBER = r"(\d{1,12}(?:\.\d{1,12})?)"
_PERCENT = re.compile(rf"{_NUMBER}\s*%")
_PART = re.compile(rf"{_NUMBER}\s*/\s*{_NUMBER}")
_FRACTION = re.compile(_NUMBER)
_LONGEST = 4096


def progress_of(lines: Iterable[str]) -> float | None:
    """Return the newest share, from 0 to 1, that these lines tell; None where none does.

    A line is `progress: 40 %`, `progress: 3/10`, `progress: 0.4` or `{"progress": 0.4}`. What is no share of a whole,
    such as 140 %, tells nothing.
    """
    for line in reversed(tuple(lines)):
        text = line.strip()
        if len(text) <= _LONGEST and (share := _share(text)) is not None:
            return share
    return None


def _share(text: str) -> float | None:
    if found := _LINE.fullmatch(text):
        return _read(found[1])
    if not text.startswith("{") or '"progress"' not in text:
        return None
    try:
        told = json.loads(text).get("progress")
    except (ValueError, RecursionError):
        return None
    if isinstance(told, bool) or not isinstance(told, str | int | float):
        return None
    return _read(told.strip()) if isinstance(told, str) else told if 0 <= told <= 1 else None


def _read(text: str) -> float | None:
    if found := _PERCENT.fullmatch(text):
        share = float(found[1]) / 100
    elif found := _PART.fullmatch(text):
        share = float(found[1]) / float(found[2]) if float(found[2]) else -1.0
    elif found := _FRACTION.fullmatch(text):
        share = float(found[1])
    else:
        return None
    return share if 0 <= share <= 1 else None
