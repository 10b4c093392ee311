"""The strict loader: a plan file in, a frozen `LoadedPlan` out, or all that is wrong with it at once.

Loading executes nothing of the plan: no command, no secret, no check module beside it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from switchover.errors import PlanError, PlanProblem
from switchover.plan.document import read_document
from switchover.plan.model import Plan
from switchover.plan.problems import Complaint, format_path
from switchover.plan.source import decode_plan, read_plan

__all__ = ["LoadedPlan", "load_plan", "load_plan_text"]


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A plan that holds together. `digest` is the SHA-256 of the file's bytes, `directory` where its paths start."""

    plan: Plan
    path: Path
    directory: Path
    text: str
    digest: str


def load_plan(path: Path, registry: object | None = None) -> LoadedPlan:
    """Read and check the plan at `path`. Raise `PlanError` with every problem that it has."""
    return load_plan_text(decode_plan(read_plan(path), path), path, registry)


def load_plan_text(text: str, path: Path, registry: object | None = None) -> LoadedPlan:
    """Check a plan that is already text, such as the copy frozen in a run's journal. `path` is where it came from."""
    document = read_document(text.removeprefix("\ufeff"))
    problems = [_problem(path, place[:2], place[2]) for place in document.complaints]
    if document.root is None or problems:
        raise PlanError(problems or [PlanProblem(str(path), 0, 0, "", "the plan is empty")])
    try:
        plan = Plan.model_validate(document.root.data)
    except ValidationError as error:
        raise PlanError(
            [
                _problem(path, document.place(details["loc"]), Complaint(details["loc"], details["msg"]))
                for details in error.errors(include_url=False, include_input=False)
            ]
        ) from None
    return LoadedPlan(plan, path, path.resolve().parent, text, hashlib.sha256(text.encode()).hexdigest())


def _problem(path: Path, place: tuple[int, int], complaint: Complaint) -> PlanProblem:
    return PlanProblem(str(path), place[0], place[1], format_path(complaint.path), complaint.message)
