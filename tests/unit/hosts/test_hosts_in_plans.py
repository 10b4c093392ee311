"""Other machines in a plan: named, whole, and nothing that ssh would take for an option."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.load import load_plan_text
from switchover.plan.variables import Scope
from switchover.services.provider_api import ServiceTarget
from switchover.services.service_targets import make_target

PLAN = """
schema: 1
id: p
title: P
vars: {{ip: {{default: 10.0.0.1}}}}
hosts:
  db1: {{ssh: {db}}}
  web: {{ssh: [web1, web2]}}
phases:
  - id: a
    steps:
      - {{id: s, {step}}}
"""


def _problems(tmp_path: Path, db: str = "ops@db1", step: str = "run: id, run_on: db1, effect: read") -> str:
    try:
        load_plan_text(PLAN.format(db=db, step=step), tmp_path / "plan.yaml")
    except PlanError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("db", ["db1", "ops@db1", '"ops@{{ ip }}"', '"ssh://ops@db1:2222"', '"[fe80::1%eth0]"'])
def test_a_host_is_what_ssh_calls_it(tmp_path: Path, db: str) -> None:
    assert _problems(tmp_path, db) == ""


@pytest.mark.parametrize("db", ['"-oProxyCommand=id"', '"db1 id"', '""', '"db1\\n"', "'-l root'"])
def test_an_option_or_a_command_is_no_host(tmp_path: Path, db: str) -> None:
    assert "is no name that ssh can be given" in _problems(tmp_path, db)


def test_a_group_names_each_machine_once_and_at_least_one(tmp_path: Path) -> None:
    assert "'a' is listed twice" in _problems(tmp_path, "[a, a]")
    assert "an empty list" in _problems(tmp_path, "[]")


def test_a_host_that_is_not_there_is_told_with_the_nearest(tmp_path: Path) -> None:
    said = _problems(tmp_path, step="run: id, run_on: bd1, effect: read")
    assert "there is no host in `hosts` 'bd1'; did you mean 'db1'?" in said


def test_only_a_command_runs_elsewhere(tmp_path: Path) -> None:
    assert "only a command runs" in _problems(tmp_path, step="manual: [look], run_on: db1")


def _with_service(service: str) -> str:
    return PLAN.format(db="ops@db1", step="run: id, effect: read") + f"services: {{s: {service}}}\n"


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("{kind: compose, project: shop, run_on: bd1}", "there is no host in `hosts` 'bd1'"),
        ("{kind: docker, container: pg, run_on: web}", "web is a group: name a service for each of its machines"),
        ("{kind: docker, container: pg, run_on: db1, docker_host: 'tcp://a:1'}", "`docker_host` says already"),
        ("{kind: systemd, unit: pg, run_on: db1}", "a service of kind systemd has no 'run_on'"),
    ],
)
def test_a_service_that_nothing_could_see_there_is_refused(tmp_path: Path, service: str, said: str) -> None:
    with pytest.raises(PlanError) as refused:
        load_plan_text(_with_service(service), tmp_path / "plan.yaml")
    assert said in str(refused.value)


def test_a_container_on_a_host_is_seen_over_ssh(tmp_path: Path) -> None:
    plan = load_plan_text(_with_service("{kind: docker, container: pg, run_on: db1}"), tmp_path / "plan.yaml").plan
    target = make_target("s", plan.services["s"], Scope.of(plan, tmp_path, "1"), plan.hosts)
    assert isinstance(target, ServiceTarget)
    assert target.docker_host == "ssh://ops@db1"


def test_a_template_of_a_host_names_what_is_there(tmp_path: Path) -> None:
    assert "names no variable" in _problems(tmp_path, '"ops@{{ pi }}"')


def test_the_plan_that_the_page_shows_loads(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "hosts.md").read_text("utf-8")
    text = page.partition("```yaml hosts-plan.yaml\n")[2].partition("```")[0]
    plan = load_plan_text(text, tmp_path / "plan.yaml").plan
    assert plan.hosts["web"].destinations == ("web1", "web2", "web3")
    assert plan.step("reload").run_on == "web"
