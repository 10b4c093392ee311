"""The warnings of a plan that holds together, each with its place in the file."""

from __future__ import annotations

from switchover.errors import PlanProblem
from switchover.plan.loader.defaults import write_defaults
from switchover.plan.loader.document import read_document
from switchover.plan.loader.expansion import expand
from switchover.plan.loader.load import LoadedPlan, check_modules, placed
from switchover.plan.loader.loops import unfold_loops
from switchover.plan.loader.whole_text import split_parts
from switchover.plan.rules import Draft, Names
from switchover.plan.rules.warnings import warn
from switchover_checks.runtime.registry import Registry

__all__ = ["plan_warnings"]


def plan_warnings(loaded: LoadedPlan) -> list[PlanProblem]:
    """Return what is allowed and is often a mistake, in the order of the file. Executes nothing."""
    text, parts = split_parts(loaded.text)
    document = read_document(text.removeprefix("\ufeff"))
    expand(document, loaded.path, parts)
    write_defaults(document)
    unfold_loops(document, looped="each" in loaded.text)
    data = document.root.data if document.root is not None else {}
    registry = Registry(check_modules(loaded.plan, loaded.directory), loaded.code)
    draft = Draft(loaded.plan, Names.of(data), registry, data)
    found = [placed(document, loaded.path, complaint) for complaint in warn(draft)]
    return sorted(found, key=lambda problem: (problem.file != str(loaded.path), problem.file, problem.line))
