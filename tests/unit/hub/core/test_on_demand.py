"""Checks with `every: gate`: nobody looks at them but a gate or a person, and their result never grows old."""

from pathlib import Path

import pytest
from tests.unit.health.health_fakes import HEAD, FakeRunner, plan, result
from tests.unit.hub.hub_fakes import stage

from switchover.cli.verbs.check import _choose
from switchover.errors import PlanError
from switchover.health.catalog import Catalog
from switchover.health.check_state import CheckState, advance, stand
from switchover.migration.run.gate_watch import _fresh, _interval
from switchover.plan.loader.load import load_plan_text
from switchover.plan.model import Gate
from switchover.snapshot import CheckRow, Snapshot
from switchover.ui.checks.check_lines import every_text
from switchover_checks.api import Status

PLAN = """
checks:
  quick: {kind: tcp, port: 1, every: 200ms, since: run}
  costly: {kind: tcp, port: 2, every: gate, timeout: 10m, since: run}
phases:
  - {id: go, gate: {require: [costly, quick], within: 1h, every: 30s}}
"""


def row(snapshot: Snapshot, name: str) -> CheckRow:
    return next(one for one in snapshot.checks if one.name == name)


async def test_it_is_looked_at_only_when_somebody_asks(tmp_path: Path) -> None:
    runner = FakeRunner({})
    async with stage(PLAN, tmp_path, runner=runner) as live:
        seen = await live.until(lambda s: len(row(s, "quick").history) > 3)
        assert "costly" not in {spec.name for spec in runner.asked}
        assert (row(seen, "costly").status, row(seen, "costly").resting) == ("pending", True)
        assert row(seen, "costly").summary == "looked at only when a gate or a person asks"
        await live.hub.recheck()
        assert "costly" not in {spec.name for spec in runner.asked}
        await live.hub.recheck(["costly"])
        seen = await live.until(lambda s: row(s, "costly").status == "ok")
        assert not row(seen, "costly").resting
        assert every_text(row(seen, "costly")) == "only when a gate or a person asks"


def test_its_result_is_never_shown_as_late(tmp_path: Path) -> None:
    rule = Catalog(plan(PLAN, tmp_path).plan).items["costly"].rule
    seen = advance(CheckState(), result(Status.CRIT, "17 rows differ"), rule, at=5.0, mono=5.0)
    month_later = stand(seen, rule, mono=30 * 86400.0)
    assert (month_later.status, month_later.summary, month_later.stale) == (Status.CRIT, "17 rows differ", False)


def test_a_check_of_all_leaves_it_out_and_one_by_name_does_not(tmp_path: Path) -> None:
    catalog = Catalog(plan(PLAN, tmp_path).plan)
    assert _choose(catalog, [], {}) == (("quick",), "1 not looked at: 1 for a gate, or by name")
    assert _choose(catalog, ["costly"], {}) == (("costly",), "")


def test_a_gate_looks_at_it_as_often_as_it_judges(tmp_path: Path) -> None:
    loaded = plan(PLAN, tmp_path).plan
    gate = loaded.phases[0].gate
    assert gate is not None
    assert _interval(loaded, gate) == 30.0
    costly = Gate(require=("costly",), hold=3600.0, every=600.0)
    assert (_interval(loaded, costly), _fresh(loaded, costly)) == (600.0, 2 * 600.0 + 600.0)
    assert _interval(loaded, Gate(require=("costly",))) == 15.0


def test_what_is_watched_cannot_need_it(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="'costly' is looked at only when a gate asks") as wrong:
        load_plan_text(HEAD + PLAN.replace("200ms,", "200ms, needs: [costly],"), tmp_path / "p")
    assert len(wrong.value.problems) == 1


def test_a_word_that_is_no_duration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"checks\.costly\.every: 'gates' is not a duration"):
        load_plan_text(HEAD + PLAN.replace("every: gate,", "every: gates,"), tmp_path / "p")
