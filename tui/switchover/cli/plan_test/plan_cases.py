"""What PLAN.test.yaml says: what is given in each case, and what is expected of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from switchover.errors import PlanError, PlanProblem
from switchover.plan.complaints import near_or_all, unknown_name
from switchover.plan.field_types import Model, Span
from switchover.plan.loader.document import Document, read_document
from switchover.plan.members.member_names import base_name
from switchover.plan.model import Plan
from switchover.plan.plan_bytes import decode_plan, read_plan

__all__ = ["Expected", "Given", "GivenCheck", "GivenStep", "PlanCase", "Then", "cases_file", "read_cases"]

StatusWord = Literal["OK", "WARN", "CRIT", "UNKNOWN", "SKIPPED"]
Ending = Literal["ok", "fail", "unknown", "timeout"]
_MOST_CASES = 10_000


class GivenCheck(Model):
    """What a check says: one status after the other at each look, the last one ever after."""

    status: tuple[StatusWord, ...] = ("OK",)
    observed: str = ""
    metrics: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _from_words(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"status": [value]}
        if isinstance(value, list):
            return {"status": value}
        if isinstance(value, dict) and isinstance(value.get("status"), str):
            return {**value, "status": [value["status"]]}
        return value


class GivenStep(Model):
    """How a step ends, how long it takes by the clock of the case, and what it prints."""

    result: Ending = "ok"
    takes: Span = 1.0
    outputs: dict[str, str | int | float | bool] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"result": value} if isinstance(value, str) else value


class Given(Model):
    """What is given. What is not named is fine: a check is OK, a step ends well, a person says yes."""

    vars: dict[str, str | int | float | bool] = Field(default_factory=dict)
    checks: dict[str, GivenCheck] = Field(default_factory=dict)
    steps: dict[str, GivenStep] = Field(default_factory=dict)
    human: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    confirm: Literal["typed", "refused"] | None = None


class Then(Model):
    """What a person does once the run has stopped."""

    rollback: str | None = None
    resolve: dict[str, str] = Field(default_factory=dict)
    abort: bool = False


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Expected(Model):
    """How a case is to come out; what is not said is not looked at."""

    run: Literal["done", "waiting", "asks", "stopped", "rolled_back", "aborted"] | None = None
    at: str | None = None
    because: Names | None = None
    not_started: Names = ()
    started: Names = ()
    offers: Names | None = None
    rollbacks: Names | None = None
    loses: bool | None = None
    ran: Names = ()
    asked: Names = ()
    proved: Names | None = None
    cost_after: str | None = None


class PlanCase(Model):
    """One walk through the plan. `name` and `line` tell where it stands."""

    given: Given = Given()
    then: Then = Then()
    expect: Expected = Expected()
    name: str = ""
    line: int = 0


class _TestFile(Model):
    given: Given = Given()
    cases: dict[str, PlanCase] = Field(default_factory=dict)


def cases_file(plan: Path) -> Path:
    """Return where the cases of a plan stand: beside it."""
    return plan.with_name(f"{plan.stem}.test.yaml")


def read_cases(path: Path, plan: Plan) -> tuple[PlanCase, ...]:
    """Read the cases. Raise `PlanError` with all that is wrong, each at its line."""
    document = read_document(decode_plan(read_plan(path), path).removeprefix("\ufeff"))
    problems = [PlanProblem(str(path), line, column, "", c.message) for line, column, c in document.complaints]
    root = document.root
    if problems or root is None or not isinstance(root.data, dict):
        raise PlanError(problems or [PlanProblem(str(path), 1, 1, "", "expected `given:` and `cases:`")])
    try:
        read = _TestFile.model_validate(root.data)
    except ValidationError as error:
        raise PlanError([_problem(path, document, one) for one in error.errors(include_url=False)]) from None
    problems = [
        PlanProblem(str(path), *document.place(place, at_key=True), ".".join(map(str, place)), message)
        for place, message in _unknown(read, plan)
    ]
    if not read.cases or len(read.cases) > _MOST_CASES:
        problems.append(PlanProblem(str(path), 1, 1, "cases", f"expected 1 to {_MOST_CASES:,} cases under `cases:`"))
    if problems:
        raise PlanError(problems)
    return tuple(
        case.model_copy(
            update={
                "given": _merged(read.given, case.given),
                "name": name,
                "line": document.place(("cases", name), at_key=True)[0],
            }
        )
        for name, case in read.cases.items()
    )


def _merged(common: Given, own: Given) -> Given:
    """Return what is given in a case: for every case, and what this one says otherwise."""
    return Given(
        vars={**common.vars, **own.vars},
        checks={**common.checks, **own.checks},
        steps={**common.steps, **{name: _step(common.steps.get(name), step) for name, step in own.steps.items()}},
        human={**common.human, **own.human} if "*" not in own.human else own.human,
        confirm=own.confirm or common.confirm,
    )


def _step(common: GivenStep | None, own: GivenStep) -> GivenStep:
    if common is None:
        return own
    return common.model_copy(update={key: getattr(own, key) for key in own.model_fields_set})


def _problem(path: Path, document: Document, error: Any) -> PlanProblem:
    place: tuple[str | int, ...] = ()
    for part in error["loc"]:
        if document.known_part((*place, part)) == (*place, part):
            place = (*place, part)
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = f"unknown key{near_or_all(str(error['loc'][-1]), _keys(error['loc'][:-1]))}"
    elif error["type"] == "literal_error":
        message = f"expected {error['ctx']['expected']}, found {error['input']!r}"
    at = document.place(place, at_key=error["type"] == "extra_forbidden")
    return PlanProblem(str(path), *at, ".".join(map(str, place)), message)


def _keys(place: tuple[str | int, ...]) -> tuple[str, ...]:
    models: Mapping[str, type[Model]] = {"given": Given, "expect": Expected, "then": Then}
    last = next((models[str(part)] for part in reversed(place) if part in models), None)
    if last is Given and place and place[-1] != "given":
        last = GivenStep if "steps" in place else GivenCheck
    return tuple((last or (PlanCase if "cases" in place else _TestFile)).model_fields)


def _unknown(read: _TestFile, plan: Plan) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what names no part of the plan."""
    steps, phases = [step.id for step in plan.all_steps], [phase.id for phase in plan.phases]
    parts = [*plan.checks, *plan.services, *plan.metrics]
    parts += [f"{name}[{one}]" for name, check in plan.checks.items() for one in _each(check.service)]
    parts += {base_name(part) for part in parts}  # of a loop, all members
    looped = [*steps, *{base_name(step) for step in steps}]
    ways = plan.rollbacks.items()
    actions = [f"{name}.{n + 1}" for name, way in ways for n in range(len(way.steps))]
    undone = [f"undo.{step}" for step in steps]
    for place, given in [(("given",), read.given), *((("cases", n, "given"), c.given) for n, c in read.cases.items())]:
        for key, what, known in (
            ("vars", "variable", [*plan.vars]),
            ("checks", "check or service", parts),
            ("steps", "step", [*looped, *actions, *undone]),
            ("human", "phase or step", ["*", *phases, *looped]),
        ):
            for name in getattr(given, key):
                if name not in known:
                    yield (*place, key, name), unknown_name(what, name, known)
    for name, case in read.cases.items():
        expected = case.expect
        for key, what, known in (
            ("not_started", "step", looped),
            ("started", "step", looped),
            ("rollbacks", "rollback", [*plan.rollbacks]),
        ):
            for one in getattr(expected, key) or ():
                if one not in known:
                    yield ("cases", name, "expect", key), unknown_name(what, one, known)
        places = [*steps, *(f"{phase}.gate" for phase in phases), *actions, *undone]
        places += [f"{phase.id}.{step.id}" for phase in plan.phases for step in phase.steps]
        if expected.at is not None and expected.at not in places:
            yield ("cases", name, "expect", "at"), unknown_name("step or PHASE.gate", expected.at, places)
        if case.then.rollback not in (None, "", *plan.rollbacks):
            yield ("cases", name, "then", "rollback"), unknown_name("rollback", str(case.then.rollback), plan.rollbacks)


def _each(service: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return service if isinstance(service, tuple) else ()
