"""What must hold in a plan beyond its types: each rule has its own message."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from switchover.errors import PlanError
from switchover.plan.loader.load import load_plan_text

Problems = Callable[[str], list[str]]

Case = tuple[str, str, str]

_CONFIRM = (
    '        confirm: {text: "destroy {{ id }}", require: [last_dump, api_up], cooldown: 30s, '
    'not_before: "phase.validate + 24h", persons: 2}\n'
)

_NAMES: list[Case] = [
    ("kind: disk,", "kind: disc,", "checks.disk.kind: there is no check kind 'disc'; did you mean 'disk'?"),
    (
        "gate: {require: [last_dump, disk]",
        "gate: {require: [last_dmp, disk]",
        "phases[0].gate.require[0]: there is no check or service 'last_dmp'; did you mean 'last_dump'?",
    ),
    (
        'gate: {require: ["running[pg]"',
        'gate: {require: ["running[es]"',
        "phases[1].gate.require[0]: there is no check or service 'running[es]'; did you mean",
    ),
    (
        "gate: {require: [last_dump, disk]",
        "gate: {require: [disk, disk]",
        "phases[0].gate.require[1]: 'disk' is listed twice",
    ),
    ("prove: [search]", "prove: [serch]", "there is no promise 'serch'; did you mean 'search'?"),
    (
        "verify: [last_dump]",
        "verify: [last_dumb]",
        "phases[0].steps[0].on_unknown.verify[0]: there is no check or service 'last_dumb'",
    ),
    (
        "require: [last_dump, api_up], cooldown",
        "require: [last_dump, api_ok], cooldown",
        "confirm.require[1]: there is no check or service 'api_ok'; did you mean 'api_up'?",
    ),
    (
        'not_before: "phase.validate + 24h"',
        'not_before: "phase.valid + 24h"',
        "confirm.not_before: there is no phase 'valid'; did you mean 'validate'?",
    ),
    (
        'not_before: "phase.validate + 24h"',
        "not_before: tomorrow",
        "'tomorrow' is not a moment; write phase.NAME + 24h, step.NAME + 1h or 2026-01-31T22:00Z",
    ),
    ('not_before: "phase.validate + 24h"', 'not_before: "phase.cleanup + 1h"', "it could never start"),
    ("api: {side: after", "api: {side: afer", "services.api.side: there is no side 'afer'; did you mean 'after'?"),
    (
        "service: api, expect",
        "service: apo, expect",
        "checks.api_up.service: there is no service 'apo'; did you mean 'api'?",
    ),
    ("service: [pg, redis]", "service: [pg, reddis]", "checks.running.service[1]: there is no service 'reddis'"),
    ("service: [pg, redis]", "service: []", "checks.running.service: this list is empty"),
    (
        "ok_after: 2, needs: [pg]",
        "ok_after: 2, needs: [pq]",
        "checks.api_up.needs[0]: there is no check or service 'pq'",
    ),
    (
        'left: before, right: after, tables: "*"',
        'left: befor, right: after, tables: "*"',
        "checks.rows.left: there is no side 'befor'; did you mean 'before'?",
    ),
    (
        'password: "{{ secret.pg_old }}"',
        'password: "{{ secret.pg_odd }}"',
        "sides.before.password: the template {{ secret.pg_odd }} names a secret that the plan does not have",
    ),
    (
        "since: data, until: cleanup",
        "since: date, until: cleanup",
        "checks.rows.since: there is no phase 'date'; did you mean 'data'?",
    ),
    (
        "since: data, until: cleanup",
        "since: data, until: build",
        "checks.rows.until: phase 'build' ends before phase 'data' starts",
    ),
    (
        'when: "api_up == CRIT for 2m"',
        'when: "api_op == CRIT for 2m"',
        "alerts.api_down.when: there is no check or service 'api_op'; did you mean 'api_up'?",
    ),
    ('when: "api_up == CRIT for 2m"', 'when: "api_up == CIRT"', "'CIRT' is no status; did you mean 'CRIT'?"),
    ('when: "api_up == CRIT for 2m"', 'when: "api_up is down"', "write api_up == CRIT, or api_up != OK"),
    (
        'when: "running[pg] == CRIT"',
        'when: "running[gp] == CRIT"',
        "troubleshooting[0].when: there is no check or service 'running[gp]'",
    ),
    (
        "valid_until: cleanup.destroy, steps: [{run: ./scripts/back.sh --url",
        "valid_until: cleanup.destory, steps: [{run: ./scripts/back.sh --url",
        "rollbacks.quick.valid_until: there is no PHASE.STEP 'cleanup.destory'; did you mean 'cleanup.destroy'?",
    ),
    (
        "rollback: [data, build]",
        "rollback: [data, built]",
        "rollbacks.full.steps[1].rollback[1]: there is no phase 'built'; did you mean 'build'?",
    ),
    ("verify: [rows]", "verify: [rwos]", "rollbacks.quick.verify[0]: there is no check or service 'rwos'"),
    ("value: api_up.time", "value: api_op.time", "promises.search.after.value: there is no check 'api_op'"),
    ("value: api_up.time", "value: quick", "'quick' is neither a number, a metric of the plan nor CHECK.METRIC"),
    (
        "value: api_up.time",
        "value: api_up.tim",
        "promises.search.after.value: there is no metric of the check api_up 'tim'; did you mean 'time'?",
    ),
    ('target: "after <= before / 5"', 'target: "faster"', "promises.search.target: 'faster' is not a target"),
    ('target: "after <= before / 5"', 'target: "before > 5"', "does not look at `after`"),
    ('target: "after <= before / 5"', "target: \"after < __import__('os').getpid()\"", "is not a target"),
    ("checks: [last_dump]}", "checks: [last_dum]}", "runbooks[0].checks[0]: there is no check 'last_dum'"),
    (
        "{{ step.build_machine.ip }}",
        "{{ step.build_machin.ip }}",
        "vars.new_ip.default: the template {{ step.build_machin.ip }} names no variable; did you mean",
    ),
    (
        'default: "{{ step.build_machine.ip }}"',
        "from_output: build_machine.ip",
        "this key is called 'default' now: write `default: \"{{ step.NAME.OUT }}\"`",
    ),
    ("metric: load", "metric: laod", "metrics.load.metric: there is no host metric 'laod'; did you mean 'load'?"),
]

_ITEMS = '[{text: "La recherche fonctionne", evidence: text}, {text: "Le panier fonctionne", evidence: text}]'
_SAFETY: list[Case] = [
    (
        "effect: changes, rollback",
        "rollback",
        "step 'restore' does not say its `effect`: one of read, creates, changes, destroys",
    ),
    (
        f"        checklist: {_ITEMS}\n",
        "",
        "step 'by_hand' does nothing: give it `run`",
    ),
    (
        "      - id: by_hand\n",
        "      - id: by_hand\n        run: ./x.sh\n        effect: read\n",
        "phases[3].steps[0].checklist: step 'by_hand' has both `run` and `checklist`",
    ),
    (
        f"        checklist: {_ITEMS}",
        '        checklist: [" "]',
        "phases[3].steps[0].checklist[0]: this item is empty",
    ),
    (
        'text: "Le panier fonctionne", evidence: text',
        "text: Le panier, evidence: photo",
        "phases[3].steps[0].checklist[1].evidence: expected 'none', 'text', 'file' or 'url', found the text 'photo'",
    ),
    (
        'text: "Le panier fonctionne", evidence: text',
        "text: Le panier, chek: api_up",
        "phases[3].steps[0].checklist[1].chek: unknown key; did you mean 'check'?",
    ),
    (
        'text: "Le panier fonctionne", evidence: text',
        "text: Le panier, check: api_upp",
        "phases[3].steps[0].checklist[1].check: there is no check or service 'api_upp'; did you mean 'api_up'?",
    ),
    (
        _ITEMS,
        "[{text: a look, optional: true}, 5]",
        "phases[3].steps[0].checklist[1]: expected",
    ),
    (
        _ITEMS,
        "[{text: a look, optional: true}]",
        "phases[3].steps[0].checklist: all of it is optional",
    ),
    (
        "{id: restore, run",
        "{id: dump, run",
        "phases[2].steps[0].id: a step of phase 'backup' already has the id 'dump'",
    ),
    ("  - id: data\n", "  - id: build\n", "phases[2].id: another phase already has the id 'build'"),
    (
        _CONFIRM,
        "",
        "step 'destroy' is irreversible and has no `confirm`",
    ),
    (
        "require: [last_dump, api_up], cooldown",
        "require: [api_up], cooldown",
        "step 'destroy' is irreversible and rests on no backup: list a check of kind backup",
    ),
    (
        "        rollback: impossible\n",
        "",
        "phases[4].steps[0].effect: step 'destroy' destroys and has no `rollback`: say how it is undone",
    ),
    (
        "        effect: destroys\n",
        "        effect: read\n",
        "step 'destroy' is irreversible, so it does more than read",
    ),
    ("run: ./scripts/destroy.sh", "run: a\n        argv: [b]", "step 'destroy' has both `run` and `argv`"),
    ("run: ./scripts/destroy.sh", "argv: [b, '{{ secret.pg_old }}']", "argv[1]: a secret cannot be used here"),
    ("run: ./scripts/destroy.sh", "argv: [b, '{{ bakcup }}']", "argv[1]: the template {{ bakcup }} names no variable"),
    ("run: ./scripts/destroy.sh", "argv: []", "argv: expected at least one entry"),
    ("run: ./scripts/destroy.sh", "argv: ['']", "argv[0]: the program's name is empty"),
    ("rollback: impossible", "rollback: {env: {A: b}}", "a rollback is one command: give it `run` or `argv`"),
    ("rollback: impossible", "rollback: not_needed", "rollback: step 'destroy' destroys: say how it is undone, or"),
    ("rollback: impossible", "rollback: {undone_by: restoer}", "there is no step 'restoer'; did you mean 'restore'?"),
    ("rollback: impossible", "rollback: {undone_by: destroy}", "a step is not undone by itself"),
    ("rollback: impossible", "rollback: {undone_by: dump}", "step 'dump' has no command in its `rollback`"),
    ("rollback: impossible", "rollback: {run: back, undone_by: restore}", "rollback.run: unknown key"),
    (
        "rollback: impossible",
        "rollback: imposible",
        "expected 'not_needed' or 'impossible', found the text 'imposible'",
    ),
    ('text: "destroy {{ id }}"', 'text: "yes"', "confirm.text: the text to type must name what is done"),
    ('text: "destroy {{ id }}"', 'text: "destroy it "', "one line without spaces at its ends"),
    (
        'effect: destroys, confirm: {text: "recreate pg"}',
        "effect: destroys",
        "this solution destroys and has no `confirm`",
    ),
    (
        "effect: destroys, confirm",
        "effect: destroys, irreversible: true, confirm",
        "irreversible: this key is called 'effect' now: write `effect: destroys`",
    ),
    (
        "effect: destroys, confirm",
        "effect: destroys, ask: {X: what}, env: {X: a}, confirm",
        "troubleshooting[0].solutions[0].ask.X: X stands in `env` already",
    ),
    (
        'run: "docker compose down -v", ',
        "ask: {X: what}, ",
        "troubleshooting[0].solutions[0].ask: nothing takes these answers: give the solution a `run`",
    ),
    ("{verify: [last_dump]}", "{verify: []}", "phases[0].steps[0].on_unknown.verify: expected at least one entry"),
    (
        "on_unknown: {verify: [last_dump]}",
        "on_unknown: verify",
        "on_unknown: `verify` is written `{verify: [CHECK]}` now",
    ),
    ("on_unknown: {verify: [last_dump]}", "on_unknown: retry", "on_unknown: `retry` is called `rerun` now"),
    (
        "expect_duration: 15m",
        "expect_duration: 25m",
        "phases[1].steps[0].expect_duration: this is longer than the step's timeout",
    ),
    (
        "stdout:/^IP=(\\\\S+)$/",
        "stdout:/^IP=\\\\S+$/",
        "phases[1].steps[0].outputs.ip: this regular expression has no group",
    ),
    ("stdout:/^IP=(\\\\S+)$/", "stdout:/(I)(P)/", "has 2 groups"),
    ("stdout:/^IP=(\\\\S+)$/", "stdout:/^IP=(/", "this regular expression cannot be read"),
    ("stdout:/^IP=(\\\\S+)$/", "^IP=(.*)$", "write stdout:/REGEX/ with one group"),
    (
        'gate: {require: [api_up], human: "Go / no-go", who: [lead]}',
        "gate: {who: [lead]}",
        "phases[3].gate: the gate of phase 'validate' asks for nothing",
    ),
    ('gate: {require: [api_up], human: "Go / no-go", who: [lead]}', "gate: {}", "asks for nothing"),
    (
        'gate: {require: [api_up], human: "Go / no-go", who: [lead]}',
        "gate: {human: Go?, hold: 5m}",
        "phases[3].gate.hold: `hold` needs checks in `require`",
    ),
    (
        'gate: {require: [api_up], human: "Go / no-go", who: [lead]}',
        "gate: {require: [api_up], persons: 2}",
        "phases[3].gate.persons: two people answer a question: write it as `human`",
    ),
    (
        "within: 10m, every: 15s",
        "within: 10s, every: 15s",
        "phases[1].gate.every: this is longer than `within`",
    ),
    ("rollbacks:\n", "  - id: later\n    steps: []\nrollbacks:\n", "phases[5]: phase 'later' is empty"),
    (
        "steps: [{run: ./scripts/back.sh --url-only}]",
        "steps: []",
        "rollbacks.quick.steps: a way back without steps leads nowhere",
    ),
    (
        "steps: [{run: ./scripts/back.sh --url-only}]",
        "steps: [{run: a, rollback: [data]}]",
        "a step is either `run` or `argv` (a command), or `rollback` (phases)",
    ),
    ("run: ./scripts/destroy.sh", "run: ' '", "phases[4].steps[0].run: this command is empty"),
]


@pytest.mark.parametrize(("old", "new", "expected"), _NAMES + _SAFETY)
def test_a_rule_speaks_for_itself(problems: Problems, example: str, old: str, new: str, expected: str) -> None:
    assert old in example
    found = problems(example.replace(old, new, 1))
    assert any(expected in problem for problem in found), found


def test_a_forgotten_check_is_told_and_one_that_is_only_watched_is_not(problems: Problems, example: str) -> None:
    forgotten = example.replace("\nmetrics:", "\n  lonely: {kind: memory, warn: '80%'}\nmetrics:")
    (problem,) = problems(forgotten)
    assert "checks.lonely: nothing uses the check 'lonely': list it in a gate's `require`" in problem
    line = forgotten[: forgotten.index("  lonely:")].count("\n") + 1
    assert problem.startswith(f"{line}:3: ")  # the name of the check, not what stands behind it
    assert problems(forgotten.replace("lonely: {kind: memory", "lonely: {kind: memory, every: 30s")) == []


def test_a_metric_that_a_check_would_have_with_one_more_key_is_told_with_that_key(problems: Problems) -> None:
    text = "schema: 1\nid: a\ntitle: A\nchecks:\n  web: {kind: process, pattern: nginx}\n"
    text += "metrics:\n  use: {kind: check, check: web, metric: cpu, title: Use}\n"
    (problem,) = problems(text)
    assert "metrics.use.metric: there is no metric of the check web 'cpu'" in problem
    assert problem.endswith("; it measures that where cpu_crit or cpu_warn is set")
    assert problems(text.replace("pattern: nginx", "pattern: nginx, cpu_warn: 80")) == []


def test_a_plan_that_only_watches_needs_no_gate(problems: Problems) -> None:
    assert problems("schema: 1\nid: a\ntitle: A\nchecks:\n  m: {kind: memory, warn: '80%'}\n") == []


def test_a_circle_of_needs_is_told_once(problems: Problems, example: str) -> None:
    text = example.replace("redis, needs: []", "redis, needs: [api]").replace(
        "container: postgres}", "container: postgres, needs: [redis]}"
    )
    (problem,) = problems(text)
    assert "these need each other in a circle" in problem
    assert {"api", "pg", "redis"} <= set(problem.replace("→", " ").split())


def test_a_name_that_could_mean_two_things_is_refused_where_it_is_needed(problems: Problems, example: str) -> None:
    text = example.replace("checks:\n", "checks:\n  pg: {kind: tcp, host: a, port: 1, every: 5s}\n", 1)
    assert any("'pg' names both a check and a service" in problem for problem in problems(text))


def test_a_frozen_plan_loads_though_its_check_module_is_gone(tmp_path: Path, example: str) -> None:
    module = tmp_path / "queue.py"
    module.write_text(
        "class Q:\n    kind='queue'\n    effect='read'\n    config=Q\n    async def probe(self, c, x): ...\n"
    )
    text = example.replace("costs: {", "check_modules: [queue.py]\ncosts: {")
    text = text.replace("\nmetrics:", "\n  mine: {kind: queue, every: 5s}\nmetrics:")
    digest = load_plan_text(text, tmp_path / "plan.yaml").digest
    module.unlink()
    with pytest.raises(PlanError):
        load_plan_text(text, tmp_path / "plan.yaml")
    assert load_plan_text(text, tmp_path / "plan.yaml", frozen=True).digest == digest


def test_hundreds_of_wrong_names_among_hundreds_are_told_without_much_ado(problems: Problems) -> None:
    names = range(400)
    checks = "".join(f"  check_{n}: {{kind: memory, warn: '80%', every: 5s}}\n" for n in names)
    gate = ", ".join(f"chekc_{n}" for n in names)
    found = problems(f"schema: 1\nid: a\ntitle: A\nchecks:\n{checks}phases:\n- id: p\n  gate: {{require: [{gate}]}}\n")
    assert len(found) == 400
    assert "there is no check or service 'chekc_7'; did you mean 'check_7'?" in found[7]


@pytest.mark.parametrize("part", ["a", "{{", "a://", "a:", "-----BEGIN ", "PASSWORD", "- "])
def test_a_very_long_text_is_judged_without_much_ado(problems: Problems, example: str, part: str) -> None:
    long = part * (400_000 // len(part))
    text = example.replace("run: ./scripts/destroy.sh", f"run: '{long}'").replace("LEVEL: 9", f"LEVEL: '{long}'")
    for name in (
        'outputs: {ip: "stdout:/^IP=(\\\\S+)$/"}',
        'not_before: "phase.validate + 24h"',
        'when: "api_up == CRIT for 2m"',
    ):
        key = name.partition(":")[0]
        assert name in text
        text = text.replace(
            name, f"outputs: {{ip: 'stdout:/{long[:20_000]}'}}" if key == "outputs" else f"{key}: '{long[:20_000]}'"
        )
    assert all(len(problem) < 700 for problem in problems(text))
