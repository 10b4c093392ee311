"""What a person may acknowledge or waive, and which problems remain. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from switchover.migration.facts.events import Evidence
from switchover.migration.facts.run_state import Acknowledgement, RunState, Timestamp, Waiver
from switchover.plan.model import Plan
from switchover.snapshot import Requirement
from switchover.snapshot.states import StatusWord

__all__ = ["Judged", "judge", "problem_of", "unwaivable"]

_OPEN_TO_A_PERSON = frozenset({"warn", "unknown"})


@dataclass(frozen=True, slots=True)
class Judged:
    """A look, judged at one place: what stands in the way, and which acknowledgements are over.

    `undecided` are the checks that warn or cannot be known, given only where nothing worse stands in the way.
    """

    problems: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    lapsed: tuple[tuple[str, StatusWord], ...] = ()  # check, what it says now
    requirements: tuple[Requirement, ...] = ()


def problem_of(seen: Evidence) -> str:
    """Return in words why a check is not OK, or nothing."""
    if seen.status == "ok":
        return ""
    if seen.summary.startswith("was not looked at"):
        return f"{seen.check} {seen.summary}"
    word = "warns" if seen.status == "warn" else f"is {seen.status}"
    return f"{seen.check} {word}: {seen.summary}"


def judge(
    seen: Sequence[Evidence], state: RunState, place: str, now: Timestamp, forbidden: frozenset[str] = frozenset()
) -> Judged:
    """Judge the observations for `place` (`gate:PHASE` or `step:ID`). What is `forbidden` nobody can let pass."""
    problems, lapsed, requirements = [], [], []
    open_checks: list[str] = []
    for entry in seen:
        key = (place, entry.check)
        acknowledged, waiver = state.acknowledgements.get(key), state.waivers.get(key)
        if acknowledged is not None and entry.status != "warn":
            lapsed.append((entry.check, entry.status))
            acknowledged = None
        allowed = waiver if waiver is not None and waiver.holds(now) else acknowledged
        if entry.check in forbidden:
            allowed = None
        requirements.append(_requirement(entry, allowed, open_to_a_person=entry.check not in forbidden))
        text = problem_of(entry)
        if not text or allowed is not None:
            continue
        if waiver is not None and not waiver.holds(now):
            text += f" (the waiver of {waiver.by.who} has expired)"
        problems.append(text + _what_helps(entry, place))
        open_checks.append(entry.check if entry.status in _OPEN_TO_A_PERSON else "")
    undecided = tuple(open_checks) if all(open_checks) else ()
    return Judged(tuple(problems), undecided, tuple(lapsed), tuple(requirements))


def unwaivable(plan: Plan, place: str) -> frozenset[str]:
    """Return the checks that nobody can let pass: the backups that a step which cannot be undone rests on."""
    kind, _, name = place.partition(":")
    if kind != "step":
        return frozenset()
    step = plan.step(name)
    if not step.irreversible or step.confirm is None:
        return frozenset()
    return frozenset(c for c in step.confirm.require if c in plan.checks and plan.checks[c].kind == "backup")


def _requirement(entry: Evidence, allowed: Acknowledgement | Waiver | None, *, open_to_a_person: bool) -> Requirement:
    can: tuple[str, ...] = ()
    if entry.status != "ok" and allowed is None and open_to_a_person:
        can = ("acknowledge", "waive") if entry.status == "warn" else ("waive",)
    return Requirement(
        entry.check,
        entry.status,
        entry.summary,
        allowed_by=allowed.by.who if allowed is not None and entry.status != "ok" else "",
        allowed_why=allowed.reason if allowed is not None and entry.status != "ok" else "",
        allowed_until=allowed.until if isinstance(allowed, Waiver) and entry.status != "ok" else None,
        can=can,
    )


def _what_helps(entry: Evidence, place: str) -> str:
    if entry.status == "warn" and place.startswith("gate:"):
        return "; a warning has to be mended, or acknowledged with a reason"
    return ""
