from hypothesis import given
from hypothesis import strategies as st
from tests.unit.migration.harness import ANA

from switchover.migration.facts import events as ev
from switchover.migration.facts.run_fold import fold
from switchover.migration.facts.run_state import RunState, Stage
from switchover.migration.rules.next_action import next_action, reached
from switchover.migration.rules.possible import why_impossible
from switchover.plan.model import Plan

PLAN = Plan.model_validate(
    {
        "schema": 1,
        "id": "p",
        "title": "T",
        "phases": [
            {"id": "a", "steps": [{"id": "one", "run": "x"}, {"id": "two", "run": "y"}], "gate": {"human": "ok?"}},
            {"id": "b", "steps": [{"id": "three", "checklist": ["look", "listen"]}]},
        ],
    }
)


def started(unit: str, attempt: int = 1) -> ev.StepStarted:
    return ev.StepStarted(unit, attempt, ANA, ("sh",), "d", (), "/", "digest", 60.0)


def ended(unit: str, attempt: int = 1, outcome: ev.Outcome = "done") -> ev.StepEnded:
    return ev.StepEnded(unit, attempt, outcome, 0 if outcome == "done" else 1, 1.0)


BEGIN = ev.RunStarted("1", ANA, "p", "T", "/plan.yaml", "digest", "text", "", {}, "0")


def records(*events: ev.Event) -> list[ev.Record]:
    return [ev.Record(n, "1", 100.0 + n, float(n), "boot", event) for n, event in enumerate((BEGIN, *events), 1)]


def after(*events: ev.Event) -> RunState:
    return fold(records(*events))


_UNITS = st.sampled_from(["one", "two", "three", "rollback:1:0"])
_EVENTS = st.one_of(
    st.builds(started, _UNITS, st.integers(1, 3)),
    st.builds(ended, _UNITS, st.integers(1, 3), st.sampled_from(["done", "failed", "timeout", "aborted"])),
    st.builds(ev.StepUnknown, _UNITS, st.integers(1, 3), st.just("why")),
    st.builds(ev.StepNotStarted, _UNITS, st.integers(1, 3), st.just("why")),
    st.builds(
        ev.StepResolved,
        _UNITS,
        st.just(1),
        st.sampled_from(["done", "failed", "retry", "rollback"]),
        st.just("r"),
        st.just(ANA),
    ),
    st.builds(ev.StepEndedLate, _UNITS, st.integers(1, 3), st.just("done"), st.just(0), st.just(1.0)),
    st.builds(ev.StepRetried, _UNITS, st.just(ANA)),
    st.builds(ev.Ticked, st.just("three"), st.integers(0, 1), st.text(max_size=3), st.just(ANA), st.booleans()),
    st.builds(ev.GateOpened, st.just("a"), st.just(ANA)),
    st.builds(ev.GatePassed, st.just("a")),
    st.builds(ev.GateFailed, st.just("a"), st.just("red")),
    st.builds(
        ev.RollbackStarted,
        st.just(1),
        st.just(""),
        st.just(ANA),
        st.just((ev.RollbackItem("rollback:1:0", "u", "one"),)),
    ),
    st.builds(ev.RollbackEnded, st.just(1), st.just(1.0)),
    st.builds(ev.RunEnded, st.sampled_from(["done", "rolled_back", "aborted"]), st.just(ANA)),
)


@given(st.lists(_EVENTS, max_size=25), st.integers(0, 25))
def test_folding_in_two_parts_is_folding_at_once(events: list[ev.Event], cut: int) -> None:
    all_records = records(*events)
    assert fold(all_records[cut:], fold(all_records[:cut])) == fold(all_records)


@given(st.lists(_EVENTS, max_size=25))
def test_whatever_happened_there_is_one_next_thing_and_it_never_starts_what_is_open(events: list[ev.Event]) -> None:
    state = after(*events)
    action = next_action(PLAN, state)
    if action.kind in ("step", "confirm"):
        assert state.unit(action.unit).stage is Stage.PENDING
        assert not state.open_units


@given(st.lists(_EVENTS, max_size=10))
def test_events_survive_the_journal_unchanged(events: list[ev.Event]) -> None:
    assert [ev.decode_event(*ev.encode_event(event)) for event in events] == events


def test_without_a_run_everything_is_pending_and_start_comes_next() -> None:
    assert next_action(PLAN, RunState()).kind == "start"
    assert RunState().unit("one").stage is Stage.PENDING


