from __future__ import annotations

import pytest

from switchover.hub.services.service_inspector import _without_values_of_secrets


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
    assert "canary" not in _without_values_of_secrets(text)


@pytest.mark.parametrize(
    "text", ['"PATH=/usr/bin:/bin"', '"LANG=C.UTF-8"', "http://db:5432/shop", "--port 80 --name shop"]
)
def test_what_is_no_secret_stays_in_an_inspection(text: str) -> None:
    assert _without_values_of_secrets(text) == text
