"""The items of a checklist: who ticked each and how it is known, or what it still waits for. Pure."""

from __future__ import annotations

from switchover.snapshot import ChecklistItemView, StepView
from switchover.ui.text.numbers import clock
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.state_words import outcome
from switchover.ui.text.styled_line import Line, StyledSpan, cut, line_width, wrap

__all__ = ["checklist_lines", "item_facts"]

_WANTED = {"none": "", "text": "asks how it is known", "file": "asks for a file", "url": "asks for an address"}


def item_facts(item: ChecklistItemView, moment: RenderContext) -> list[str]:
    """Say of an item who did it and with what; or who should, and what it still waits for."""
    facts = []
    if item.done:
        facts += [f"✗ {item.lost}"] if item.lost else []
        facts.append(f"{item.who} {clock(item.at)}")
        facts += [item.evidence] if item.evidence else []
        facts += [f"{item.file} ({item.sha256[:12]})"] if item.file else []
        return facts
    facts += [item.owner] if item.owner else []
    facts += ["optional"] if item.optional else []
    facts += [_WANTED[item.asks]] if item.asks != "none" else []
    if item.check:
        mark = next((outcome(row.status) for row in moment.data.checks if row.name == item.check), outcome("pending"))
        facts.append(f"{item.check} {mark.glyph} {mark.word}")
    return facts


def checklist_lines(entry: StepView, moment: RenderContext, width: int) -> list[Line]:
    """Return each item in a line, or in two where what is known of it does not fit beside it."""
    lines: list[Line] = []
    for item in entry.checklist:
        mark, style = ("✓", "step-done") if item.done else ("○", "step-waiting")
        facts, told = " · ".join(item_facts(item, moment)), "outcome-crit" if item.lost else "muted"
        head: Line = (StyledSpan(f" {mark} ", style), StyledSpan(cut(item.text, width - 4)))
        if not facts or line_width(head) + len(facts) + 2 <= width:
            lines.append((*head, StyledSpan(f"  {facts}" if facts else "", told)))
        else:
            lines.append(head)
            lines.extend((StyledSpan("     "), *line) for line in wrap(facts, width - 6, told, limit=2))
    return lines
