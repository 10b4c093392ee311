from __future__ import annotations

from graphlib import CycleError

import pytest

from switchover.health.catalog import Catalog
from switchover.plan.model import CheckSpec, Plan, Service

SERVICES = {
    "pg": Service(kind="docker", container="postgres"),
    "api": Service(kind="http", url="http://127.0.0.1:1/health"),
    "old": Service(kind="process", pid_file="old.pid", listen="8001"),
}


def catalog(**checks: CheckSpec) -> Catalog:
    return Catalog(Plan(schema_=1, id="shop", title="shop", services=SERVICES, checks=checks))


def test_a_check_over_several_services_is_one_for_each() -> None:
    found = catalog(running=CheckSpec(kind="docker", service=("pg", "api")))
    assert list(found.items) == ["running[pg]", "running[api]"]
    assert found.members("running") == ("running[pg]", "running[api]")
    assert found.members("running[pg]") == ("running[pg]",)
    assert found.names == ("running", "running[pg]", "running[api]")


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        catalog().members("nothing")


def test_needing_a_check_over_several_services_needs_each_of_them() -> None:
    found = catalog(
        running=CheckSpec(kind="docker", service=("pg", "api")), rows=CheckSpec(kind="sql", needs=("running", "old"))
    )
    assert found.items["rows"].needs == ("running[pg]", "running[api]", "old")
    assert found.services_needed(found.items) == {"old"}


def test_needs_come_before_those_that_need_them() -> None:
    found = catalog(
        c=CheckSpec(kind="tcp", needs=("b",)), b=CheckSpec(kind="tcp", needs=("a",)), a=CheckSpec(kind="tcp")
    )
    assert found.order(["c"]) == ("a", "b", "c")
    assert found.order(["b"]) == ("a", "b")


def test_a_circle_of_needs_is_an_error_and_not_a_wait_for_ever() -> None:
    found = catalog(a=CheckSpec(kind="tcp", needs=("b",)), b=CheckSpec(kind="tcp", needs=("a",)))
    with pytest.raises(CycleError):
        found.order(["a"])


def test_a_check_takes_from_its_service_what_its_kind_knows_and_the_plan_does_not_set() -> None:
    found = catalog(
        api=CheckSpec(kind="http", service="api"),
        own=CheckSpec(kind="http", service="api", url="http://elsewhere/"),
        port=CheckSpec(kind="port", service="old"),
        proc=CheckSpec(kind="process", service="old"),
    )
    fields = {"url", "expect"}
    assert found.items["api"].config(SERVICES, fields) == {"url": "http://127.0.0.1:1/health"}
    assert found.items["own"].config(SERVICES, fields) == {"url": "http://elsewhere/"}
    assert found.items["port"].config(SERVICES, {"port"}) == {"port": "8001"}
    assert found.items["proc"].config(SERVICES, {"pid_file", "pattern"}) == {"pid_file": "old.pid"}
    assert found.items["proc"].config(SERVICES, ()) == {}


def test_a_result_may_miss_one_beat_before_it_is_late() -> None:
    item = catalog(a=CheckSpec(kind="tcp", every=15, timeout=10, fail_after=3, ok_after=2)).items["a"]
    assert (item.rule.stale_after_s, item.rule.fail_after, item.rule.ok_after) == (40.0, 3, 2)
