from __future__ import annotations

import msgspec
import pytest

from switchover.agent.server.busy import run_is_open, under_way
from switchover.agent.wire.protocol import ErrorInfo, Incoming, error_from_wire, error_to_wire
from switchover.agent.wire.sections import SectionEncoder, apply_sections
from switchover.errors import (
    AgentError,
    JournalError,
    LockedError,
    PlanError,
    PlanProblem,
    RefusedError,
    SwitchoverError,
    UsageError,
)
from switchover.snapshot import (
    CheckRow,
    FindingRow,
    GateView,
    Header,
    Holder,
    MetricRow,
    MigrationView,
    PhaseView,
    RollbackRun,
    Snapshot,
    StepView,
)


@pytest.mark.parametrize(
    "error",
    [
        RefusedError("no", "wait"),
        LockedError("bob has it"),
        UsageError("what"),
        JournalError("full", "free space"),
        PlanError([PlanProblem("p.yaml", 1, 2, "vars.a", "bad"), PlanProblem("p.yaml", 0, 0, "", "worse")]),
    ],
)
def test_an_error_is_the_same_at_the_other_end(error: SwitchoverError) -> None:
    sent = msgspec.json.decode(msgspec.json.encode(error_to_wire(error)), type=ErrorInfo)
    arrived = error_from_wire(sent)
    assert type(arrived) is type(error)
    assert (arrived.title, arrived.hint, arrived.exit_code) == (error.title, error.hint, error.exit_code)
    if isinstance(error, PlanError):
        assert isinstance(arrived, PlanError)
        assert arrived.problems == error.problems


@pytest.mark.parametrize("kind", ["FutureError", "dataclass", "PlanProblem", "__all__", ""])
def test_an_error_of_an_unknown_kind_is_still_an_error(kind: str) -> None:
    error = error_from_wire(ErrorInfo(kind, "something new", "look"))
    assert type(error) is AgentError
    assert error.title == "something new"


def test_a_whole_snapshot_survives_the_line() -> None:
    snapshot = Snapshot(
        seq=7,
        at=1.5,
        header=Header("p", "T", holder=Holder("ann", "h", "pts/1", 1, 2.0)),
        checks=(CheckRow("c", "http", "crit", "é\x1b", findings=(FindingRow("w", "e", "o", "crit"),), history=(0, 2)),),
        metrics=(MetricRow("m", "g", "B", values=(1.0, None, 2.5)),),
        migration=MigrationView(phases=(PhaseView("a", "A", "running", gate=GateView("a", "holding")),)),
    )
    line = msgspec.json.decode(SectionEncoder().encode(None, snapshot))
    sections = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in line["sections"].items()}
    assert apply_sections(Snapshot(), Incoming(seq=line["seq"], at=line["at"], sections=sections)) == snapshot


def test_equal_sections_are_not_sent_again_even_when_made_anew() -> None:
    encoder = SectionEncoder()
    before = Snapshot(seq=1, checks=(CheckRow("c", "http", "ok", "fine"),))
    after = Snapshot(seq=2, at=3.0, checks=(CheckRow("c", "http", "ok", "fine"),))
    assert msgspec.json.decode(encoder.encode(before, after)) == {
        "event": "snapshot",
        "seq": 2,
        "at": 3.0,
        "sections": {},
    }


def test_a_section_that_this_version_does_not_know_is_left_out() -> None:
    assert apply_sections(Snapshot(), Incoming(seq=2, at=1.0, sections={"weather": msgspec.Raw(b"[1]")})) == Snapshot(
        seq=2, at=1.0
    )


def test_a_section_that_does_not_fit_is_an_error_and_not_nonsense_on_the_screen() -> None:
    with pytest.raises(AgentError, match="does not understand"):
        apply_sections(Snapshot(), Incoming(seq=2, at=1.0, sections={"checks": msgspec.Raw(b'[{"name": 1}]')}))


@pytest.mark.parametrize(
    ("view", "says"),
    [
        (None, ""),
        (MigrationView(), ""),
        (MigrationView(phases=(PhaseView("a", "A", "done", (StepView("s", "", "done", "read"),)),)), ""),
        (MigrationView(phases=(PhaseView("a", "A", "running", (StepView("s", "", "running", "read"),)),)), "step s"),
        (MigrationView(phases=(PhaseView("a", "A", "running", gate=GateView("a", "holding")),)), "gate of a"),
        (MigrationView(phases=(PhaseView("a", "A", "running", gate=GateView("a", "human")),)), ""),
        (MigrationView(rolling_back="quick"), "rollback quick"),
        (MigrationView(rolling_back="quick", rollback=RollbackRun(1, "quick", "", "failed", 0.0)), ""),
    ],
)
def test_what_is_under_way_is_said_in_words(view: MigrationView | None, says: str) -> None:
    assert under_way(view) == says


def test_a_run_is_open_from_its_start_to_its_end() -> None:
    assert not run_is_open(None)
    assert not run_is_open(MigrationView())
    assert run_is_open(MigrationView("r", "running"))
    assert run_is_open(MigrationView("r", "failed"))
    assert not run_is_open(MigrationView("r", "done"))
