"""No secret stands in a plan, and no message repeats one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Problems = Callable[[str], list[str]]

CANARY = "hunter2canary"
_PASSWORD = 'password: "{{ secret.pg_old }}"'


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('{ref: "env:OLD_PASSWORD"}', f"{{ref: {CANARY}}}", "secrets.pg_old.ref"),
        ('{ref: "env:OLD_PASSWORD"}', f'{{ref: "vault:{CANARY}"}}', "secrets.pg_old.ref"),
        ('{ref: "env:OLD_PASSWORD"}', CANARY, "secrets.pg_old"),
        ('{ref: "env:OLD_PASSWORD"}', f"{{value: {CANARY}, ref: 'env:A'}}", "secrets.pg_old.value"),
        ('PGPASSWORD: "{{ secret.pg_old }}"', f"PGPASSWORD: {CANARY}", "phases[0].steps[0].env.PGPASSWORD"),
        ("LEVEL: 9", f"API_TOKEN: {CANARY}", "phases[0].steps[0].env.API_TOKEN"),
        ("LEVEL: 9", "DB_PASSWORD: 1234567", "phases[0].steps[0].env.DB_PASSWORD"),
        ("LEVEL: 9", f'URL: "postgresql://shop:{CANARY}@db/shop"', "phases[0].steps[0].env.URL"),
        ("postgresql://shop@db.internal", f"postgresql://shop:{CANARY}@db.internal", "sides.before.pg"),
        (_PASSWORD, f"pg_secret: {CANARY}", "sides.before.pg_secret"),
        (_PASSWORD, f"password: {CANARY}", "sides.before.password"),
        (_PASSWORD, f"{_PASSWORD}, redis: {{auth_token: {CANARY}}}", "sides.before.redis.auth_token"),
        ('"Bearer {{ secret.token }}"', f"Bearer {CANARY}", "checks.index.headers.Authorization"),
        ("path: /, warn", f"path: /, password: {CANARY}, warn", "checks.disk.password"),
        ("index: {kind: http,", f"index: {{kind: http, bearer: {CANARY},", "checks.index.bearer"),
        ("http://{{ new_ip }}:9090", f"http://me:{CANARY}@host:9090", "metrics.memory.url"),
        ("https://wiki.example.org", f"https://me:{CANARY}@wiki.example.org", "runbooks[0].url"),
        ("./scripts/destroy.sh", f"PGPASSWORD={CANARY} ./scripts/destroy.sh", "phases[4].steps[0].run"),
        ("./scripts/destroy.sh", f"./scripts/destroy.sh --password='{CANARY}'", "phases[4].steps[0].run"),
        ("./scripts/destroy.sh", f"psql postgresql://shop:{CANARY}@db/shop -c vacuum", "phases[4].steps[0].run"),
        ("docker compose down -v", f"TOKEN={CANARY} docker compose down -v", "troubleshooting[0].solutions[0].run"),
        ("./scripts/destroy.sh", "AWS_ID=AKIAIOSFODNN7EXAMPLE ./destroy.sh", "phases[4].steps[0].run"),
        (
            "region: {type: str, default: eu-west-1, choices: [eu-west-1, eu-central-1]}",
            "db_password: {type: str}",
            "vars.db_password",
        ),
    ],
)
def test_a_literal_secret_is_told_by_its_place_and_never_repeated(
    problems: Problems, example: str, old: str, new: str, where: str
) -> None:
    assert old in example
    found = problems(example.replace(old, new, 1))
    assert any(f": {where}: " in problem for problem in found), found
    assert not any(CANARY in problem for problem in found)


@pytest.mark.parametrize(
    "place", ["index: {kind: http, user: me, password: WHICH,", "index: {kind: http, bearer: WHICH,"]
)
def test_a_secret_is_named_by_a_template_only(problems: Problems, example: str, place: str) -> None:
    def named(how: str) -> list[str]:
        return problems(example.replace("index: {kind: http,", place.replace("WHICH", how)))

    assert named('"{{ secret.pg_new }}"') == []
    (bare,) = named("pg_new")
    assert bare.endswith('a secret is named by a template only: write "{{ secret.pg_new }}"')


def test_a_side_names_its_secret_by_a_template_only(problems: Problems, example: str) -> None:
    (bare,) = problems(example.replace(_PASSWORD, "pg_secret: pg_old", 1))
    assert 'sides.before.pg_secret: a secret is named by a template only: write "{{ secret.pg_old }}"' in bare


@pytest.mark.parametrize(
    "run",
    [
        'PGPASSWORD="$PW" ./x.sh',
        "TOKEN=$(vault read token) ./x.sh",
        "TOKEN=`cat token` ./x.sh",
        "./x.sh --password-file=/run/pw --token=$T",
        "psql postgresql://shop:$PW@db/shop",
        "PASSWORD= ./x.sh",
        "curl https://example.org:8443/path@v2",
    ],
)
def test_what_the_shell_works_out_is_no_literal_secret(problems: Problems, example: str, run: str) -> None:
    assert problems(example.replace("run: ./scripts/destroy.sh", f"run: >-\n          {run}")) == []


@pytest.mark.parametrize(
    "entry",
    [
        "PWD: /srv/shop",
        "GOOGLE_APPLICATION_CREDENTIALS: /etc/gcp/key.json",
        "SSH_PRIVATE_KEY: ~/.ssh/id_ed25519",
        "TOKEN_FILE: /run/token",
        "PASSWORD: ''",
        'DB_PASS: "{{ secret.pg_old }}"',
        "COMPASS: north",
    ],
)
def test_what_only_sounds_like_a_secret_is_none(problems: Problems, example: str, entry: str) -> None:
    assert problems(example.replace("LEVEL: 9", entry)) == []


@pytest.mark.parametrize(
    ("old", "new", "help_text"),
    [
        (_PASSWORD, f"password: {CANARY}", "write {{ secret.NAME }}"),
        ("LEVEL: 9", f"API_TOKEN: {CANARY}", "write {{ secret.NAME }}"),
    ],
)
def test_a_literal_secret_comes_with_what_to_write_instead_at_its_place(
    problems: Problems, example: str, old: str, new: str, help_text: str
) -> None:
    assert help_text in "\n".join(problems(example.replace(old, new)))
