"""Confirmations: exact, at the right time, by the right number of people, with what they rest on looked at then."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, Checks, HandClock, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts.events import StepStarted
from switchover_checks.api import Status


def _plan(confirm: str) -> str:
    return f"""
    checks: {{old_safe: {{kind: tcp, host: localhost, port: 1}}}}
    phases:
      - id: before
        steps: [{{id: look, run: 'true', effect: read}}]
      - id: cleanup
        steps:
          - id: destroy
            run: echo destroyed >> log
            effect: changes
            confirm: {{text: "destroy {{{{ id }}}}", require: [old_safe]{confirm}}}
    """


async def _bench(directory: Path, confirm: str = "") -> tuple[Bench, HandClock]:
    clock = HandClock()
    bench = open_bench(directory, _plan(confirm), clock=clock, checks=Checks(clock, {"old_safe": [Status.OK]}))
    await bench.engine.start(ANA)
    await bench.engine.run_step("look", ANA)
    return bench, clock


@pytest.mark.parametrize(
    "text", [None, "", "destroy", "destroy p ", " destroy p", "Destroy p", "yes", "destroy {{ id }}"]
)
async def test_only_the_exact_text_will_do(tmp_path: Path, text: str | None) -> None:
    bench, _ = await _bench(tmp_path)
    with pytest.raises(RefusedError) as refused:
        await bench.engine.run_step("destroy", ANA, text)
    assert "type exactly: destroy p" in refused.value.hint
    assert bench.log == []
    assert bench.stage("destroy") == "pending"


async def test_the_exact_text_runs_it_and_is_on_record_with_what_it_rested_on(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path)
    assert bench.engine.view_step("destroy").confirm_text == "destroy p"
    await bench.engine.run_next(ANA, "destroy p")
    assert bench.log == ["destroyed"]
    started = [r.event for r in bench.engine.records() if isinstance(r.event, StepStarted)][-1]
    assert started.confirmed == "destroy p"
    assert [(e.check, e.status) for e in started.evidence] == [("old_safe", "ok")]


@pytest.mark.parametrize("status", [Status.WARN, Status.CRIT, Status.UNKNOWN, Status.SKIPPED])
async def test_what_it_requires_is_looked_at_in_that_moment(tmp_path: Path, status: Status) -> None:
    bench, _ = await _bench(tmp_path)
    bench.checks.set("old_safe", status)
    with pytest.raises(RefusedError, match="destroy may not run: old_safe"):
        await bench.engine.run_step("destroy", ANA, "destroy p")
    assert bench.log == []


async def test_a_cool_down_runs_from_when_all_before_it_was_through_by_the_monotonic_clock(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, ", cooldown: 30s")
    clock.advance(29)
    clock.wall += 10_000
    with pytest.raises(RefusedError, match="cools down for another"):
        await bench.engine.run_step("destroy", ANA, "destroy p")
    assert "cools down" in bench.engine.view().action.text
    clock.wall -= 50_000
    clock.advance(1)
    await bench.engine.run_step("destroy", ANA, "destroy p")
    assert bench.log == ["destroyed"]


async def test_not_before_counts_from_the_end_of_the_phase_it_names(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, ', not_before: "phase.before + 24h"')
    clock.advance(86_399)
    with pytest.raises(RefusedError, match="may not run yet"):
        await bench.engine.run_step("destroy", ANA, "destroy p")
    clock.advance(1)
    await bench.engine.run_step("destroy", ANA, "destroy p")
    assert bench.log == ["destroyed"]


async def test_two_people_are_two_people(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, ", persons: 2")
    with pytest.raises(RefusedError, match="needs a second person: ana has confirmed it"):
        await bench.engine.run_step("destroy", ANA, "destroy p")
    with pytest.raises(RefusedError, match="needs two people, and ana has confirmed it already"):
        await bench.engine.run_step("destroy", ANA, "destroy p")
    clock.advance(901)
    with pytest.raises(RefusedError, match="needs a second person: ben"):
        await bench.engine.run_step("destroy", BEN, "destroy p")
    await bench.engine.run_step("destroy", ANA, "destroy p")
    assert bench.log == ["destroyed"]


async def test_two_names_of_one_account_are_one_person(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, ", persons: 2")
    with pytest.raises(RefusedError, match="needs a second person"):
        await bench.engine.run_step("destroy", ANA, "destroy p")
    with pytest.raises(RefusedError, match="has confirmed it already"):
        await bench.engine.run_step("destroy", replace(BEN, uid=ANA.uid), "destroy p")
    with pytest.raises(RefusedError, match="nobody vouches for who ben is"):
        await bench.engine.run_step("destroy", replace(BEN, uid=None), "destroy p")
    assert bench.log == []
    await bench.engine.run_step("destroy", replace(BEN, who="ana"), "destroy p")
    assert bench.log == ["destroyed"]


async def test_a_second_person_gives_their_word_and_the_first_runs_it(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, ", persons: 2")
    with pytest.raises(RefusedError, match="does not match"):
        await bench.engine.confirm("destroy", BEN, "destroy")
    await bench.engine.confirm("destroy", BEN, "destroy p")
    assert bench.engine.view_step("destroy").confirmed_by == ("ben@bastion (pts/2)",)
    assert bench.log == []
    await bench.engine.run_step("destroy", ANA, "destroy p")
    assert bench.log == ["destroyed"]


async def test_whom_nobody_vouches_for_gives_no_word_but_may_carry_out_what_two_have_said(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, ", persons: 2")
    nobody = replace(ANA, uid=None)
    await bench.engine.confirm("destroy", ANA, "destroy p")
    for act in (bench.engine.confirm, bench.engine.run_step):
        with pytest.raises(RefusedError, match="nobody vouches for who ana is"):
            await act("destroy", nobody, "destroy p")
    assert bench.log == []
    await bench.engine.confirm("destroy", BEN, "destroy p")
    await bench.engine.run_step("destroy", nobody, "destroy p")
    assert bench.log == ["destroyed"]


async def test_a_countdown_says_when_the_time_comes(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, ", cooldown: 30s, not_before: phase.before + 1h")
    assert bench.engine.view_step("destroy").ready_at == clock.now() + 3600
    clock.advance(3601)
    assert bench.engine.view_step("destroy").ready_at is None


async def test_a_retry_needs_the_confirmation_again(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path)
    (tmp_path / "log").mkdir()
    await bench.engine.run_step("destroy", ANA, "destroy p")
    assert bench.stage("destroy") == "failed"
    (tmp_path / "log").rmdir()
    with pytest.raises(RefusedError, match="needs a typed confirmation"):
        await bench.engine.retry("destroy", ANA)
    assert bench.stage("destroy") == "failed"
    await bench.engine.retry("destroy", ANA, "destroy p")
    assert bench.log == ["destroyed"]
