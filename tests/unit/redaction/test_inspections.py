from __future__ import annotations

import pytest

from switchover_checks.unknown_secrets import redact_unknown


@pytest.mark.parametrize(
    "text",
    [
        '    "POSTGRES_PASSWORD=canary with canary",',
        '    "DB_PASSWORD=canary,canary;canary\'s",',
        '    "API_TOKEN=canary=canary\\"canary",',
        'Environment=SECRET_KEY="canary b canary" OTHER=1',
        'password: "canary y canary"',
        '"AWS_SECRET_ACCESS_KEY=canary/def+canary"',
        "/usr/bin/shop --db-password canary --port 80",
        "/usr/bin/shop --token=canary",
        '"DATABASE_URL=postgres://shop:canary@canary@db/shop"',
        '"REDIS_URL=redis://:canary@cache"',
    ],
)
def test_the_whole_value_of_what_is_named_like_a_secret_is_left_out_of_an_inspection(text: str) -> None:
    assert "canary" not in redact_unknown(text)


@pytest.mark.parametrize(
    "text", ['"PATH=/usr/bin:/bin"', '"LANG=C.UTF-8"', "http://db:5432/shop", "--port 80 --name shop"]
)
def test_what_is_no_secret_stays_in_an_inspection(text: str) -> None:
    assert redact_unknown(text) == text


@pytest.mark.parametrize(
    "text",
    [
        '"Cmd": [\n    "redis-server",\n    "--requirepass",\n    "canary"\n],',
        "['mysql', '-u', 'root', '-pcanary', 'shop']",
        '["sshpass", "-p", "canary", "ssh", "h"]',
        '"Args": ["--db-password", "canary"]',
    ],
)
def test_arguments_in_lists_are_read_as_they_were_typed(text: str) -> None:
    assert "canary" not in redact_unknown(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://harena:s3cret@rds.internal/harena",
        "cannot reach https://u:s3cret@h:8443/x?y=1, twice https://u:s3cret@h/",
        "postgresql://u:a@s3cret@h/db",
        "http://h/?password=s3cret&x=1",
        "dbname=x password=s3cret host=h",
        "https://h/?api_key=s3cret",
        "redis://:s3cret@h/0",
    ],
)
def test_a_password_in_a_url_is_hidden(text: str) -> None:
    assert "s3cret" not in redact_unknown(text)
    assert "(secret)" in redact_unknown(text)


@pytest.mark.parametrize("text", ["http://h:8080/path@2", "a plain text", "postgresql://user@h/db", "time 12:30@noon"])
def test_what_holds_no_password_stays_as_it_is(text: str) -> None:
    assert redact_unknown(text) == text
