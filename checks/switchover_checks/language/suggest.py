"""The nearest correct name for a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(wrong: str, names: Iterable[str]) -> str:
    """Return `; did you mean 'expect'?`, or the possible names when none is near."""
    known = sorted(names)
    near = difflib.get_close_matches(wrong.lower(), [n.lower() for n in known], n=1, cutoff=0.6)
    if near:
        return f"; did you mean {next(n for n in known if n.lower() == near[0])!r}?"
    return f"; possible are {', '.join(known)}" if known else ""
