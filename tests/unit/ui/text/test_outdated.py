"""A screen that hears nothing more shows nothing green that is older than it may be."""

from __future__ import annotations

from dataclasses import replace

from tests.support import ui_samples as samples
from tests.support.ui_samples import NOW

from switchover.snapshot import CheckRow, MetricRow, ServiceRow, Snapshot
from switchover.ui.overview.overview_lines import calm_lines, problem_items, summary_lines
from switchover.ui.text.header_lines import tab_line
from switchover.ui.text.outdated import Outdated, agent_problem
from switchover.ui.text.render_context import AgentLink, AgentLinkState, RenderContext
from switchover.ui.text.styled_line import Line

LIVE = AgentLink(AgentLinkState.LIVE, NOW - 100)
QUICK = CheckRow("quick", "tcp", "ok", "open", observed_at=NOW - 1, stale_after_s=4.0, running=True)
SLOW = CheckRow("slow", "tcp", "ok", "open", observed_at=NOW - 50, stale_after_s=130.0, running=True)
RESTING = CheckRow("later", "tcp", "pending", "watched from phase two on", observed_at=NOW - 900, resting=True)
WEB = ServiceRow("web", "old", "process", "running", "ok", observed_at=NOW - 1, pid=7, actions=("stop", "logs"))
LOAD = MetricRow("load", "host", "", latest=1.0, observed_at=NOW - 1, warn="5")
SEEN = Snapshot(7, NOW, checks=(QUICK, SLOW, RESTING), services=(WEB,), found=(WEB,), metrics=(LOAD,))


def text(lines: list[Line]) -> str:
    return "\n".join("".join(span.text for span in line) for line in lines)


def test_a_row_is_unknown_once_it_is_older_than_it_may_be_and_no_sooner() -> None:
    after_4 = Outdated().mark(SEEN, 3.2)
    assert [row.status for row in after_4.checks] == ["unknown", "ok", "pending"]
    assert after_4.checks[0].summary.startswith("no result since ")
    assert after_4.services[0].health == "ok"
    after_12 = Outdated().mark(SEEN, 12.0)
    assert [row.health for row in (*after_12.services, *after_12.found)] == ["unknown", "unknown"]
    assert (after_12.services[0].state, after_12.services[0].pid, after_12.services[0].actions) == (
        "unknown",
        None,
        ("logs",),
    )
    assert after_12.metrics[0].status == "unknown"
    assert [row.status for row in Outdated().mark(SEEN, 100.0).checks] == ["unknown", "unknown", "pending"]


def test_while_the_agent_answers_it_is_taken_at_its_word() -> None:
    assert Outdated().mark(SEEN, 1.0) is SEEN


def test_nothing_is_being_looked_at_where_nobody_answers() -> None:
    assert not any(row.running for row in Outdated().mark(SEEN, 3.5).checks)


def test_a_clock_that_was_set_makes_nothing_fresh_and_nothing_old() -> None:
    ahead = replace(QUICK, observed_at=NOW + 3600)  # looked at before the clock went back
    marked = Outdated().mark(replace(SEEN, checks=(ahead,)), 5.0)
    assert marked.checks[0].status == "unknown"


def test_what_does_not_change_stays_the_same_object() -> None:
    outdated = Outdated()
    first = outdated.mark(SEEN, 12.0)
    assert outdated.mark(SEEN, 13.0) is first
    assert Outdated().mark(SEEN, 3.2).found is SEEN.found


def test_a_silent_agent_is_a_problem_and_no_tab_says_that_all_is_well() -> None:
    silent = 300.0
    snapshot = Outdated().mark(samples.healthy(), silent)
    snapshot = replace(snapshot, problems=(agent_problem(LIVE, NOW + silent, silent),))
    moment = RenderContext(snapshot, NOW + silent, LIVE, silent)
    (item,) = problem_items(moment, 80)
    assert "agent" in text(list(item.lines))
    assert "says nothing since" in text(list(item.lines))
    tabs = "".join(span.text for span in tab_line(snapshot, "overview", 120))
    assert "✓" not in tabs.partition("Migration")[0]
    assert "8/8" not in tabs
    assert "●" not in text(summary_lines(moment, 80)).partition("Live")[2].partition("\n")[0]


def test_just_started_is_not_well() -> None:
    fine = samples.healthy()
    unseen = replace(fine.checks[0], status="pending", observed_at=None)
    snapshot = replace(fine, checks=(unseen, *fine.checks[1:]))
    lines = text(calm_lines(RenderContext(snapshot, NOW, LIVE), 80))
    assert "✓ ok" not in lines
    assert f"not looked at yet: {unseen.name}" in lines
    assert "✓" not in "".join(span.text for span in tab_line(snapshot, "overview", 120)).partition("Migration")[0]


def test_a_service_that_nobody_has_looked_at_is_not_well_either() -> None:
    fine = samples.healthy()
    service = replace(fine.services[0], health="pending", state="unknown", observed_at=None)
    snapshot = replace(fine, services=(service, *fine.services[1:]))
    assert "✓ ok" not in text(calm_lines(RenderContext(snapshot, NOW, LIVE), 80))
    without_checks = replace(snapshot, checks=())
    assert "✓ ok" not in text(calm_lines(RenderContext(without_checks, NOW, LIVE), 80))


def test_what_is_watched_later_keeps_nothing_from_being_well() -> None:
    assert any(check.resting for check in samples.healthy().checks)
    assert "✓ ok" in text(calm_lines(RenderContext(samples.healthy(), NOW, LIVE), 80))


def test_beside_what_is_not_well_on_a_host_nothing_says_that_all_is_well() -> None:
    ended = replace(WEB, name="job", state="stopped", health="warn")
    lines = text(calm_lines(RenderContext(Snapshot(7, NOW, found=(WEB, ended)), NOW, LIVE), 80))
    assert "✓ ok" not in lines
    assert "1 of 2 that run here not well: job" in lines
    assert "✓ ok" in text(calm_lines(RenderContext(Snapshot(7, NOW, found=(WEB,)), NOW, LIVE), 80))
