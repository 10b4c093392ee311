"""Times: moments that are none, windows that never come, and what would wait for itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from switchover.plan.complaints import Complaint, Path
from switchover.plan.model import Phase, Step
from switchover.plan.notations import After, Window, parse_moment, parse_window
from switchover.plan.rules.draft import Draft

__all__ = ["times"]

_DAYS_LOOKED_AT = 60


def times(draft: Draft) -> Iterator[Complaint]:
    """Complain about moments and windows of phases and steps."""
    now = datetime.now(UTC).timestamp()
    for p, phase in enumerate(draft.plan.phases):
        path: Path = ("phases", p)
        yield from _moment((*path, "not_before"), phase.not_before, draft)
        yield from _comes(path, phase, now)
        if phase.window is not None and not phase.steps and draft.lacks((*path, "steps", 0)):
            yield Complaint((*path, "window"), "nothing begins in this phase: a window is for steps", at_key=True)
    for path, step in draft.steps():
        if step.confirm is not None:
            yield from _moment((*path, "confirm", "not_before"), step.confirm.not_before, draft)
        yield from _moment((*path, "not_before"), step.not_before, draft)
        yield from _comes(path, step, now)
        phase = draft.plan.phases[int(path[1])]
        if path[-1] == 0 and step.window and phase.window and not _meet(step.window, phase.window, now):
            yield Complaint((*path, "window"), "this window is never open together with that of its phase")


def _comes(path: Path, part: Phase | Step, now: float) -> Iterator[Complaint]:
    if part.window is None:
        return
    window = parse_window(part.window)
    earliest = now
    if part.not_before is not None:
        try:
            moment = parse_moment(part.not_before)
        except ValueError:
            return
        earliest = max(now, moment.timestamp()) if isinstance(moment, datetime) else now
    if window.is_open(earliest) or window.opens_at(earliest) is not None:
        return
    if earliest > now:
        yield Complaint((*path, "window"), f"this window never comes: it closes before {part.not_before}")
    else:
        yield Complaint((*path, "window"), f"this window is over since {_end(window)}")


def _end(window: Window) -> str:
    begins = window.opens_at(0.0)
    ends = window.closes_at(begins) if begins is not None else None
    return datetime.fromtimestamp(ends or 0.0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _meet(one: str, other: str, now: float) -> bool:
    """Whether two windows are ever open at once; each opens anew within a week, but for those of one date."""
    first, second = parse_window(one), parse_window(other)
    for window, against in ((first, second), (second, first)):
        at: float | None = now
        while at is not None and at < now + _DAYS_LOOKED_AT * 86400.0:
            if window.is_open(at) and against.is_open(at):
                return True
            at = window.opens_at(at)
        if at is not None and window.day is not None and against.is_open(at):
            return True
    return False


def _moment(path: Path, text: str | None, draft: Draft) -> Iterator[Complaint]:
    if text is None:
        return
    try:
        moment = parse_moment(text)
    except ValueError as error:
        yield Complaint(path, str(error))
        return
    if not isinstance(moment, After):
        return
    phase_index = int(path[1])
    of_step = "steps" in path
    earlier_phases = list(draft.names.phases[:phase_index])
    if moment.kind == "phase":
        known, earlier = list(draft.names.phases), earlier_phases
    else:
        known = [step for _, step in draft.names.steps]
        own = draft.plan.phases[phase_index]
        earlier = [step for phase, step in draft.names.steps if phase in earlier_phases]
        earlier += [step.id for step in own.steps[: int(path[3])]] if of_step else []
    if moment.name not in known:
        yield from draft.unknown(path, moment.kind, moment.name, known)
    elif moment.name not in earlier:
        what = "step" if of_step else "phase"
        message = f"{moment.kind} {moment.name!r} has not ended when this {what} is reached: it could never start"
        yield Complaint(path, message)
