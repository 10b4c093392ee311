"""What is due, and what is overdue. Pure."""

from __future__ import annotations

from switchover.snapshot import MigrationView, PhaseView, StepView
from switchover.ui.text.numbers import age
from switchover.ui.text.styled_line import Line, StyledSpan

__all__ = ["due_line", "group_lines", "overdue"]


def overdue(view: MigrationView, now: float) -> str:
    """Name what should have been through by now; of several, the first and how many more."""
    parts: list[PhaseView | StepView] = []
    for phase in view.phases:
        parts += [phase, *phase.steps]
    late = [
        f"{part.id} is {age(now - part.due_at)} overdue"
        for part in parts
        if part.due_at is not None and part.ended_at is None and part.due_at < now and part.state != "done"
    ]
    if not late or view.ended_at is not None:
        return ""
    return f"! {late[0]}" + (f", {len(late) - 1} more" if len(late) > 1 else "")


def due_line(part: PhaseView | StepView, now: float) -> Line:
    """Say by when a phase or a step should be through, or since when it is late."""
    if part.due_at is None:
        return ()
    end = part.ended_at if part.ended_at is not None else now
    if end <= part.due_at:
        said = "in time" if part.ended_at is not None else f"in {age(part.due_at - now)}"
        return (StyledSpan(" due      ", "muted"), StyledSpan(said))
    said = "late" if part.ended_at is not None else "overdue"
    return (StyledSpan(" due      ", "muted"), StyledSpan(f"{age(end - part.due_at)} {said}", "outcome-warn"))


def group_lines(view: MigrationView, phase_id: str, now: float) -> list[Line]:
    """Return the phases under a heading, each as it stands."""
    from switchover.ui.text.state_words import step

    group = next((phase.group for phase in view.phases if phase.id == phase_id), "")
    lines: list[Line] = [(StyledSpan(f" {group}", "strong"),), ()]
    for phase in view.phases:
        if phase.group == group:
            word = step(phase.state)
            lines.append((StyledSpan(f" {word.glyph} ", word.style), StyledSpan(phase.title or phase.id)))
            if due := due_line(phase, now):
                lines.append((StyledSpan("  "), *due))
    return lines
