"""Defaults of a plan and of a phase count where a step or check says nothing itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.load import load_plan_text
from switchover.plan.model import Plan

PLAN = """schema: 1
id: p
title: P
defaults:
  steps: {effect: changes, timeout: 5m, on_unknown: rerun, cwd: /srv, env: {A: plan, B: plan}}
  checks: {every: 30s, timeout: 3s}
checks:
  up: {kind: tcp, port: 1}
  own: {kind: tcp, port: 2, every: 1s}
phases:
  - id: one
    defaults: {steps: {effect: read, env: {B: phase}}}
    steps:
      - {id: a, run: "true"}
      - {id: b, run: "true", effect: creates, env: {A: step}, rollback: {run: undo, env: {C: own}}}
      - {id: c, checklist: [it is so]}
  - id: two
    steps: [{id: d, argv: [go], rollback: not_needed}]
    gate: {require: [up, own]}
rollbacks:
  back: {title: Back, steps: [{run: back}, {rollback: [two]}], verify: [up]}
"""


def loaded(text: str = PLAN) -> Plan:
    return load_plan_text(text, Path("plan.yaml")).plan


def test_a_step_takes_the_nearest_default_where_it_says_nothing() -> None:
    plan = loaded()

    a, b, d = plan.step("a"), plan.step("b"), plan.step("d")
    assert (a.effect, a.timeout, a.on_unknown, a.cwd) == ("read", 300.0, "rerun", "/srv")
    assert (b.effect, d.effect) == ("creates", "changes")
    assert (a.env, b.env, d.env) == (
        {"A": "plan", "B": "phase"},
        {"A": "step", "B": "phase"},
        {"A": "plan", "B": "plan"},
    )


def test_variables_and_folder_reach_rollbacks_too() -> None:
    plan = loaded()

    undo = plan.step("b").undo
    assert undo is not None
    assert undo.env == {"A": "plan", "B": "phase", "C": "own"}
    assert plan.rollbacks["back"].steps[0].env == {"A": "plan", "B": "plan"}
    assert plan.rollbacks["back"].steps[1].env == {}


def test_a_checklist_takes_its_effect_only() -> None:
    step = loaded().step("c")

    assert (step.effect, step.env, step.on_unknown) == ("read", {}, "ask")


def test_a_check_takes_defaults_where_it_says_nothing() -> None:
    plan = loaded()

    assert [(check.every, check.timeout) for check in plan.checks.values()] == [(30.0, 3.0), (1.0, 3.0)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "timeout: 5m,",
            "timout: 5m,",
            "5:28: defaults.steps.timout: this is no default of steps; did you mean 'timeout'?",
        ),
        ("{every: 30s, ", "{kind: tcp, ", "6:12: defaults.checks.kind: this is no default of checks"),
        ("  checks: {every: 30s", "  check: {every: 30s", "6:3: defaults.check: unknown key; did you mean 'checks'?"),
        ("{steps: {effect: read", "{checks: {effect: read", "12:16: phases[0].defaults.checks: unknown key"),
        ("timeout: 5m,", "timeout: soon,", "5:37: phases[0].steps[0].timeout: 'soon' is not a duration"),
    ],
)
def test_a_wrong_default_is_told_once_at_its_place(old: str, new: str, said: str) -> None:
    with pytest.raises(PlanError) as error:
        loaded(PLAN.replace(old, new, 1))

    found = [f"{p.line}:{p.column}: {p.path}: {p.message}" for p in error.value.problems]
    assert [line for line in found if line.startswith(said)], found
    assert len([line for line in found if "soon" in line]) <= 1
