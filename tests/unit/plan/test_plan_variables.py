"""Variables get a value of their type: given, captured from a step, or by default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from switchover.errors import UsageError
from switchover.plan.model import Plan, Variable
from switchover.plan.variables import Scope, check_value, resolve_variables

_DEPLOY = {"id": "one", "steps": [{"id": "deploy", "run": "true", "outputs": {"ip": "stdout:/(.*)/"}}]}


def _plan(**variables: dict[str, Any]) -> Plan:
    return Plan.model_validate({"schema": 1, "id": "shop", "title": "Shop", "vars": variables, "phases": [_DEPLOY]})


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("str", " a b ", " a b "),
        ("int", "+7", "7"),
        ("float", "1.50", "1.50"),
        ("bool", "Yes", "true"),
        ("bool", "0", "false"),
        ("ip", "10.0.0.7", "10.0.0.7"),
        ("ip", "2001:DB8::1", "2001:db8::1"),
        ("path", "backups/x", "backups/x"),
        ("url", "https://host:8443/a?b=c", "https://host:8443/a?b=c"),
        ("port", "08080", "8080"),
    ],
)
def test_a_value_of_its_type_is_taken(kind: Any, text: str, value: str) -> None:
    assert check_value("x", Variable(type=kind), text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "1.5"),
        ("int", "9" * 30),
        ("float", "nan"),
        ("bool", "maybe"),
        ("ip", "10.0.0.256"),
        ("ip", "10.0.0.7; rm -rf /"),
        ("path", "  "),
        ("url", "host/path"),
        ("url", "https://me:pw@host/"),
        ("url", "https://host:99999/"),
        ("url", "https://ho st/"),
        ("port", "0"),
        ("port", "65536"),
        ("port", "-1"),
        ("str", "a\0b"),
        ("str", "a" * 5000),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_variables_name(kind: Any, text: str) -> None:
    with pytest.raises(ValueError, match=r"^x: "):
        check_value("x", Variable(type=kind), text)


def test_a_given_value_wins_over_what_a_step_put_out() -> None:
    plan = _plan(ip={"type": "ip", "default": "{{ step.deploy.ip }}"})
    outputs = {"deploy": {"ip": "10.0.0.2"}}
    assert resolve_variables(plan, {"ip": "10.0.0.3"}, outputs).values["ip"] == "10.0.0.3"
    assert resolve_variables(plan, {}, outputs).values["ip"] == "10.0.0.2"
    assert resolve_variables(plan, {}, {}).values == {}


def test_what_must_be_asked_is_told_from_what_a_step_will_give() -> None:
    plan = _plan(
        name={"ask": "Name?"},
        ip={"type": "ip", "ask": "IP?", "default": "{{ step.deploy.ip }}"},
        url={"type": "url", "default": "http://{{ ip }}/"},
    )
    resolution = resolve_variables(plan, {}, {})
    assert (resolution.missing, set(resolution.pending)) == (("name",), {"ip", "url", "step.deploy.ip"})
    resolution = resolve_variables(plan, {"name": "a"}, {"deploy": {"ip": "10.0.0.7"}})
    assert resolution.values == {"name": "a", "ip": "10.0.0.7", "url": "http://10.0.0.7/", "step.deploy.ip": "10.0.0.7"}
    assert (resolution.missing, resolution.pending) == ((), ())


def test_defaults_are_filled_from_the_run_and_from_each_other_in_any_order() -> None:
    plan = _plan(dump={"default": "{{ backup }}/shop.dump"}, backup={"default": "backups/{{ run.id }}"})
    scope = Scope.of(plan, Path("/plans"), "r7")
    assert resolve_variables(plan, {}, {}, scope).values == {
        "backup": "backups/r7",
        "dump": "backups/r7/shop.dump",
    }


def test_a_captured_value_of_another_type_is_refused_and_not_used() -> None:
    plan = _plan(ip={"type": "ip", "default": "{{ step.deploy.ip }}"})
    resolution = resolve_variables(plan, {}, {"deploy": {"ip": "none"}})
    assert "ip" not in resolution.values
    assert resolution.refused == {"ip": "ip: 'none' is not an IP address"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"prot": "1"}, "the plan has no variable 'prot'; did you mean 'port'?"),
        ({"port": "http"}, "port: 'http' is not a port from 1 to 65535"),
        ({"side": "lef"}, "side: 'lef' is not one of left, right; did you mean 'left'?"),
    ],
)
def test_a_wrong_given_value_is_a_usage_error(given: dict[str, str], message: str) -> None:
    plan = _plan(port={"type": "port"}, side={"choices": ["left", "right"]})
    with pytest.raises(UsageError) as caught:
        resolve_variables(plan, given, {})
    assert caught.value.title == message
    assert caught.value.hint
