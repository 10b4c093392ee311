from __future__ import annotations

from dataclasses import replace

from switchover.hub.problems.problems import ProblemInputs, find_problems
from switchover.snapshot import (
    CheckRow,
    FindingRow,
    GateView,
    KnownIssueView,
    MetricRow,
    MigrationView,
    PhaseView,
    RollbackView,
    ServiceRow,
    StepView,
    TimelineRow,
)


def check(name: str, status: str = "ok", **keys: object) -> CheckRow:
    row = CheckRow(name, "http", status, keys.pop("summary", f"{name} is {status}"))  # type: ignore[arg-type]
    return replace(row, **keys)  # type: ignore[arg-type]


def service(name: str, health: str = "ok", state: str = "running", **keys: object) -> ServiceRow:
    return replace(ServiceRow(name, "after", "docker", state, health), **keys)  # type: ignore[arg-type]


def subjects(facts: ProblemInputs) -> list[str]:
    return [problem.subject for problem in find_problems(facts)]


OPEN_RUN = MigrationView(
    run_id="7",
    state="waiting",
    rollbacks=(
        RollbackView("full", "Everything", available=True, expect_s=3300.0),
        RollbackView("quick", "Back to old", available=True, expect_s=240.0),
        RollbackView("instant", "Gone", available=False, expect_s=1.0),
    ),
)


def test_nothing_wrong_is_no_problem() -> None:
    fine = (check("a"), check("b", "pending"), check("c", "skipped"))
    assert find_problems(ProblemInputs(checks=fine, services=(service("s"), service("t", "pending", "stopped")))) == ()


def test_the_worst_comes_first_and_of_the_same_rank_the_oldest() -> None:
    facts = ProblemInputs(
        checks=(
            check("warn", "warn", changed_at=1.0),
            check("crit_new", "crit", changed_at=200.0),
            check("unknown", "unknown", changed_at=1.0),
            check("crit_old", "crit", changed_at=100.0),
            check("crit_never", "crit"),
        )
    )
    assert subjects(facts) == ["crit_old", "crit_new", "crit_never", "unknown", "warn"]


def test_what_waits_for_a_failing_dependency_is_counted_there_and_not_listed() -> None:
    facts = ProblemInputs(
        checks=(
            check("base", "crit"),
            check("middle", "skipped", needs=("base",), waits_for=("base",)),
            check("top", "skipped", needs=("middle",), waits_for=("middle",)),
        )
    )
    (problem,) = find_problems(facts)
    assert (problem.subject, problem.waiting) == ("base", ("middle", "top"))


def test_a_check_that_fails_with_what_it_needs_is_grouped_under_the_cause() -> None:
    facts = ProblemInputs(checks=(check("base", "crit"), check("top", "crit", needs=("base",))))
    (problem,) = find_problems(facts)
    assert (problem.subject, problem.waiting) == ("base", ("top",))


def test_a_check_that_fails_while_its_needs_are_fine_stands_for_itself() -> None:
    assert subjects(ProblemInputs(checks=(check("base"), check("top", "crit", needs=("base",))))) == ["top"]


def test_checks_that_wait_for_a_stopped_service_are_counted_with_the_service() -> None:
    facts = ProblemInputs(
        checks=(check("rows", "skipped", needs=("pg",), waits_for=("pg",)),),
        services=(service("pg", "crit", "stopped", detail="exit 137, out of memory", changed_at=100.0),),
    )
    (problem,) = find_problems(facts)
    assert (problem.subject, problem.service, problem.waiting) == ("pg", "pg", ("rows",))
    assert problem.what == "stopped: exit 137, out of memory"
    assert problem.since == 100.0


def test_a_service_that_needs_a_stopped_one_waits_for_it() -> None:
    facts = ProblemInputs(services=(service("pg", "crit", "stopped"), service("api", "crit", needs=("pg",))))
    (problem,) = find_problems(facts)
    assert (problem.subject, problem.waiting) == ("pg", ("api",))


