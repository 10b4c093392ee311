"""How far each phase and step of a run is, as far as it decides what is watched."""

from __future__ import annotations

from switchover.health.watched_phases import PhaseMark
from switchover.hub.core.run_marks import run_marks
from switchover.snapshot import ActionView, MigrationView, PhaseView, StepView
from switchover.snapshot.states import StageWord


def view(*states: StageWord, action: ActionView | None = None, started: bool = True) -> MigrationView:
    steps = tuple(
        StepView(f"s{n}", "", state, "read", started_at=None if state == "pending" else 1.0, ended_at=None)
        for n, state in enumerate(states)
    )
    first = PhaseView("one", "", "running", steps, None, 1.0 if started else None)
    return MigrationView("r", "running", (first, PhaseView("two", "", "pending")), action=action or ActionView())


def test_nothing_has_begun_before_a_run() -> None:
    assert run_marks(MigrationView()) == {}


def test_a_step_has_its_turn_once_those_before_it_are_over() -> None:
    marks = run_marks(view("done", "pending", "pending"))

    assert marks["one.s0"] == PhaseMark(started=True, ended=True, turn=True)
    assert marks["one.s1"] == PhaseMark(turn=True)
    assert marks["one.s2"] == PhaseMark()
    assert (marks["one"], marks["two"]) == (PhaseMark(started=True), PhaseMark())


def test_a_step_that_failed_has_not_ended_well() -> None:
    assert run_marks(view("failed"))["one.s0"] == PhaseMark(started=True, turn=True)


def test_what_is_asked_now_has_its_turn() -> None:
    asked = view("pending", action=ActionView("confirm", "s0"), started=False)

    assert run_marks(asked)["one.s0"] == PhaseMark(turn=True)


def test_a_gate_has_its_turn_once_all_steps_of_its_phase_are_over() -> None:
    assert not run_marks(view("done", "running"))["one"].turn
    assert run_marks(view("done", "skipped"))["one"].turn


def test_what_was_rolled_back_has_not_begun() -> None:
    assert run_marks(view("rolled_back"))["one.s0"] == PhaseMark()
    assert run_marks(MigrationView("r", "rolled_back", (PhaseView("one", "", "rolled_back", started_at=1.0),))) == {}
