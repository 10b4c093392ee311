"""An edited plan beside the one that the run goes by: the parts that changed, then the lines."""

from __future__ import annotations

from switchover.snapshot import PlanChange, PlanDifference
from switchover.ui.text.styled_line import Line, StyledSpan, clean, cut, wrap

__all__ = ["difference_lines"]

_MARKS = {"added": ("+", "outcome-ok"), "removed": ("-", "outcome-crit"), "changed": ("~", "outcome-warn")}


def difference_lines(found: PlanDifference, width: int) -> list[Line]:
    """Write all of it, what stands in the way first."""
    if found.problems:
        lines: list[Line] = [
            (StyledSpan(" the edited file has errors; the run goes on by the plan it began with", "danger"),),
            (),
        ]
        for problem in found.problems:
            lines.extend((StyledSpan("   "), *line) for line in wrap(problem, width - 5, "outcome-crit"))
        return lines
    if found.same:
        return [(StyledSpan(" the file is the plan that is in force", "outcome-ok"),)]
    lines = []
    if found.refused:
        lines.append((StyledSpan(" the run cannot go by it", "danger"),))
        for text in found.refused:
            lines.extend((StyledSpan("   "), *line) for line in wrap(text, width - 5, "outcome-crit"))
        lines.append(())
    elif found.needed:
        lines.append((StyledSpan(f" it asks for {', '.join(name for name, _, _ in found.needed)}", "outcome-warn"),))
        lines.append(())
    lines.append((StyledSpan(" what changed", "heading"),))
    for change in found.changes:
        lines.extend(_change(change, width))
    if not found.changes:
        lines.append((StyledSpan("   only comments or layout", "muted"),))
    if found.unified:
        lines.extend([(), (StyledSpan(" line by line", "heading"),)])
        lines.extend((StyledSpan(f" {cut(clean(text), width - 2)}", _line_style(text)),) for text in found.unified)
    return lines


def _change(change: PlanChange, width: int) -> list[Line]:
    mark, style = _MARKS.get(change.kind, (">", "outcome-warn"))
    head: Line = (
        StyledSpan(f" {mark} ", style),
        StyledSpan(f"{change.what} {change.name}".strip(), "strong"),
        StyledSpan(f" {change.kind}"),
    )
    lines: list[Line] = [(*head, StyledSpan(f"  it {change.touches}", "outcome-crit")) if change.touches else head]
    for key, before, after in change.details:
        label = f"{key}: " if key else ""
        was, now = (" ".join(text.split()) or "nothing" for text in (before, after))
        lines.extend(
            (StyledSpan("     "), *line) for line in wrap(f"{label}{was} → {now}", width - 7, "muted", limit=4)
        )
    return lines


def _line_style(text: str) -> str:
    if text.startswith(("+++", "---", "@@")):
        return "muted"
    return "outcome-ok" if text.startswith("+") else "outcome-crit" if text.startswith("-") else "text"
