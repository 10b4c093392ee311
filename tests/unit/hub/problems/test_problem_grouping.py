from __future__ import annotations

from dataclasses import replace

import pytest

from switchover.hub.problems.problem_found import UnplannedProblems, worth_telling
from switchover.hub.problems.problems import ProblemInputs, find_problems
from switchover.hub.problems.recogniser import Recogniser
from switchover.snapshot import CheckRow, MetricRow, ServiceRow, SourceNote, TimelineRow
from switchover.snapshot.states import EventKind, NamedStatus, StatusWord
from switchover.triage.entries import KnownIssue, Sign
from switchover.triage.evidence import ProblemEvidence

NOW = 1_000_000.0


def container(name: str, health: StatusWord = "crit", detail: str = "exited, exit 1", **keys: object) -> ServiceRow:
    row = ServiceRow(name, "", "docker", "stopped", health, detail, id=f"docker:{name}", changed_at=NOW - 60)
    return replace(row, **keys)  # type: ignore[arg-type]


def check(name: str, status: StatusWord = "crit", **keys: object) -> CheckRow:
    return replace(CheckRow(name, "http", status, f"{name} is {status}"), **keys)  # type: ignore[arg-type]


def test_a_daemon_that_is_gone_is_one_problem_and_not_forty() -> None:
    found = tuple(
        container(f"c{n}", "unknown", "the Docker daemon does not answer", state="unknown") for n in range(40)
    )
    planned = ServiceRow("pg", "new", "docker", "unknown", "unknown", "the Docker daemon does not answer")
    facts = ProblemInputs(
        checks=(
            check("rows", "skipped", needs=("pg",), waits_for=("pg",)),
            check("pg_runs", kind="docker", service="pg"),
            check("other"),
        ),
        services=(planned,),
        found=found,
        sources=(SourceNote("docker", "off", "the Docker daemon does not answer"),),
    )
    other, gone = find_problems(facts)
    assert (other.subject, gone.subject, gone.status) == ("other", "docker", "unknown")
    assert gone.what == "the Docker daemon does not answer"
    assert set(gone.waiting) == {"pg", "pg_runs", "rows", *(row.name for row in found)}


def test_a_source_that_is_off_and_hides_nothing_is_no_problem() -> None:
    assert find_problems(ProblemInputs(sources=(SourceNote("docker", "off", "no Docker daemon here"),))) == ()


def test_what_says_that_the_disk_is_full_is_told_with_the_disk() -> None:
    disk = replace(check("disk", kind="disk"), summary="space free: 0 %")
    pg = container("pg", changed_at=NOW - 10)
    api = container("api", needs=("docker:pg",))
    facts = ProblemInputs(
        checks=(disk, check("api_up", needs=("docker:pg",))),
        found=(pg, api),
        lines={"docker:pg": ("PANIC: could not write to file: No space left on device",)},
    )
    (problem,) = find_problems(facts, Recogniser())
    assert (problem.subject, problem.known) == ("disk", "disk-full")
    assert set(problem.waiting) == {"pg", "api", "api_up"}
    assert len(find_problems(replace(facts, lines={}), Recogniser())) == 2  # nothing says so: each for itself


def test_a_metric_of_a_full_disk_gathers_them_too() -> None:
    disk = MetricRow("disk", "host", "%", latest=99.0, status="crit", crit="95")
    pg = container("pg", detail="exited, exit 1: No space left on device")
    (problem,) = find_problems(ProblemInputs(metrics=(disk,), found=(pg,)), Recogniser())
    assert (problem.subject, problem.waiting, problem.known) == ("disk", ("pg",), "disk-full")


def test_containers_and_units_wait_for_what_they_need() -> None:
    found = (container("db"), container("api", needs=("docker:db",)), container("web", needs=("docker:api",)))
    (problem,) = find_problems(ProblemInputs(found=found))
    assert (problem.subject, problem.service, problem.waiting) == ("db", "docker:db", ("api", "web"))


