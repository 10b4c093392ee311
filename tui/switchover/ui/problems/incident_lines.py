"""The incident that is open, in lines. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switchover.ui.text.numbers import age, clock
from switchover.ui.text.styled_line import Line, StyledSpan, indent, join, wrap

if TYPE_CHECKING:
    from switchover.snapshot import IncidentView

__all__ = ["incident_line", "incident_lines", "incident_mark"]


def incident_mark(incident: IncidentView) -> str:
    """Write it in two words, for the header."""
    return f"incident #{incident.id}"


def incident_line(incident: IncidentView, now: float) -> Line:
    """Write it in one line, for the Overview."""
    notes = len(incident.notes)
    return join(
        [
            (StyledSpan(f" ⚑ incident #{incident.id} ", "danger"), StyledSpan(incident.title, "strong")),
            (StyledSpan(f"open {age(now - incident.opened_at)}", "muted"),),
            (StyledSpan(incident.opened_by, "muted"),),
            (StyledSpan(f"{notes} note{'' if notes == 1 else 's'}", "muted"),) if notes else (),
            (StyledSpan(incident.trouble, "danger"),) if incident.trouble else (),
        ],
        " · ",
    )


def incident_lines(incident: IncidentView | None, now: float, width: int) -> list[Line]:
    """Write all of it; without one, what an incident is for."""
    if incident is None:
        text = (
            "No incident is open. An incident keeps what happens from now on (and in the quarter of an hour before) "
            "with what you write down, over restarts, until it is closed into a report of its timeline."
        )
        return [(), *(indent(line, 2) for line in wrap(text, max(width - 4, 20)))]
    lines: list[Line] = [
        (),
        *(indent(line, 1) for line in wrap(incident.title, max(width - 2, 20), "strong")),
        (
            StyledSpan(f" #{incident.id}, open since {clock(incident.opened_at)}", "muted"),
            StyledSpan(f" ({age(now - incident.opened_at)}), by {incident.opened_by}", "muted"),
        ),
        *(indent(line, 1) for line in wrap(incident.trouble, max(width - 2, 20), "danger") if incident.trouble),
        (),
        (StyledSpan(" notes", "heading"),),
    ]
    if not incident.notes:
        lines.append((StyledSpan("   none yet", "muted"),))
    for at, who, text in reversed(incident.notes):
        head = (StyledSpan(f"   {clock(at)} ", "muted"), StyledSpan(f"{who}  ", "accent"))
        said = wrap(text, max(width - 24, 20))
        lines.append((*head, *said[0]))
        lines.extend(indent(line, 14 + len(who)) for line in said[1:])
    return lines