def test_a_check_on_a_service_that_is_down_tells_both_as_one() -> None:
    facts = ProblemInputs(
        checks=(
            check("api_up", "crit", service="api", changed_at=110.0),
            check("search", "skipped", needs=("api",), waits_for=("api",)),
        ),
        services=(service("api", "crit", "stopped", detail="pid 7 ended", changed_at=100.0),),
    )
    (problem,) = find_problems(facts)
    assert (problem.subject, problem.check, problem.service) == ("api_up", "api_up", "api")
    assert (problem.cause, problem.since) == ("api stopped: pid 7 ended", 100.0)
    assert problem.waiting == ("search",)


def test_the_cause_is_what_changed_just_before_and_has_to_do_with_it() -> None:
    timeline = (
        TimelineRow(100.0, "step", "data.restore started by ana"),
        TimelineRow(95.0, "service", "pg stopped: exit 137"),
        TimelineRow(99.0, "service", "other restarted"),
        TimelineRow(10.0, "service", "pg restarted"),
    )
    facts = ProblemInputs(checks=(check("api_up", "crit", needs=("pg",), changed_at=101.0),), timeline=timeline)
    assert find_problems(facts)[0].cause == "pg stopped: exit 137"
    alone = ProblemInputs(checks=(check("api_up", "crit", changed_at=101.0),), timeline=timeline)
    assert find_problems(alone)[0].cause == "just before: data.restore started by ana"
    behind = service("api", "crit", detail="answers 502")
    served = ProblemInputs(
        checks=(check("api_up", "crit", service="api", changed_at=101.0),), services=(behind,), timeline=timeline
    )
    assert find_problems(served)[0].cause == "pg stopped: exit 137"
    assert find_problems(replace(served, timeline=()))[0].cause == "api answers 502"
    later = ProblemInputs(checks=(check("api_up", "crit", changed_at=900.0),), timeline=timeline)
    assert find_problems(later)[0].cause == ""


def test_what_answers_badly_since_a_service_stopped_stands_under_that_service() -> None:
    facts = ProblemInputs(
        checks=(
            check("front", "crit", service="api", changed_at=100.0),
            check("writes", "skipped", service="api", needs=("front",), waits_for=("front",)),
            check("report", "skipped", needs=("api_old",), waits_for=("api_old",)),
        ),
        services=(
            service("api", "crit", side="", detail="answers 502", changed_at=100.0),
            service("shop_old", "crit", "stopped", side="before", detail="pid 5 is gone", changed_at=104.0),
            service("api_old", "crit", "stopped", side="before", needs=("shop_old",), changed_at=104.0),
        ),
        known_issues=(KnownIssueView("Visitors get an error", matches=True),),
        entry_subjects=(("front",),),
        live_side="before",
    )
    (problem,) = find_problems(facts)
    assert (problem.subject, problem.service, problem.check) == ("shop_old", "shop_old", "")
    assert problem.what == "stopped: pid 5 is gone"
    assert set(problem.waiting) == {"front", "writes", "api_old", "report"}
    assert problem.waiting[0] == "front"
    assert (problem.plan_entry, problem.next) == (0, 'd: diagnose "Visitors get an error"')


def test_a_stop_explains_nothing_where_it_cannot_be_the_one() -> None:
    front = check("front", "crit", service="api", changed_at=100.0)
    api = service("api", "crit", side="", detail="answers 502", changed_at=100.0)
    gone = service("shop_old", "crit", "stopped", side="before", changed_at=99.0)
    both = ProblemInputs(checks=(front,), services=(api, gone), live_side="before")
    assert subjects(both) == ["shop_old"]
    assert subjects(replace(both, live_side="after")) == ["shop_old", "front"]
    long_ago = replace(gone, changed_at=1.0)
    assert subjects(replace(both, services=(api, long_ago))) == ["shop_old", "front"]
    other = replace(gone, name="cache")
    assert sorted(subjects(replace(both, services=(api, gone, other)))) == ["cache", "front", "shop_old"]


def test_a_service_is_not_its_own_cause() -> None:
    timeline = (TimelineRow(100.0, "service", "pg stopped: exit 137"),)
    facts = ProblemInputs(services=(service("pg", "crit", "stopped", changed_at=100.0),), timeline=timeline)
    assert find_problems(facts)[0].cause == ""