def test_a_problem_says_what_changed_before_who_answers_and_what_it_may_be() -> None:
    row = container("api", owner="team-a", needs=("docker:db",), changed_at=NOW)
    timeline = (
        TimelineRow(NOW - 20, "change", "api image changed: 1 → 2", about=("docker:api",)),
        TimelineRow(NOW - 40, "action", "ana: restart db: done", "ok", ("docker:db",)),
        TimelineRow(NOW - 50, "change", "api ran out of memory", "crit", ("docker:api",)),
        TimelineRow(NOW - 60, "service", "api stopped: exit 1", "crit", ("docker:api",)),
        TimelineRow(NOW - 900, "change", "api configuration changed", about=("docker:api",)),
        TimelineRow(NOW - 900, "change", "elsewhere deployed", about=("docker:elsewhere",)),
        TimelineRow(NOW + 60, "step", "data.restore started by ana"),
    )
    facts = ProblemInputs(
        found=(row,), timeline=timeline, lines={"docker:api": ("listen :::80: address already in use",)}
    )
    (problem,) = find_problems(facts, Recogniser())
    assert [one.text for one in problem.changed] == [
        "api image changed: 1 → 2",
        "ana: restart db: done",
        "api configuration changed",
    ]
    assert (problem.owner, problem.known) == ("team-a", "port-taken")
    assert problem.next == 'd: diagnose "Its port is taken by another program"'


def before(since: float, *rows: TimelineRow) -> tuple[list[str], bool]:
    sick = container("sick", wrong_since=since, group="shop", needs=("docker:api",))
    others = (
        container("api", "ok", "", needs=("docker:db",), state="running"),
        container("db", "ok", "", state="running"),
        container("mail", "ok", "", group="shop", state="running"),
        container("far", "ok", "", group="else", state="running"),
    )
    everything = {one.id: one for one in (sick, *others)}
    (problem,) = find_problems(ProblemInputs(found=(sick,), timeline=rows, find=everything.get))
    assert problem.subject == "shop/sick"
    return [row.text for row in problem.changed], problem.nearby


def row(ago: float, name: str, what: str, kind: EventKind = "change", status: NamedStatus = "crit") -> TimelineRow:
    return TimelineRow(NOW - ago, kind, f"{name} {what}", status, (f"docker:{name}",))


def test_what_else_flaps_is_not_what_changed_before() -> None:
    flapping = [row(n, "far", "restarted 6 times in 40 s") for n in range(10, 90, 20)]
    assert before(NOW, *flapping) == ([], False)
    assert before(NOW, *flapping, row(30, "far", "running: restarted 6 times", "service", "warn")) == ([], False)


def test_what_is_needed_however_far_down_explains_by_falling() -> None:
    fell = [row(40, "db", "died: exit 137"), row(900, "api", "restarted"), row(50, "far", "died: exit 1")]
    assert before(NOW, *fell) == (["db died: exit 137", "api restarted"], False)


def test_what_fell_beside_it_is_named_as_nearby_and_only_where_nothing_better_is_known() -> None:
    beside = row(40, "mail", "restarted")
    assert before(NOW, beside) == (["mail restarted"], True)
    assert before(NOW, beside, row(60, "sick", "image changed: 1 → 2", status="")) == (
        ["sick image changed: 1 → 2"],
        False,
    )


def test_what_came_after_the_begin_did_not_come_before() -> None:
    later = [row(30, "sick", "restarted"), row(40, "db", "died: exit 1"), row(20, "sick", "configuration changed")]
    assert before(NOW - 60, *later) == ([], False)
    noticed_late = row(57, "sick", "image changed: 1 → 2", status="")
    assert before(NOW - 60, noticed_late) == (["sick image changed: 1 → 2"], False)


def test_what_people_did_counts_wherever_and_what_they_wrote_down_does_not() -> None:
    did = [
        TimelineRow(NOW - 100, "action", "ana: restart far: done", "ok", ("docker:far",)),
        TimelineRow(NOW - 90, "step", "copy done after 3 s", "ok"),
        TimelineRow(NOW - 80, "incident", "ana: incident #1: opened: it burns"),
        TimelineRow(NOW - 70, "action", "ana: made a bundle x.tar.gz"),
    ]
    assert before(NOW, *did) == (["copy done after 3 s", "ana: restart far: done"], False)


def test_a_namesake_in_another_project_is_somebody_else() -> None:
    namesake = TimelineRow(NOW - 30, "change", "sick restarted", "crit", ("docker:other-sick",))
    assert before(NOW, namesake) == ([], False)


def test_how_something_ended_is_still_told_when_only_its_absence_is_seen() -> None:
    store = ServiceRow("store", "", "process", "stopped", "crit", "nothing listens on port 1", wrong_since=NOW)
    ended = TimelineRow(NOW, "service", "store stopped: pid 7 ended: killed by SIGTERM", "crit", ("store",))
    (problem,) = find_problems(ProblemInputs(services=(store,), timeline=(ended,)))
    assert problem.what == "stopped: pid 7 ended: killed by SIGTERM; nothing listens on port 1"
    seen = replace(store, detail="pid 7 ended: killed by SIGTERM")
    (problem,) = find_problems(ProblemInputs(services=(seen,), timeline=(ended,)))
    assert problem.what == "stopped: pid 7 ended: killed by SIGTERM"
    again = replace(store, wrong_since=NOW + 600)  # that was another time
    (problem,) = find_problems(ProblemInputs(services=(again,), timeline=(ended,)))
    assert problem.what == "stopped: nothing listens on port 1"


