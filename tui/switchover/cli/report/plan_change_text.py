"""An edited plan in words: what changed, what of it touches what has begun, and what is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchover.locations import Workspace
    from switchover.snapshot import PlanChange, PlanDifference

__all__ = ["difference_text"]


def difference_text(found: PlanDifference, workspace: Workspace, *, lines: bool) -> str:
    """Return the whole of it; with `lines` also the difference line by line."""
    return "\n".join(_text(found, workspace, lines=lines))


def _text(found: PlanDifference, workspace: Workspace, *, lines: bool) -> Iterator[str]:
    path = workspace.plan
    run = f"run {found.run_id}" if found.run_id else "no run yet"
    if found.problems:
        yield f"{path} has errors now" + (
            "; the run goes on by the plan it was started with:" if found.run_open else ":"
        )
        yield from (f"  {problem}" for problem in found.problems)
        return
    if found.same:
        yield f"{run}: the file is the plan that it goes by" if found.run_id else "there is no run that could differ"
        return
    yield f"{run}: {path} was edited since"
    yield from (text for change in found.changes for text in _change(change))
    if not found.changes:
        yield "  only comments or layout differ"
    if lines and found.unified:
        yield ""
        yield from found.unified
    yield ""
    if not found.run_open:
        yield f"the run is over; another begins with the file as it is: `{workspace.command('run')} --new`"
        return
    if found.refused:
        yield "the run cannot go by it:"
        yield from (f"  {text}" for text in found.refused)
        return
    if found.needed:
        asked = " ".join(f"--var {name}=VALUE" for name, _, _ in found.needed)
        yield f"it asks for more: {asked}"
    yield f"let the run go by it: `{workspace.command('rebase')} --reason TEXT`"


_MARKS = {"added": "+", "removed": "-", "changed": "~", "moved": ">"}


def _change(change: PlanChange) -> Iterator[str]:
    name = f" {change.name}" if change.name else ""
    touches = f"; it {change.touches}" if change.touches else ""
    yield f"  {_MARKS[change.kind]} {change.what}{name} {change.kind}{touches}"
    for key, before, after in change.details:
        label = f"{key}: " if key else ""
        yield f"      {label}{_one_line(before) or 'nothing'} → {_one_line(after) or 'nothing'}"


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 90 else f"{flat[:89]}…"