def test_the_next_key_is_the_troubleshooting_entry_that_matches_and_the_quickest_way_back() -> None:
    known_issues = (
        KnownIssueView("Disk full", matches=False),
        KnownIssueView("PostgreSQL does not start", matches=True),
    )
    facts = ProblemInputs(
        checks=(check("running[pg]", "crit"),),
        known_issues=known_issues,
        entry_subjects=(("disk",), ("running",)),
        migration=OPEN_RUN,
    )
    (problem,) = find_problems(facts)
    assert problem.plan_entry == 1
    assert problem.next == 'd: diagnose "PostgreSQL does not start" · R: roll back, ~4 m'


def test_without_an_entry_the_hint_of_the_finding_helps() -> None:
    findings = (FindingRow("ok", "a", "a", "ok", "not this"), FindingRow("x", "a", "b", "crit", "free space on /"))
    (problem,) = find_problems(ProblemInputs(checks=(check("disk", "crit", findings=findings),)))
    assert (problem.plan_entry, problem.next) == (None, "free space on /")
    (bare,) = find_problems(ProblemInputs(checks=(check("disk", "crit"),)))
    assert bare.next == "enter: expected against observed"


def test_rolling_back_is_offered_only_while_a_run_is_open_and_a_way_is() -> None:
    failing = (check("a", "crit"),)
    for view in (MigrationView(), replace(OPEN_RUN, state="done"), replace(OPEN_RUN, rollbacks=())):
        assert "roll back" not in find_problems(ProblemInputs(checks=failing, migration=view))[0].next


def test_a_missing_variable_is_one_problem_however_many_checks_wait_for_it() -> None:
    waiting = ("variable new_ip",)
    facts = ProblemInputs(checks=tuple(check(name, "unknown", waits_for=waiting) for name in ("a", "b")))
    (problem,) = find_problems(facts)
    assert (problem.subject, problem.status, problem.waiting) == ("variable new_ip", "unknown", ("a", "b"))
    asked = MigrationView(variables_needed=(("new_ip", "ip", "IP?"),))
    assert "asked for at the start" in find_problems(replace(facts, migration=asked))[0].next


def test_a_step_that_failed_and_one_whose_end_nobody_knows_are_problems() -> None:
    steps = (
        StepView("copy", "Copy", "failed", "changes", exit_code=3, ended_at=50.0),
        StepView("switch", "Switch", "unknown", "changes", reason="the machine was restarted", started_at=60.0),
        StepView("fine", "Fine", "done", "changes"),
    )
    view = replace(OPEN_RUN, phases=(PhaseView("data", "Data", "running", steps),))
    failed, unknown = find_problems(ProblemInputs(migration=view))
    assert (failed.subject, failed.status, failed.what) == ("step copy", "crit", "failed, exit 3")
    assert "R: roll back" in failed.next
    assert (unknown.subject, unknown.status, unknown.what) == ("step switch", "unknown", "the machine was restarted")
    assert find_problems(ProblemInputs(migration=replace(view, state="rolled_back"))) == ()


def test_a_gate_that_was_not_passed_in_time_is_a_problem() -> None:
    gate = GateView("data", "failed", reason="rows: crit")
    view = MigrationView(state="failed", phases=(PhaseView("data", "Data", "running", gate=gate),))
    (problem,) = find_problems(ProblemInputs(migration=view))
    assert (problem.subject, problem.what) == ("gate data", "rows: crit")


def test_a_metric_beyond_its_threshold_is_a_problem_with_its_value() -> None:
    rows = (
        MetricRow("p95", "plan", "ms", latest=840.0, warn="~:500", status="warn"),
        MetricRow("cpu", "host", "%"),
        MetricRow("queue", "plan", "", status="unknown", note="cannot connect"),
    )
    (problem,) = find_problems(ProblemInputs(metrics=rows))
    assert (problem.subject, problem.status, problem.what) == ("p95", "warn", "840 ms, should be within ~:500")


def test_needs_in_a_circle_hide_nothing_altogether() -> None:
    facts = ProblemInputs(checks=(check("a", "crit", needs=("b",)), check("b", "crit", needs=("a",))))
    assert len(find_problems(facts)) == 1
    assert subjects(ProblemInputs(checks=(check("a", "crit", needs=("a",)),))) == ["a"]
