"""A gate that asks two people: two accounts, whose words are fresh, and a look that is still green."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, Checks, HandClock, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover.migration.reports.verification import verify_journal
from switchover_checks.api import Status

PLAN = """
phases:
  - id: a
    gate: {human: All well?, persons: 2, who: [lead]}
  - id: b
    steps: [{id: s, run: 'echo s >> log', effect: changes}]
"""


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    clock = HandClock()
    bench = open_bench(tmp_path, PLAN, clock=clock, checks=Checks(clock, {}))
    await bench.engine.start(ANA)
    await bench.engine.check_gate("a", ANA)
    return bench


async def test_one_go_is_on_record_and_opens_nothing(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="a needs a second person: ana has confirmed it"):
        await bench.engine.answer_gate("a", ANA, True)
    gate = bench.engine.view().phases[0].gate
    assert gate is not None
    assert (gate.state, gate.said_go, bench.engine.state.stage) == ("human", ("ana@bastion (pts/1)",), "waiting")


async def test_the_go_of_another_account_opens_it(bench: Bench) -> None:
    with pytest.raises(RefusedError):
        await bench.engine.answer_gate("a", ANA, True)
    assert await bench.engine.answer_gate("a", BEN, True)
    assert bench.engine.state.gate("a").answered_by == "ana and ben"


async def test_one_person_twice_is_one_person(bench: Bench) -> None:
    with pytest.raises(RefusedError):
        await bench.engine.answer_gate("a", ANA, True)
    for again in (ANA, replace(BEN, uid=ANA.uid)):
        with pytest.raises(RefusedError, match="has confirmed it already"):
            await bench.engine.answer_gate("a", again, True)
    with pytest.raises(RefusedError, match="nobody vouches for who ben is"):
        await bench.engine.answer_gate("a", replace(BEN, uid=None), True)
    assert bench.engine.action.kind == "human"


async def test_a_go_of_more_than_a_quarter_of_an_hour_ago_no_longer_counts(bench: Bench) -> None:
    with pytest.raises(RefusedError):
        await bench.engine.answer_gate("a", ANA, True)
    bench.checks.clock.advance(901)  # type: ignore[attr-defined]
    with pytest.raises(RefusedError, match="needs a second person: ben"):
        await bench.engine.answer_gate("a", BEN, True)


async def test_a_second_person_gives_their_go_beside_the_one_who_drives(bench: Bench) -> None:
    with pytest.raises(RefusedError, match="waits for go"):
        await bench.engine.confirm("a", BEN, "yes")
    await bench.engine.confirm("a", BEN, "go")
    assert (await bench.engine.drive(ANA, confirmations={"a": "go"})).kind == "done"
    assert bench.log == ["s"]


async def test_a_drive_with_the_go_of_one_waits_and_says_for_whom(bench: Bench) -> None:
    outcome = await bench.engine.drive(ANA, confirmations={"a": "go"})
    assert (outcome.kind, outcome.text) == ("waiting", "a needs a second person: ana has confirmed it")
    assert "switchover confirm PLAN a --with ana" in outcome.hint
    assert bench.log == []


async def test_a_no_takes_back_what_the_other_has_said(bench: Bench) -> None:
    with pytest.raises(RefusedError):
        await bench.engine.answer_gate("a", ANA, True)
    assert not await bench.engine.answer_gate("a", BEN, False, "not yet")
    await bench.engine.check_gate("a", ANA)
    with pytest.raises(RefusedError, match="needs a second person: ben"):
        await bench.engine.answer_gate("a", BEN, True)


async def test_a_gate_that_passed_on_one_word_is_a_fault_of_the_journal(bench: Bench) -> None:
    run_store = bench.engine.run_store
    async with bench.engine.hold(ANA):
        await run_store.record(ev.GateAnswered("a", True, "", ANA))
        await run_store.record(ev.GatePassed("a"))
    assert run_store.journal is not None
    audit = verify_journal(list(run_store.journal.raw_records()))
    assert any("asks two people, and one had said go" in fault.what for fault in audit.faults)


async def test_a_check_that_is_no_longer_fine_opens_nothing_at_the_second_go(tmp_path: Path) -> None:
    clock = HandClock()
    text = PLAN.replace("human:", "require: [up], human:")
    text = "checks: {up: {kind: tcp, host: localhost, port: 1}}\n" + text
    bench = open_bench(tmp_path, text, clock=clock, checks=Checks(clock, {"up": [Status.OK]}))
    await bench.engine.start(ANA)
    await bench.engine.check_gate("a", ANA)
    await bench.engine.confirm("a", BEN, "go")
    bench.checks.set("up", Status.CRIT)
    with pytest.raises(RefusedError, match="no longer green"):
        await bench.engine.answer_gate("a", ANA, True)
