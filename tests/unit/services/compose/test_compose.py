from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.services.docker.docker_answers import StandInApi, attributes, connecting, summary

from switchover.services.compose.compose_cli import compose_command, compose_program, why_no_scale
from switchover.services.compose.compose_observation import Member, combined_observation, done_jobs, levels
from switchover.services.compose.compose_provider import ComposeProvider
from switchover.services.docker.compose_labels import conditions, members_of, needs_of, service_of, title_of
from switchover.services.docker.docker_observation import name_of, observation_from_summary
from switchover.services.docker.docker_provider import DockerProvider
from switchover.services.provider_api import Capability, ProcessState, ServiceTarget
from switchover_checks.api import Status


def member(service: str, state: str = "running", status: str = "Up 1 hour", number: int = 1, **labels: Any) -> Member:
    name = f"shop-{service}-{number}"
    labels = {"project": "shop", "service": service, "container-number": str(number), **labels}
    entry = summary(state, name, status, **labels) | {"Created": 1000 + number}
    return Member(entry, observation_from_summary(entry))


def test_a_service_is_ready_when_all_of_its_containers_are() -> None:
    seen = combined_observation([member("api"), member("api", number=2)], scalable=True)
    assert (seen.state, seen.health, seen.detail, seen.ready, seen.wanted) == (
        ProcessState.RUNNING,
        Status.OK,
        "",
        2,
        2,
    )
    assert Capability.SCALE in seen.can


@pytest.mark.parametrize(
    ("members", "state", "health", "detail"),
    [
        (
            [member("api"), member("api", "exited", "Exited (1) 2 hours ago", number=2)],
            ProcessState.RUNNING,
            Status.WARN,
            "1 of 2 ready; api-2 exited, exit 1",
        ),
        (
            [member("api"), member("db", "exited", "Exited (1) 2 hours ago")],
            ProcessState.RUNNING,
            Status.CRIT,
            "1 of 2 ready; db-1 exited, exit 1",
        ),
        (
            [member("api"), member("db", status="Up 1 second (health: starting)")],
            ProcessState.RUNNING,
            Status.PENDING,
            "1 of 2 ready; db-1 starting",
        ),
        (
            [
                member("api", "restarting", "Restarting (3) 1 second ago"),
                member("db", "exited", "Exited (0) 1 hour ago"),
            ],
            ProcessState.STOPPED,
            Status.CRIT,
            "0 of 2 ready; api-1 restarting, exit 3 and 1 more",
        ),
    ],
)
def test_a_project_is_as_healthy_as_its_worst_service(
    members: list[Member], state: ProcessState, health: Status, detail: str
) -> None:
    seen = combined_observation(members, scalable=False)
    assert (seen.state, seen.health, seen.detail) == (state, health, detail)


def test_a_job_that_others_waited_for_and_that_ended_well_is_not_missed() -> None:
    job = member("migrate", "exited", "Exited (0) 1 hour ago")
    api = member("api", depends_on="migrate:service_completed_successfully:false")
    assert done_jobs([job, api]) == {"migrate"}
    seen = combined_observation([job, api], scalable=False)
    assert (seen.health, seen.ready, seen.wanted) == (Status.OK, 1, 1)
    failed = member("migrate", "exited", "Exited (1) 1 hour ago")
    assert combined_observation([failed, api], scalable=False).health is Status.CRIT


def test_containers_start_after_those_that_they_depend_on_also_in_a_circle() -> None:
    members = [
        member("web", depends_on="api:service_started:true"),
        member("api", depends_on="db:service_healthy:false,cache:service_started:false"),
        member("api", number=2, depends_on="db:service_healthy:false,cache:service_started:false"),
        member("db", depends_on=""),
        member("cache"),
    ]
    assert [sorted({one.service for one in level}) for level in levels(members)] == [["cache", "db"], ["api"], ["web"]]
    circle = [member("a1", depends_on="b1:service_started:false"), member("b1", depends_on="a1:service_started:false")]
    assert len(levels(circle)) == 1


def test_without_a_word_on_dependencies_containers_start_in_the_order_in_which_they_were_made() -> None:
    members = [member("web", number=2), member("db", number=1)]
    assert [[one.service for one in level] for level in levels(members)] == [["db"], ["web"]]


def test_labels_say_what_a_container_is_and_needs() -> None:
    web = member("web", depends_on="db:service_healthy:false,cache").entry
    db, run = member("db").entry, member("db", number=9, oneoff="True").entry
    assert conditions(web) == {"db": "service_healthy", "cache": "service_started"}
    assert (service_of(db), service_of(run)) == ("db", "")
    assert needs_of(web, members_of([web, db, run])) == ("shop-db-1",)
    assert title_of(db) == "db-1"
    assert title_of(summary(name="lonely")) == "lonely"
    assert title_of({**db, "Names": ["/custom"]}) == "custom"


def test_a_service_keeps_its_identity_when_it_is_scaled_and_loses_it_when_it_is_made_anew() -> None:
    first, second = member("api"), member("api", number=2)
    one = combined_observation([first], scalable=True).identity
    assert combined_observation([second, first], scalable=True).identity == one
    assert combined_observation([second], scalable=True).identity != one


