"""Templates name values and do nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchover.plan.secrets.secret_store import SecretError
from switchover.plan.templates import Slot, TemplateError, parse_template, shell_templates
from switchover.plan.variables import MissingValueError, Scope, render, render_tree


class _Secrets:
    def get(self, name: str) -> str:
        if name != "token":
            raise SecretError(f"no {name}")
        return "s3cret"


_SCOPE = Scope("shop", "Shop", "prod", "r1", values={"ip": "10.0.0.7", "path": "a b"})


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("http://{{ ip }}:80/{{ip}}", "http://10.0.0.7:80/10.0.0.7"),
        ("{{ id }}/{{ run.id }}/{{ target }}", "shop/r1/prod"),
        ("{{ '{{' }} .State }}", "{{ .State }}"),
        ("}} { }", "}} { }"),
    ],
)
def test_a_template_is_filled(text: str, filled: str) -> None:
    assert render(text, _SCOPE) == filled


@pytest.mark.parametrize(
    "text", ["{{", "{{ }}", "{{ a b }}", "{{ a.__class__() }}", "{{ a | b | c }}", "{{ a | q }}", "{{ '}}' }}"]
)
def test_what_is_no_template_is_refused(text: str) -> None:
    with pytest.raises(TemplateError):
        parse_template(text)


def test_a_value_is_never_read_as_a_template_itself() -> None:
    scope = Scope("a", values={"x": "{{ secret.token }}"})
    assert render("{{ x }}", scope, _Secrets()) == "{{ secret.token }}"


def test_a_secret_is_filled_only_where_it_may_be() -> None:
    assert render("Bearer {{ secret.token }}", _SCOPE, _Secrets()) == "Bearer s3cret"
    with pytest.raises(TemplateError):
        render("{{ secret.token }}", _SCOPE)


def test_a_value_that_is_not_known_yet_is_named() -> None:
    with pytest.raises(MissingValueError) as caught:
        render("{{ new_ip }}", _SCOPE)
    assert caught.value.name == "new_ip"
    with pytest.raises(MissingValueError):
        render("{{ run.id }}", Scope("a"))


def test_a_configuration_may_name_its_own_keys_and_its_own_key_wins() -> None:
    config = {"path": "{{ path }}/dump", "test": "restore {{ path }}", "n": 3, "list": ["{{ n }}", True]}
    assert render_tree(config, _SCOPE) == {
        "path": "a b/dump",
        "test": "restore a b/dump",
        "n": 3,
        "list": ["3", True],
    }


def test_keys_that_name_each_other_end_in_a_missing_value() -> None:
    with pytest.raises(MissingValueError):
        render_tree({"a": "{{ b }}", "b": "{{ a }}"}, Scope("x"))


def test_an_environment_is_filled_when_it_is_looked_up() -> None:
    raw = {"before": {"pg": "fixed"}, "after": {"pg": "host={{ new_ip }}"}}
    scope = Scope("a", raw_sides=raw)
    assert scope.sides["before"] == {"pg": "fixed"}
    assert list(scope.sides) == ["before", "after"]
    with pytest.raises(MissingValueError):
        scope.sides["after"]
    with pytest.raises(KeyError):
        scope.sides["none"]


@given(st.text(alphabet="{}| '\"abq._-\n", max_size=40))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parts = parse_template(text)
    except TemplateError:
        return
    assert all(isinstance(part, str | Slot) for part in parts)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rm -rf {{ dir }}", ["dir"]),
        ("echo {{x|q}} {{ secret.y }}", ["x", "secret.y"]),
        ("docker ps --format '{{.Names}}'", []),
        ("docker inspect -f '{{range .A}}{{.B}}{{end}}' x", []),
        ("kubectl get -o go-template='{{json .}}'", []),
    ],
)
def test_our_templates_are_told_from_those_of_other_tools(text: str, names: list[str]) -> None:
    assert shell_templates(text) == names
