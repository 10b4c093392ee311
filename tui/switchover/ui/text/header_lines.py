"""The two lines above every screen: the one that never lies, and the tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from switchover.ui.text.numbers import age, clock, signed
from switchover.ui.text.render_context import AgentLinkState, RenderContext
from switchover.ui.text.state_words import run
from switchover.ui.text.styled_line import Line, StyledSpan, cut, join, line_width, spread
from switchover.ui.text.tabs import TABS, tabs

if TYPE_CHECKING:
    from switchover.snapshot import MigrationView, Snapshot

__all__ = ["freshness", "header_line", "lost_line", "progress", "tab_line", "title_rule"]

_FRESH_S = 2.0  # data that is younger counts as the present: a number that ticks all the time says nothing
_SHORT = {tab.name: tab.short for tab in tabs()}


def progress(view: MigrationView) -> tuple[int, int]:
    """Count the steps that need nothing more, and all steps."""
    steps = [step for phase in view.phases for step in phase.steps]
    return sum(step.state in {"done", "skipped"} for step in steps), len(steps)


def freshness(moment: RenderContext) -> Line:
    """Say how old the data is, or since when it is no longer true."""
    if moment.link.state is AgentLinkState.STARTING and moment.snapshot is None:
        return (StyledSpan("○ starting", "late"),)
    if moment.link.state is AgentLinkState.STOPPED:
        return (StyledSpan(f"✗ agent stopped {clock(moment.link.since)}", "late"),)
    if moment.link.state is AgentLinkState.LOST:
        return (StyledSpan(f"✗ agent lost {clock(moment.link.since)}", "late"),)
    if moment.snapshot is None:
        return (StyledSpan("○ no data yet", "late"),)
    if moment.stale:
        return (StyledSpan(f"✗ stale since {clock(moment.now - moment.silent_s)}", "late"),)
    old = f"{moment.silent_s:.0f} s" if moment.silent_s >= _FRESH_S else "now"
    return (StyledSpan("●", "fresh"), StyledSpan(f" {old}", "header"))


def _run(view: MigrationView, *, named: bool = True) -> Line:
    """Say which run it is and where it stands."""
    if not view.phases:
        return (StyledSpan("no migration", "header"),)
    if view.rolling_back:
        return (StyledSpan(f"↶ rolling back {view.rolling_back}", "step-rolled-back"),)
    word = run(view.state, view.action.kind)
    done, total = progress(view)
    where = f" {view.current_phase}" if view.current_phase and view.state in {"running", "waiting", "failed"} else ""
    name = f"run {cut(view.run_id, 8)} " if named and view.run_id else ""
    said = "" if view.state == "running" else "waits" if view.state == "waiting" else word.word
    return (
        StyledSpan(name, "header"),
        StyledSpan(f"{word.glyph} {said}{where} {done}/{total}".replace("  ", " "), word.style),
    )


def _target(snapshot: Snapshot) -> Line:
    header = snapshot.header
    if not header.target:
        return ()
    if header.production:
        return (StyledSpan(f" {header.target} ", "header-production"),)
    return (StyledSpan(header.target, "strong"),)


def header_line(moment: RenderContext, width: int) -> Line:
    """Write the first line: plan, target, run, live side, who drives it, how fresh. What matters less leaves first."""
    snapshot = moment.snapshot
    fresh = freshness(moment)
    if snapshot is None:
        return spread((StyledSpan(" switchover", "header-name"),), (*fresh, StyledSpan(" ")), width)
    header = snapshot.header
    plan: Line = (StyledSpan(header.plan_id or header.host or "this host", "strong"),)
    marks = [
        (StyledSpan(f"incident #{snapshot.incident.id}", "late"),) if snapshot.incident else (),
        (StyledSpan("read-only", "late"),) if header.read_only else (),
        (StyledSpan("plan edited", "late"),) if header.plan_edited else (),
        (StyledSpan(f"{header.asking.who} asks to take over: T", "late"),) if header.asking else (),
    ]
    live: Line = (StyledSpan(f"live {header.live_side}", "header"),) if header.live_side else ()
    drives = header.driver or header.holder
    holder: Line = (StyledSpan(f"{drives.who}@{drives.host}", "header"),) if drives else ()
    if moment.watching:
        holder = (StyledSpan(f"{moment.watching.partition(' ')[0]} drives", "late"),)
    name: Line = (StyledSpan("switchover", "header-name"),)
    run = _run(snapshot.migration)
    variants = (
        ((name, plan), (run, live, holder)),
        ((plan,), (run, live, holder)),
        ((plan,), (_run(snapshot.migration, named=False), live, holder)),
        ((plan,), (_run(snapshot.migration, named=False), live)),
        ((plan,), (_run(snapshot.migration, named=False),)),
    )
    line: Line = ()
    for left_parts, right_parts in variants:
        title = join([*left_parts, join([*marks])])
        target = _target(snapshot)
        left = (StyledSpan(" "), *join([title, target], " · " if not header.production else "  "))
        slow: Line = (StyledSpan(moment.terminal, "late"),) if moment.terminal else ()
        right = (*join([*right_parts, slow, fresh], "   "), StyledSpan(" "))
        line = spread(left, right, width)
        if line_width(left) + line_width(right) + 1 <= width:
            break
    return line


def _badges(snapshot: Snapshot) -> dict[str, Line]:
    """Say beside each tab what one would look there for."""
    badges: dict[str, Line] = {}
    services = snapshot.services
    if services:
        wanted = [service for service in services if service.health not in {"pending", "skipped"}]
        up = sum(service.state == "running" and service.health == "ok" for service in wanted)
        if wanted:
            badges["services"] = (StyledSpan(f"{up}/{len(wanted)}", "tab" if up == len(wanted) else "outcome-warn"),)
    elif snapshot.found:
        unwell = sum(service.health in {"crit", "unknown", "warn"} for service in snapshot.found)
        well = StyledSpan(f"{len(snapshot.found):,}", "tab")  # nobody says which of them have to run
        badges["services"] = (StyledSpan(f"!{unwell}", "outcome-warn"),) if unwell else (well,)
    counts = {
        status: sum(check.status == status for check in snapshot.checks) for status in ("crit", "unknown", "warn")
    }
    marks = [("crit", "✗", "outcome-crit"), ("unknown", "?", "outcome-unknown"), ("warn", "!", "outcome-warn")]
    badges["checks"] = join(
        [(StyledSpan(f"{glyph}{counts[status]}", style),) for status, glyph, style in marks if counts[status]], " "
    ) or ((StyledSpan("✓", "outcome-ok"),) if _all_fine(snapshot) else ())
    if snapshot.costs.difference:
        badges["costs"] = (StyledSpan(signed(snapshot.costs.difference), "tab"),)
    if snapshot.migration.phases:
        word = run(snapshot.migration.state, snapshot.migration.action.kind)
        badges["migration"] = (StyledSpan(word.glyph, word.style),)
    return badges


def _all_fine(snapshot: Snapshot) -> bool:
    """Say whether each check that is watched was probed and is fine. No check at all is not fine."""
    watched = [check for check in snapshot.checks if not check.resting]
    return bool(watched) and all(check.status == "ok" for check in watched)


def tab_line(snapshot: Snapshot | None, active: str, width: int) -> Line:
    """Write the tabs with their number keys; names get shorter where there is little room."""
    badges = _badges(snapshot) if snapshot is not None else {}
    line: Line = ()
    for names, without, gap in (
        ({}, set(), "  "),
        ({}, {"costs"}, " "),
        (_SHORT, {"costs"}, " "),
        (_SHORT, {"costs", "services", "migration"}, " "),
        ({tab: "" for tab in TABS if tab != active}, {"costs", "services", "migration"}, " "),
    ):
        parts: list[Line] = []
        for number, tab in enumerate(TABS, 1):
            name = names.get(tab, tab.capitalize())
            label = f"{number} {name}" if name else f"{number}"
            badge = () if tab in without else badges.get(tab, ())
            style = "tab-active" if tab == active else "tab"
            tail: Line = (StyledSpan(" ", style), *badge) if badge else ()
            if tab == active:
                tail = tuple(StyledSpan(span.text, "tab-active") for span in tail)
                parts.append((StyledSpan(f" {label}", style), *tail, StyledSpan(" ", style)))
            else:
                parts.append((StyledSpan(f" {label}", style), *tail, StyledSpan(" ", style)))
        line = join(parts, gap[1:] if len(gap) > 1 else "", "tab")
        if line_width(line) <= width:
            break
    return line


def lost_line(moment: RenderContext) -> Line:
    """Say under the tabs that nothing shown is the present, and why."""
    if not moment.stale:
        return ()
    if moment.link.state is AgentLinkState.STOPPED:
        text = f" the agent was {moment.link.why} at {clock(moment.link.since)}; all below is from before"
    elif moment.link.state is AgentLinkState.LOST:
        why = f": {moment.link.why}" if moment.link.why else ""
        text = f" agent lost since {clock(moment.link.since)}, reconnecting; all below is from before{why}"
    else:
        text = f" the agent says nothing since {age(moment.silent_s)}; all below is from before"
    return (StyledSpan(text, "late"),)


def title_rule(title: str, width: int) -> Line:
    """Draw a rule that begins with a title."""
    named = cut(title, max(width - 6, 1))
    line: Line = (StyledSpan("─ ", "rule"), StyledSpan(named, "strong"), StyledSpan(" ", "rule"))
    return (*line, StyledSpan("─" * max(width - line_width(line), 0), "rule"))
