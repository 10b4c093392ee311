"""The screen before something that cannot be undone: what goes, what proves the backup, what is no longer possible."""

from __future__ import annotations

from switchover.snapshot import CheckRow, StepView
from switchover.ui.migration.operator_lines import allowed_text, ready_text, word_text
from switchover.ui.text.numbers import age
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.state_words import effect, outcome
from switchover.ui.text.styled_line import Line, StyledSpan, wrap

__all__ = ["confirmation_lines"]


def confirmation_lines(step: StepView, moment: RenderContext, width: int, height: int) -> list[Line]:
    """Everything an operator must have read before the target's name is typed; as much air as there is room for."""
    lines: list[Line] = []
    for roomy, findings in ((True, True), (True, False), (False, False)):
        lines = _write(step, moment, max(width - 4, 10), roomy=roomy, findings=findings)
        if len(lines) <= height:
            break
    return lines


def _write(step: StepView, moment: RenderContext, width: int, *, roomy: bool, findings: bool) -> list[Line]:
    says, _ = effect(step.effect)
    command = [line for text in step.command.strip().split("\n") for line in wrap(text, width, "code")]
    most = 8 if roomy else 3
    sections = (
        ("what happens", wrap(step.blast_radius or says, width, "danger")),
        ("what proves that it may go", _proof(step, moment, width, findings=findings)),
        ("what the way back can no longer do", _lost(step, moment, width)),
        ("what runs", command if len(command) <= most else [*command[: most - 1], (StyledSpan("…", "muted"),)]),
    )
    lines: list[Line] = []
    for title, body in sections:
        if roomy:
            lines.append(())
        lines.append((StyledSpan(f" {title}", "heading"),))
        lines.extend((StyledSpan("   "), *line) for line in body)
    return lines


def _proof(step: StepView, moment: RenderContext, width: int, *, findings: bool) -> list[Line]:
    if not step.confirm_require:
        return [(StyledSpan("! no check is required for this", "outcome-warn"),)]
    checks = {check.name: check for check in moment.data.checks}
    lines: list[Line] = []
    for text in (ready_text(step, moment.now), word_text(step)):
        lines.extend(wrap(text, width, "step-waiting") if text else [])
    for need in step.requirements:
        lines.extend(wrap(f"! {need.name} {allowed_text(need, moment.now)}", width, "outcome-warn"))
    for name in step.confirm_require:
        check = checks.get(name)
        if check is None:
            lines.append((StyledSpan(f"? unkn  {name}: not known", "outcome-unknown"),))
            continue
        lines.extend(_check_proof(check, moment.now, width, findings=findings))
    return lines


def _check_proof(check: CheckRow, now: float, width: int, *, findings: bool) -> list[Line]:
    late = check.observed_at is None or now - check.observed_at > check.stale_after_s
    word = outcome("unknown" if late else check.status)
    seen = "never seen" if check.observed_at is None else f"seen {age(now - check.observed_at)} ago"
    lines: list[Line] = [
        (
            StyledSpan(f"{word.glyph} {word.word}  ", word.style),
            StyledSpan(f"{check.name}  ", "strong"),
            StyledSpan(check.summary),
            StyledSpan(f"  {seen}", "muted"),
        )
    ]
    for finding in check.findings[:5] if findings else ():
        mark = outcome(finding.status)
        text = f"{finding.what}: {finding.observed}" if finding.what else finding.observed
        lines.extend(
            (StyledSpan(f"    {mark.glyph} " if not index else "      ", mark.style), *line)
            for index, line in enumerate(wrap(text, width - 8))
        )
    return lines


def _lost(step: StepView, moment: RenderContext, width: int) -> list[Line]:
    """Say which rollback paths this closes, which stay, and what they cannot bring back."""
    ways = [way for way in moment.data.migration.rollbacks if way.available]
    lines: list[Line] = []
    for way in ways:
        if way.closed_by == step.id:
            lines.extend(wrap(f"{way.name or 'step by step'}: closed for good", width, "danger"))
    stays = [way.name or "step by step" for way in ways if way.closed_by != step.id]
    if not step.rollback and (step.irreversible or step.effect == "destroys"):
        lines.extend(wrap("what this destroys comes back from the backup alone; it has no undo", width, "outcome-warn"))
    if stays:
        says = "still open, but they do not bring it back" if step.irreversible else "still open"
        lines.extend(wrap(f"{says}: {', '.join(stays)}", width, "outcome-warn" if step.irreversible else "text"))
    return lines
