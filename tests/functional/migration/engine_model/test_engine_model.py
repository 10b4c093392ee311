"""The engine against a model: people, crashes, jumping clocks and losses, drawn at random, against its promises."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.functional.migration.engine_model.kernel import Fate
from tests.functional.migration.engine_model.people import Person
from tests.functional.migration.engine_model.promises import audit_is_whole, hold
from tests.functional.migration.engine_model.world import PEOPLE, ModelWorld

from switchover_checks.api import Status

SHORT, LONG, BATCHES = 40, 250, 10  # histories: those that always run, and those of each batch of `make soak`
STEPS = 30

people = st.sampled_from(sorted(PEOPLE))
points = st.sampled_from(["before-claim", "after-claim", "after-started", "after-release", "before-exit", "after-exit"])
through = st.just(Fate())
ends = st.builds(Fate, exit_code=st.sampled_from([0, 3]))
breaks = st.builds(Fate, st.sampled_from(["stops", "dies"]), points, st.sampled_from([0, 0, 3]), st.booleans())
stays = st.builds(Fate, st.sampled_from(["stops", "dies"]), st.just("after-release"))
fates = st.lists(st.one_of(through, ends, breaks, stays, st.just(Fate("none"))), max_size=3)
fuses = st.one_of(st.just(-1), st.integers(0, 25))
choices = st.sampled_from(["done", "failed", "retry", "retry", "rollback", "skip"])
units = st.sampled_from(["", "", "s0", "s1", "s2", "s3", "gone", "rollback:1:0"])  # empty: the one that is next
checks = st.sampled_from(["up", "rows"])


class EngineModel(RuleBasedStateMachine):
    """Draws what happens; what has to hold is looked at after each of it."""

    losses = False

    def __init__(self) -> None:
        super().__init__()
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.world = ModelWorld(Path(tempfile.mkdtemp(prefix="switchover-model-", dir=memory)))
        self.patch = pytest.MonkeyPatch()
        self.world.kernel.install(self.patch)

    # People

    @rule(who=people, fate=fates, left=fuses, choice=choices)
    def somebody_does_what_is_next(self, who: str, fate: list[Fate], left: int, choice: str) -> None:
        self.world.kernel.fates = list(fate)
        self._act(who, "next", left, choice)

    @rule(who=people, fate=fates, left=fuses, until=st.sampled_from([None, None, "a", "b"]))
    def somebody_drives(self, who: str, fate: list[Fate], left: int, until: str | None) -> None:
        self.world.kernel.fates = list(fate)
        self._act(who, "drive", left, until)

    @rule(who=people, what=st.sampled_from(Person.WORDS), unit=units, fate=fates, left=fuses, choice=choices)
    def somebody_does_anything(self, who: str, what: str, unit: str, fate: list[Fate], left: int, choice: str) -> None:
        self.world.kernel.fates = list(fate)
        self._act(who, what, left, unit, choice)

    def _act(self, who: str, what: str, left: int, *given: Any) -> None:
        def action(engine: Any) -> Coroutine[Any, Any, Any]:
            doing: Coroutine[Any, Any, Any] = getattr(Person(self.world, engine, PEOPLE[who]), what)(*given)
            return doing

        self.world.act(who, action, left)

    @rule(who=people, check=checks, for_s=st.sampled_from([60.0, 1200.0, 86400.0]), over=st.booleans())
    def somebody_waives(self, who: str, check: str, for_s: float, over: bool) -> None:
        self.world.checks.set(check, Status.CRIT)
        self._act(who, "waive", -1, check, for_s)
        if over:  # and then the clock is set back to before it was given
            self.world.clock.pass_by(for_s + 1)
            self.world.clock.wall -= for_s + 3600

    @rule(who=people)
    def somebody_leaves(self, who: str) -> None:
        self.world.close(who)

    # What befalls them

    @rule(who=people, what=st.sampled_from(["engine", "engine", "shim", "shim", "machine"]))
    def something_dies(self, who: str, what: str) -> None:
        match what:
            case "engine":
                self.world.kill(who)
            case "shim":
                for one in self.world.kernel.living:
                    one.die()
                self.world.go_on()
            case _:
                self.world.reboot()

    @rule(point=st.one_of(st.just(""), st.just(""), points))
    def what_runs_goes_on(self, point: str) -> None:
        for one in self.world.kernel.living:
            one.go(point) if one.alive else one.end_step(0)
        self.world.go_on()

    @rule(wall=st.sampled_from([-90000.0, -3600.0, -30.0, 0.0, 3600.0, 90000.0]), later=st.booleans())
    def the_clock_jumps(self, wall: float, later: bool) -> None:
        if later:
            self.world.clock.jumps.append(wall)
        else:
            self.world.clock.wall += wall

    @rule(seconds=st.sampled_from([1.0, 100.0, 400.0, 4000.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.clock.pass_by(seconds)

    @rule(check=checks, seen=st.lists(st.sampled_from(list(Status)), max_size=3), stays=st.booleans())
    def a_check_says(self, check: str, seen: list[Status], stays: bool) -> None:
        self.world.checks.set(check, *seen, *([] if stays and seen else [Status.OK]))

    @precondition(lambda self: self.losses)
    @rule(which=st.integers(0, 400), harm=st.sampled_from(["removed", "emptied", "cut"]))
    def something_is_lost(self, which: int, harm: str) -> None:
        self.world.lose(which, harm)

    @precondition(lambda self: self.losses)
    @rule(who=people, harm=st.sampled_from(["folder", "started", "all", "another's", "another's"]), ended=st.booleans())
    def records_go_while_a_step_runs(self, who: str, harm: str, ended: bool) -> None:
        for _ in range(4):  # whatever comes first
            if any(one.alive for one in self.world.kernel.living):
                break
            self.world.kernel.fates = [Fate("stops", "after-release")]
            self._act(who, "next", -1, "retry")
        self.world.lose_of_the_last_step(harm)
        if ended:
            for one in self.world.kernel.living:
                one.end_step(3)
        self._act(who, "recover", -1)

    @precondition(lambda self: self.losses and len(self.world.kernel.shims) > 2)
    @rule(emptied=st.booleans())
    def an_older_state_is_put_back(self, emptied: bool) -> None:
        self.world.put_state_back(emptied=emptied)

    @precondition(lambda self: self.losses)
    @rule()
    def the_state_is_copied(self) -> None:
        self.world.copy_state()

    @precondition(lambda self: self.world.lost)
    @rule()
    def the_journal_is_brought_back(self) -> None:
        self.world.bring_back()

    @invariant()
    def the_promises_hold(self) -> None:
        hold(self.world)

    def teardown(self) -> None:
        world = self.world
        try:
            for name in PEOPLE:
                world.kill(name)
            world.kernel.end_all()
            self._act("ana", "recover", -1)
            world.close("ana")
            hold(world, at_the_end=True)
            if not world.lost:
                audit_is_whole(world)
        finally:
            world.end()
            self.patch.undo()


class LossModel(EngineModel):
    """The same, where parts of the state directory are taken away."""

    losses = True


def play(machine: type[EngineModel], histories: int, seeded: int | None = None) -> None:
    """Play histories: always the same ones, or those of a seed."""
    chosen = settings(
        max_examples=histories,
        stateful_step_count=STEPS,
        derandomize=seeded is None,
        database=None,
        deadline=None,
        phases=(Phase.generate,),  # making a failing history small takes minutes
        suppress_health_check=list(HealthCheck),
    )
    if seeded is not None:
        machine = seed(seeded)(type(machine.__name__, (machine,), {}))
    run_state_machine_as_test(machine, settings=chosen)


@pytest.mark.parametrize("machine", [EngineModel, LossModel])
def test_whatever_people_crashes_and_clocks_do_the_engine_keeps_its_promises(machine: type[EngineModel]) -> None:
    play(machine, SHORT)


@pytest.mark.soak
@pytest.mark.parametrize("machine", [EngineModel, LossModel])
@pytest.mark.parametrize("batch", range(BATCHES))
def test_the_engine_keeps_its_promises_in_many_more_histories(machine: type[EngineModel], batch: int) -> None:
    play(machine, LONG, batch + 1)
