"""What a person may let pass at a gate, and for how long: a warning, an unknown, a failure that is waived."""

import asyncio
from pathlib import Path

import pytest
from tests.unit.migration.harness import ANA, BEN, Bench, Checks, HandClock, open_bench

from switchover.errors import RefusedError
from switchover.migration.facts import events as ev
from switchover_checks.api import Status

OK, WARN, CRIT, UNKNOWN = Status.OK, Status.WARN, Status.CRIT, Status.UNKNOWN

PLAN = """
checks:
  up: {kind: tcp, host: localhost, port: 1}
  rows: {kind: tcp, host: localhost, port: 2}
  safe: {kind: backup, path: dump, min_size: 1}
phases:
  - id: a
    gate: {require: [up, rows]RETRY}
  - id: end
    steps:
      - id: drop
        run: echo dropped >> log
        effect: destroys
        rollback: impossible
        confirm: {text: "drop it", require: [safe, rows]}
"""


async def _bench(directory: Path, retry: str = "", **statuses: Status) -> tuple[Bench, HandClock]:
    clock = HandClock()
    checks = Checks(clock, {"up": [OK], "rows": [OK], "safe": [OK]})
    bench = open_bench(directory, PLAN.replace("RETRY", retry), clock=clock, checks=checks)
    await bench.engine.start(ANA)
    for name, status in statuses.items():
        checks.set(name, status)
    return bench, clock


def _kind(bench: Bench) -> str:
    return bench.engine.action.kind


async def test_a_warning_blocks_until_a_named_person_acknowledges_it_with_a_reason(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, rows=WARN)
    assert not await bench.engine.check_gate("a", ANA)
    assert _kind(bench) == "decide"
    with pytest.raises(RefusedError, match="reason is needed"):
        await bench.engine.acknowledge("rows", BEN, "  ")
    await bench.engine.acknowledge("rows", BEN, "the two rows are test data")
    assert _kind(bench) == "gate"
    assert await bench.engine.check_gate("a", ANA)
    gate = bench.engine.view().phases[0].gate
    assert gate is not None
    need = gate.requirements[1]
    assert (need.status, need.allowed_by, need.allowed_why) == ("warn", "ben", "the two rows are test data")
    await bench.engine.aclose()


async def test_an_acknowledgement_is_over_once_the_check_warns_no_longer(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, rows=WARN, up=CRIT)
    assert not await bench.engine.check_gate("a", ANA)
    await bench.engine.acknowledge("rows", BEN, "known")
    bench.checks.set("rows", OK)
    assert not await bench.engine.check_gate("a", ANA)
    assert any(isinstance(r.event, ev.AcknowledgementEnded) for r in bench.engine.records())
    bench.checks.set("rows", WARN)
    bench.checks.set("up", OK)
    assert not await bench.engine.check_gate("a", ANA)
    assert _kind(bench) == "decide"
    await bench.engine.aclose()


async def test_an_acknowledgement_does_not_cover_a_failure(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, rows=WARN)
    await bench.engine.check_gate("a", ANA)
    await bench.engine.acknowledge("rows", BEN, "known")
    bench.checks.set("rows", CRIT)
    assert not await bench.engine.check_gate("a", ANA)
    assert "rows is crit" in bench.engine.state.gate("a").reason
    await bench.engine.aclose()


@pytest.mark.parametrize(("status", "said"), [(OK, "nothing to acknowledge"), (CRIT, "is crit, not a warning")])
async def test_only_a_warning_can_be_acknowledged(tmp_path: Path, status: Status, said: str) -> None:
    bench, _ = await _bench(tmp_path, rows=status)
    with pytest.raises(RefusedError, match=said):
        await bench.engine.acknowledge("rows", BEN, "known")
    await bench.engine.aclose()


@pytest.mark.parametrize("status", [CRIT, UNKNOWN, WARN])
async def test_a_waiver_lets_a_check_pass_until_it_expires(tmp_path: Path, status: Status) -> None:
    bench, clock = await _bench(tmp_path, rows=status)
    await bench.engine.waive("rows", BEN, "counted by hand", 7200.0)
    clock.advance(7300)
    assert not await bench.engine.check_gate("a", ANA)
    assert "the waiver of ben has expired" in bench.engine.state.gate("a").reason
    await bench.engine.waive("rows", BEN, "counted again", 7200.0)
    clock.advance(7100)
    assert await bench.engine.check_gate("a", ANA)
    waived = [r.event for r in bench.engine.records() if isinstance(r.event, ev.RequirementWaived)]
    assert [(w.by.who, w.reason, w.for_s, w.status) for w in waived] == [
        ("ben", "counted by hand", 7200.0, status.label),
        ("ben", "counted again", 7200.0, status.label),
    ]
    await bench.engine.aclose()


