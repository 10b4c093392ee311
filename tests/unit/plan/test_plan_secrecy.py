"""No secret stands in a plan, and no message repeats one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Problems = Callable[[str], list[str]]

CANARY = "hunter2canary"


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ('{ref: "env:OLD_PASSWORD"}', f"{{ref: {CANARY}}}", "secrets.pg_old.ref"),
        ('{ref: "env:OLD_PASSWORD"}', f'{{ref: "vault:{CANARY}"}}', "secrets.pg_old.ref"),
        ('{ref: "env:OLD_PASSWORD"}', CANARY, "secrets.pg_old"),
        ('{ref: "env:OLD_PASSWORD"}', f"{{value: {CANARY}, ref: 'env:A'}}", "secrets.pg_old.value"),
        ('"{{ secret.pg_old }}"', CANARY, "phases[0].steps[0].env.PGPASSWORD"),
        ("LEVEL: 9", f"API_TOKEN: {CANARY}", "phases[0].steps[0].env.API_TOKEN"),
        ("LEVEL: 9", "DB_PASSWORD: 1234567", "phases[0].steps[0].env.DB_PASSWORD"),
        ("LEVEL: 9", f'URL: "postgresql://shop:{CANARY}@db/shop"', "phases[0].steps[0].env.URL"),
        ("postgresql://shop@db.internal", f"postgresql://shop:{CANARY}@db.internal", "sides.before.pg"),
        ("pg_secret: pg_old", f"pg_secret: {CANARY}", "sides.before.pg_secret"),
        ("pg_secret: pg_old", f"pg_secret: pg_old, password: {CANARY}", "sides.before.password"),
        (
            "pg_secret: pg_old",
            f"pg_secret: pg_old, redis: {{auth_token: {CANARY}}}",
            "sides.before.redis.auth_token",
        ),
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


def test_a_check_names_the_secret_that_it_uses(problems: Problems, example: str) -> None:
    text = example.replace("index: {kind: http,", "index: {kind: http, user: me, password: pg_new,")
    assert problems(text) == []


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
        ("pg_secret: pg_old", f"pg_secret: pg_old, password: {CANARY}", "write password_secret: NAME"),
        ("LEVEL: 9", f"API_TOKEN: {CANARY}", "write {{ secret.NAME }}"),
    ],
)
def test_a_literal_secret_comes_with_what_to_write_instead_at_its_place(
    problems: Problems, example: str, old: str, new: str, help_text: str
) -> None:
    assert help_text in "\n".join(problems(example.replace(old, new)))
