from __future__ import annotations

from pathlib import Path
from typing import Any

from switchover.plan.model import Plan, Service
from switchover.plan.variables import Scope
from switchover.services.provider_api import ServiceTarget
from switchover.services.service_targets import make_target

PLAN = Plan.model_validate(
    {
        "schema": 1,
        "id": "move",
        "title": "Move",
        "sides": {
            "old": {"region": "eu-west-1", "context": "ireland"},
            "new": {"region": "{{ where }}", "project": "shop-new", "context": "frankfurt", "namespace": "shop"},
        },
    }
)


def target(where: str | None = "eu-central-1", **keys: Any) -> ServiceTarget | str:
    values = {"where": where} if where is not None else {}
    return make_target("x", Service.model_validate(keys), Scope.of(PLAN, Path(), values=values))


def test_the_place_of_a_service_is_that_of_its_side_where_it_names_none() -> None:
    old = target(kind="aws", side="old", resource="rds", id="shop")
    new = target(kind="aws", side="new", resource="rds", id="shop")
    own = target(kind="aws", side="new", resource="rds", id="shop", region="us-east-1")
    assert isinstance(old, ServiceTarget)
    assert isinstance(new, ServiceTarget)
    assert isinstance(own, ServiceTarget)
    assert (old.region, new.region, own.region) == ("eu-west-1", "eu-central-1", "us-east-1")
    assert len({old.ref, new.ref, own.ref}) == 3


def test_clusters_and_projects_are_those_of_the_side() -> None:
    old = target(kind="kubernetes", side="old", deployment="api")
    new = target(kind="kubernetes", side="new", deployment="api")
    run = target(kind="gcp", side="new", resource="run", id="api")
    assert isinstance(old, ServiceTarget)
    assert isinstance(new, ServiceTarget)
    assert isinstance(run, ServiceTarget)
    assert (old.context, old.namespace, new.context, new.namespace) == ("ireland", "", "frankfurt", "shop")
    assert old.ref != new.ref
    assert (run.project, run.region) == ("shop-new", "eu-central-1")


def test_a_side_that_waits_for_a_variable_makes_its_services_wait() -> None:
    assert target(None, kind="aws", side="new", resource="ec2", id="i-1") == "waits for variable where"


def test_what_a_side_says_is_not_taken_for_what_a_process_or_container_is() -> None:
    made = target(kind="docker", side="new", container="api")
    assert isinstance(made, ServiceTarget)
    assert (made.project, made.region, made.namespace) == ("", "", "")