def test_a_problem_is_as_old_as_what_is_wrong_and_not_as_its_last_look() -> None:
    looping = container("api", changed_at=NOW - 1, wrong_since=NOW - 300, or_before=True)
    (problem,) = find_problems(ProblemInputs(found=(looping,)))
    assert (problem.since, problem.or_before) == (NOW - 300, True)
    up = check("up", service="api", changed_at=NOW - 1, wrong_since=NOW - 200)
    (problem,) = find_problems(ProblemInputs((up,), (replace(looping, id="api", name="api"),)))
    assert (problem.since, problem.or_before) == (NOW - 300, True)
    (problem,) = find_problems(ProblemInputs((replace(up, wrong_since=NOW - 400),), (replace(looping, id="api"),)))
    assert (problem.since, problem.or_before) == (NOW - 400, False)


def test_what_is_in_no_plan_is_not_blamed_for_what_a_planned_service_answers() -> None:
    api = ServiceRow("api", "new", "http", "running", "crit", "answers 500", changed_at=NOW)
    up = check("api_up", service="api", changed_at=NOW)
    other = container("somebody-elses", changed_at=NOW)
    assert {p.subject for p in find_problems(ProblemInputs((up,), (api,), found=(other,)))} == {
        "api_up",
        "somebody-elses",
    }


QUIET = (
    container("done", detail="exited, exit 0"),
    container("asked", detail="exited, exit 143"),
    container("by-hand", detail="exited, exit 130"),
    container("new", detail="created, exit 0"),
    container("old", changed_at=NOW - 90_000),
    ServiceRow("job 7", "", "process", "stopped", "crit", "pid 7 ended", id="process:7"),
    container("fine", "ok", "healthy", state="running"),
)
LOUD = (
    container("failed", detail="exited, exit 1"),
    container("killed", detail="exited, exit 137, out of memory"),
    container("sick", detail="unhealthy", state="running"),
    container("loop", detail="restarting, exit 1", state="unknown"),
    ServiceRow("nginx", "", "systemd", "stopped", "crit", "failed, exit 1", id="systemd:nginx.service"),
)


@pytest.mark.parametrize("row", QUIET, ids=lambda row: row.name)
def test_what_ended_as_it_should_is_no_problem(row: ServiceRow) -> None:
    assert not worth_telling(row, NOW)


@pytest.mark.parametrize("row", LOUD, ids=lambda row: row.name)
def test_what_failed_is_told_without_a_plan(row: ServiceRow) -> None:
    assert worth_telling(row, NOW)
    (problem,) = find_problems(ProblemInputs(found=(row,)), Recogniser())
    assert problem.service == row.id


def test_rows_are_looked_through_only_when_they_are_others() -> None:
    class Counted(tuple[ServiceRow, ...]):
        __slots__ = ()
        probed = 0

        def __iter__(self):  # type: ignore[no-untyped-def]
            Counted.probed += 1
            return super().__iter__()

    troubled, rows = UnplannedProblems(), Counted((*QUIET, *LOUD))
    assert troubled.of(rows, NOW) == troubled.of(rows, NOW + 1) == LOUD
    assert Counted.probed == 1


def test_what_was_judged_once_is_not_judged_again() -> None:
    judged: list[str] = []

    def sign(evidence: ProblemEvidence) -> str:
        judged.append(evidence.service.name if evidence.service is not None else "")
        return ""

    recognise = Recogniser([KnownIssue("x", "x", (Sign(test=sign),))])
    facts = ProblemInputs(found=tuple(container(f"b{n}") for n in range(20)))
    find_problems(facts, recognise)
    find_problems(facts, recognise)
    assert len(judged) == 20
    find_problems(replace(facts, found=(*facts.found[1:], container("b0", detail="another"))), recognise)
    assert len(judged) == 21


def test_the_next_key_of_a_service_without_an_entry_is_its_log_where_it_has_one() -> None:
    (problem,) = find_problems(ProblemInputs(found=(container("api", actions=("start", "logs")),)))
    assert problem.next == "enter: all that is known of it · l: its log"
    (problem,) = find_problems(ProblemInputs(found=(container("api"),)))
    assert problem.next == "enter: all that is known of it"


def test_what_is_wrong_itself_did_not_come_before_itself() -> None:
    assert before(NOW, row(0, "sick", "paused"), row(0, "sick", "unhealthy", "service")) == ([], False)