@pytest.mark.parametrize(
    ("plugin", "program", "found"),
    [
        (True, False, ("docker", "compose")),
        (False, True, ("docker-compose",)),
        (True, True, ("docker", "compose")),
        (False, False, ()),
    ],
)
def test_the_compose_command_is_the_plugin_else_the_older_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: bool, program: bool, found: tuple[str, ...]
) -> None:
    monkeypatch.setattr("switchover.services.compose.compose_cli._PLUGIN_FOLDERS", ())
    (tmp_path / "cli-plugins").mkdir()
    names = ["docker", *(["docker-compose"] if program else []), *(["cli-plugins/docker-compose"] if plugin else [])]
    for name in names:
        (tmp_path / name).touch(mode=0o755)
    environment = {"PATH": str(tmp_path), "DOCKER_CONFIG": str(tmp_path)}
    assert compose_program("", environment) == found
    if found:
        assert "--host" in compose_program("ssh://far", environment)


def test_commands_name_the_project_and_its_files_where_the_program_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    files: dict[str, Any] = {"project.working_dir": "/srv/shop", "project.config_files": "/srv/shop/a.yml,b.yml"}
    entry = member("api", **files).entry
    named = ("--project-directory", "/srv/shop", "--file", "/srv/shop/a.yml", "--file", "/srv/shop/b.yml")

    def command(program: tuple[str, ...], service: str, action: Capability, argument: str = "") -> tuple[str, ...]:
        monkeypatch.setattr("switchover.services.compose.compose_cli.compose_program", lambda host: program)
        return compose_command("", "shop", service, action, entry, argument)

    old, new = ("docker-compose",), ("docker", "compose")
    assert command(old, "api", Capability.STOP) == (*old, "--project-name", "shop", *named, "stop", "api")
    assert command(new, "api", Capability.STOP) == (*new, "--project-name", "shop", "stop", "api")
    assert command(new, "", Capability.REMOVE) == (*new, "--project-name", "shop", "down")
    up = ("up", "--detach", "--no-deps", "--no-recreate", "--scale", "api=3", "api")
    assert command(new, "api", Capability.SCALE, "3") == (*new, "--project-name", "shop", *named, *up)
    assert command(new, "", Capability.SCALE, "3") == ()
    assert command(new, "api", Capability.PAUSE) == ()


def test_what_keeps_a_project_from_being_scaled_is_said(tmp_path: Path) -> None:
    files: dict[str, Any] = {"project.working_dir": str(tmp_path), "project.config_files": "a.yml"}
    entry = member("api", **files).entry
    assert "only they can scale" in why_no_scale((), entry)
    assert why_no_scale(("docker-compose",), entry) == "the files of the project are not on this host (a.yml)"
    assert "its containers name none" in why_no_scale(("docker-compose",), member("api").entry)
    (tmp_path / "a.yml").touch()
    assert why_no_scale(("docker-compose",), entry) == ""


class Projects(StandInApi):
    def __init__(self, *entries: dict[str, Any]) -> None:
        super().__init__(*(attributes(name=name_of(one)) for one in entries))
        self.entries = list(entries)

    def containers(self, *, all: bool) -> list[dict[str, Any]]:  # noqa: A002
        self.calls.append("list")
        return self.entries


async def test_projects_and_services_are_read_from_one_list_of_containers() -> None:
    api = Projects(dict(member("api").entry), dict(member("db").entry), summary(name="lonely"))
    provider = ComposeProvider(DockerProvider(connecting(api)))
    targets = [
        ServiceTarget("shop", "compose", "shop", project="shop"),
        ServiceTarget("api", "compose", "shop/api", project="shop", service="api"),
        ServiceTarget("gone", "compose", "gone", project="gone"),
    ]
    seen = await provider.inspect(targets)
    assert api.calls.count("list") == 1
    assert (seen["shop"].wanted, seen["api"].wanted) == (2, 1)
    assert (seen["gone"].state, seen["gone"].detail) == (ProcessState.STOPPED, "no container of gone")
    assert [(one.target.ref, one.needs) for one in await provider.discover()] == [
        ("shop", ("docker:shop-api-1", "docker:shop-db-1"))
    ]


@pytest.mark.parametrize(
    ("codes", "planned", "found"),
    [((143, 0), Status.CRIT, Status.SKIPPED), ((143, 1), Status.CRIT, Status.CRIT)],
)
async def test_a_project_that_nobody_planned_may_have_been_stopped_on_purpose(
    codes: tuple[int, int], planned: Status, found: Status
) -> None:
    ended = [
        dict(member(name, "exited", f"Exited ({code}) 2 minutes ago").entry)
        for name, code in zip(("api", "db"), codes, strict=True)
    ]
    api = Projects(*ended)
    for entry, code in zip(ended, codes, strict=True):
        api.known[name_of(entry)] = attributes("exited", name_of(entry), ExitCode=code)
    provider = ComposeProvider(DockerProvider(connecting(api)))
    seen = await provider.inspect([ServiceTarget("shop", "compose", "shop", project="shop")])
    assert seen["shop"].health is planned
    assert [one.observation.health for one in await provider.discover()] == [found]


async def test_without_a_daemon_projects_are_unknown() -> None:
    provider = ComposeProvider(DockerProvider(connecting(ConnectionRefusedError(111, "Connection refused"))))
    seen = await provider.inspect([ServiceTarget("shop", "compose", "shop", project="shop")])
    assert seen["shop"].state is ProcessState.UNKNOWN
    assert "does not answer" in seen["shop"].detail
    assert await provider.discover() == []
