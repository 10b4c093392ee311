"""What is wrong, as Markdown for a colleague. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from switchover.markdown import plain
from switchover.snapshot import Snapshot
from switchover_checks.language.units import format_duration

__all__ = ["problems_markdown", "timeline_markdown"]


def problems_markdown(snapshot: Snapshot) -> str:
    """Return what is wrong now, worst first, with all that is known of it."""
    return "\n".join(_problems(snapshot)) + "\n"


def timeline_markdown(snapshot: Snapshot) -> str:
    """Return what happened, newest first."""
    lines = ["| time (UTC) | kind | status | what |", "|---|---|---|---|"]
    lines += [
        f"| {_moment(row.at)} | {plain(row.kind)} | {plain(row.status)} | {plain(row.text)} |"
        for row in snapshot.timeline
    ]
    return "\n".join(lines) + "\n"


def _problems(snapshot: Snapshot) -> Iterator[str]:
    header = snapshot.header
    yield f"# What is wrong on {plain(header.host)}, {_moment(snapshot.at)} UTC"
    yield ""
    if header.plan_id:
        target, live = plain(header.target) or "–", plain(header.live_side) or "–"
        yield f"Plan {plain(header.plan_id)}, target {target}, live {live}."
        yield ""
    if not snapshot.problems:
        yield "Nothing."
    entries = {view.id: view for view in snapshot.known_issues}
    for problem in snapshot.problems:
        yield f"## {problem.status}: {plain(problem.subject)}"
        yield ""
        yield f"- what: {plain(problem.what)}"
        if problem.since is not None:
            words = "since at the latest" if problem.or_before else "since"
            yield f"- {words}: {_moment(problem.since)}, {format_duration(max(snapshot.at - problem.since, 0))}"
        if problem.cause:
            yield f"- cause: {plain(problem.cause)}"
        words = "happened nearby" if problem.nearby else "changed before"
        yield from (f"- {words}: {_moment(row.at)} {plain(row.text)}" for row in problem.changed)
        view = entries.get(f"plan:{problem.plan_entry}" if problem.plan_entry is not None else problem.known)
        if view is not None:
            yield f"- entry: {plain(view.symptom)}"
        if problem.known in entries:
            known = entries[problem.known]
            name = problem.service or problem.check or problem.subject
            yield from (
                f"- because: {plain(why)}" for one, why in zip(known.about, known.because, strict=False) if one == name
            )
        if problem.waiting:
            yield f"- waits for it: {plain(', '.join(problem.waiting))}"
        if problem.owner:
            yield f"- owner: {plain(problem.owner)}"
        yield ""
    for note in snapshot.sources:
        yield f"- source {plain(note.name)}: {plain(note.state)} {plain(note.why)}"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
