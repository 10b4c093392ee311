"""Loops are written out when a plan is loaded: each member is a part of its own, and says where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.load import load_plan_text
from switchover.plan.model import Plan

HEAD = "schema: 1\nid: p\ntitle: P\n"


def loaded(text: str, tmp_path: Path) -> Plan:
    return load_plan_text(HEAD + text, tmp_path / "plan.yaml").plan


def problems(text: str, tmp_path: Path) -> list[str]:
    with pytest.raises(PlanError) as error:
        loaded(text, tmp_path)
    return [f"{p.line}:{p.column}: {p.path}: {p.message}" for p in error.value.problems]


def test_a_list_a_mapping_and_a_list_of_mappings_make_a_member_for_each_value(tmp_path: Path) -> None:
    plan = loaded(
        """checks:
  up: {each: {w: [anima, neo]}, kind: http, url: "http://{{ each.w }}/"}
  gone: {each: {r: {rds: pg, cache: redis}}, kind: command, command: [look, "{{ each.r.key }}", "{{ each.r.value }}"]}
  port:
    each: {p: [{name: a, port: 1}, {name: b, port: 2}]}
    kind: tcp
    host: "{{ each.p.name }}"
    port: "{{ each.p.port }}"
""",
        tmp_path,
    )

    assert list(plan.checks) == ["up[anima]", "up[neo]", "gone[rds]", "gone[cache]", "port[a]", "port[b]"]
    assert plan.checks["up[neo]"].config == {"url": "http://neo/"}
    assert plan.checks["gone[rds]"].config == {"command": ["look", "rds", "pg"]}
    assert plan.checks["port[b]"].config == {"host": "b", "port": 2}, "a text that is one template takes its type"


def test_a_list_variable_is_looped_over(tmp_path: Path) -> None:
    plan = loaded(
        "vars: {workers: {type: list, default: [a, b]}}\n"
        'services: {w: {each: {n: "{{ workers }}"}, kind: systemd, unit: "w@{{ each.n }}"}}\n',
        tmp_path,
    )

    assert [(name, service.unit) for name, service in plan.services.items()] == [("w[a]", "w@a"), ("w[b]", "w@b")]


LOOPS = """vars: {hosts: {type: list, default: [a, b]}}
services:
  db: {kind: tcp_of, kind: http, url: "http://db/"}
  go: {each: {u: "{{ hosts }}"}, kind: http, url: "http://{{ each.u }}/", needs: [db]}
checks:
  fine: {each: {u: "{{ hosts }}"}, kind: http, url: "http://{{ each.u }}/x", needs: [go]}
  other: {each: {v: [x, y]}, kind: http, url: "http://{{ each.v }}/y", needs: [go], since: one.copy}
  over: {kind: http, service: go, until: two}
alerts:
  down: {each: {u: "{{ hosts }}"}, when: "fine == CRIT for 1m", text: "{{ each.u }} is down"}
phases:
  - id: one
    steps:
      - id: copy
        each: {u: "{{ hosts }}"}
        run: 'cp "$U"'
        env: {U: "{{ each.u }}"}
        effect: creates
        rollback: not_needed
        on_unknown: {verify: [fine]}
    gate: {require: [fine, "other[x]"]}
  - id: two
    each: {n: [1, 2]}
    steps: [{id: look, run: "true", effect: read, env: {N: "{{ each.n }}"}}]
    gate: {require: [over, other]}
rollbacks:
  back: {title: Back, steps: [{rollback: [two, one]}], verify: [go_back]}
""".replace("kind: tcp_of, ", "").replace(", verify: [go_back]", ", verify: [over]")


def test_a_looped_name_means_every_member_and_inside_the_same_loop_that_of_this_turn(tmp_path: Path) -> None:
    plan = loaded(LOOPS, tmp_path)

    assert plan.services["go[a]"].needs == ("db",)
    assert plan.checks["fine[a]"].needs == ("go[a]",)
    assert plan.checks["other[x]"].needs == ("go[a]", "go[b]")
    assert plan.checks["over"].service == ("go[a]", "go[b]")
    assert plan.alerts["down[b]"].when == "fine[b] == CRIT for 1m"
    assert plan.alerts["down[b]"].text == "b is down"
    assert plan.phases[0].gate is not None
    assert plan.phases[0].gate.require == ("fine[a]", "fine[b]", "other[x]")
    assert plan.rollbacks["back"].steps[0].rollback == ("two[1]", "two[2]", "one")


def test_steps_and_phases_are_written_out_each_with_a_name_of_its_own(tmp_path: Path) -> None:
    plan = loaded(LOOPS, tmp_path)

    assert [phase.id for phase in plan.phases] == ["one", "two[1]", "two[2]"]
    assert [step.id for step in plan.all_steps] == ["copy[a]", "copy[b]", "look[1]", "look[2]"]
    assert plan.step("copy[b]").env == {"U": "b"}
    assert plan.step("copy[b]").verify == ("fine[b]",)
    assert plan.step("look[2]").env == {"N": "2"}


def test_a_looped_step_has_ended_with_its_last_member_and_a_looped_phase_begins_with_its_first(tmp_path: Path) -> None:
    plan = loaded(LOOPS, tmp_path)

    assert plan.checks["other[x]"].since == "one.copy[b]"
    assert plan.checks["over"].until == "two[1]"


def test_a_loop_in_a_looped_phase_names_both_members(tmp_path: Path) -> None:
    plan = loaded(
        """phases:
  - id: side
    each: {s: [old, new]}
    steps:
      - {id: stop, each: {u: [x, y]}, argv: [stop, "{{ each.s }}", "{{ each.u }}"], effect: read}
