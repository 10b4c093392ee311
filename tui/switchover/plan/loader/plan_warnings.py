"""The warnings of a plan that holds together, each with its place in the file."""

from __future__ import annotations

from switchover.errors import PlanProblem
from switchover.plan.complaints import format_path
from switchover.plan.loader.document import read_document
from switchover.plan.loader.load import LoadedPlan, check_modules
from switchover.plan.rules import Draft, Names
from switchover.plan.rules.warnings import warn
from switchover_checks.runtime.registry import Registry

__all__ = ["plan_warnings"]


def plan_warnings(loaded: LoadedPlan) -> list[PlanProblem]:
    """Return what is allowed and is often a mistake, in the order of the file. Executes nothing."""
    document = read_document(loaded.text.removeprefix("\ufeff"))
    data = document.root.data if document.root is not None else {}
    registry = Registry(check_modules(loaded.plan, loaded.directory), loaded.code)
    found = []
    for complaint in warn(Draft(loaded.plan, Names.of(data), registry, data)):
        place = document.place(complaint.path, at_key=complaint.at_key)
        found.append(PlanProblem(str(loaded.path), *place, format_path(complaint.path), complaint.message))
    return sorted(found, key=lambda problem: (problem.line, problem.column))
