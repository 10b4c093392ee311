"""A step on a group of machines, a line for each; the worst first where not all have room."""

from __future__ import annotations

from switchover.snapshot import MachineView, StepView
from switchover.ui.text.state_words import ending, step
from switchover.ui.text.styled_line import Line, StyledSpan, cut, line_width

__all__ = ["machine_lines"]

_WORST = ("unknown", "failed", "running", "pending")


def machine_lines(entry: StepView, width: int, room: int) -> list[Line]:
    """Return how each machine stands, in at most `room` lines."""
    machines = list(entry.machines)
    if len(machines) > room:
        machines.sort(key=lambda one: _WORST.index(one.state) if one.state in _WORST else len(_WORST))
        left = machines[room - 1 :]
        more: Line = (StyledSpan(f"   … {len(left)} more: {_counted(left)}", "muted"),)
        return [*(_line(one, width) for one in machines[: room - 1]), more]
    return [_line(one, width) for one in machines]


def _line(machine: MachineView, width: int) -> Line:
    word = step(machine.state)
    head: Line = (StyledSpan(f" {word.glyph} {word.word:<9}", word.style), StyledSpan(machine.name, "strong"))
    said = machine.reason
    if not said and machine.exit_code:
        said = ending(machine.exit_code)
    room = width - line_width(head) - 3
    return (*head, StyledSpan("  " + cut(said, room), "muted")) if said and room > 8 else head


def _counted(machines: list[MachineView]) -> str:
    words: dict[str, int] = {}
    for machine in machines:
        word = step(machine.state).word
        words[word] = words.get(word, 0) + 1
    return ", ".join(f"{count} {word}" for word, count in words.items())
