"""What names a service can be a name of its kind, and no two are the same thing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Problems = Callable[[str], list[str]]

PLAN = "schema: 1\nid: p\ntitle: P\nvars: {name: {ask: which}}\nsides: {before: {}, after: {}}\nservices:\n"


@pytest.mark.parametrize(
    ("service", "complaint"),
    [
        ("kind: systemd, unit: nginx", ""),
        ("kind: systemd, unit: getty@tty1.service", ""),
        ("kind: systemd, unit: 'dev-disk-by\\x2duuid.swap'", ""),
        ("kind: systemd, unit: '{{ name }}.servise'", ""),
        ("kind: systemd, unit: my unit", "unit: 'my unit' is no name of a systemd unit"),
        ("kind: systemd, unit: nginx.servise", "a systemd unit does not end in '.servise'; did you mean 'service'?"),
        ("kind: systemd, unit: node20.1", "write 'node20.1.service' where that is meant"),
        ("kind: docker, container: shop-api-1, docker_host: 'ssh://ops@db1'", ""),
        ("kind: docker, container: shop/api", "container: 'shop/api' is no name of a container"),
        ("kind: docker, container: api, docker_host: db1", "docker_host: 'db1' is no address of a Docker daemon"),
        ("kind: docker, container: api, docker_host: 'shh://db1'", "not reached by 'shh'; did you mean 'ssh'?"),
        ("kind: docker, container: api, docker_host: 'ssh://'", "is no address of a Docker daemon"),
        ("kind: compose, project: shop, compose_service: api", ""),
        ("kind: compose, project: Shop", "project: 'Shop' is no name of a Compose project"),
        ("kind: kubernetes, deployment: api, namespace: shop", ""),
        ("kind: kubernetes, deployment: API_1", "deployment: 'API_1' is no name of a deployment"),
        ("kind: process, listen: 8080", ""),
        ("kind: process, listen: '{{ name }}'", ""),
        ("kind: process, listen: 80800", "listen: '80800' is no port: that is a number from 1 to 65535"),
        ("kind: process, listen: 0", "listen: '0' is no port"),
        ("kind: process, listen: http", "listen: 'http' is no port"),
        ("kind: gcp, resource: run, id: api, project: Shop", ""),
        ("kind: gcp, resource: sqll, id: api", "did you mean 'sql'?"),
    ],
)
def test_what_cannot_be_a_name_is_told_before_anything_looks_for_it(
    problems: Problems, service: str, complaint: str
) -> None:
    found = problems(f"{PLAN}  api: {{{service}, owner: web team, logs: [a.log], config: [a.yml]}}\n")
    if complaint:
        assert len(found) == 1
        assert complaint in found[0]
    else:
        assert found == []


def test_two_services_of_one_side_are_not_the_same_thing(problems: Problems) -> None:
    api = "{kind: systemd, unit: api, side: %s}"
    found = problems(f"{PLAN}  old: {api % 'before'}\n  new: {api % 'after'}\n  again: {api % 'after'}\n")
    assert found == ["9:3: services.again: this is the same as 'new': leave one of them out"]


@pytest.mark.parametrize(("listen", "count"), [(", listen: 8080", 0), ("", 1)])
def test_a_check_takes_its_port_from_the_service_that_it_is_of(problems: Problems, listen: str, count: int) -> None:
    service = f"{{kind: process, pattern: api{listen}, owner: web team, logs: [a.log], config: [a.yml]}}"
    plan = f"{PLAN}  api: {service}\nchecks:\n  up: {{kind: tcp, service: api, host: localhost}}\n"
    assert len([line for line in problems(plan) if "port" in line]) == count
