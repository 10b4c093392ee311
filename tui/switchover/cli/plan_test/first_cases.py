"""Writes the first cases of a plan: the whole way, and each step's failure, as they come out today."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from switchover.cli.plan_test.plan_cases import Given, GivenStep, PlanCase
from switchover.cli.plan_test.stand_ins import sample_of
from switchover.cli.plan_test.walk import Walked, walk
from switchover.plan.loader.load import LoadedPlan
from switchover.plan.model import Plan, Variable

__all__ = ["first_cases"]


async def first_cases(loaded: LoadedPlan, name: str, folder: Path) -> str:
    """Return the text of a first PLAN.test.yaml. Each case says where the run came to."""
    given = Given(vars={key: _sample(one) for key, one in loaded.plan.vars.items() if one.default is None})
    lines = [
        f"# `switchover test {name}`: no command runs, and the clock is a fake.",
        "# Written from what the plan does today: read each case, and say what it should do.",
        "given: # for every case; a check that is not named is OK, a step that is not named ends well",
        f"  vars: {_flow(given.vars)}",
        "",
        "cases:",
        "  the whole way:",
    ]
    lines += _expected(await walk(loaded, PlanCase(given=given), _new(folder, "whole")), loaded.plan)
    for step in loaded.plan.all_steps:
        for result in ("fail", "unknown", "timeout") if not step.checklist else ():
            case = PlanCase(given=given.model_copy(update={"steps": {step.id: GivenStep(result=result)}}))
            walked = await walk(loaded, case, _new(folder, f"{step.id}.{result}"))
            word = {
                "fail": "fails",
                "unknown": "breaks off, and nobody knows how it ended",
                "timeout": "takes too long",
            }
            lines += ["", f"  {step.id} {word[result]}:", f"    given: {{steps: {{{step.id}: {result}}}}}"]
            lines += _expected(walked, loaded.plan)
    return "\n".join(lines) + "\n"


def _new(folder: Path, name: str) -> Path:
    made = folder / name
    made.mkdir()
    return made


def _expected(walked: Walked, plan: Plan) -> Iterator[str]:
    parts = [f"run: {walked.run}"]
    if walked.at:
        parts.append(f"at: {walked.at}")
    if walked.because:
        parts.append(f"because: [{', '.join(map(json.dumps, walked.because))}]")
    after = [step.id for step in plan.all_steps if not walked.state.unit(step.id).began]
    if after and walked.run != "done":
        parts.append(f"not_started: [{after[0]}]")
    if plan.rollbacks:
        parts.append(f"rollbacks: [{', '.join(walked.open_rollbacks)}]")
    yield f"    expect: {{{', '.join(parts)}}}"


def _sample(variable: Variable) -> str:
    return variable.choices[0] if variable.choices else sample_of(variable.type)


def _flow(values: dict[str, str | int | float | bool]) -> str:
    return "{" + ", ".join(f"{key}: {json.dumps(value)}" for key, value in values.items()) + "}"
