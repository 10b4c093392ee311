"""The strict loader: a plan file in, a frozen `LoadedPlan` out, or all that is wrong with it at once.

Loading executes nothing of the plan: no command, no secret, no check module beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from switchover.errors import PlanError, PlanProblem
from switchover.plan.complaints import Complaint, format_path
from switchover.plan.loader.document import read_document
from switchover.plan.loader.former_words import refuse_former_words
from switchover.plan.loader.model_reading import read_model
from switchover.plan.model import Plan
from switchover.plan.plan_bytes import decode_plan, read_plan
from switchover.plan.rules import Draft, Names, judge
from switchover_checks.runtime.local_code import LocalCode
from switchover_checks.runtime.registry import Registry

__all__ = ["LoadedPlan", "check_modules", "load_plan", "load_plan_text"]

_NO_PLAN = "a plan is a mapping of keys: it starts with `schema: 1`, `id: …` and `title: …`"


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A plan that holds together. `digest` is the SHA-256 of the file's bytes, `directory` where its paths start.

    `code` is what its check modules are made of: nothing else of them is ever executed.
    """

    plan: Plan
    path: Path
    directory: Path
    text: str
    digest: str
    code: LocalCode = field(default_factory=LocalCode)


def load_plan(path: Path, registry: Registry | None = None) -> LoadedPlan:
    """Read and check the plan at `path`. Raise `PlanError` with every problem that it has."""
    return load_plan_text(decode_plan(read_plan(path), path), path, registry)


def load_plan_text(text: str, path: Path, registry: Registry | None = None, *, frozen: bool = False) -> LoadedPlan:
    """Check a plan that is already text. `path` is where it came from.

    Without a registry, the plan's own `check_modules` are read (not executed) from the plan's directory. A `frozen`
    plan was judged when its run started, so only its shape is checked again. A check module edited since, or a stricter
    version of this program, must not shut the way forward or back.
    """
    document = read_document(text.removeprefix("\ufeff"))
    problems = [_problem(path, (line, column), complaint) for line, column, complaint in document.complaints]
    if document.root is None or not isinstance(document.root.data, dict):
        if not problems:
            place = document.place(())
            problems = [
                PlanProblem(
                    str(path),
                    *place,
                    "",
                    "the plan is empty" if document.root is None or document.root.data is None else _NO_PLAN,
                )
            ]
        raise PlanError(problems)
    directory = path.resolve().parent
    former = refuse_former_words(document)
    # A section that is there but empty, all of it commented out perhaps, is as good as not there.
    data = {key: value for key, value in document.root.data.items() if value is not None}
    reading = read_model(document, data)
    complaints = [*former, *reading.complaints]
    modules = check_modules(reading.plan, directory) if reading.plan is not None else ()
    code = LocalCode.gather(modules, directory)
    if reading.plan is not None and not frozen:
        used = Registry(modules, code) if registry is None else registry
        draft = Draft(reading.plan, Names.of(data), used, data)
        complaints += [c for c in judge(draft) if reading.covers(c.path)]
        problems += [PlanProblem(p.path, p.line, 1 if p.line else 0, "", p.message) for p in used.problems]
    unread = {(line, column) for line, column, _ in document.complaints}  # what cannot be read is not judged again
    places = [document.place(c.path, at_key=c.at_key) for c in complaints]
    problems += [_problem(path, at, c) for at, c in zip(places, complaints, strict=True) if at not in unread]
    if problems or reading.plan is None:
        raise PlanError(sorted(dict.fromkeys(problems), key=_order(path)))
    return LoadedPlan(reading.plan, path, directory, text, hashlib.sha256(text.encode()).hexdigest(), code)


def check_modules(plan: Plan, directory: Path) -> tuple[Path, ...]:
    """Return the files beside the plan that add check kinds."""
    return tuple(directory / module for module in plan.check_modules)


def _order(path: Path) -> Callable[[PlanProblem], tuple[bool, str, int, int]]:
    def key(problem: PlanProblem) -> tuple[bool, str, int, int]:
        return (problem.file != str(path), problem.file, problem.line, problem.column)

    return key


def _problem(path: Path, place: tuple[int, int], complaint: Complaint) -> PlanProblem:
    return PlanProblem(str(path), place[0], place[1], format_path(complaint.path), complaint.message)
