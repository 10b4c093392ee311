"""A step or a gate beside the tree: what exactly happens, what it touches, the rollback path, what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from switchover.snapshot import GateView, MigrationView, Requirement, RollbackView, StepView
from switchover.ui.migration.checklist_lines import checklist_lines
from switchover.ui.migration.operator_lines import allowed_text, people_text, ready_text, word_text
from switchover.ui.migration.promise_lines import promise_lines
from switchover.ui.migration.wizard import find_step, needs_now, spent, worst_first
from switchover.ui.text.due_lines import due_line
from switchover.ui.text.header_lines import title_rule
from switchover.ui.text.machine_lines import machine_lines
from switchover.ui.text.numbers import age, clock, upright
from switchover.ui.text.render_context import RenderContext
from switchover.ui.text.spark import progress_bar
from switchover.ui.text.state_words import effect, ending, gate, outcome, step
from switchover.ui.text.styled_line import Line, StyledSpan, clean, cut, join, line_width, rule, spread, wrap
from switchover.ui.timeline.event_lines import timeline_lines

__all__ = ["gate_lines", "output_lines", "rollback_summary", "side_lines", "step_lines"]

_BELOW_NEEDS = 7  # lines of a gate beside what it needs: its name, its reason, how long it holds


def step_lines(entry: StepView, moment: RenderContext, width: int, height: int) -> list[Line]:
    """Everything about a step that fits, its newest output last."""
    view = moment.data.migration
    top = _head(entry, moment, width)
    top.extend(_command(entry, width, limit=3 if height < 16 else 10))
    top.extend(_consequences(entry, view, width, roomy=height >= 14))
    top.extend(machine_lines(entry, width, max(height // 3, 3)))
    top.extend(checklist_lines(entry, moment, width))
    if entry.outputs:
        top.append(
            (
                StyledSpan(" gave     ", "muted"),
                StyledSpan(", ".join(f"{name}={value}" for name, value in entry.outputs)),
            )
        )
    undoing = bool(view.output) and find_step(view, view.output_step) is None
    if view.output and (view.output_step == entry.id or undoing):
        room = height - len(top) - 1
        if room >= 1:
            top.append(title_rule(view.output_step, width) if undoing else rule(width))
            top.extend(output_lines(view.output, width, room))
    elif entry.attempts and not entry.checklist:
        top.append((StyledSpan(" output   ", "muted"), StyledSpan("o", "key"), StyledSpan(" shows it", "muted")))
    return top[:height]


def _head(entry: StepView, moment: RenderContext, width: int) -> list[Line]:
    word = step(entry.state)
    time = spent(entry, moment.now)
    said = f"{word.glyph} {word.word}" if entry.state != "running" else word.glyph
    right: list[Line] = []
    if entry.attempts > 1:
        right.append((StyledSpan(f"attempt {entry.attempts}", "muted"),))
    if entry.exit_code is not None and entry.state != "done":
        right.append((StyledSpan(ending(entry.exit_code), word.style),))
    right.append((StyledSpan(f"{said} {upright(time)}" if time is not None else said, word.style),))
    lines = [
        spread(
            (StyledSpan(f" {entry.id}", "strong"), StyledSpan(f"  {entry.title}", "muted")),
            (*join(right), StyledSpan(" ")),
            width,
        )
    ]
    if entry.state == "running" and entry.progress is not None:
        said = f"  {int(entry.progress * 100)} % as it says"
        lines.append((StyledSpan(" "), *progress_bar(entry.progress, _bar(width)), StyledSpan(said, "muted")))
    elif entry.state == "running" and entry.expect_s and time is not None:
        share = time / entry.expect_s
        late = f"longer than the expected {age(entry.expect_s)}" if share > 1 else f"~{age(entry.expect_s - time)} left"
        lines.append(
            (
                StyledSpan(" "),
                *progress_bar(share, _bar(width)),
                StyledSpan(f"  {late}", "outcome-warn" if share > 1 else "muted"),
            )
        )
    waits = ready_text(entry, moment.now)
    if waits:
        lines.append((StyledSpan(" countdown ", "muted"), StyledSpan(waits, "step-waiting")))
    if entry.reason and (not waits or not entry.confirm_text):
        lines.extend((StyledSpan(" "), *line) for line in wrap(entry.reason, width - 2, word.style, limit=3))
    if due := due_line(entry, moment.now):
        lines.append(due)
    for need in entry.requirements:
        said = f"{need.name} {allowed_text(need, moment.now)}"
        lines.extend((StyledSpan(" "), *line) for line in wrap(said, width - 2, "outcome-warn", limit=2))
    if two := word_text(entry):
        lines.extend((StyledSpan(" "), *line) for line in wrap(two, width - 2, "step-waiting", limit=2))
    return lines


def _bar(width: int) -> int:
    return max(min(width - 40, 40), 8)


def _command(entry: StepView, width: int, limit: int) -> list[Line]:
    if not entry.command:
        return []
    texts = list(entry.command.strip("\n").split("\n"))
    lines: list[Line] = []
    for text in texts:
        lines.extend(
            (StyledSpan(" $ " if not lines else "   ", "muted"), *line) for line in wrap(text, width - 4, "code")
        )
    if len(lines) > limit:
        lines = [*lines[: limit - 1], (StyledSpan(f"   … {len(lines) - limit + 1} more lines: o shows all", "muted"),)]
    if entry.env:
        lines.extend(_environment(entry, width))
    return lines


def _environment(entry: StepView, width: int) -> list[Line]:
    text = "  ".join(f"{name}={value}" for name, value in entry.env)
    return [(StyledSpan("   "), *line) for line in wrap(text, width - 4, "muted", limit=2)]


def _consequences(entry: StepView, view: MigrationView, width: int, *, roomy: bool) -> list[Line]:
    says, style = effect(entry.effect)
    does: list[Line] = [(StyledSpan(says, style),)]
    if entry.irreversible:
        does.append((StyledSpan("⚠ cannot be undone", "danger"),))
    lines: list[Line] = [(StyledSpan(" effect   ", "muted"), *join(does, " · "))]
    if entry.blast_radius:
        lines.extend(
            (StyledSpan(" touches  " if not index else " " * 10, "muted"), *line)
            for index, line in enumerate(wrap(entry.blast_radius, width - 11, limit=2))
        )
    undo = entry.undo_note or "no undo of its own"
    if entry.rollback:
        undo = cut(entry.rollback.strip().replace("\n", "; "), max(width - 18, 8))
    takes = f", ~{age(entry.rollback_expect_s)}" if entry.rollback_expect_s else ""
    lines.append((StyledSpan(" undo     ", "muted"), StyledSpan(undo + takes, "text" if entry.rollback else "muted")))
    if entry.run_on:
        lines.insert(0, (StyledSpan(" runs on  ", "muted"), StyledSpan(cut(entry.run_on, width - 11), "strong")))
    lines.extend(_ways(view, width))
    if roomy:
        times = []
        if entry.started_at is not None:
            times.append(f"started {clock(entry.started_at)}")
        if entry.ended_at is not None:
            times.append(f"ended {clock(entry.ended_at)}")
        if entry.timeout_s:
            times.append(f"is stopped after {age(entry.timeout_s)}")
        if entry.expect_s:
            times.append(f"usually {age(entry.expect_s)}")
        if times:
            lines.append((StyledSpan(" time     ", "muted"), StyledSpan(" · ".join(times), "muted")))
    return lines


def _ways(view: MigrationView, width: int) -> list[Line]:
    """Return the rollback paths in one line, or what they lose below them where that does not fit."""
    summary = rollback_summary(view.rollbacks)
    if line_width(summary) + 10 <= width:
        return [(StyledSpan(" way back ", "muted"), *summary)]
    loses = summary[-1] if summary and summary[-1].text.startswith("loses ") else None
    if loses is None:
        return [(StyledSpan(" way back ", "muted"), *summary)]
    below = wrap(loses.text, width - 11, loses.style, limit=2)
    return [(StyledSpan(" way back ", "muted"), *summary[:-2]), *((StyledSpan(" " * 10), *line) for line in below)]


def rollback_summary(ways: Sequence[RollbackView]) -> Line:
    """Say in a line which rollback paths are open now, how long each takes and what it loses."""
    open_ways = [way for way in ways if way.available and way.name] or [way for way in ways if way.available]
    if not open_ways:
        why = next((way.reason for way in ways if way.reason), "nothing to undo yet")
        return (StyledSpan(f"none now: {why}", "muted"),)
    parts: list[Line] = []
    for way in open_ways:
        seconds = way.expect_s if way.expect_s is not None else way.within_s
        parts.append((StyledSpan(f"{way.name or 'step by step'}{f' ~{age(seconds)}' if seconds else ''}", "text"),))
    losses = {way.data_loss for way in open_ways if way.data_loss}
    if losses:
        parts.append((StyledSpan(f"loses {min(losses)}", "outcome-warn"),))
    return join(parts, " · ")


def output_lines(output: Sequence[str], width: int, room: int) -> list[Line]:
    """Return the newest lines of output."""
    if room <= 0:
        return []
    return [(StyledSpan(" "), StyledSpan(cut(clean(line), width - 2), "muted")) for line in output[-room:]]


def gate_lines(entry: GateView, moment: RenderContext, width: int, height: int) -> list[Line]:
    """Return a gate beside the tree: what it needs, each as it stands, and how long it has held."""
    word = gate(entry.state)
    lines: list[Line] = [
        spread(
            (StyledSpan(f" gate of {entry.phase}", "strong"),),
            (StyledSpan(f"{word.glyph} {word.word} ", word.style),),
            width,
        )
    ]
    if entry.reason:
        lines.extend((StyledSpan(" "), *line) for line in wrap(entry.reason, width - 2, word.style, limit=2))
    lines.append(())
    lines += _needs_lines(entry, moment, width, max(height - _BELOW_NEEDS, 3))
    lines += _time_lines(entry, moment, width)
    lines += _person_lines(entry, width)
    return lines[:height]


def _needs_lines(entry: GateView, moment: RenderContext, width: int, room: int) -> list[Line]:
    """Return what the gate needs; the worst first where there is no room for all."""
    needs: Sequence[Requirement] = needs_now(entry, moment)
    lines: list[Line] = []
    if len(needs) > room:
        needs = worst_first(needs)
    for need in needs[:room]:
        mark = outcome(need.status)
        lines.append(
            (
                StyledSpan(f" {mark.glyph} {mark.word:<5}", mark.style),
                StyledSpan(f"{need.name}  ", "strong"),
                StyledSpan(need.summary, "muted"),
            )
        )
        passed = allowed_text(need, moment.now)
        lines.extend(
            (StyledSpan("         "), *line) for line in wrap(passed, width - 10, "outcome-warn", limit=2) if passed
        )
    if len(needs) > room:
        rest = outcome(needs[room].status)
        lines.append((StyledSpan(f" … {len(needs) - room} more, at worst {rest.glyph} {rest.word}", "muted"),))
    if not entry.requirements:
        lines.append((StyledSpan(" no check is required", "muted"),))
    return lines


def _time_lines(entry: GateView, moment: RenderContext, width: int) -> list[Line]:
    """Return how long it has held, since when, what broke it, and when it gives up."""
    lines: list[Line] = []
    if entry.hold_s:
        share = entry.held_s / entry.hold_s
        lines.extend(
            [
                (),
                (
                    StyledSpan(" hold     ", "muted"),
                    *progress_bar(1.0 if entry.state == "passed" else share, max(min(width - 36, 40), 8)),
                    StyledSpan(f"  {upright(entry.held_s)} of {upright(entry.hold_s)}"),
                ),
            ]
        )
    if entry.green_since is not None and entry.state == "holding":
        lines.append((StyledSpan(" green    ", "muted"), StyledSpan(f"since {clock(entry.green_since)}")))
    if entry.hold_s and entry.state != "passed":
        said = "goes on in the agent when this screen is closed; only time that was watched counts"
        lines.extend((StyledSpan(" " * 10), *line) for line in wrap(said, width - 11, "muted"))
    if entry.broken_at is not None and entry.state != "passed":
        broke = f"{clock(entry.broken_at)} {entry.broken_why}"
        lines += _labelled("broke", wrap(broke, width - 11, "outcome-warn", limit=2))
    if entry.deadline_at is not None and entry.state in {"waiting", "holding"}:
        lines.append((StyledSpan(" gives up ", "muted"), StyledSpan(f"in {age(entry.deadline_at - moment.now)}")))
    return lines


def _person_lines(entry: GateView, width: int) -> list[Line]:
    """Return whom it asks, and who has answered."""
    lines: list[Line] = []
    if entry.human:
        lines += _labelled("asks", wrap(entry.human, width - 11))
    if entry.persons > 1 and entry.state != "passed":
        lines += _labelled("persons", wrap(people_text(entry.said_go), width - 11, "step-waiting"))
    if entry.who:
        said = f"{', '.join(entry.who)} (advice that nobody checks)"
        lines += _labelled("who", wrap(said, width - 11, "muted"))
    if entry.answered_by and (entry.persons < 2 or entry.state == "passed"):
        lines.append((StyledSpan(" answered ", "muted"), StyledSpan(entry.answered_by)))
    return lines


def _labelled(label: str, lines: Sequence[Line]) -> Iterator[Line]:
    """Put a label before the first line, and as much room before the others."""
    for index, line in enumerate(lines):
        yield (StyledSpan(f" {label:<9}" if not index else " " * 10, "muted"), *line)


def side_lines(entry: GateView | None, moment: RenderContext, width: int, height: int) -> list[Line]:
    """Return what a wide terminal has room for beside the step: next gate, rollback paths, promises, what happened."""
    view = moment.data.migration
    lines: list[Line] = gate_lines(entry, moment, width, height) if entry is not None else []
    if view.rollbacks:
        lines.extend([(), (StyledSpan(" ways back now", "heading"),)])
    for way in view.rollbacks:
        seconds = way.expect_s if way.expect_s is not None else way.within_s
        mark, style = ("✓", "outcome-ok") if way.available else ("✗", "outcome-skipped")
        time: Line = (StyledSpan(f" ~{age(seconds)} " if seconds else " ", "muted"),)
        lines.append(
            spread(
                (
                    StyledSpan(f" {mark} ", style),
                    StyledSpan(way.name or "step by step", "strong"),
                    StyledSpan(f"  {way.title}", "muted"),
                ),
                time,
                width,
            )
        )
        why = f"loses {way.data_loss}" if way.available and way.data_loss else way.reason
        lines.extend((StyledSpan("     "), *line) for line in wrap(why, width - 6, "outcome-warn", limit=2) if why)
    if view.promises:
        lines.extend([(), (StyledSpan(" promises", "heading"),), *promise_lines(view, width)])
    if moment.data.timeline:
        lines.extend(
            [(), (StyledSpan(" what happened", "heading"),), *timeline_lines(moment.data.timeline, moment.now, width)]
        )
    return lines[:height]
