"""What the model of the engine holds to be true after every action, from the journal and from what really ran."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from tests.functional.migration.crash_rules import Ledger, check_promises
from tests.functional.migration.engine_model.world import ModelWorld

from switchover.clock import SystemClock
from switchover.migration.facts import events as ev
from switchover.migration.facts.run_fold import fold
from switchover.migration.journal.checkpoints import checkpoints_file, read_checkpoints
from switchover.migration.journal.sqlite_journal import Journal
from switchover.migration.reports.verification import Outputs, verify_journal
from switchover.migration.rules.possible import why_impossible
from switchover.plan.model import Plan

__all__ = ["audit_is_whole", "hold"]

_ENOUGH = 1e-3  # seconds that a sum of floats may be short of
_FRESH_S = 130.0  # twice the interval of a check and its timeout: what of a gap may count as green after a restart


def hold(world: ModelWorld, *, at_the_end: bool = False) -> None:
    """Raise `AssertionError` for the first promise that is broken."""
    for run, lines in world.kernel.ledger.items():
        twice = [line for line, times in Counter(lines).items() if times > 1]
        assert not twice, f"run {run}: happened twice: {twice}"
    if world.lost and not world.looks():
        return
    journal = Journal.open(world.workspace.journal, SystemClock(), create=False)
    if journal is None:
        assert world.lost or not world.kernel.ledger, "something ran, and there is no journal"
        return
    with journal:
        runs = {run: journal.records(run) for run in journal.runs()}
    assert set(world.kernel.ledger) <= set(runs), "something ran in a run that nobody began"
    for run, records in runs.items():
        ledger = Ledger(tuple(world.kernel.ledger.get(run, ())))
        plan, directory = world.loaded.plan, world.workspace.run_directory(run)
        settled = at_the_end and fold(records).finished
        check_promises(plan, records, ledger, directory, at_the_end=settled and not world.lost)
        state = fold(records, refuse=why_impossible)
        assert not state.impossible, f"run {run}: {state.impossible[0]}"
        _no_gate_is_early(world, plan, records)
        _nothing_is_cooled_early(plan, records)
        _no_waiver_lasts_longer(records)
    _only_people_decide(world, [record.event for records in runs.values() for record in records])


def audit_is_whole(world: ModelWorld) -> None:
    """Nothing was lost, so an auditor finds nothing."""
    journal = Journal.open(world.workspace.journal, SystemClock(), create=False)
    if journal is None:
        return
    with journal:
        rows = list(journal.raw_records())
    file = checkpoints_file(world.workspace)
    audit = verify_journal(
        rows, read_checkpoints(file) if file.exists() else (), "", Outputs(world.workspace.run_directory, None)
    )
    assert audit.whole, f"the audit of an honest history: {audit.faults[0]}"


def _no_gate_is_early(world: ModelWorld, plan: Plan, records: Sequence[ev.Record]) -> None:
    """A gate is passed only after as much watching as its hold is long, whatever the clock said meanwhile."""
    began: dict[str, float] = {}
    wanted = {phase.id: phase.gate for phase in plan.phases if phase.gate is not None}
    for record in records:
        event = record.event
        watched = world.clock.watched_at.get((record.boot_id, record.mono), 0.0)
        if isinstance(event, ev.GateOpened | ev.GateBroken):
            began[event.phase] = watched
        elif isinstance(event, ev.GatePassed):
            gate = wanted[event.phase]
            gaps = _FRESH_S * world.told["killed"] if gate.hold else 0.0
            long = watched - began[event.phase] + gaps
            needs = gate.hold
            assert long >= needs - _ENOUGH, f"gate {event.phase} was held {long} s of {needs}"
            assert event.held_s >= needs - _ENOUGH or gate.human
            bad = [e for e in event.evidence if e.status != "ok"]
            for entry in bad:
                before = records[: records.index(record)]
                said = [r.event for r in before if isinstance(r.event, ev.RequirementWaived | ev.WarningAcknowledged)]
                assert any(s.check == entry.check for s in said), f"passed with {entry.check} {entry.status}"


def _nothing_is_cooled_early(plan: Plan, records: Sequence[ev.Record]) -> None:
    """Within one boot, a step begins no earlier than its cool-down after what was before it."""
    ended: ev.Record | None = None
    for record in records:
        event = record.event
        if isinstance(event, ev.StepEnded | ev.StepResolved) and event.unit == "s2":
            ended = record
        if isinstance(event, ev.GatePassed) and event.phase == "b":
            ended = record
        if isinstance(event, ev.StepStarted) and event.unit == "s3" and ended is not None:
            confirm = plan.step("s3").confirm
            least = confirm.cooldown if confirm is not None else 0.0
            if record.boot_id == ended.boot_id:
                assert record.mono - ended.mono >= least - _ENOUGH, f"s3 began {record.mono - ended.mono} s after"


def _no_waiver_lasts_longer(records: Sequence[ev.Record]) -> None:
    """Within one boot, no clock that is set back lets a waiver pass anything after its time."""
    waived: dict[tuple[str, str], ev.Record] = {}
    acknowledged: set[tuple[str, str]] = set()
    for record in records:
        match record.event:
            case ev.RequirementWaived(place=place, check=check):
                waived[place, check] = record
            case ev.WarningAcknowledged(place=place, check=check):
                acknowledged.add((place, check))
            case ev.AcknowledgementEnded(place=place, check=check):
                acknowledged.discard((place, check))
            case ev.GatePassed(phase=phase, evidence=evidence):
                for entry in evidence:
                    key = (f"gate:{phase}", entry.check)
                    given = waived.get(key)
                    if entry.status == "ok" or key in acknowledged or given is None or given.boot_id != record.boot_id:
                        continue
                    assert isinstance(given.event, ev.RequirementWaived)
                    assert record.mono - given.mono < given.event.for_s + _ENOUGH, f"{key} passed after its waiver"


def _only_people_decide(world: ModelWorld, events: Sequence[ev.Event]) -> None:
    """There is no word on record that nobody gave, and what is unknown is followed by one, or by the plan's policy."""
    said = Counter(
        e.unit for e in events if (isinstance(e, ev.StepResolved) and not e.policy) or isinstance(e, ev.StepRetried)
    )
    for unit, times in said.items():
        assert times <= world.words[unit], f"{unit} was decided {times} times, by {world.words[unit]} words"
    for before, after in pairwise(
        [e for e in events if getattr(e, "unit", "") and not isinstance(e, ev.AbortRequested)]
    ):
        if isinstance(before, ev.StepUnknown) and isinstance(after, ev.StepStarted):
            assert before.unit != after.unit, f"{before.unit} began again and nobody had decided"