async def test_a_waiver_lasts_no_longer_because_a_clock_was_set_back(tmp_path: Path) -> None:
    bench, clock = await _bench(tmp_path, rows=CRIT)
    await bench.engine.waive("rows", BEN, "known", 3600.0)
    clock.advance(3700)
    clock.wall -= 50_000
    assert not await bench.engine.check_gate("a", ANA)
    await bench.engine.waive("rows", BEN, "known", 3600.0)
    clock.boot, clock.mono, clock.wall = "boot-2", 3.0, clock.wall - 50_000
    assert not await bench.engine.check_gate("a", ANA)
    await bench.engine.aclose()


async def test_a_waiver_holds_at_its_gate_alone(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, rows=CRIT)
    await bench.engine.waive("rows", BEN, "known", 3600.0)
    assert await bench.engine.check_gate("a", ANA)
    with pytest.raises(RefusedError, match="drop may not run: rows is crit"):
        await bench.engine.run_step("drop", ANA, "drop it")
    await bench.engine.waive("rows", BEN, "known here too", 3600.0)
    await bench.engine.run_step("drop", ANA, "drop it")
    assert bench.log == ["dropped"]
    await bench.engine.aclose()


@pytest.mark.parametrize("status", [WARN, CRIT, UNKNOWN])
async def test_nobody_waives_the_backup_of_what_cannot_be_undone(tmp_path: Path, status: Status) -> None:
    bench, _ = await _bench(tmp_path)
    assert await bench.engine.check_gate("a", ANA)
    bench.checks.set("safe", status)
    with pytest.raises(RefusedError, match="nobody may waive that"):
        await bench.engine.waive("safe", BEN, "I am sure", 3600.0)
    with pytest.raises(RefusedError, match="nobody may waive that"):
        await bench.engine.acknowledge("safe", BEN, "I am sure")
    with pytest.raises(RefusedError, match="drop may not run: safe"):
        await bench.engine.run_step("drop", ANA, "drop it")
    assert bench.log == []
    await bench.engine.aclose()


async def test_a_backup_that_is_let_pass_on_record_is_judged_as_if_it_were_not(tmp_path: Path) -> None:
    """A waiver may be older than the rule: the check was none of a backup when it was given."""
    bench, clock = await _bench(tmp_path)
    assert await bench.engine.check_gate("a", ANA)
    for status, let_pass in (
        (CRIT, ev.RequirementWaived("step:drop", "safe", "sure", BEN, 7200.0, clock.now() + 7200, "crit")),
        (WARN, ev.WarningAcknowledged("step:drop", "safe", "sure", BEN)),
    ):
        bench.checks.set("safe", status)
        async with bench.engine._runner.beside(BEN, "let it pass"):
            await bench.engine.run_store.record(let_pass)
        with pytest.raises(RefusedError, match="drop may not run: safe"):
            await bench.engine.run_step("drop", ANA, "drop it")
    assert bench.log == []
    bench.checks.set("safe", OK)
    await bench.engine.run_step("drop", ANA, "drop it")
    await bench.engine.aclose()


async def test_another_check_of_such_a_step_is_let_pass_by_its_waiver(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path)
    assert await bench.engine.check_gate("a", ANA)
    bench.checks.set("rows", CRIT)
    await bench.engine.waive("rows", BEN, "counted by hand", 7200.0)
    await bench.engine.run_step("drop", ANA, "drop it")
    await bench.engine.aclose()


async def test_what_cannot_be_known_goes_to_a_person_not_to_the_next_phase(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, rows=UNKNOWN)
    outcome = await bench.engine.drive(ANA)
    assert outcome.kind == "waiting"
    assert "switchover waive" in outcome.hint
    assert bench.engine.view().state == "waiting"
    await bench.engine.aclose()


async def test_what_is_let_pass_while_a_gate_waits_opens_it_at_once(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path, ", within: 1h, every: 10m", rows=WARN)
    held = asyncio.Event()

    async def never(_: float) -> None:
        held.set()
        await asyncio.Event().wait()

    object.__setattr__(bench.engine.run_store.tools, "wait", never)
    watching = await bench.engine.submit(bench.engine.check_gate("a", ANA))
    await held.wait()
    gate = bench.engine.view().phases[0].gate
    assert gate is not None
    assert gate.requirements[1].can == ("acknowledge", "waive")
    await bench.engine.acknowledge("rows", BEN, "known")
    assert await watching
    await bench.engine.aclose()


async def test_a_check_that_the_gate_does_not_require_is_not_waived_there(tmp_path: Path) -> None:
    bench, _ = await _bench(tmp_path)
    with pytest.raises(RefusedError, match="gate a does not require safe"):
        await bench.engine.waive("safe", BEN, "known", 60.0)
    with pytest.raises(RefusedError, match="no longer than"):
        await bench.engine.waive("rows", BEN, "known", 10**9)
    await bench.engine.aclose()