def test_a_step_without_an_end_is_waited_for_never_run_again() -> None:
    state = after(started("one"))
    assert state.open_units == ("one",)
    action = next_action(PLAN, state)
    assert (action.kind, action.unit) == ("wait", "one")


def test_a_step_of_unknown_outcome_asks_a_person() -> None:
    state = after(started("one"), ev.StepUnknown("one", 1, "killed"))
    assert (next_action(PLAN, state).kind, state.stage) == ("resolve", Stage.UNKNOWN)
    resolved = fold([ev.Record(9, "1", 0, 0, "b", ev.StepResolved("one", 1, "retry", "r", ANA))], state)
    assert next_action(PLAN, resolved).kind == "step"


def test_a_step_proved_never_to_have_begun_does_not_count_as_begun() -> None:
    state = after(started("one"), ev.StepNotStarted("one", 1, "killed before"))
    assert not state.unit("one").began
    assert state.order == ()
    assert next_action(PLAN, state) == next_action(PLAN, after())


def test_steps_then_gate_then_items_then_done() -> None:
    state = after(started("one"), ended("one"), started("two"), ended("two"))
    assert next_action(PLAN, state).kind == "gate"
    state = fold([ev.Record(9, "1", 0, 0, "b", ev.GateWaitsForHuman("a"))], state)
    assert next_action(PLAN, state).kind == "human"
    assert not reached(PLAN, state, "a")
    state = fold([ev.Record(10, "1", 0, 0, "b", ev.GatePassed("a"))], state)
    assert reached(PLAN, state, "a")
    assert (next_action(PLAN, state).kind, next_action(PLAN, state).unit) == ("checklist", "three")
    state = fold([ev.Record(11, "1", 0, 0, "b", ev.Ticked("three", 0, "", ANA, False))], state)
    assert state.unit("three").stage is Stage.WAITING
    state = fold([ev.Record(12, "1", 0, 0, "b", ev.Ticked("three", 1, "", ANA, True))], state)
    assert next_action(PLAN, state).kind == "done"


def test_an_undone_step_is_rolled_back() -> None:
    item = ev.RollbackItem("rollback:1:0", "undo", "one")
    state = after(
        started("one"),
        ended("one"),
        ev.RollbackStarted(1, "", ANA, (item,)),
        started("rollback:1:0"),
        ended("rollback:1:0"),
    )
    assert state.unit("one").stage is Stage.ROLLED_BACK


def test_a_failed_undoing_blocks_the_way_forward() -> None:
    item = ev.RollbackItem("rollback:1:0", "undo", "one")
    state = after(
        started("one"),
        ended("one"),
        ev.RollbackStarted(1, "", ANA, (item,)),
        started("rollback:1:0"),
        ended("rollback:1:0", outcome="failed"),
    )
    assert (next_action(PLAN, state).kind, next_action(PLAN, state).unit) == ("failed", "rollback:1:0")
    assert state.rollback is not None
    assert state.rollback.stage is Stage.FAILED


def test_a_result_that_comes_after_the_step_was_undone_is_told_once_and_changes_nothing() -> None:
    items = (ev.RollbackItem("rollback:1:0", "u", "one"),)
    undone = after(
        *(started("one"), ev.StepUnknown("one", 1, "its host is lost")),
        *(ev.StepResolved("one", 1, "rollback", "burnt down", ANA), ev.RollbackStarted(1, "", ANA, items)),
        *(started("rollback:1:0"), ended("rollback:1:0"), ev.RollbackEnded(1, 1.0)),
        ev.RunEnded("rolled_back", ANA),
    )
    late = ev.StepEndedLate("one", 1, "done", 0, 1.0)
    assert why_impossible(undone, late) == ""
    told = fold(records(late)[1:], undone)
    assert (told.stage, told.unit("one").stage) == (undone.stage, undone.unit("one").stage)
    assert "ended after all, as was known too late: done with exit code 0" in told.unit("one").reason
    assert "known too late" in told.unit("one").attempts[0].reason
    for again in (
        late,
        ev.StepEndedLate("rollback:1:0", 1, "failed", 1, 1.0),
        ev.StepEndedLate("one", 2, "done", 0, 1.0),
    ):
        assert "nobody was still to learn" in why_impossible(told, again)
