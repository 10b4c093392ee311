"""Keys of checks, services and metrics fit their kinds, and templates name values that exist."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from switchover.plan.rules.kind_rules import CHECK_KEYS
from switchover_checks.runtime.registry import Registry

Problems = Callable[[str], list[str]]
Case = tuple[str, str, str | None]

_KINDS: list[Case] = [
    ('warn: "20%:"', 'warn: "20%;"', "checks.disk.warn"),
    ('expect: ["status == 200", "time', 'expect: ["statos == 200", "time', "checks.api_up.expect[0]"),
    (
        "fail_after: 3",
        "fial_after: 3",
        "checks.api_up.fial_after: a check of kind http has no key 'fial_after'; did you mean 'fail_after'?",
    ),
    ("mode: count", "mode: counts", "checks.rows.mode"),
    ("max_age: 26h", "max_age: old", "checks.last_dump.max_age: 'old' is not a duration"),
    ('path: "{{ dump }}", ', "", "checks.last_dump.path: is needed and not set"),
    (
        'kind: http, url: "http://{{ new_ip }}:{{ port }}/health"',
        "kind: http",
        "services.api: a service of kind http needs url",
    ),
    (
        "container: postgres",
        'container: postgres, url: "http://a/"',
        "services.pg.url: a service of kind docker has no 'url'",
    ),
    ("pid_file: run/worker.pid", 'pattern: "("', "services.worker.pattern: this regular expression cannot be read"),
    ("query: node_memory_MemAvailable_bytes, ", "", "metrics.memory.query: a metric of kind prometheus needs 'query'"),
    (
        "query: node",
        "qeury: node",
        "metrics.memory.qeury: a metric of kind prometheus has no key 'qeury'; did you mean 'query'?",
    ),
    ('warn: "8"', 'warn: "eight"', "metrics.load.warn"),
]

_TEMPLATES: list[Case] = [
    (
        'BACKUP: "{{ backup }}"',
        'BACKUP: "{{ bakcup }}"',
        "phases[0].steps[0].env.BACKUP: the template {{ bakcup }} names no variable; did you mean 'backup'?",
    ),
    (
        'PGPASSWORD: "{{ secret.pg_old }}"',
        'PGPASSWORD: "{{ secret.pg_odl }}"',
        "names a secret that the plan does not have; did you mean 'pg_old'?",
    ),
    ('default: "backups/{{ run.id }}"', 'default: "backups/{{ secret.pg_old }}"', "a secret cannot be used here"),
    ('BACKUP: "{{ backup }}"', 'BACKUP: "{{ backup | upper }}"', "there are no filters"),
    ('BACKUP: "{{ backup }}"', 'BACKUP: "{{ backup"', "`{{` is not closed by `}}`"),
    ('BACKUP: "{{ backup }}"', 'BACKUP: "{{ 1 + 1 }}"', "is no template"),
    (
        "./scripts/destroy.sh",
        "./scripts/destroy.sh {{ new_ip }}",
        "phases[4].steps[0].run: a template inside shell text: {{ new_ip }}; put the value into `env`",
    ),
    (
        "terraform destroy -auto",
        "terraform destroy {{ region }} -auto",
        "phases[1].steps[0].rollback.run: a template inside shell text",
    ),
    (
        "run: ./scripts/back.sh --url-only",
        "run: './scripts/back.sh {{ nwe_ip }}'",
        "rollbacks.quick.steps[0].run: a template inside shell text",
    ),
    (
        "docker compose logs --tail 200",
        "docker compose logs {{ region }} --tail 200",
        "troubleshooting[0].diagnose[0]: a template inside shell text",
    ),
    (
        "docker compose down -v",
        "docker compose {{ region }} down -v",
        "troubleshooting[0].solutions[0].run: a template inside shell text",
    ),
    (
        '"$BACKUP_PATH"',
        "{{ path }}",
        'checks.last_dump.restore_test: a template inside shell text: {{ path }}; the backup is "$BACKUP_PATH" here',
    ),
    (
        '"$BACKUP_PATH"',
        "{{ backup }}",
        "checks.last_dump.restore_test: a template inside shell text: {{ backup }}; put the value into `env`",
    ),
    (
        '"$BACKUP_PATH"',
        "{{ secret.pg_old }}",
        "checks.last_dump.restore_test: {{ secret.pg_old }} in a command would show in `ps`; let the command fetch it",
    ),
    ('"$BACKUP_PATH"', "{{ path | q }}", "there are no filters; a value reaches a shell through `env`"),
    (
        "http://{{ new_ip }}:9090",
        "http://{{ new_pi }}:9090",
        "metrics.memory.url: the template {{ new_pi }} names no variable; did you mean 'new_ip'?",
    ),
    ('text: "destroy {{ id }}"', 'text: "destroy {{ iid }}"', "confirm.text: the template {{ iid }} names no variable"),
    ('type: ip, ask: "IP of the new machine", default', "type: ip, default", None),
    (
        "{id: build_machine, run: ./scripts/deploy.sh,",
        '{id: build_machine, run: ./scripts/deploy.sh, env: {IP: "{{ new_ip }}"},',
        None,
    ),
    (
        "{type: port, default: 8001}",
        "{type: port, default: 80010}",
        "vars.port.default: port: '80010' is not a port from 1 to 65535",
    ),
    (
        "default: eu-west-1, choices",
        "default: eu-west-2, choices",
        "vars.region.default: region: 'eu-west-2' is not one of eu-west-1, eu-central-1; did you mean 'eu-west-1'?",
    ),
    ("  region:", "  target:", "vars.target: 'target' already means something in templates"),
    ('default: "backups/{{ run.id }}"', 'default: "{{ dump }}"', "these defaults are made of each other"),
]


@pytest.mark.parametrize(("old", "new", "expected"), _KINDS + _TEMPLATES)
def test_a_rule_speaks_for_itself(problems: Problems, example: str, old: str, new: str, expected: str | None) -> None:
    assert old in example
    found = problems(example.replace(old, new, 1))
    if expected is None:
        assert found == []
    else:
        assert any(expected in problem for problem in found), found


@pytest.mark.parametrize("kind", ["command", "nagios"])
@pytest.mark.parametrize("command", ['"login {{ secret.pg_old }}"', '[login, "--password={{ secret.pg_old }}"]'])
def test_a_secret_reaches_the_command_of_a_check_through_its_environment_only(
    problems: Problems, example: str, kind: str, command: str
) -> None:
    check = "\nchecks:\n  login: {kind: KIND, every: 1m, command: COMMAND, env: {PW: '{{ secret.pg_old }}'}}\n"
    for text, wanted in ((command, 1), ('"login"', 0)):
        more = check.replace("KIND", kind).replace("COMMAND", text)
        found = problems(example.replace("\nchecks:\n", more, 1))
        assert [("checks.login.command" in p, "would show in `ps`" in p) for p in found] == [(True, True)] * wanted, (
            found
        )


def test_a_value_of_a_later_step_cannot_be_used_before_it(problems: Problems, example: str) -> None:
    text = example.replace('type: ip, ask: "IP of the new machine", ', "type: ip, ")
    text = text.replace("deploy.sh,", 'deploy.sh, env: {IP: "{{ new_ip }}"},')
    (problem,) = problems(text)
    assert "step 'build_machine' uses {{ new_ip }}, which is known only after step 'build_machine' has ended" in problem


@pytest.mark.parametrize(
    ("default", "used"),
    [("", "step.build_machine.ip"), ("http://{{ step.build_machine.ip }}/", "url"), ("{{ other }}", "url")],
)
def test_what_a_later_step_puts_out_cannot_be_used_before_it_by_no_detour(
    problems: Problems, example: str, default: str, used: str
) -> None:
    more = f"vars:\n  url: {{default: '{default}'}}\n  other: {{default: 'x{{{{ step.build_machine.ip }}}}'}}\n"
    text = example.replace("vars:\n", more, 1).replace("deploy.sh,", f'deploy.sh, env: {{U: "{{{{ {used} }}}}"}},')
    (problem,) = problems(text)
    assert f"uses {{{{ {used} }}}}, which is known only after step 'build_machine' has ended" in problem


def test_a_step_or_an_output_that_is_not_there_is_no_value(problems: Problems, example: str) -> None:
    (problem,) = problems(example.replace("deploy.sh,", 'deploy.sh, env: {U: "{{ step.build_machin.ip }}"},'))
    assert "names no variable; did you mean 'step.build_machine.ip'?" in problem


def test_templates_of_docker_and_kubectl_in_commands_are_left_alone(problems: Problems, example: str) -> None:
    text = example.replace(
        "run: ./scripts/destroy.sh", "run: \"docker ps --format '{{.Names}} {{json .Ports}} {{ .Image }}'\""
    )
    assert problems(text) == []


def test_a_kind_whose_key_every_check_has_already_is_told_where_to_rename_it(
    tmp_path: Path, problems: Problems, example: str
) -> None:
    (tmp_path / "queue.py").write_text(
        "class C:\n    timeout: int = 1\n"
        "class Q:\n    kind='queue'\n    effect='read'\n    config=C\n    async def probe(self, c, x): ...\n"
    )
    text = example.replace("costs: {", "check_modules: [queue.py]\ncosts: {")
    (problem,) = problems(text.replace("\nmetrics:", "\n  mine: {kind: queue, every: 5s}\nmetrics:"))
    assert (
        "checks.mine.kind: the kind queue has a key 'timeout', which every check has already; rename it in" in problem
    )


def test_no_built_in_kind_has_a_key_that_every_check_has() -> None:
    registry = Registry()
    builtin = [kind for kind, info in registry.kinds().items() if info.source == "builtin"]
    assert len(builtin) > 10
    for kind in builtin:
        fields = registry.config_fields(kind)
        assert fields is not None
        assert not {field.name for field in fields} & set(CHECK_KEYS), kind
