"""Which known issues fit now: those of the plan first, then those that ship with the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from switchover.clock import Clock
from switchover.hub.problems.problems import ProblemInputs, evidence_of
from switchover.hub.problems.recogniser import Recogniser
from switchover.migration.facts.display import display
from switchover.plan.conditions import Condition, parse_alternatives
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.model import Solution
from switchover.snapshot import KnownIssueView, Problem, SolutionView
from switchover.triage.entries import KnownIssue, Match
from switchover.triage.evidence import ProblemEvidence
from switchover_checks.api import Status

__all__ = ["Fit", "KnownIssues", "about_of"]

_PLAN = "plan:"


@dataclass(frozen=True, slots=True)
class Fit:
    """What is wrong, and the entries that fit it."""

    problem: Problem
    evidence: ProblemEvidence
    matches: tuple[Match, ...]

    def match(self, entry: str) -> Match | None:
        """Return why an entry fits."""
        return next((found for found in self.matches if found.entry.id == entry), None)


def about_of(problem: Problem) -> str:
    """Name what a problem is about, in requests: the id of a service, else a check, else its subject."""
    return problem.service or problem.check or problem.subject


class KnownIssues:
    """Knows the entries. `fits` is what is wrong now, by what it is about."""

    def __init__(self, loaded: LoadedPlan | None, clock: Clock) -> None:
        self._entries = loaded.plan.troubleshooting if loaded is not None else ()
        self._conditions = [parse_alternatives(t.when) if t.when else () for t in self._entries]
        self._clock = clock
        self._held: dict[int, float] = {}  # since when the condition of an entry of the plan holds, by its number
        self._views: tuple[KnownIssueView, ...] = ()
        self.recognise = Recogniser()
        self.holding: frozenset[str] = frozenset()  # the plan's entries that fit now, by their ids
        self.fits: dict[str, Fit] = {}

    @property
    def subjects(self) -> tuple[tuple[str, ...], ...]:
        """The checks that each entry of the plan is about; none where it names none."""
        return tuple(tuple(one.subject for one in conditions) for conditions in self._conditions)

    def of_plan(self, status_for: Callable[[Condition], Status | None]) -> tuple[KnownIssueView, ...]:
        """Return the plan's entries in their order, each with whether it fits now."""
        mono = self._clock.monotonic()
        for index, conditions in enumerate(self._conditions):
            if not any(one.holds(status_for(one)) for one in conditions):
                self._held.pop(index, None)
            else:
                self._held.setdefault(index, mono)
        views = tuple(
            KnownIssueView(
                trouble.symptom,
                index in self._held and mono - self._held[index] >= conditions[0].hold_s,
                tuple(map(display, trouble.looks)),
                tuple(f"{s.text}: {display(s.run.strip())}" if s.run else s.text for s in trouble.solutions),
                f"{_PLAN}{index}",
                acts=tuple(_shown(solution_view(solution)) for solution in trouble.solutions),
            )
            for index, (trouble, conditions) in enumerate(zip(self._entries, self._conditions, strict=True))
        )
        self.holding = frozenset(view.id for view in views if view.matches)
        return views

    def all_of(
        self, of_plan: Sequence[KnownIssueView], problems: Sequence[Problem], facts: ProblemInputs
    ) -> tuple[KnownIssueView, ...]:
        """Return the plan's entries and those that ship and fit now, each with what it is about."""
        checks = {row.name: row for row in facts.checks}
        services = {row.name: row for row in facts.services}
        services.update((row.id or row.name, row) for row in facts.found)
        self.fits = {}
        about: dict[str, list[tuple[str, str]]] = {}
        known: dict[str, KnownIssue] = {}
        for problem in problems:
            if problem.plan_entry is not None:
                about.setdefault(f"{_PLAN}{problem.plan_entry}", []).append((about_of(problem), ""))
            if not problem.known and problem.plan_entry is None:
                continue
            evidence = evidence_of(problem, checks, services, facts)
            matches = self.recognise(evidence)
            self.fits[about_of(problem)] = Fit(problem, evidence, matches)
            for found in matches:
                known[found.entry.id] = found.entry
                about.setdefault(found.entry.id, []).append((about_of(problem), found.because))
        views = [replace(view, about=tuple(name for name, _ in about.get(view.id, ()))) for view in of_plan]
        views += [
            KnownIssueView(
                entry.symptom,
                matches=True,
                id=name,
                about=tuple(one for one, _ in about[name]),
                because=tuple(why for _, why in about[name]),
            )
            for name, entry in known.items()
        ]
        if tuple(views) != self._views:
            self._views = tuple(views)
        return self._views


def _shown(view: SolutionView) -> SolutionView:
    return replace(view, command=display(view.command))


def solution_view(solution: Solution) -> SolutionView:
    """Return a solution of the plan as it stands there."""
    typed = solution.confirm.text if solution.confirm is not None else ""
    asks = tuple(solution.ask.items())
    return SolutionView(
        solution.text, (solution.run or "").strip(), solution.effect, solution.irreversible, typed, asks
    )
