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
from switchover.plan.loader.defaults import write_defaults
from switchover.plan.loader.document import Document, read_document
from switchover.plan.loader.expansion import expand
from switchover.plan.loader.former_words import refuse_former_words
from switchover.plan.loader.loops import unfold_loops
from switchover.plan.loader.model_reading import read_model
from switchover.plan.loader.plan_content import PlanContent
from switchover.plan.loader.whole_text import join_parts, split_parts
from switchover.plan.model import Plan
from switchover.plan.plan_bytes import decode_plan, read_plan
from switchover.plan.rules import Draft, Names, judge
from switchover_checks.runtime.local_code import LocalCode
from switchover_checks.runtime.registry import Registry

__all__ = ["LoadedPlan", "check_modules", "load_plan", "load_plan_text", "placed"]

_NO_PLAN = "a plan is a mapping of keys: it starts with `schema: 1`, `id: …` and `title: …`"


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A plan that holds together. `text` is its file and those that it brings in, `digest` the SHA-256 of that.

    `directory` is where its paths start.

    `code` is what its check modules are made of: nothing else of them is ever executed.
    """

    plan: Plan
    path: Path
    directory: Path
    text: str
    digest: str
    code: LocalCode = field(default_factory=LocalCode)

    @property
    def content(self) -> PlanContent:
        """What tells it from another content of the same files."""
        own, parts = split_parts(self.text)
        digests = {str((self.directory / name).resolve()): _digest(text) for name, text in parts.items()}
        return PlanContent(_digest(own), self.code, digests)


def load_plan(path: Path, registry: Registry | None = None) -> LoadedPlan:
    """Read and check the plan at `path`. Raise `PlanError` with every problem that it has."""
    return load_plan_text(decode_plan(read_plan(path), path), path, registry)


def load_plan_text(text: str, path: Path, registry: Registry | None = None, *, frozen: bool = False) -> LoadedPlan:
    """Check a plan that is already text. `path` is where it came from.

    Without a registry, the plan's own `check_modules` are read (not executed) from the plan's directory. A `frozen`
    plan was judged when its run started, so only its shape is checked again. A check module edited since, or a stricter
    version of this program, must not shut the way forward or back.
    """
    text, parts = split_parts(text) if frozen else (text, None)
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
    expanded = expand(document, path, parts)
    if expanded.problems:
        raise PlanError(sorted(dict.fromkeys([*problems, *expanded.problems]), key=_order(path)))
    whole = join_parts(text, expanded.parts)
    former = refuse_former_words(document)
    defaults = write_defaults(document)
    loops = unfold_loops(document, looped="each" in whole)
    if loops:
        problems += [placed(document, path, complaint) for complaint in (*former, *defaults, *loops)]
        raise PlanError(_once(problems, path))
    # A section that is there but empty, all of it commented out perhaps, is as good as not there.
    data = {key: value for key, value in document.root.data.items() if value is not None}
    reading = read_model(document, data)
    complaints = [*former, *defaults, *reading.complaints]
    modules = check_modules(reading.plan, directory) if reading.plan is not None else ()
    code = LocalCode.gather(modules, directory)
    if reading.plan is not None and not frozen:
        used = Registry(modules, code) if registry is None else registry
        draft = Draft(reading.plan, Names.of(data), used, data)
        complaints += [c for c in judge(draft) if reading.covers(c.path)]
        problems += [PlanProblem(p.path, p.line, 1 if p.line else 0, "", p.message) for p in used.problems]
    unread = {(line, column) for line, column, _ in document.complaints}  # what cannot be read is not judged again
    for problem in (placed(document, path, complaint) for complaint in complaints):
        if problem.file != str(path) or (problem.line, problem.column) not in unread:
            problems.append(problem)
    if problems or reading.plan is None:
        raise PlanError(_once(problems, path))
    return LoadedPlan(reading.plan, path, directory, whole, hashlib.sha256(whole.encode()).hexdigest(), code)


def placed(document: Document, path: Path, complaint: Complaint) -> PlanProblem:
    """Say where a complaint stands: in the plan, or in a file that it brings in."""
    node = document.node(complaint.path, at_key=complaint.at_key)
    source = node.source if node is not None else None
    file, message = str(path), complaint.message
    if source is not None:
        file, message = str(path.parent / source.file), f"{message} ({source.said})"
    line, column = (node.line, node.column) if node is not None else (0, 0)
    return PlanProblem(file, line, column, format_path(complaint.path), message)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def check_modules(plan: Plan, directory: Path) -> tuple[Path, ...]:
    """Return the files beside the plan that add check kinds."""
    return tuple(directory / module for module in plan.check_modules)


def _once(problems: list[PlanProblem], path: Path) -> list[PlanProblem]:
    """Return each problem once, in order. What is wrong with all members of a loop is one mistake."""
    first: dict[tuple[str, int, int, str], PlanProblem] = {}
    for problem in problems:
        first.setdefault((problem.file, problem.line, problem.column, problem.message), problem)
    return sorted(first.values(), key=_order(path))


def _order(path: Path) -> Callable[[PlanProblem], tuple[bool, str, int, int]]:
    def key(problem: PlanProblem) -> tuple[bool, str, int, int]:
        return (problem.file != str(path), problem.file, problem.line, problem.column)

    return key


def _problem(path: Path, place: tuple[int, int], complaint: Complaint) -> PlanProblem:
    return PlanProblem(str(path), place[0], place[1], format_path(complaint.path), complaint.message)
