"""Ways back in words: what one would do, what it loses, and exactly where one that was begun stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from switchover.clock import iso_utc
from switchover_checks.language.units import format_duration as _format

if TYPE_CHECKING:
    from switchover.locations import Workspace
    from switchover.snapshot import Rehearsal, RollbackActionView, RollbackRun, RollbackView

__all__ = ["next_steps", "rehearsal_text", "standing", "time_and_loss"]

_WORDS = {
    "pending": "not begun",
    "running": "runs",
    "done": "undone",
    "failed": "FAILED",
    "unknown": "UNKNOWN",
    "skipped": "skipped",
}


def format_duration(seconds: float) -> str:
    """Write a time so that it can be compared with the time it may take: 1 m 30 s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} m {rest} s" if 0 < minutes < 60 and rest else _format(seconds)


def time_and_loss(way: RollbackView) -> Iterator[str]:
    """Say how long a way back takes, how that is known, whether it is in time, and what it loses."""
    if way.expect_s is None:
        known = "its time is not known: nothing of it was ever measured, and the plan expects nothing"
    else:
        least = "at least " if way.unknown_times else "about "
        source = {"measured": ", as measured before", "expected": ", as the plan expects"}.get(way.expect_from, "")
        rest = f", without {way.unknown_times} action(s) of unknown time" if way.unknown_times else ""
        known = f"takes {least}{format_duration(way.expect_s)}{source}{rest}"
    if way.within_s is not None:
        over = way.expect_s is not None and way.expect_s > way.within_s
        known += f"; within {format_duration(way.within_s)}" + (": it does NOT fit" if over else "")
    yield known
    yield _loss(way.data_loss, way.loses_since, way.loses_after)


def _loss(text: str, since: float | None, after: str) -> str:
    if since is not None:
        return f"loses writes since {iso_utc(since)}, when {after} began" + (f": {text}" if text else "")
    return f"loses: {text}" if text else "loses nothing that is known of"


def rehearsal_text(rehearsal: Rehearsal) -> str:
    """Return all that going this way back would do."""
    return "\n".join(_rehearsal(rehearsal))


def _rehearsal(rehearsal: Rehearsal) -> Iterator[str]:
    way = rehearsal.way
    yield f"{way.name or 'step by step'}: {way.title}"
    if rehearsal.assumed:
        yield "  nothing has begun yet: this is what it would do once every step had"
    if not way.available:
        yield f"  CLOSED: {way.reason}"
    yield from (f"  {line}" for line in time_and_loss(way))
    for number, action in enumerate(rehearsal.actions, 1):
        times = f", about {format_duration(action.expect_s)}" if action.expect_s is not None else ""
        times += " (measured)" if action.measured else ""
        limit = f"; ends after {format_duration(action.timeout_s)} at the latest"
        what = f"undoes {action.undoes}" if action.undoes else action.title or "runs"
        yield f"  {number}. {what}{times}{limit}{'; where it fails it is left out' if action.optional else ''}"
        if action.run_on:
            yield f"    on {action.run_on}"
        yield f"    argv {json.dumps(action.argv, ensure_ascii=False)}"
        if action.env_names:
            yield f"    environment {', '.join(action.env_names)}"
    yield from (f"  ! {text}" for text in way.cannot_undo)
    if rehearsal.verify:
        yield "  afterwards it looks at these checks, which say now:"
        yield from (f"    {need.name}: {need.status}: {need.summary}" for need in rehearsal.verify)
    yield "nothing was executed, and nothing was written"


def standing(run: RollbackRun, now: float) -> str:
    """Return exactly where a rollback stands: each action, the time against what it may take, what cannot be undone."""
    return "\n".join(_standing(run, now))


def _standing(run: RollbackRun, now: float) -> Iterator[str]:
    spent = run.took_s if run.took_s is not None else max(0.0, now - run.started_at)
    ago = "" if run.took_s is not None else " so far"
    yield f"rollback {run.name or 'step by step'}: {run.state}, {_time(spent, run.within_s, ago)}"
    for number, action in enumerate(run.actions, 1):
        yield f"  {number}. {_label(action):<32} {_WORDS.get(action.state, action.state)}{_detail(action)}"
    yield from (f"  ! {text}" for text in run.cannot_undo)
    if run.loses_since is not None or run.data_loss:
        yield f"  {_loss(run.data_loss, run.loses_since, run.loses_after)}"


def _time(spent: float, within: float | None, ago: str) -> str:
    if within is None:
        return f"{format_duration(spent)}{ago}"
    over = f", OVER by {format_duration(spent - within)}" if spent > within else ""
    return f"{format_duration(spent)}{ago} of {format_duration(within)}{over}"


def _label(action: RollbackActionView) -> str:
    return f"undo {action.undoes}" if action.undoes else action.label[:32]


def _detail(action: RollbackActionView) -> str:
    if action.state == "done" and action.took_s is not None:
        return f" in {format_duration(action.took_s)}"
    if action.state in ("failed", "unknown", "skipped"):
        code = f" (exit {action.exit_code})" if action.state == "failed" and action.exit_code is not None else ""
        return f"{code}: {action.reason}" if action.reason else code
    return ""


def next_steps(run: RollbackRun, workspace: Workspace, others: tuple[str, ...]) -> Iterator[str]:
    """Say what can be done with a rollback that stopped half-way."""
    name = f" {run.name}" if run.name else ""
    go_on, go_back = workspace.command("run"), workspace.command("rollback")
    stuck = next((n for n, a in enumerate(run.actions, 1) if a.state in ("failed", "unknown")), None)
    unknown = stuck is not None and run.actions[stuck - 1].state == "unknown"
    if unknown and stuck is not None:
        unit = run.actions[stuck - 1].unit
        yield f"say how it ended: `{go_on} --resolve {unit}=done|failed|retry --reason TEXT`"
    else:
        again = f" --retry {stuck}" if stuck is not None else ""
        yield f"again, from where it stopped: `{go_back}{name}{again}`"
        if stuck is not None:
            by_hand = f"{go_on} --resolve {run.actions[stuck - 1].unit}=done --reason TEXT"
            yield f"was it undone by hand: `{by_hand}`"
    if stuck is not None:
        yield f"leave it out and go on: `{go_back}{name} --skip {stuck} --reason TEXT`"
    for other in others:
        yield f"another way: `{go_back} {other or 'step-by-step'}`"
