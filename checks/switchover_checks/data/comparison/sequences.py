"""Is the next number of a sequence free? After a copy the rows are there, and the sequence may stand before them."""

from __future__ import annotations

from switchover_checks.api import Finding, Status
from switchover_checks.data.database import Fill

__all__ = ["judge_fill"]


def judge_fill(table: str, fill: Fill) -> Finding:
    """Judge a column that a sequence fills; a number that is taken already lets the first insert fail."""
    what = f"{table}.{fill.column} sequence"
    last = fill.highest if fill.step > 0 else fill.lowest
    word = "above" if fill.step > 0 else "below"
    expected = f"a next number {word} {last}" if last is not None else "a next number"
    if fill.next is None:
        status = Status.CRIT if fill.trouble == "has no number left" else Status.UNKNOWN
        return Finding(what, expected, f"{fill.sequence} {fill.trouble}", status)
    free = last is None or (fill.next > last if fill.step > 0 else fill.next < last)
    hint = "" if free else f"setval('{fill.sequence}', …) after the copy"
    return Finding.compare(what, expected, f"{fill.sequence} gives {fill.next} next", free, hint)
