"""Which problem shows a check, and which entries fit it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from switchover.snapshot import KnownIssueView, Problem
    from switchover.ui.text.render_context import RenderContext

__all__ = ["entries_of", "entry_of", "problem_of"]


def problem_of(check: str, moment: RenderContext) -> Problem | None:
    """Return the problem that shows a check: its own, else the one that it fails with."""
    problems = moment.data.problems
    own = next((problem for problem in problems if problem.check == check), None)
    return own or next((problem for problem in problems if check in problem.waiting), None)


def entry_of(problem: Problem, moment: RenderContext) -> KnownIssueView | None:
    """Return the entry that fits a problem best."""
    return next(iter(entries_of(problem, moment)), None)


def entries_of(problem: Problem, moment: RenderContext) -> list[KnownIssueView]:
    """Return the entries that fit a problem: the plan's own before those that ship, what names a cause first."""
    known_issues = moment.data.known_issues
    about = problem.service or problem.check or problem.subject
    found = (
        [known_issues[problem.plan_entry]]
        if problem.plan_entry is not None and problem.plan_entry < len(known_issues)
        else []
    )
    shipped = [entry for entry in known_issues if entry.id and not entry.id.startswith("plan:")]
    found += [entry for entry in shipped if problem.known and entry.id == problem.known]
    found += [entry for entry in shipped if about in entry.about and entry not in found]
    return found