""",
        tmp_path,
    )

    assert [step.id for step in plan.all_steps] == ["stop[old,x]", "stop[old,y]", "stop[new,x]", "stop[new,y]"]
    assert plan.step("stop[new,x]").argv == ("stop", "new", "x")


@pytest.mark.parametrize(
    ("each", "said"),
    [
        ("{w: []}", "5:17: checks.a.each: this loops over nothing"),
        ("{w: {}}", "this loops over nothing"),
        ("{}", "a loop has one variable: write each: {NAME: [VALUE, …]}"),
        ("{w: [a], v: [b]}", "a loop has one variable"),
        ("[a]", "5:13: checks.a.each: a loop has one variable"),
        ("{w: 3}", "this is nothing to loop over"),
        ("{w: workers}", "this is nothing to loop over"),
        ("{w: [a, b, a]}", "5:24: checks.a.each: this loop has the member 'a' twice"),
        ("{w: [1, '1']}", "this loop has the member '1' twice"),
        ("{w: ['a b']}", "'a b' is no name for a member"),
        ('{w: "{{ nope }}"}', "there is no variable 'nope'"),
        ('{w: "{{ late }}"}', "'late' is no list that is known at load"),
        ('{w: "{{ secret.pw }}"}', "a loop cannot go over a secret"),
        ('{w: ["{{ secret.pw }}"]}', "a loop cannot go over a secret"),
        ("{w: [" + ",".join(map(str, range(10_001))) + "]}", "this loops over 10,001 members; at most 10,000"),
    ],
)
def test_a_loop_that_cannot_be_written_out_is_told_at_its_place(tmp_path: Path, each: str, said: str) -> None:
    text = f"checks:\n  a: {{each: {each}, kind: tcp, port: 1}}\nvars: {{late: {{ask: which}}}}\n"
    text += "secrets: {pw: {ref: 'env:P'}}\n"

    (found,) = problems(text, tmp_path)

    assert said in found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"{{ each.w }}"', '"{{ each.v }}"', "{{ each.v }} names no loop that this stands in"),
        ('"{{ each.w }}"', '"{{ each.w.port }}"', "the member 'a' has no 'port'"),
        ("a: {each: {w: [a, b]}, ", "a: {", "5:33: checks.a.host: the template {{ each.w }} names no variable"),
        ("  a: {each: {w: [a, b]}, ", '  "a[x]": {', "only a loop makes 'a[x]': write a: {each: …}"),
    ],
)
def test_a_mistake_in_a_member_is_told_at_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = 'checks:\n  a: {each: {w: [a, b]}, kind: tcp, port: 1, host: "{{ each.w }}"}\n'
    assert old in text

    assert said in problems(text.replace(old, new), tmp_path)[0]


def test_a_wrong_value_of_all_members_is_told_once(tmp_path: Path) -> None:
    found = problems("checks:\n  a: {each: {w: [a, b, c]}, kind: tcp, port: none, host: '{{ each.w }}'}\n", tmp_path)

    assert len(found) == 1
    assert found[0].startswith("5:46: checks.a[a].port: ")


def test_a_member_is_never_put_into_shell_text(tmp_path: Path) -> None:
    text = "phases: [{id: one, steps: [{id: s, each: {w: [a]}, run: 'rm {{ each.w }}', effect: read}]}]\n"

    assert any("a template inside shell text" in problem for problem in problems(text, tmp_path))


def test_what_loops_write_out_has_a_limit(tmp_path: Path) -> None:
    members = "[" + ",".join(map(str, range(10_000))) + "]"
    text = f"checks:\n  a: {{each: {{w: {members}}}, kind: http, url: x, expect: [a, b, c, d, e, f, g, h, i, j, k]}}\n"

    assert "its loops stand for more than 150,000 values" in problems(text, tmp_path)[0]
