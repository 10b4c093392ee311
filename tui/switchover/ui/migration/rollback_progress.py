"""A rollback in words: its time and losses, how far a begun one is, and its rehearsal."""

from __future__ import annotations

import shlex

from switchover.snapshot import Rehearsal, RollbackActionView, RollbackRun, RollbackView
from switchover.ui.text.numbers import age, clock
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.state_words import ending, outcome
from switchover.ui.text.state_words import step as step_word
from switchover.ui.text.styled_line import Line, StyledSpan, cut, spread, wrap

__all__ = ["loss", "rehearsal_lines", "standing_lines", "time_text"]

_WORDS = {"done": "undone", "pending": "not begun"}

_SHELL = ("/bin/sh", "-e", "-c")


def time_text(way: RollbackView) -> tuple[str, bool]:
    """Say how long a rollback path takes, how that is known, and whether it fits into its time."""
    if way.expect_s is None:
        text = "time not known"
    else:
        text = f"{'at least ' if way.unknown_times else '~'}{_span(way.expect_s)}"
        text += {"measured": " measured", "expected": " expected"}.get(way.expect_from, "")
    over = way.expect_s is not None and way.within_s is not None and way.expect_s > way.within_s
    if way.within_s is not None:
        text += f" of {_span(way.within_s)}" + (", too long" if over else "")
    return text, over


def _span(seconds: float) -> str:
    """Write a time so that it can be compared with the time it may take: 1 m 30 s."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} m {rest} s" if 0 < minutes < 60 and rest else age(seconds)


def loss(text: str, since: float | None, after: str) -> str:
    """Say what is lost; empty where nothing is known to be."""
    if since is not None:
        return f"writes since {clock(since)}, when {after} began" + (f": {text}" if text else "")
    return text


def standing_lines(run: RollbackRun, moment: RenderContext, width: int, *, keys: bool = True) -> list[Line]:
    """Write each action of a rollback with how it stands, its time, and what to do next."""
    spent = run.took_s if run.took_s is not None else max(moment.now - run.started_at, 0.0)
    time: Line = (StyledSpan(f"{_span(spent)} "),)
    if run.within_s is not None:
        over = spent > run.within_s
        word = f"of {_span(run.within_s)}" + (f", OVER by {_span(spent - run.within_s)} " if over else " ")
        time = (StyledSpan(f"{_span(spent)} {word}", "danger" if over else "text"),)
    mark = step_word("rolled_back" if run.state == "done" else run.state if run.state != "stopped" else "waiting")
    state = {"done": "through", "stopped": "stopped, enter goes on"}.get(run.state, run.state)
    lines: list[Line] = [
        spread(
            (StyledSpan(f" ↶ back: {run.name or 'step by step'}  ", "strong"), StyledSpan(state, mark.style)),
            time,
            width,
        ),
        (),
    ]
    for number, action in enumerate(run.actions, 1):
        lines.extend(_action(number, action, width))
        if action.state == "failed" and moment.data.migration.output_step == action.unit:
            said = moment.data.migration.output[-4:]
            lines.extend((StyledSpan("    │ ", "muted"), StyledSpan(cut(text, width - 8))) for text in said)
    for text in run.cannot_undo:
        lines.extend((StyledSpan(" "), *line) for line in wrap(f"! {text}", width - 2, "danger"))
    if lost := loss(run.data_loss, run.loses_since, run.loses_after):
        lines.extend((StyledSpan(" "), *line) for line in wrap(f"loses {lost}", width - 2, "outcome-warn"))
    for need in run.verify if run.state == "done" else ():
        mark = outcome(need.status)
        lines.append(
            (
                StyledSpan(f" {mark.glyph} {mark.word}  ", mark.style),
                StyledSpan(cut(f"{need.name} {need.summary}", width - 12)),
            )
        )
    if keys and run.state in {"failed", "unknown"}:
        said_keys = "enter: again, or leave it out with a reason · R: another way back"
        lines.extend([(), *((StyledSpan(" "), *line) for line in wrap(said_keys, width - 2, "muted"))])
    return lines


def _action(number: int, action: RollbackActionView, width: int) -> list[Line]:
    word = step_word(action.state)
    name = f"undo {action.undoes}" if action.undoes else action.label
    took = age(action.took_s) if action.took_s is not None else f"~{_span(action.expect_s)}" if action.expect_s else ""
    code = f" {ending(action.exit_code)}" if action.state == "failed" and action.exit_code is not None else ""
    right: Line = (
        StyledSpan(f"{word.glyph} {_WORDS.get(action.state, word.word)}{code}", word.style),
        StyledSpan(f" {took:>5} ", "muted"),
    )
    lines = [spread((StyledSpan(f" {number}. ", "muted"), StyledSpan(cut(name, max(width - 28, 8)))), right, width)]
    if action.reason and action.state in {"failed", "unknown", "skipped"}:
        lines.extend((StyledSpan("    "), *line) for line in wrap(action.reason, width - 6, "muted", limit=3))
    return lines


def rehearsal_lines(rehearsal: Rehearsal, width: int) -> list[Line]:
    """Write all that taking a rollback path would do."""
    way = rehearsal.way
    text, over = time_text(way)
    lines: list[Line] = [(StyledSpan(f" {way.name or 'step by step'}  ", "strong"), StyledSpan(way.title, "muted")), ()]
    if not way.available:
        lines.extend((StyledSpan(" "), *line) for line in wrap(f"closed: {way.reason}", width - 2, "danger"))
    lines.append((StyledSpan(" takes ", "muted"), StyledSpan(text, "danger" if over else "text")))
    lost = loss(way.data_loss, way.loses_since, way.loses_after) or "nothing that is known of"
    lines.extend((StyledSpan(" loses ", "muted"), *line) for line in wrap(lost, width - 8, "outcome-warn"))
    for number, action in enumerate(rehearsal.actions, 1):
        time = (
            f"~{_span(action.expect_s)}{' measured' if action.measured else ''}" if action.expect_s is not None else ""
        )
        what = f"undoes {action.undoes}" if action.undoes else action.title or "runs"
        what += ", where it fails left out" if action.optional else ""
        lines.extend(
            [
                (),
                spread(
                    (StyledSpan(f" {number}. ", "muted"), StyledSpan(cut(what, width - 18), "strong")),
                    (StyledSpan(f"{time} ", "muted"),),
                    width,
                ),
            ]
        )
        is_shell = action.argv[:-1] == _SHELL
        if is_shell:
            lines.append((StyledSpan("    ", "muted"), StyledSpan(" ".join(_SHELL), "muted")))
        text = action.argv[-1] if is_shell else shlex.join(action.argv)
        for part in text.strip().split("\n"):
            lines.extend((StyledSpan("      "), *line) for line in wrap(part, width - 8, "code"))
        if action.env_names:
            lines.append(
                (StyledSpan("    environment ", "muted"), StyledSpan(cut(", ".join(action.env_names), width - 18)))
            )
    if way.cannot_undo:
        lines.append(())
        for entry in way.cannot_undo:
            lines.extend((StyledSpan(" "), *line) for line in wrap(f"! {entry}", width - 2, "danger"))
    if rehearsal.verify:
        lines.extend([(), (StyledSpan(" afterwards it looks at these, which say now", "muted"),)])
        for need in rehearsal.verify:
            mark = outcome(need.status)
            lines.append(
                (
                    StyledSpan(f"  {mark.glyph} {mark.word}  ", mark.style),
                    StyledSpan(cut(f"{need.name}  {need.summary}", width - 14)),
                )
            )
    lines.extend([(), (StyledSpan(" nothing was executed, and nothing was written", "muted"),)])
    return lines
