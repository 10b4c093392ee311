"""Where a Redis is, in one URL."""

from __future__ import annotations

import pytest

from switchover_checks.kinds.stores.redis import RedisConfig
from switchover_checks.runtime.config import ConfigError, build_config


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("redis://cache.example.org", ("cache.example.org", 6379, 0, False)),
        ("rediss://10.0.0.7:6380/3", ("10.0.0.7", 6380, 3, True)),
        ("redis://[2001:db8::1]:7000/", ("2001:db8::1", 7000, 0, False)),
    ],
)
def test_it_says_host_port_database_and_tls(url: str, where: tuple[str, int, int, bool]) -> None:
    config = build_config(RedisConfig, {"url": url})
    assert (config.host, config.port, config.database, config.tls) == where


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"url": "http://a"}, "url is redis://HOST"),
        ({"url": "redis://u:p@a"}, "url holds no account"),
        ({"url": "redis://a/x"}, "the number of the database"),
        ({"url": "redis://a?db=1"}, "url is redis://HOST"),
        ({"url": "redis://a", "socket": "s"}, "not both"),
    ],
)
def test_what_is_none_is_refused(keys: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        build_config(RedisConfig, keys)
