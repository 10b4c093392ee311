"""Who asks to take over, and what a person may let pass where the run stands. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from switchover.snapshot.states import NamedStatus
from switchover.ui.migration.wizard import find_gate, find_step, needs_now
from switchover.ui.text.driver_words import person
from switchover.ui.text.numbers import age, clock
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.styled_line import Line, StyledSpan

if TYPE_CHECKING:
    from switchover.snapshot import Header, Requirement, StepView

__all__ = [
    "Blocked",
    "allowed_text",
    "blocked",
    "ready_text",
    "request_lines",
    "word_text",
]

_STANDS = frozenset({"waiting", "holding", "human", "decide", "failed", "pending"})


class Blocked(NamedTuple):
    """A check in the way of the run. `can`: acknowledge, waive."""

    check: str
    status: NamedStatus
    summary: str
    can: tuple[str, ...]


def blocked(moment: RenderContext) -> tuple[Blocked, ...]:
    """Return the checks that are in the way where the run stands, and that a person may let pass."""
    view = moment.data.migration
    if not view.run_id or view.state in {"done", "rolled_back", "aborted"}:
        return ()
    seen = {check.name: check for check in moment.data.checks}
    if view.action.kind == "confirm":
        step = find_step(view, view.action.target)
        passed = {need.name for need in step.requirements if _is_allowed(need, moment.now)} if step else set()
        names = [name for name in step.confirm_require if name not in passed] if step else []
        return tuple(
            Blocked(name, seen[name].status, seen[name].summary, _can(seen[name].status))
            for name in names
            if name in seen
            and _can(seen[name].status)
            and not (step is not None and step.irreversible and seen[name].kind == "backup")
        )
    gate = find_gate(view, view.current_phase)
    if gate is None or gate.state not in _STANDS or view.action.kind not in {"gate", "human", "decide", "wait"}:
        return ()
    return tuple(
        Blocked(need.name, need.status, need.summary, need.can or _can(need.status))
        for need in needs_now(gate, moment)
        if _can(need.status) and not _is_allowed(need, moment.now)
    )


def _can(status: str) -> tuple[str, ...]:
    if status == "warn":
        return ("acknowledge", "waive")
    return ("waive",) if status in {"crit", "unknown", "skipped"} else ()


def _is_allowed(need: Requirement, now: float) -> bool:
    return bool(need.allowed_by) and (need.allowed_until is None or need.allowed_until > now)


def allowed_text(need: Requirement, now: float) -> str:
    """Say who let a requirement pass, why and for how long; empty where nobody did."""
    if not need.allowed_by:
        return ""
    if need.allowed_until is None:
        return f"acknowledged by {need.allowed_by}: {need.allowed_why}"
    if need.allowed_until <= now:
        return f"the waiver of {need.allowed_by} has expired"
    return f"waived by {need.allowed_by} for another {age(need.allowed_until - now)}: {need.allowed_why}"


def ready_text(step: StepView, now: float) -> str:
    """Count down to when a step may run; empty once it may."""
    if step.ready_at is None or step.ready_at <= now:
        return ""
    return f"may run in {age(step.ready_at - now)}, at {clock(step.ready_at)}"


def word_text(step: StepView) -> str:
    """Say whose word a step that needs two people has."""
    if step.persons < 2:
        return ""
    return people_text(step.confirmed_by)


def people_text(given: Sequence[str]) -> str:
    """Say whose word there is of the two that are needed."""
    said = f"{', '.join(given)} has confirmed" if given else "nobody has confirmed yet"
    return f"needs two people, each under an account of their own; {said}"


def request_lines(header: Header, now: float) -> list[Line]:
    """Say who asks to take over, since when, and until when that may be answered."""
    asking = header.asking
    if asking is None:
        return [(StyledSpan(" nobody asks any more", "muted"),)]
    left = max((header.asking_until or now) - now, 0)
    return [
        (
            StyledSpan(f" {person(asking)} asks to take over", "strong"),
            StyledSpan(f"  since {clock(asking.since)}", "muted"),
        ),
        (),
        (StyledSpan(" If you hand over, they drive and you watch. What runs goes on either way.", "text"),),
        (StyledSpan(f" Without an answer within {age(left)} they are refused.", "muted"),),
    ]
