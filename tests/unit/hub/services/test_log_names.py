"""`switchover logs NAME` takes the names that the list shows, and names the nearest where it does not know one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.hub.fake_source import UP, FakeSource, Host

from switchover.hub.services.log_names import meant_by, not_found
from switchover.services.provider_api import LogSource, LogSpan

NAMES = {
    "api": "api",
    "docker:shop-web-1": "web",
    "process:web@7": "web",
    "docker:cache": "cache",
    "docker:other/cache": "cache",
    "systemd:nginx.service": "nginx",
    "systemd:user:backup.timer": "backup.timer",
    "kubernetes:shop/deployment/orders": "orders",
    "process:postgres@1": "postgres",
}


@pytest.mark.parametrize(
    ("word", "ids"),
    [
        ("api", ["api"]),
        ("docker:shop-web-1", ["docker:shop-web-1"]),
        ("web", ["docker:shop-web-1"]),
        ("WEB", ["docker:shop-web-1"]),
        ("shop-web-1", ["docker:shop-web-1"]),
        ("cache", ["docker:cache", "docker:other/cache"]),
        ("nginx", ["systemd:nginx.service"]),
        ("nginx.service", ["systemd:nginx.service"]),
        ("postgres", ["process:postgres@1"]),
        ("orders", ["kubernetes:shop/deployment/orders"]),
        ("shop/deployment/orders", ["kubernetes:shop/deployment/orders"]),
        ("nothing", []),
    ],
)
def test_a_word_means_what_the_list_shows_by_it(word: str, ids: list[str]) -> None:
    assert meant_by(word, NAMES) == ids


def test_what_is_not_known_is_told_with_what_would_be() -> None:
    assert "did you mean process:postgres@1?" in not_found("postgers", NAMES)
    assert "did you mean systemd:user:backup.timer?" in not_found("backup", NAMES)
    assert "a file of this name is written ./zzz" in not_found("zzz", NAMES)
    many = {f"docker:h{n}/web": "web" for n in range(20)}
    assert not_found("web", many).startswith("20 things are called web; write one of them, such as docker:h0/web")


async def test_the_log_of_what_the_list_shows_is_found_by_its_name(tmp_path: Path) -> None:
    async with Host(tmp_path, FakeSource("web", db=UP)) as host:
        await host.row("docker:web")
        assert await host.hub.log_sources(["web"], LogSpan()) == [LogSource("web", "docker", ref="web")]
        (said,) = await host.hub.log_sources(["wbe"], LogSpan())
        assert isinstance(said, tuple)
        assert said[0] == "wbe"
        assert "did you mean docker:web?" in said[1]


async def test_things_of_one_name_are_opened_together_and_told_apart(tmp_path: Path) -> None:
    source = FakeSource("a/web", "b/web")
    async with Host(tmp_path, source) as host:
        await host.row("docker:a/web")
        found = await host.hub.log_sources(["web"], LogSpan())
        assert [one.name for one in found if isinstance(one, LogSource)] == ["web a/web", "web b/web"]


async def test_what_was_not_listed_yet_is_listed_for_one_who_names_it(tmp_path: Path) -> None:
    source = FakeSource()
    async with Host(tmp_path, source) as host:
        await host.until(lambda _: source.listings > 0)
        source.things["late"] = UP
        assert await host.hub.log_sources(["late"], LogSpan()) == [LogSource("late", "docker", ref="late")]


async def test_a_source_that_hangs_keeps_nobody_from_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    monkeypatch.setattr("switchover.hub.services.service_watch._LIST_WITHIN_S", 0.01)
    source = FakeSource("web")
    source.hang = asyncio.Event()
    async with Host(tmp_path, source) as host:
        (said,) = await host.hub.log_sources(["web"], LogSpan())
        assert isinstance(said, tuple)
        assert said[1].startswith("there is no service of this name")
        source.hang.set()
