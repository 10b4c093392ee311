"""A troubleshooting entry as a screen shows it: why it fits, what was examined, what may help. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from switchover.ui.text.state_words import effect, ending
from switchover.ui.text.styled_line import Line, StyledSpan, cut, indent, wrap

if TYPE_CHECKING:
    from switchover.snapshot import KnownIssueView, SolutionView

__all__ = ["Said", "Takes", "advice_lines", "known_issue_lines", "output_lines", "takes_of"]

RUNNING = "running"


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said; `exit_code` is None while it runs, or waits for its turn (`waits`).

    `shows` says in words what it shows; without, the command speaks for itself. `outdated`: something was done since.
    """

    command: str
    exit_code: int | None = None
    output: str = ""
    waits: bool = False
    solution: bool = False
    shows: str = ""
    outdated: bool = False


class Takes:
    """What a solution takes: nothing, a yes, a text that is typed, or a person's own hands."""

    READ = "at once"
    ASKED = "asks first"
    TYPED = "is typed"
    BY_HAND = "by hand"


def takes_of(solution: SolutionView) -> str:
    """Return what a solution takes."""
    if not solution.command:
        return Takes.BY_HAND
    if solution.confirm_text or solution.irreversible or solution.effect == "destroys":
        return Takes.TYPED
    return Takes.READ if solution.effect == "read" else Takes.ASKED


def advice_lines(trouble: KnownIssueView, width: int, *, busy: int | None = None, can_act: bool = True) -> list[Line]:
    """Write why the entry fits and what may help, the solutions numbered with what each does and takes."""
    width = max(width, 20)
    lines: list[Line] = []
    for why in trouble.because:
        if why:
            lines += [
                (StyledSpan(" because  " if not row else "          ", "muted"), *line)
                for row, line in enumerate(wrap(why, width - 11))
            ]
    if trouble.acts:
        lines += [(), (StyledSpan(" what may help", "heading"),)]
    for number, solution in enumerate(trouble.acts, 1):
        lines += _solution(number, solution, width, busy=busy == number - 1, can_act=can_act)
    return lines


def _solution(number: int, solution: SolutionView, width: int, *, busy: bool, can_act: bool) -> list[Line]:
    takes = takes_of(solution)
    runs = takes != Takes.BY_HAND
    mark = StyledSpan(f" {number} ", "key") if runs and can_act and number <= 9 else StyledSpan(" · ", "muted")
    said = wrap(solution.text, width - 5)
    lines = [(mark if not row else StyledSpan("   "), *line) for row, line in enumerate(said)]
    if not runs:
        return lines
    words, style = effect(solution.effect)
    what: Line = (
        StyledSpan("     "),
        StyledSpan(words, style),
        *((StyledSpan(", cannot be undone", "danger"),) if solution.irreversible else ()),
        StyledSpan(f" · {'runs now …' if busy else takes}", "accent" if busy else "muted"),
    )
    lines.append(what)
    lines += [indent(line, 5) for line in wrap(f"$ {solution.command}", width - 6, "code", limit=3)]
    return lines


def output_lines(said: Sequence[Said], width: int) -> list[Line]:
    """Write what each command said, in their order."""
    width = max(width, 20)
    lines: list[Line] = []
    for one in said:
        mark, style = _mark(one)
        first, *more = one.command.strip().split("\n")
        first += " …" if more else ""
        if one.shows:
            lines.append(
                (
                    StyledSpan(f" {cut(one.shows, max(width - len(mark) - 5, 10))}", "strong"),
                    StyledSpan(f"   {mark}", style),
                )
            )
            lines.append((StyledSpan(f"   $ {cut(first, max(width - 6, 10))}", "muted"),))
        else:
            command = wrap(first, max(width - len(mark) - 7, 10), "strong", limit=4)
            lines.extend((StyledSpan(" $ " if not row else "   ", "muted"), *line) for row, line in enumerate(command))
            lines[-1] = (*lines[-1], StyledSpan(f"   {mark}", style))
        if one.exit_code is not None:
            text = one.output.rstrip("\n").split("\n") if one.output.strip() else ["(no output)"]
            style = "stale" if one.outdated else "text"
            lines.extend(indent(line, 3) for row in text for line in wrap(row, width - 4, style))
        lines.append(())
    return lines


def _mark(one: Said) -> tuple[str, str]:
    if one.outdated and one.exit_code is not None:
        return f"{ending(one.exit_code)}, from before", "stale"
    if one.exit_code is None:
        return ("waits", "muted") if one.waits else ("runs …", "accent")
    if one.exit_code == 0:
        return "exit 0", "outcome-ok"
    if one.exit_code == 124:
        return "cut off", "outcome-warn"
    return ending(one.exit_code), "outcome-crit" if one.solution else "outcome-warn"


def known_issue_lines(trouble: KnownIssueView, width: int) -> list[Line]:
    """Return an entry beside what it is about: what it runs, and what may help."""
    heading = "what the plan knows about this" if trouble.id.startswith("plan:") or not trouble.id else "what it may be"
    lines: list[Line] = [(), (StyledSpan(f" {heading}", "heading"),)]
    lines.extend((StyledSpan("   "), *line) for line in wrap(trouble.symptom, width - 5, "strong"))
    lines.extend(
        (StyledSpan("   because  ", "muted"), *line) for why in trouble.because for line in wrap(why, width - 13)
    )
    lines.extend(
        (StyledSpan("   d runs  ", "muted"), *line)
        for text in trouble.diagnose
        for line in wrap(text, width - 12, "code")
    )
    lines.extend(
        (StyledSpan("   may help  ", "muted"), *line) for text in trouble.solutions for line in wrap(text, width - 14)
    )
    return lines
